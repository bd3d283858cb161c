"""Maps the site's rows to the facts of a day, and days to dated points. Pure: no input, output or clock.

The facts of a day, `Decimal` and unrounded: `kwh`, `kwh.hp`, `kwh.hc`, `kwh.tempo.<blue|white|red>.<hp|hc>`, the same
under `euros`, `subscription`, `energyEuros`, `co2`, `injection`, `injectionEuros`, `solar`, `solarEuros`, `tempoCode`.
The `source` of a dated row is `day.<fact>`, `month.<fact>` or `year.<fact>`: the figure of one day, or the sum of the
known days of a calendar month or year, which stands at its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jeedom_bridge.contract import Row

PARIS = ZoneInfo("Europe/Paris")
COLOR_CODES = {"blue": 1, "white": 2, "red": 3}
COLOR_NAMES = {1: "bleu", 2: "blanc", 3: "rouge"}
UNKNOWN_COLOR = "inconnue"
MAX_FIGURE = Decimal(1_000_000)
"""Highest plausible figure of a home's day."""
MAX_DAY_KWH = {"electricity": Decimal(1100), "gas": Decimal(3000)}
"""kWh that a home's meter can count in a day: 36 kVA for 25 h with some excess; a G6 gas meter, 10 m³/h of 11.2 kWh."""
ROWS_TO_BE_SURE = 5
"""Rows without a key from which on the key is taken to have been renamed."""

Day = dict[str, Decimal]
Days = dict[date, Day]

_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,30})?([eE][+-]?\d{1,3})?")
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_TEMPO = re.compile(r"tempo-(blue|white|red)-(hp|hc)")


class Unexpected(ValueError):
    """A key is missing in an answer; the text is its path."""


@dataclass
class Series:
    """A parsed answer: days by date; `ongoing`: the site is still fetching; `odd`: refused or corrected figures.

    `error`: the site's identifier for missing data; `says`: its sentence for the user.
    """

    days: Days = field(default_factory=dict)
    ongoing: bool = False
    error: str = ""
    says: str = ""
    odd: list[str] = field(default_factory=list)


def number(raw: Any) -> Decimal | None:
    """Converts an int, float or numeric text to Decimal; None if invalid, or beyond MAX_FIGURE."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    text = str(raw).strip() if isinstance(raw, (str, float)) or abs(raw) < 10**15 else ""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if abs(found) <= MAX_FIGURE else None


def local_day(stamp: Any) -> date | None:
    """Returns the day in Paris of a timestamp, or None. Adds two hours: the site writes midnight in several zones."""
    match = _STAMP.fullmatch(stamp.strip()) if isinstance(stamp, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    zone = match.group(7)
    try:
        if zone is None:
            return date(year, month, day)
        offset = timedelta(0)
        if zone != "Z":
            digits = zone[1:].replace(":", "")
            offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(offset))
        return (moment + timedelta(hours=2)).astimezone(PARIS).date()
    except (ValueError, OverflowError):
        return None


def _total(parts: Mapping[str, Decimal | None], odd: list[str], name: str, day: date) -> Decimal | None:
    if any(value is None for value in parts.values()):
        odd.append(f"{name} {day}")
        return None
    return sum((value for value in parts.values() if value is not None), Decimal(0)) if parts else None


def _detailed(raw: Any) -> dict[str, Decimal | None]:
    """Returns figures by tariff key in lower case; None for an invalid figure. Leaves out null."""
    if not isinstance(raw, dict):
        return {}
    found: dict[str, Decimal | None] = {}
    for key, value in raw.items():
        if value is None:
            continue
        name, figure = str(key).strip().lower(), number(value)
        before = found.get(name, Decimal(0))
        found[name] = None if figure is None or before is None else figure + before
    return found


def _split(parts: Mapping[str, Decimal | None], name: str) -> Day:
    """Returns HP, HC and the six Tempo figures of valid tariff figures."""
    found: Day = {}
    for key, value in parts.items():
        tempo = _TEMPO.fullmatch(key)
        if value is None or (tempo is None and key not in ("hp", "hc")):
            continue
        period = tempo.group(2) if tempo else key
        if tempo:
            found[f"{name}.tempo.{tempo.group(1)}.{period}"] = value
        found[f"{name}.{period}"] = found.get(f"{name}.{period}", Decimal(0)) + value
    return found


def _color(facts: Day) -> int | None:
    """Returns the colour code of a past day, by its HP: its HC includes a night of the previous colour."""
    for period in ("hp", "hc"):
        seen = {c for c in COLOR_CODES if facts.get(f"kwh.tempo.{c}.{period}", Decimal(0)) > 0}
        if len(seen) == 1:
            return COLOR_CODES[seen.pop()]
        if seen:
            return None
    return None


def day_facts(row: Mapping[str, Any], day: date, odd: list[str], most: Decimal = MAX_FIGURE) -> Day:
    """Returns the facts of one row. Leaves out figures that are invalid or above `most` kWh, and adds them to `odd`."""
    facts: Day = {}
    kwh = _detailed(row.get("kwhDetailed"))
    if not kwh and row.get("valueKwh") is not None:
        kwh = {"total": number(row["valueKwh"])}
    total = _total(kwh, odd, "kwhDetailed", day)
    believed = total is None or total <= most
    if not believed:
        odd.append(f"kwhDetailed > {most} kWh {day}")
    elif total is not None:
        facts["kwh"] = total
        facts.update(_split(kwh, "kwh"))
    _add_euros(facts, _detailed(row.get("eurosDetailed")), odd, day, believed)
    for name, source in _PLAIN.items():
        if row.get(source) is not None and (believed or name != "co2"):
            value = number(row[source])
            if value is None:
                odd.append(f"{source} {day}")
            elif value > most and source.endswith("Kwh"):
                odd.append(f"{source} > {most} kWh {day}")
            else:
                facts[name] = value
    for name, value in facts.items():
        if value < 0:
            if "." not in name:
                odd.append(f"{name} < 0 {day}")
            facts[name] = Decimal(0)
    code = _color(facts)
    if code is not None:
        facts["tempoCode"] = Decimal(code)
    return facts


def _add_euros(facts: Day, parts: dict[str, Decimal | None], odd: list[str], day: date, believed: bool) -> None:
    """Adds costs. `believed`: the energy is plausible; if not, its cost is refused too, but not its subscription."""
    subscription = parts.get("subscription")
    if subscription is not None:
        facts["subscription"] = subscription  # also beside an invalid figure
    total = _total(parts, odd, "eurosDetailed", day)
    if total is None or not believed:
        return
    used = facts.get("kwh")
    if set(parts) == {"subscription"} and (used is None or used != 0):
        return  # the cost of the energy is still missing
    facts["euros"] = total
    facts["energyEuros"] = total - (subscription or Decimal(0))
    facts.update(_split(parts, "euros"))


_PLAIN = {
    "co2": "valueCo2",
    "injection": "injectionValueKwh",
    "injectionEuros": "injectionValueEur",
    "solar": "solarProductionValueKwh",
    "solarEuros": "solarProductionValueEur",
}


LIST_KEYS = ("values", "results", "data", "homes")
"""Keys under which a list has been seen, or is expected."""
_NO_LIST = (None, False)
MAX_SENTENCE_CHARS = 200


def _listed(answer: Any, what: str) -> list[Any]:
    """Returns the list in an answer, in any known wrapping; empty if the site says so. Raises Unexpected if missing."""
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise Unexpected(what)
    if answer.get("next"):
        raise Unexpected(f"{what} (next)")
    lists: list[list[Any]] = [answer[key] for key in LIST_KEYS if isinstance(answer.get(key), list)]
    if lists:
        return lists[0]
    # No list, but its key or an error: there is no data, and the layout is unchanged.
    if answer.get("error") or any(key in answer and answer[key] in _NO_LIST for key in LIST_KEYS):
        return []
    raise Unexpected(what)


def said(answer: Any) -> tuple[str, str]:
    """Returns the site's own (identifier for logs, sentence for the user) beside its list; '' if missing."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        identifier, text = str(error.get("identifier") or "error"), error.get("message")
    else:
        identifier, text = str(error or ""), error
    words = re.sub(r"<[^>]{0,500}>", " ", text) if isinstance(text, str) else ""
    return re.sub(r"[^\w.-]", "", identifier)[:40], " ".join(words.split())[:MAX_SENTENCE_CHARS]


def series(answer: Any, first: date, last: date, most: Decimal = MAX_FIGURE) -> Series:
    """Returns the days from `first` to `last` in an answer. Raises Unexpected if the layout has changed.

    `most`: highest plausible energy of a day in kWh.
    """
    rows = _listed(answer, "values")
    error, says = said(answer)
    ongoing = isinstance(answer, dict) and answer.get("isFetchOngoing") is True
    found = Series(ongoing=ongoing, error=error, says=says)
    seen = bare = stamped = priced = 0
    for row in rows:
        day = local_day(row.get("datetime")) if isinstance(row, dict) else None
        stamped += day is not None
        if day is None or not first <= day <= last:
            continue
        seen += 1
        bare += "kwhDetailed" not in row and "valueKwh" not in row
        priced += "eurosDetailed" in row
        facts = day_facts(row, day, found.odd, most)
        before = found.days.get(day)
        if before is not None:
            found.odd.append(f"datetime {day} (2)")
        if facts and (before is None or len(facts) >= len(before)):
            found.days[day] = facts
    if rows and not stamped:
        raise Unexpected("values[].datetime")
    if seen >= ROWS_TO_BE_SURE and bare == seen:
        raise Unexpected("values[].kwhDetailed")
    if seen >= ROWS_TO_BE_SURE and not priced and not bare:
        found.odd.append("values[].eurosDetailed")
    return found


def merged(old: Mapping[str, Decimal], new: Mapping[str, Decimal]) -> Day:
    """Merges a new reading of a day into the old one: new facts replace old ones, missing ones erase nothing.

    The parts of a total belong together: a part missing beside a new total becomes zero.
    """
    result = dict(old)
    for group in ("kwh", "euros"):
        if group in new:
            for name in old:
                if name.startswith(f"{group}.") and name not in new:
                    result[name] = Decimal(0)
    if "kwh" in new and "tempoCode" not in new:
        result.pop("tempoCode", None)
    result.update(new)
    return result


def complete(day: Mapping[str, Decimal] | None, injects: bool) -> bool:
    """True if a day has all expected facts."""
    return day is not None and "kwh" in day and (not injects or "injection" in day)


@lru_cache(maxsize=16)
def _step(precision: int) -> Decimal:
    return Decimal(1).scaleb(-precision)


def rounded(value: Decimal, precision: int) -> float | int:
    """Rounds half up, as a bill does; returns an int if whole."""
    found = value.quantize(_step(precision), ROUND_HALF_UP)
    return int(found) if found == found.to_integral_value() else float(found)


def _first_of(day: date, period: str) -> date:
    return day if period == "day" else day.replace(day=1) if period == "month" else day.replace(month=1, day=1)


def points(rows: Iterable[Row], days: Mapping[date, Mapping[str, Decimal]]) -> dict[str, dict[date, float | int]]:
    """Returns the points for Jeedom's history, by logicalId and date."""
    result: dict[str, dict[date, float | int]] = {}
    sums: dict[tuple[str, str], dict[date, Decimal]] = {}
    for row in rows:
        period, _, fact = (row.source or "").partition(".")
        if (period, fact) not in sums:
            totals = sums[(period, fact)] = {}
            for day, facts in days.items():
                if fact in facts:
                    at = _first_of(day, period)
                    totals[at] = totals.get(at, Decimal(0)) + facts[fact]
        precision = int(row.data.get("precision", 3))
        found = {at: rounded(value, precision) for at, value in sums[(period, fact)].items()}
        if found:
            result[row.logical_id] = found
    return result


def week(days: Mapping[date, Mapping[str, Decimal]]) -> float | int | None:
    """Energy of the last seven known days in kWh; None without days."""
    known = sorted(day for day, facts in days.items() if "kwh" in facts)[-7:]
    return rounded(sum((days[day]["kwh"] for day in known), Decimal(0)), 3) if known else None


@dataclass(frozen=True)
class Home:
    """A home of the account; `pdl`, `pce`: numbers of its electricity and gas meter, or ''."""

    id: str
    pdl: str
    pce: str


def homes(answer: Any) -> list[Home]:
    """Parses the account's homes. Raises Unexpected if the layout has changed."""
    rows = _listed(answer, "homes")
    found = []
    for each in rows:
        if not isinstance(each, dict):
            continue
        identity = str(each.get("id", "")).strip()
        if not isinstance(each.get("id"), bool) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", identity):
            found.append(Home(identity, _meter(each.get("enedisHome"), "pdl"), _gas_meter(each)))
    if rows and not found:
        raise Unexpected("homes[].id")
    return found


def _meter(part: Any, key: str) -> str:
    value = part.get(key) if isinstance(part, dict) else None
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _gas_meter(home: Mapping[str, Any]) -> str:
    return next((found for part in home.values() if (found := _meter(part, "pce"))), _meter(home, "pce"))


def contract(answer: Any, energy: str) -> dict[str, Any]:
    """Returns `provider`, `offer`, `power` (kVA) of the contract in force for an energy, as far as known."""
    try:
        rows = [row for row in _listed(answer, "contracts") if isinstance(row, dict)]
    except Unexpected:
        rows = []
    told = [row for row in rows if row.get("energy") is not None]
    words = ("elec",) if energy == "electricity" else ("ga",)
    rows = [row for row in told if str(row["energy"]).lower().startswith(words)] if told else rows
    if energy == "gas" and not told:
        return {}
    best = next((row for row in rows if row.get("contractState") == "actual"), rows[0] if rows else None)
    if best is None:
        return {}
    found: dict[str, Any] = {"provider": _name(best.get("provider")), "offer": _name(best.get("offer"))}
    power = number(best.get("subscribedPower"))
    if energy == "electricity" and power is not None and power > 0:
        found["power"] = rounded(power, 0)
    return {key: value for key, value in found.items() if value}


def _name(part: Any) -> str:
    value = part.get("name") if isinstance(part, dict) else None
    return " ".join(value.split())[:100] if isinstance(value, str) else ""
