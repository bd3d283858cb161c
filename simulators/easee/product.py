"""What a charger and an Equalizer have in common for the cloud: numbered observations that leave when they change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, ClassVar, Optional

from simulators.clock import Clock

BOOLEAN, DOUBLE, INTEGER, STRING = 2, 3, 4, 6
PULSE_S = 900.0


@dataclass(frozen=True)
class Observed:
    """One observation in the format of the stream."""

    id: int
    data_type: int
    value: str
    at: float

    def record(self, serial: str) -> dict[str, Any]:
        """As the argument of `ProductUpdate`."""
        return {
            "mid": serial,
            "dataType": self.data_type,
            "id": self.id,
            "timestamp": stamp(self.at),
            "value": self.value,
        }

    def answer(self, typed: bool) -> dict[str, Any]:
        """As an element of the answer for its observations, with a value of a JSON type or as text."""
        value: Any = self.value
        if typed and self.data_type == BOOLEAN:
            value = self.value == "1"
        elif typed and self.data_type == INTEGER:
            value = int(self.value)
        elif typed and self.data_type == DOUBLE:
            value = float(self.value)
        return {"id": self.id, "value": value, "dataType": self.data_type, "timestamp": stamp(self.at)}


def stamp(at: float) -> str:
    """Epoch seconds as the service writes them."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Product:
    """The newest of its observations. `tell(product, observed)` is called for each that leaves it. Thread-safe."""

    kinds: ClassVar[Mapping[int, int]] = {}
    """Types of its observations; the others are DOUBLE."""
    pulse_of: ClassVar[tuple[int, ...]] = ()
    """Observations that it sends periodically, whether they have changed or not."""

    def __init__(self, serial: str, name: str, wall: Clock) -> None:
        """`wall`: what its dates are of."""
        self.serial, self.name, self.wall = serial, name, wall
        self.online = True
        self.tell: Callable[[Any, Observed], None] = lambda product, observed: None
        self.lock = threading.RLock()
        self.observed: dict[int, Observed] = {}
        self.pulsed = wall()

    def observe(self, observation: int, value: Any, at: float) -> Observed:
        """A value in the format of the stream."""
        kind = self.kinds.get(observation, DOUBLE)
        if kind == BOOLEAN:
            return Observed(observation, kind, "1" if value else "0", at)
        if kind == INTEGER:
            return Observed(observation, kind, str(int(value)), at)
        return Observed(observation, kind, self.written(value) if kind == DOUBLE else str(value), at)

    def written(self, value: Any) -> str:
        """A number with decimals, as it is sent."""
        return str(value)

    def get(self, observation: int) -> Any:
        """The value of an observation, as a Python value."""
        observed = self.observed[observation]
        if observed.data_type == BOOLEAN:
            return observed.value == "1"
        return observed.value if observed.data_type == STRING else float(observed.value)

    def set(self, observation: int, value: Any, at: Optional[float] = None) -> None:
        """Sets a value; sends it if it differs."""
        with self.lock:
            observed = self.observe(observation, value, self.wall() if at is None else at)
            before = self.observed.get(observation)
            if before is not None and before.value == observed.value:
                return
            self.observed[observation] = observed
        if self.online:
            self.tell(self, observed)

    def pulse(self) -> None:
        """Sends what it sends without a change, if it lives."""
        with self.lock:
            self.pulsed = now = self.wall()
            if not self.online:
                return
            again = [replace(self.observed[each], at=now) for each in self.pulse_of]
            self.observed.update({each.id: each for each in again})
        for each in again:
            self.tell(self, each)
