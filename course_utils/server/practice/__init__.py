"""The practice model: a simulator of a small and a large language model that needs no account and no internet.

Layer 1: its modules import `world`, `records`, `server.wire` and each other. It does small, real work
with plain algorithms, errs at documented rates (docs/PRACTICE_MODEL.md), and says that it is a simulator when asked.
"""

from course_utils.server.practice.model import PracticeModel

__all__ = ["PracticeModel"]
