"""Importing this first spares a process an import of 1 to 5 s that nothing here needs; pytest gets it with `-p`.

nbformat imports jsonschema, which imports rfc3987_syntax where it is installed (JupyterLab brings it) and builds
its grammars for validating internationalised addresses. With None in its place jsonschema goes without.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
