"""The course's helper library: everything a lesson or an exercise imports, loaded only when it is used.

Importing this package runs nothing and needs nothing but the standard library, so that the set-up
(`python3 -m course_utils lab`) can start on a machine where nothing is installed yet.
"""

__version__ = "2026.1"

# name -> the module that it lives in
_HOME = {
    "CourseError": "errors",
    "approve": "show.approval",
    "calibration": "show.predict",
    "chat_model": "models",
    "check": "check",
    "confusion": "show.confusion",
    "connect": "connection",
    "curve": "show.curve",
    "explore": "show.sliders",
    "fault_lab": "faultlab",
    "faults": "faults",
    "hint": "check",
    "ledger": "show.ledger",
    "predict": "show.predict",
    "progress": "check",
    "quiz": "show.quiz",
    "stepper": "show.stepper",
    "timeline": "show.timeline",
    "workflow_graph": "show.graph",
    "world": "world",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    """Import the part that `name` lives in, on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError("module 'course_utils' has no attribute %r" % name)
    from importlib import import_module

    module = import_module("course_utils." + _HOME[name])
    found = module if _HOME[name] == name and not hasattr(module, name) else getattr(module, name)
    globals()[name] = found
    return found


def __dir__():
    return __all__
