"""What the house asks of the rest of the daemon: readings of all equipment, and a way to act.

Protocols only: whoever builds the daemon hands in what fits them. Values are in the units of
`core/contract/quantities.json` (W, Wh, VA, A, V, %, €), with its signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Union

from jeedom_bridge.templates import fill

Value = Union[float, int, str, bool]


@dataclass(frozen=True)
class Source:
    """Where a value comes from: a command of an equipment, and what of the vocabulary it measures.

    `per`: now, today, counter, measure, day, month or year. `part`: a period of the tariff, or ''. `name`: what the
    user calls the equipment.
    """

    equipment: str
    command: str
    quantity: str
    per: str = "now"
    part: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """Names it in settings and in the store."""
        return f"{self.equipment}:{self.command}"


@dataclass(frozen=True)
class Reading:
    """The newest value of a source; `at`: Unix time of the data, not of their arrival."""

    source: Source
    value: Value
    at: float
    doubtful: bool = False
    """Whether its equipment does not work now: the value says nothing of this moment."""

    def age(self, now: float) -> float:
        """Seconds since the data were true; never negative, whatever the vendor's clock says."""
        return max(now - self.at, 0.0)

    @property
    def number(self) -> float | None:
        """The value as a number; None for a text."""
        return float(self.value) if isinstance(self.value, (int, float)) else None


@dataclass(frozen=True)
class Measure:
    """A dated energy of a source: `energy` in Wh (or money in €) between two moments of Unix time."""

    source: Source
    begin: float
    end: float
    energy: float


class Readings(Protocol):
    """The board of all readings."""

    def newest(self) -> Iterable[Reading]:
        """The newest reading of every source of every equipment, the house's own left out."""
        ...

    def measures(self) -> Iterable[Measure]:
        """The dated energies that came since the last call."""
        ...


class Sentence(str):
    """A French sentence with its numbers filled in, which can still be put into the user's language."""

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Sentence:
        made = super().__new__(cls, fill(template, values))
        made.template, made.values = template, values
        return made


class Attempt(Protocol):
    """An action under way."""

    @property
    def over(self) -> bool:
        """Whether its end is known."""
        ...

    @property
    def done(self) -> bool:
        """Once over: whether the device or its vendor has taken it."""
        ...

    @property
    def failure(self) -> str:
        """Once over and not done: why, for the user."""
        ...

    @property
    def retry_s(self) -> float | None:
        """Once over and not done: seconds until another try makes sense, if that is known."""
        ...


class Acts(Protocol):
    """A way to act on any equipment, with the backend's own proof that it was done."""

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Attempt:
        """Begins what `capability` says ("charger.current", "load.on"), and does not wait."""
        ...

    def want(self, load: str, state: str) -> None:
        """Has the command that is chosen in the setting `state` of a load run, until it is proved."""
        ...

    def hurry(self, equipment: str, period_s: float) -> None:
        """Has a meter read at least every `period_s`, where its system bears it; it ends when nobody asks again."""
        ...


class Kept(Protocol):
    """Small durable values of the house's connection."""

    def get(self, key: str, default: Any = None) -> Any: ...

    def keep(self, key: str, value: Any) -> bool:
        """Whether it is durable; one that is not comes to the disk with the next that can be written."""
        ...


class Delivers(Protocol):
    """Dated figures on their way."""

    delivered: bool
    """Whether Jeedom has acknowledged them all."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        ...


class Publishes(Protocol):
    """Where the figures of the house go."""

    def values(self, facts: Mapping[str, Value | None], at: float) -> None:
        """Facts of the moment; None: not known now."""
        ...

    def dated(self, series: Mapping[str, list[tuple[str, Value]]]) -> Delivers:
        """Dated figures by fact, each (ISO 8601 with offset, value), on their way to Jeedom."""
        ...

    def translate(self, template: str, **values: object) -> str:
        """A French template in the user's language."""
        ...

    def message(self, level: str, template: str, **values: object) -> None:
        """For the user, once."""
        ...
