"""One Equalizer: what it reads at the house's meter.

Its numbers overlap with a charger's and mean other things. Power comes as two figures, drawn and fed; energies come
hourly, and have jumped by a factor of ten for an hour or two. What the meter does not give is never sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.counter_guard import CounterGuard, Limits
from .mapping import CONNECTED, Observation, Table, Values, Vocabulary
from .product import NEVER, Product

_LOG = logging.getLogger(__name__)

IMPORT_POWER, EXPORT_POWER, IMPORT_ENERGY, EXPORT_ENERGY = 40, 41, 45, 46
OF_THE_METER = frozenset(range(31, 44))
"""Currents, voltages and powers: of one telegram of the meter, of which only what has changed is sent."""
TELEGRAM_S = 3.0
"""Seconds within which the records of one telegram arrive."""
STALLED_KW = 0.3
"""A power that differs by more has not been filtered by the Equalizer: the stream should have brought it."""
METER_LIMITS = Limits(per_hour=45.0, slack=3.0, jitter=0.05, confirm_s=4 * 3600.0, confirm_readings=5)
"""In kWh: 3 x 60 A at most. Believed anew after five readings, which are hourly: a known error of two hours is not."""


def _grid_power(values: Values, away: bool) -> float | None:
    """kW drawn, negative while fed. A meter that counts one direction only never sends the other."""
    drawn, fed = values.get(IMPORT_POWER), values.get(EXPORT_POWER)
    return None if drawn is None else float(drawn - (fed or 0.0))


VOCABULARY = Vocabulary(
    derived={
        "gridPower": (frozenset({IMPORT_POWER, EXPORT_POWER}), _grid_power),
        "online": (frozenset({CONNECTED}), lambda values, away: not away),
    },
    unlisted=frozenset({CONNECTED, IMPORT_POWER, EXPORT_POWER}),
    whole=frozenset(),
    texts=frozenset(),
    flows=lambda values, away: True,
    passing=frozenset({"gridPower"}),
)


class Equalizer(Product):
    """The values of one Equalizer."""

    essential = IMPORT_POWER

    def __init__(self, serial: str, table: Table, silent_after: float = 1200.0) -> None:
        super().__init__(serial, table, silent_after)
        self._meters = {each: CounterGuard(METER_LIMITS) for each in (IMPORT_ENERGY, EXPORT_ENERGY)}
        self._telegram = self._telegram_before = NEVER
        """Date of the newest telegram of the meter, and of the one before."""
        self._telegram_heard = NEVER

    def differs(self, records: Iterable[Observation], asked: float) -> bool:
        """True if the service has a value that the stream should have sent."""
        known = self._news(records, asked)
        return any(abs(known[each] - self.values[each]) > STALLED_KW for each in (40, 41) if each in known)

    def standing(self, now: float) -> list[tuple[frozenset[str], float]]:
        """A telegram of the meter confirms all that it has not changed, once its last record has arrived."""
        whole = now - self._telegram_heard >= TELEGRAM_S
        at = self._telegram if whole else self._telegram_before
        known = OF_THE_METER & self.values.keys()
        return [*super().standing(now), (frozenset(self._table.touched(known)), at)]

    def _read(self, observation: int, value: Any, at: float, now: float) -> set[int]:
        if observation in OF_THE_METER:
            if now - self._telegram_heard >= TELEGRAM_S:
                self._telegram_before = self._telegram
            self._telegram, self._telegram_heard = max(self._telegram, at), now
        meter = self._meters.get(observation)
        if meter is None:
            return self._set(observation, value, at)
        return self._read_counter(meter, observation, value, at)

    # Persistence.

    def state(self) -> dict[str, Any]:
        """See Product.state."""
        return {str(number): meter.state() for number, meter in self._meters.items()}

    def restore(self, kept: Any) -> None:
        """See Product.restore."""
        if isinstance(kept, Mapping):
            for number, meter in self._meters.items():
                meter.restore(kept.get(str(number)))
