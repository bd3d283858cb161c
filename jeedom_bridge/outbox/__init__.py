"""What is to be sent to Jeedom: three queues with three rules, behind one lock.

Of a *value* only the newest counts (`values`): a newer one replaces one that waits, and one equal to what Jeedom has
costs nothing. *Events* keep their order and are each applied once (`events`). *Dated measures* (`measures`) are not
kept for long: whoever hands them in waits for their delivery and can fetch them again. A request takes from all three
(`batch`); `outbox` is what the daemon and the callback see.
"""

from .batch import MAX_BYTES, MAX_POINTS, Batch, Point, Value
from .events import MAX_EVENTS
from .measures import MAX_WAITING_POINTS, Delivery
from .outbox import Outbox

__all__ = [
    "MAX_BYTES",
    "MAX_EVENTS",
    "MAX_POINTS",
    "MAX_WAITING_POINTS",
    "Batch",
    "Delivery",
    "Outbox",
    "Point",
    "Value",
]
