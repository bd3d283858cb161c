"""Where a test's clock starts when it must be near the real time (certificates, tokens of today)."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo


def noon() -> float:
    """The last noon in Paris: hours away from midnight, whatever time of day the tests run at."""
    now = datetime.fromtimestamp(time.time(), ZoneInfo("Europe/Paris"))
    day = now if now.hour >= 12 else datetime.fromtimestamp(time.time() - 86400, ZoneInfo("Europe/Paris"))
    return day.replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
