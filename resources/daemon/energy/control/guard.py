"""The net below: a limit of the circuit that lasts for minutes only, renewed while the rules live. Pure.

When the daemon, its machine or its network dies, nobody renews it, and the circuit falls to what its owner has set for
that in the charger (Easee: `offlineMaxCircuitCurrent`). It may leave the circuit one phase only: the same end makes it
three again. Times are seconds of a clock that never steps, currents in A.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ports import Acts, Attempt

LASTS_S, RENEW_S = 300.0, 120.0
"""One lost renewal does no harm."""
RETRY_S = 30.0
UNSET_A = 40
"""What circuits show that nobody limits, after a restart of their charger (developer.easee.com/docs/load-balancing)."""


@dataclass
class Guard:
    """Of one charger."""

    charger: str
    failures: int = 0
    failure: str = ""
    requests: int = 0
    up: bool = False
    """A limit that ends by itself was sent, and none that stays after it has been accepted."""
    phases: int = 3
    """Those that it leaves the circuit."""
    _lifting: bool = False
    _attempt: Attempt | None = None
    _next: float = float("-inf")
    _amps: int = 0
    _ends: float = float("-inf")
    """Until when what was accepted holds."""
    _begun_at: float = float("-inf")
    _seen: bool = False
    """The circuit has shown what was sent."""

    def follow(self, now: float, wanted: int | None, acts: Acts, phases: int = 3) -> bool:
        """Renews the limit of `wanted` A; None: it is not wanted, and lifted if it was there. True if it has sent."""
        self._settle(now)
        if self._attempt is not None:
            return False
        if wanted is None:
            return self._lift(now, acts)
        same = (wanted, phases) == (self._amps, self.phases)
        if now < self._next and (same or self.failures):
            return False
        self._amps, self.phases, self._next, self.up = wanted, phases, now + RENEW_S, True
        self._seen, self._begun_at = self._seen and same, now
        self._begin("circuit.guard" if phases == 3 else "circuit.onePhase", acts, lifting=False)
        return True

    @property
    def amps(self) -> int:
        """A of the limit that ends by itself; 0 if there is none."""
        return self._amps if self.up else 0

    def restore(self, amps: int, phases: int = 3) -> None:
        """A limit was set before the daemon's start."""
        self.up, self._amps, self.phases = amps > 0, amps, phases

    def hear(self, now: float, amps: float | None, phases: int | None) -> bool:
        """Takes what the circuit shows; True if somebody else has set that while ours still held."""
        if not self.up or self._lifting or amps is None or phases is None:
            return False
        if (round(amps), phases) == (self._amps, self.phases):
            self._seen = True
        elif amps >= UNSET_A:  # its charger has restarted
            self._seen, self._next = False, float("-inf")
        else:
            return self._seen and self._attempt is None and now < self._ends
        return False

    def drop(self) -> None:
        """Nothing of ours is renewed or lifted any more."""
        self.up, self._lifting, self._attempt, self._seen = False, False, None, False
        self.phases, self.failures, self._next = 3, 0, float("-inf")

    def _lift(self, now: float, acts: Acts) -> bool:
        """Leaves the circuit with the same limit, and without an end: nothing of ours expires later."""
        if not self.up or (self._lifting and now < self._next):
            return False
        self._begin("circuit.current", acts, lifting=True)
        return True

    def _begin(self, capability: str, acts: Acts, lifting: bool) -> None:
        self.requests += 1
        self._lifting = lifting
        self._attempt = acts.begin(self.charger, capability, self._amps)

    def _settle(self, now: float) -> None:
        attempt = self._attempt
        if attempt is None or not attempt.over:
            return
        self._attempt = None
        if attempt.done:
            self.failures, self.failure = 0, ""
            self._ends = self._begun_at + LASTS_S
            if self._lifting:
                self.drop()
        elif self.up:
            self.failures += 1
            self.failure = attempt.failure
            self._next = now + max(RETRY_S * self.failures, attempt.retry_s or 0.0)
