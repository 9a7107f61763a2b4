"""How an answer is put to use: most are called once, some several times, or through an outage, or across restarts.

Layer 2: imports `attempt` and the drivers' own modules.
"""

from __future__ import annotations

from course_utils.attempt import Drive, called
from course_utils.outages import OUTAGES
from course_utils.repeats import REPEATS
from course_utils.restarts import RESTARTS

DRIVERS: dict[str, Drive] = {"call": called} | REPEATS | OUTAGES | RESTARTS
