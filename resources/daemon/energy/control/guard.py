"""The net below: a limit of the circuit that lasts for minutes only, renewed while the rules live. Pure.

When the daemon, its machine or its network dies, nobody renews it, and the circuit falls to what its owner has set for
that in the charger (Easee: `offlineMaxCircuitCurrent`). Times are seconds of a clock that never steps, currents in A.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ports import Acts, Attempt

RENEW_S = 120.0
"""The limit lasts five minutes: one lost renewal does no harm."""
RETRY_S = 30.0


@dataclass
class Guard:
    """Of one charger."""

    charger: str
    failures: int = 0
    requests: int = 0
    up: bool = False
    """A limit that ends by itself was sent, and none that stays after it has been accepted."""
    _lifting: bool = False
    _attempt: Attempt | None = None
    _next: float = float("-inf")
    _amps: int = 0

    def follow(self, now: float, wanted: int | None, acts: Acts) -> bool:
        """Renews the limit of `wanted` A; None: it is not wanted, and lifted if it was there. True if it has sent."""
        self._settle(now)
        if self._attempt is not None:
            return False
        if wanted is None:
            return self._lift(now, acts)
        if now < self._next and (wanted == self._amps or self.failures):
            return False
        self._amps, self._next, self.up, self._lifting = wanted, now + RENEW_S, True, False
        self.requests += 1
        self._attempt = acts.begin(self.charger, "circuit.guard", wanted)
        return True

    @property
    def amps(self) -> int:
        """A of the limit that ends by itself; 0 if there is none."""
        return self._amps if self.up else 0

    def restore(self, amps: int) -> None:
        """A limit was set before the daemon's start."""
        self.up, self._amps = amps > 0, amps

    def _lift(self, now: float, acts: Acts) -> bool:
        """Leaves the circuit with the same limit, and without an end: nothing of ours expires later."""
        if not self.up or (self._lifting and now < self._next):
            return False
        self._lifting = True
        self.requests += 1
        self._attempt = acts.begin(self.charger, "circuit.current", self._amps)
        return True

    def _settle(self, now: float) -> None:
        attempt = self._attempt
        if attempt is None or not attempt.over:
            return
        self._attempt = None
        if attempt.done:
            self.failures = 0
            if self._lifting:
                self.up, self._lifting, self._next = False, False, float("-inf")
        elif self.up:
            self.failures += 1
            self._next = now + max(RETRY_S * self.failures, attempt.retry_s or 0.0)
