"""Everything that is shown in a notebook: pictures, tables, questions; one module for each.

Layer 1: the modules of this package import `errors` and `records` of layer 0 and one another, never the server.
Nothing is imported here: matplotlib and ipywidgets are slow to load, and `from course_utils.show.timeline import
timeline` must not depend on who imported what before.
"""
