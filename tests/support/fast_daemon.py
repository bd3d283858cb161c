"""The daemon under a clock that runs faster than the machine's: `python -m tests.support.fast_daemon OPTIONS`.

`FAST_CLOCK` holds "<Unix time> <monotonic time of this machine at that moment> <speed>". Limits of sockets stay real.
"""

from __future__ import annotations

import os
import sys
import threading
import time

import jeenergied.daemon


class FastClock:
    """A `jeedom_bridge.clock.Clock` that several processes can share."""

    def __init__(self, epoch: float, mark: float, speed: float) -> None:
        self._epoch, self._mark, self._speed = epoch, mark, speed

    def time(self) -> float:
        return self._epoch + (time.monotonic() - self._mark) * self._speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        return condition.wait(None if timeout is None else timeout / self._speed)


if __name__ == "__main__":
    clock = FastClock(*(float(each) for each in os.environ["FAST_CLOCK"].split()))
    jeenergied.daemon.SystemClock = lambda: clock  # type: ignore[assignment,misc]
    sys.exit(jeenergied.daemon.main(sys.argv[1:], os.environ))
