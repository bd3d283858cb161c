"""Pure: which contract a meter is on, and its period and colour in one form, whatever words the WES found in frames.

The same Tempo hour is `H. Pleine BLEU` in the WES's own words, `HPJB` in a frame of the historic mode, `HP  BLEU` or
`HP BLEU` in one of the standard mode (hekmon/linkytic, 2025; F1ATB's router and Tasmota, 2019 to 2024). The words are
data: `rules.json`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

Facts = dict[str, Any]

FROM_METER = "auto"
"""The setting of an equipment that follows its meter's contract."""
UNKNOWN_COLOUR = "inconnue"
"""Tomorrow's colour until the meter announces it. It never announces blue: then this stays until midnight."""
NO_TEMPO_CODE = "N/A"
"""What PTECRAW says of a period that is none of Tempo's six."""


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """The content of `rules.json`."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Tariff:
    """A contract as the catalogue's field `tarification` names it (`key`).

    `indexes`: those that count under it. `facts`: what else there is only under it. `sparse`: of its indexes some are
    used and the others stay 0, nobody knows which.
    """

    key: str
    words: re.Pattern[str]
    indexes: frozenset[str]
    facts: frozenset[str]
    sparse: bool


@lru_cache(maxsize=1)
def tariffs() -> tuple[Tariff, ...]:
    """The contracts, the most particular first."""
    return tuple(
        Tariff(
            each["key"],
            re.compile(each["option"]),
            frozenset(each["indexes"]),
            frozenset(each.get("facts", ())),
            bool(each.get("sparse")),
        )
        for each in rules()["tariffs"]
    )


@lru_cache(maxsize=1)
def indexes() -> frozenset[str]:
    """Every index of every contract."""
    return frozenset().union(*(each.indexes for each in tariffs()))


@lru_cache(maxsize=256)
def tariff(option: str, period: str) -> Tariff | None:
    """The contract in force by the texts OPTARIF and PTEC; None if neither tells."""
    text = _plain(option)
    found = next((each for each in tariffs() if each.words.search(text)), None)
    if found is None and colour(period) is not None:
        return tariffs()[0]
    return found


@lru_cache(maxsize=256)
def period(text: str) -> str | None:
    """HC, HP, HSC, HN, PM or BASE; None if the text names none."""
    plain = _plain(text)
    return next((name for name, words in rules()["periods"].items() if re.search(words, plain)), None)


@lru_cache(maxsize=256)
def colour(text: str) -> str | None:
    """bleu, blanc or rouge; None if the text names none."""
    plain = _plain(text)
    return next((name for name, each in rules()["colours"].items() if re.search(each["words"], plain)), None)


def stable(found: Facts) -> Facts:
    """Period, colour and tomorrow's colour out of PTEC and DEMAIN."""
    more: Facts = {}
    text = found.get("PTEC")
    if text is not None:
        now, today = period(text), colour(text)
        if now is not None:
            more["PERIODE"] = now
        if today is not None:
            more["COULEUR"] = today
        letter = rules()["colours"][today]["letter"] if today is not None else ""
        more["PTECRAW"] = f"{now}J{letter}" if letter and now in ("HC", "HP") else NO_TEMPO_CODE
    if "DEMAIN" in found:
        more["COULEUR_DEMAIN"] = colour(found["DEMAIN"]) or UNKNOWN_COLOUR
    return more


def in_force(found: Facts, now: Tariff | None, setting: str) -> Facts:
    """The facts without those of contracts that the meter is not on: their indexes stand still, or read 0.

    `setting`: the contract the user chose; it counts while the meter's own is not known (`now` is None).
    """
    foreign, maybe_zero = _sets(now, setting)
    return {
        name: value
        for name, value in found.items()
        if name not in foreign and (value or name in maybe_zero or name not in indexes())
    }


@lru_cache(maxsize=64)
def _sets(now: Tariff | None, setting: str) -> tuple[frozenset[str], frozenset[str]]:
    """(facts of contracts that are not in force, indexes that may be a true 0)."""
    plain = [each for each in tariffs() if not each.sparse]
    particular = frozenset().union(*(each.facts for each in plain))
    if now is None:
        chosen = [each for each in plain if each.key == setting]
        wanted = frozenset().union(*(each.indexes | each.facts for each in chosen))
        return particular - wanted, wanted
    # What only some offers of a contract use is told apart by being 0, see mapping.
    exclusive = particular.union(*(each.indexes for each in plain))
    return exclusive - now.indexes - now.facts, frozenset() if now.sparse else now.indexes


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.upper())
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).replace(".", " ").split())
