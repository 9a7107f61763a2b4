"""The learner's environment: what is locked, what is installed, setting it up, and what the doctor sees.

Top layer, and the one part that must work before anything is installed: its modules import the standard
library and `course_utils.errors` only. `guard` must even be readable by Python 3.6, so that an old Python says
one clear sentence instead of a SyntaxError.
"""
