"""What the rules need of the readings of now: the grid by phase, battery, voltage, each charger. Pure.

Powers in W, apparent powers in VA, currents in A, ages in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..live import Pace
from ..manager import OLD_S
from ..ports import Reading
from ..topology import Role, power_of
from .settings import USUAL_V

LEAST_V, GREATEST_V = 180.0, 280.0
FLOWS_A = 1.0
"""A current above it flows."""
BATTERY_OLD_S = 60.0
PHASES = ("1", "2", "3")


@dataclass(frozen=True)
class ChargerNow:
    """A charger as it tells now. `told`: the limit that it shows; `most`: what it and its circuit allow.

    `own_most`: what it allows without its circuit; it falls back to that when it has lost its limit.
    """

    plugged: bool
    drawn: float
    told: int | None
    most: int | None
    phases: int | None
    session_wh: float | None
    reachable: bool
    own_most: int | None = None
    circuit_most: float | None = None
    told_at: float = 0.0
    """Unix time of the data of `told`."""
    circuit_told: float | None = None
    """The limit that its circuit shows; `opened`: the phases that this leaves; the others: see sharing.offer."""
    opened: int | None = None
    offline_a: float | None = None
    may_change: bool | None = None
    obstacle: str = ""


class View:
    """The readings of a moment. `paces`: how often each source tells something, by its key."""

    def __init__(
        self, readings: Iterable[Reading], roles: Iterable[Role], paces: Mapping[str, Pace], now: float
    ) -> None:
        self._now = now
        self._paces = paces
        self._by_key = {each.source.key: each for each in readings}
        self._by_word = {
            (each.source.equipment, each.source.quantity, each.source.part): each
            for each in self._by_key.values()
            if each.source.per == "now"
        }
        self._roles = [each for each in roles if each.used]
        self.grid_role = next((each for each in self._roles if each.role == "grid.power"), None)

    def _role(self, name: str) -> list[Role]:
        return [each for each in self._roles if each.role == name]

    def _number(self, equipment: str, quantity: str, part: str = "") -> float | None:
        reading = self._by_word.get((equipment, quantity, part))
        return None if reading is None else reading.number

    def grid(self) -> tuple[float | None, float]:
        """(W, age). The age is measured by the source's own pace: of a slow one three intervals are not old."""
        role = self.grid_role
        watts = None if role is None else power_of(role, self._by_key)
        if role is None or watts is None:
            return None, math.inf
        age = 0.0
        for source in (role.source, role.less):
            reading = None if source is None else self._by_key.get(source.key)
            if reading is None:
                continue
            if reading.doubtful:
                return watts, math.inf
            limit = max(OLD_S, self._paces.get(source.key, Pace()).limit_s if source is not None else OLD_S)
            own = reading.age(self._now)
            age = max(age, min(own, OLD_S) if own <= limit else own)
        return watts, age

    def battery(self) -> tuple[float, bool]:
        """(W, whether all of it is known); (0, True) without a battery."""
        total = 0.0
        for role in self._role("battery.power"):
            reading = self._by_key.get(role.source.key)
            watts = power_of(role, self._by_key)
            if reading is None or watts is None or reading.doubtful or reading.age(self._now) > BATTERY_OLD_S:
                return 0.0, False
            total += watts
        return total, True

    def phases(self) -> int:
        """Of the house: three if its meter tells each of them."""
        return 3 if self._by_phase("grid.phasePower") or self._by_phase("grid.phaseCurrent") else 1

    def _by_phase(self, quantity: str) -> list[float]:
        """The figures of all three phases, of the grid's meter if it has them; empty if they are not all known."""
        own = [self.grid_role.source.equipment] if self.grid_role is not None else []
        for equipment in [*own, *sorted({each for each, word, _ in self._by_word if word == quantity})]:
            found = [self._number(equipment, quantity, part) for part in PHASES]
            volts = [self._number(equipment, "grid.phaseVoltage", part) for part in PHASES]
            if any(volts) and not all(each is not None and each >= LEAST_V for each in volts):
                continue  # a meter of one phase may tell a current of 0 for the two that it does not have
            if None not in found:
                return [each or 0.0 for each in found]
        return []

    def voltage(self) -> float:
        """Of the grid, between phase and neutral; the usual one if it is not told."""
        for (_, quantity, _part), reading in self._by_word.items():
            value = reading.number
            if (
                quantity in ("grid.voltage", "grid.phaseVoltage")
                and value is not None
                and LEAST_V < value < GREATEST_V
                and not reading.doubtful
            ):
                return value
        return USUAL_V

    def apparent(self, watts: float) -> list[float]:
        """VA drawn on each phase; a house that exports draws none."""
        if self.phases() == 3:
            powers = self._by_phase("grid.phasePower")
            if powers:
                return [max(0.0, each) for each in powers]
            return [max(0.0, each) * self.voltage() for each in self._by_phase("grid.phaseCurrent")]
        told = [power_of(role, self._by_key) for role in self._role("grid.apparentPower")]
        return [max(watts, told[0] if told and told[0] is not None else 0.0) if watts > 0 else 0.0]

    def charger(self, equipment: str, passed: Sequence[tuple[int, float]] = ()) -> ChargerNow | None:
        """A charger; None while it has told nothing.

        `passed`: see Given. One may come after the readings were taken: the last of them is the newest.
        """
        power = self._by_word.get((equipment, "charger.power", ""))
        limit = self._by_word.get((equipment, "charger.current", ""))
        if power is None and limit is None:
            return None
        plugged = self._number(equipment, "charger.plugged")
        drawn = (power.number if power is not None else None) or 0.0
        told, told_at = (limit.number, limit.at) if limit is not None else (None, 0.0)
        if passed:
            told, told_at = passed[-1]
        most = [self._number(equipment, word) for word in ("charger.maximumCurrent", "circuit.maximumCurrent")]
        known = [each for each in most if each is not None and each >= 6]
        flowing = [self._number(equipment, "charger.phaseCurrent", part) or 0.0 for part in PHASES]
        count = sum(1 for each in flowing if each > FLOWS_A)
        opened = self._number(equipment, "circuit.phases")
        may_change = self._number(equipment, "charger.phaseSwitching")
        obstacle = self._by_word.get((equipment, "charger.phaseObstacle", ""))
        return ChargerNow(
            plugged is None or plugged > 0,
            max(0.0, drawn),
            None if told is None else round(told),
            int(min(known)) if known else None,
            None if count == 0 else 3 if count == 3 else 1,
            self._number(equipment, "charger.sessionEnergy"),
            not any(each is not None and each.doubtful for each in (power, limit)),
            None if most[0] is None else int(most[0]),
            most[1],
            told_at,
            self._number(equipment, "circuit.current"),
            None if not opened else 3 if opened >= 3 else 1,
            self._number(equipment, "circuit.offlineCurrent"),
            None if may_change is None else may_change > 0,
            str(obstacle.value) if obstacle is not None else "",
        )

    def load(self, equipment: str) -> bool | None:
        """Whether a relay says that it is on; None if it says nothing."""
        value = self._number(equipment, "load.state")
        return None if value is None else value > 0
