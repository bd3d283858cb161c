"""The daemon under a clock that runs faster than the machine's: `python -m tests.support.fast_daemon OPTIONS`.

`FAST_CLOCK` holds "<Unix time> <monotonic time of this machine at that moment> <speed>". Limits of sockets stay real.
`FAST_STEP` names a file with the seconds by which the machine's clock has been set forward since, as a C double.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import threading
import time

import jeenergied.daemon

STEP = struct.Struct("d")


class FastClock:
    """A `jeedom_bridge.clock.Clock` that several processes can share."""

    def __init__(self, epoch: float, mark: float, speed: float, step: str = "") -> None:
        self._epoch, self._mark, self._speed = epoch, mark, speed
        self._step: bytes | mmap.mmap = bytes(STEP.size)
        if step:
            with open(step, "rb") as file:
                self._step = mmap.mmap(file.fileno(), STEP.size, access=mmap.ACCESS_READ)

    def time(self) -> float:
        stepped: float = STEP.unpack_from(self._step)[0]
        return self._epoch + stepped + (time.monotonic() - self._mark) * self._speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        return condition.wait(None if timeout is None else timeout / self._speed)


if __name__ == "__main__":
    clock = FastClock(*(float(each) for each in os.environ["FAST_CLOCK"].split()), os.environ.get("FAST_STEP", ""))
    jeenergied.daemon.SystemClock = lambda: clock  # type: ignore[assignment,misc]
    sys.exit(jeenergied.daemon.main(sys.argv[1:], os.environ))
