"""What a kWh costs at a moment, under the contracts that French houses have.

Pure. Prices are data with a date and a source (`core/contract/tariffs.json`), never code; off-peak hours differ from
house to house. Moments are Unix time; days and hours are local (a `tzinfo`), so that a night with a clock change has
the hours that it really has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

KINDS = ("base", "hphc", "tempo", "ejp", "hours")
TEMPO_CHANGE = time(6)
"""A Tempo day runs from 6:00 to 6:00: the first hours of a date have the colour of the day before."""
TEMPO_OFF_PEAK = ("22:00-06:00",)
EJP_BEGIN, EJP_END = time(7), time(1)
"""Mobile peak hours run from 7:00 to 1:00 of the next day."""
SUMMER = (4, 10)
"""Months of the summer season of off-peak hours: April to October."""
CHANGE_STEP_S = 300
"""The end of a period is found to so many seconds."""


@dataclass(frozen=True)
class Window:
    """A daily window of local time, which may span midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """From "22:00-06:00", or "22h-6h" as it is written in France. Raises ValueError if it is of neither form."""
        begin, _, end = text.partition("-")
        return cls(_time(begin), _time(end))

    def holds(self, at: time) -> bool:
        """Whether the window is open at a local time of day."""
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def _time(text: str) -> time:
    hour, _, minute = text.strip().lower().replace("h", ":").partition(":")
    if len(hour) > 2 or len(minute) > 2:
        raise ValueError(f"not a time of day: {text[:40]}")
    return time(0) if hour == "24" else time(int(hour), int(minute or 0))


@dataclass(frozen=True)
class OffPeakHours:
    """The off-peak windows of a house, which may differ between the seasons."""

    winter: tuple[Window, ...]
    summer: tuple[Window, ...]

    @classmethod
    def parse(cls, texts: Sequence[str] | Mapping[str, Sequence[str]]) -> OffPeakHours:
        """From windows for the whole year, or {"winter": [...], "summer": [...]}. Raises ValueError."""
        if isinstance(texts, Mapping):
            winter, summer = (tuple(map(Window.parse, texts.get(name, ()))) for name in ("winter", "summer"))
            return cls(winter, summer)
        windows = tuple(map(Window.parse, texts))
        return cls(windows, windows)

    def hold(self, local: datetime) -> bool:
        """Whether a local moment is off-peak."""
        windows = self.summer if SUMMER[0] <= local.month <= SUMMER[1] else self.winter
        return any(window.holds(local.time()) for window in windows)


@dataclass(frozen=True)
class Tariff:
    """A contract. `prices` are €/kWh by period:

    base: "base" · hphc: "hp", "hc" · tempo: "<colour>.hp", "<colour>.hc" with blue, white, red · ejp: "normal", "peak"
    · hours: "00:00", "13:30", ... from which time of day each price holds.

    `colours`: Tempo colours, or "peak" days of EJP, by the date on which their day begins (ISO text).
    """

    kind: str
    prices: Mapping[str, float]
    zone: tzinfo
    off_peak: OffPeakHours = field(default_factory=lambda: OffPeakHours.parse(()))
    colours: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Mapping[str, Any], zone: tzinfo) -> Tariff:
        """From {"kind", "prices", "hours", "colours"}. Raises ValueError if the kind or an hour is not valid."""
        kind = str(data["kind"])
        if kind not in KINDS:
            raise ValueError(f"unknown kind of tariff: {kind}")
        hours = data.get("hours") or (TEMPO_OFF_PEAK if kind == "tempo" else ())
        prices = {str(name): float(price) for name, price in data["prices"].items()}
        return cls(kind, prices, zone, OffPeakHours.parse(hours), dict(data.get("colours") or {}))

    def period(self, at: float) -> str | None:
        """The period at a moment, a key of `prices`; None while the colour of the day is not known."""
        local = datetime.fromtimestamp(at, self.zone)
        if self.kind == "base":
            return "base"
        if self.kind == "hphc":
            return "hc" if self.off_peak.hold(local) else "hp"
        if self.kind == "tempo":
            colour = self.colours.get(tempo_day(local).isoformat())
            return f"{colour}.{'hc' if self.off_peak.hold(local) else 'hp'}" if colour else None
        if self.kind == "ejp":
            return "peak" if self._is_ejp_peak(local) else "normal"
        return _last_before(sorted(self.prices), local.time())

    def price(self, at: float) -> float | None:
        """€/kWh at a moment; None while it is not known."""
        period = self.period(at)
        return None if period is None else self.prices.get(period)

    def is_dear(self, at: float) -> bool:
        """Whether a moment is one that is used with the user's consent only: red or mobile peak hours."""
        return self.period(at) in ("red.hp", "peak")

    def _is_ejp_peak(self, local: datetime) -> bool:
        day = local.date() if local.time() >= EJP_BEGIN else local.date() - timedelta(days=1)
        within = local.time() >= EJP_BEGIN or local.time() < EJP_END
        return within and self.colours.get(day.isoformat()) == "peak"

    def next_change(self, at: float, within_s: float = 86400.0, step_s: int = CHANGE_STEP_S) -> float | None:
        """The next moment at which the period changes, to `step_s`; None if there is none within `within_s`.

        A moment whose period is not known (tomorrow's colour) counts as a change.
        """
        now = self.period(at)
        moment = (int(at) // step_s + 1) * step_s
        while moment <= at + within_s:
            if self.period(moment) != now:
                return float(moment)
            moment += step_s
        return None


def tempo_day(local: datetime) -> date:
    """The Tempo day that a local moment belongs to."""
    return local.date() if local.time() >= TEMPO_CHANGE else local.date() - timedelta(days=1)


def _last_before(times: Sequence[str], at: time) -> str | None:
    """The latest of sorted times of day that is not after `at`; the last one when all are."""
    known = [text for text in times if _time(text) <= at]
    return known[-1] if known else (times[-1] if times else None)
