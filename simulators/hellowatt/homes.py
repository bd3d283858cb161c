"""Simulated homes: daily consumption and production, when the site gets it, and later corrections.

Every figure follows from the seed, the home and the date, so that `truth` can be asked at any time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Optional
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
PRICES = {
    "Base": "0.2516",
    "HP": "0.27",
    "HC": "0.2068",
    "Tempo-blue-HP": "0.1609",
    "Tempo-blue-HC": "0.1296",
    "Tempo-white-HP": "0.1894",
    "Tempo-white-HC": "0.1486",
    "Tempo-red-HP": "0.7562",
    "Tempo-red-HC": "0.1568",
    "total": "0.1094",
}
SUBSCRIPTION = {"electricity": Decimal("0.5731"), "gas": Decimal("0.8471")}


def dice(*parts: Any) -> float:
    """A number in [0, 1) that follows from the parts."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def tempo_color(day: date) -> str:
    """The colour of a day, after the rules of the tariff: red and white in winter, Sundays blue."""
    if day.weekday() == 6:
        return "blue"
    chance = dice("tempo", day)
    winter = day.month in (11, 12, 1, 2, 3)
    if winter and day.weekday() < 5 and chance < 0.2:
        return "red"
    return "white" if chance < (0.45 if winter else 0.05) else "blue"


@dataclass
class Home:
    """A home. `tariffs`: from which day which electricity tariff (`base`, `hphc`, `tempo`) holds.

    `since`: first day of data. `stamp`: how the site writes midnight there (`offset`, `utc` or `fixed`: steps of
    24 h from the first row on). `delay`: days until a day is there, by energy; `late`: share of days that come
    one or two days later. `gaps`: days that never had data until `fill` is called.

    `last_day`: nothing newer comes, as when the consent for the meter has ended, or the supplier or the meter changed
    (MyElectricalData #411, #516, #573, conso-api #9, DomoticzLinky #203, 2023-2024: for months, the account being
    fine). `refusal`: the site's own `error` beside what it has (shape: zotot/hellowatt-ha, 2026). `nothing`: how a list
    without rows is written: `[]`, `null`, `false` or `missing`. `odd`: fields of a day's row that are other than they
    should be.
    """

    id: int
    pdl: Optional[str] = None
    pce: Optional[str] = None
    since: date = date(2023, 1, 1)
    tariffs: tuple[tuple[date, str], ...] = ((date(2000, 1, 1), "base"),)
    solar: bool = False
    stamp: str = "offset"
    delay: dict[str, int] = field(default_factory=lambda: {"electricity": 1, "gas": 1})
    late: float = 0.0
    gas_since: Optional[date] = None
    gaps: set[tuple[str, date]] = field(default_factory=set)
    corrections: dict[tuple[str, date], list[tuple[float, Decimal]]] = field(default_factory=dict)
    ongoing: set[str] = field(default_factory=set)
    last_day: dict[str, date] = field(default_factory=dict)
    refusal: Optional[dict[str, str]] = None
    nothing: str = "[]"
    odd: dict[tuple[str, date], dict[str, Any]] = field(default_factory=dict)
    seed: int = 7

    def described(self) -> dict[str, Any]:
        """As the list of homes shows it."""
        return {
            "id": self.id,
            "address": f"{self.id % 97} rue de l'Exemple",
            "area": {"postalCode": "44000", "name": "Nantes"},
            "enedisHome": {"pdl": self.pdl} if self.pdl else None,
            "grdfHome": {"pce": self.pce} if self.pce else None,
        }

    def contracts(self) -> list[dict[str, Any]]:
        """As the site lists them."""
        offers = {"base": "Tarif Bleu Base", "hphc": "Élec Heures Creuses", "tempo": "Tarif Bleu Tempo"}
        found = []
        for number, (begin, kind) in enumerate(self.tariffs if self.pdl else ()):
            found.append(
                {
                    "id": self.id * 10 + number,
                    "contractState": "actual" if number == len(self.tariffs) - 1 else "past",
                    "energy": "elec",
                    "provider": {"name": "Fournisseur Exemple"},
                    "offer": {"name": offers[kind]},
                    "subscribedPower": 9,
                    "startDate": begin.isoformat(),
                    "endDate": None,
                }
            )
        if self.pce:
            gas = {
                "id": self.id * 10 + 9,
                "contractState": "actual",
                "energy": "gas",
                "provider": {"name": "Gaz Exemple"},
            }
            found.append({**gas, "offer": {"name": "Gaz Indexé"}, "startDate": "2021-10-01", "endDate": None})
        return found

    # When the site knows of a day.

    def arrival(self, energy: str, day: date) -> float:
        """Epoch seconds from which on the site shows a day; late ones come one or two days after the others."""
        days = self.delay[energy]
        if dice(self.seed, self.id, energy, day, "late") < self.late:
            days += 1 + int(2 * dice(self.seed, self.id, energy, day, "how late"))
        hour = 9 + 5 * dice(self.seed, self.id, energy, day, "hour")
        start = datetime(day.year, day.month, day.day, tzinfo=PARIS) + timedelta(days=days)
        return start.timestamp() + hour * 3600

    def injection_arrival(self, day: date) -> float:
        """The injection of a day can come a day after its consumption."""
        late = dice(self.seed, self.id, "injection", day, "late") < self.late
        return self.arrival("electricity", day) + (86400 if late else 0)

    def correct(self, energy: str, day: date, at: float, factor: str) -> None:
        """From `at` on the day's figures are others."""
        self.corrections.setdefault((energy, day), []).append((at, Decimal(factor)))

    def fill(self) -> None:
        """Adds missing data to the site."""
        self.gaps.clear()

    # Figures.

    def tariff(self, day: date) -> str:
        """The tariff of a day."""
        return [kind for begin, kind in self.tariffs if begin <= day][-1]

    def parts(self, energy: str, day: date, now: float) -> dict[str, Decimal]:
        """kWh by tariff key."""
        season = {12: 3, 1: 3, 2: 3, 3: 2, 11: 2}.get(day.month, 1)
        factor = Decimal(1)
        for at, value in self.corrections.get((energy, day), []):
            if at <= now:
                factor = value

        def kwh(name: str, most: float) -> Decimal:
            raw = most * season * (0.2 + dice(self.seed, self.id, energy, day, name))
            return (Decimal(str(round(raw, 3))) * factor).quantize(Decimal("0.001"))

        if energy == "gas":
            return {"total": kwh("total", 12)}
        kind = self.tariff(day)
        if kind == "base":
            return {"Base": kwh("Base", 8)}
        if kind == "hphc":
            return {"HP": kwh("HP", 5), "HC": kwh("HC", 4)}
        color, before = tempo_color(day), tempo_color(day - timedelta(days=1))
        found = {f"Tempo-{color}-HP": kwh("HP", 6), f"Tempo-{color}-HC": kwh("HC", 2)}
        night = f"Tempo-{before}-HC"
        found[night] = found.get(night, Decimal(0)) + kwh("night", 3)
        return found

    def shown(self, energy: str, day: date, now: float) -> bool:
        """True if the site has that day."""
        begin = self.gas_since or self.since if energy == "gas" else self.since
        ended = day > self.last_day.get(energy, day)
        return day >= begin and not ended and (energy, day) not in self.gaps and self.arrival(energy, day) <= now

    def truth(self, energy: str, now: float) -> dict[date, dict[str, Decimal]]:
        """All days that the site shows at `now`, exactly: `kwh`, `euros`, `subscription`, `injection`, `hp`, ..."""
        found = {}
        begin = self.gas_since or self.since if energy == "gas" else self.since
        today = datetime.fromtimestamp(now, PARIS).date()
        for number in range((today - begin).days):
            day = begin + timedelta(days=number)
            if not self.shown(energy, day, now):
                continue
            parts = self.parts(energy, day, now)
            facts = {"kwh": sum(parts.values()), "subscription": SUBSCRIPTION[energy]}
            facts["euros"] = sum(kwh * Decimal(PRICES[key]) for key, kwh in parts.items()) + SUBSCRIPTION[energy]
            for period in ("HP", "HC"):
                own = [kwh for key, kwh in parts.items() if key.endswith(period)]
                if own:
                    facts[period.lower()] = sum(own)
            facts.update({key: kwh for key, kwh in parts.items() if key.startswith("Tempo")})
            if energy == "electricity" and self.solar and self.injection_arrival(day) <= now:
                facts["injection"], facts["gain"] = self.injection(day)
            found[day] = facts
        return found

    def injection(self, day: date) -> tuple[Decimal, Decimal]:
        """kWh that went to the grid, and what they brought."""
        sun = {6: 10, 7: 10, 5: 9, 8: 8, 4: 7, 9: 6}.get(day.month, 3)
        kwh = Decimal(str(round(sun * dice(self.seed, self.id, "sun", day), 3)))
        return kwh, kwh * Decimal("0.04")

    def row(self, energy: str, day: date, now: float, first: date) -> dict[str, Any]:
        """One row of an answer."""
        parts = self.parts(energy, day, now)
        priced = {key: float(kwh * Decimal(PRICES[key])) for key, kwh in parts.items()}
        if energy == "gas":
            priced = {"consumption": priced["total"]}
        row: dict[str, Any] = {
            "datetime": self.midnight(day, first),
            "kwhDetailed": {key: float(kwh) for key, kwh in parts.items()},
            "eurosDetailed": {**priced, "subscription": float(SUBSCRIPTION[energy])},
            "valueCo2": round(float(sum(parts.values())) * (0.227 if energy == "gas" else 0.0214), 4),
        }
        if energy == "electricity" and self.solar:
            there = self.injection_arrival(day) <= now
            kwh, euros = self.injection(day)
            row["injectionValueKwh"] = float(kwh) if there else None
            row["injectionValueEur"] = float(euros) if there else None
            row["solarProductionValueKwh"] = float(kwh * 2)
            row["solarProductionValueEur"] = float(kwh * Decimal("0.4"))
        return {**row, **self.odd.get((energy, day), {})}

    def series(self, energy: str, first: date, end: date, now: float) -> dict[str, Any]:
        """The whole answer about the days from `first` to before `end`."""
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        rows = [self.row(energy, day, now, first) for day in days if self.shown(energy, day, now)]
        today = datetime.fromtimestamp(now, PARIS).date()
        if energy == "electricity" and self.solar and first <= today < end:
            rows.append({"datetime": self.midnight(today, first), "solarProductionValueKwh": 0.4, "kwhDetailed": None})
        months = {f"{day:%Y-%m}" for day in days}
        answer: dict[str, Any] = {"values": rows, "isFetchOngoing": bool(months & self.ongoing)}
        if not rows and self.nothing != "[]":
            answer["values"] = {"null": None, "false": False}.get(self.nothing)
            if self.nothing == "missing":
                del answer["values"]
        if self.refusal and days and days[-1] > self.last_day.get(energy, days[-1]):
            answer["error"] = self.refusal
        return answer

    def midnight(self, day: date, first: date) -> str:
        """The start of a day, as this home's figures write it."""
        start = datetime(day.year, day.month, day.day, tzinfo=PARIS)
        if self.stamp == "utc":
            return start.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.stamp == "fixed":
            begin = datetime(first.year, first.month, first.day, tzinfo=PARIS).astimezone(timezone.utc)
            return (begin + timedelta(hours=24 * (day - first).days)).astimezone(PARIS).isoformat()
        return start.isoformat()
