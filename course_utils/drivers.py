"""How an answer is put to use: most are called once, some several times, or through an outage, or across restarts,
or recorded.

Layer 2: imports `attempt` and the drivers' own modules.
"""

from __future__ import annotations

from course_utils.attempt import USUAL_SECONDS, Drive, called
from course_utils.clockwork import CLOCKWORK
from course_utils.graphs import GRAPHS
from course_utils.interrupts import INTERRUPTS
from course_utils.outages import OUTAGES
from course_utils.repeats import REPEATS
from course_utils.restarts import RESTARTS
from course_utils.traced import TRACED

DRIVERS: dict[str, Drive] = {"call": called} | CLOCKWORK | INTERRUPTS | REPEATS | OUTAGES | RESTARTS | GRAPHS | TRACED
SECONDS: dict[str, float] = dict.fromkeys(DRIVERS, USUAL_SECONDS) | {"restarted": 180.0}
"""Real seconds for one case; a busy machine takes long to start the first process."""
