"""Normalizes a meter's contract, period and colour, whatever words the frames use. Pure.

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
"""Value of the setting that follows the meter's contract."""
UNKNOWN_COLOUR = "inconnue"
"""Tomorrow's colour until the meter announces it; blue is never announced, so that this stays until midnight."""
NO_TEMPO_CODE = "N/A"
"""PTECRAW outside the six periods of Tempo."""


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """Returns the content of `rules.json`."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Tariff:
    """A contract; `key`: its value in the catalogue's field `tarification`.

    `indexes`: those that count under it. `facts`: others that exist only under it. `sparse`: only some of its indexes
    are used, which ones is unknown; the others stay 0.
    """

    key: str
    words: re.Pattern[str]
    indexes: frozenset[str]
    facts: frozenset[str]
    sparse: bool


@lru_cache(maxsize=1)
def tariffs() -> tuple[Tariff, ...]:
    """Returns the contracts, the most specific first."""
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
    """Returns the indexes of all contracts."""
    return frozenset().union(*(each.indexes for each in tariffs()))


@lru_cache(maxsize=256)
def tariff(option: str, period: str) -> Tariff | None:
    """Returns the contract by the texts OPTARIF and PTEC; None if neither names one."""
    text = _plain(option)
    found = next((each for each in tariffs() if each.words.search(text)), None)
    if found is None and colour(period) is not None:
        return tariffs()[0]
    return found


@lru_cache(maxsize=256)
def period(text: str) -> str | None:
    """Returns HC, HP, HSC, HN, PM or BASE; None if the text names none."""
    plain = _plain(text)
    return next((name for name, words in rules()["periods"].items() if re.search(words, plain)), None)


@lru_cache(maxsize=256)
def colour(text: str) -> str | None:
    """Returns bleu, blanc or rouge; None if the text names none."""
    plain = _plain(text)
    return next((name for name, each in rules()["colours"].items() if re.search(each["words"], plain)), None)


def stable(found: Facts) -> Facts:
    """Returns period, colour and tomorrow's colour from PTEC and DEMAIN."""
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
    """Returns the facts without those of other contracts, whose indexes do not move or are 0.

    `setting`: the user's choice, used while the meter's own contract is unknown (`now` is None).
    """
    foreign, maybe_zero = _sets(now, setting)
    return {
        name: value
        for name, value in found.items()
        if name not in foreign and (value or name in maybe_zero or name not in indexes())
    }


@lru_cache(maxsize=64)
def _sets(now: Tariff | None, setting: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns (facts of contracts not in force, indexes that may really be 0)."""
    plain = [each for each in tariffs() if not each.sparse]
    particular = frozenset().union(*(each.facts for each in plain))
    if now is None:
        chosen = [each for each in plain if each.key == setting]
        wanted = frozenset().union(*(each.indexes | each.facts for each in chosen))
        return particular - wanted, wanted
    # Indexes that only some offers of a contract use are recognized by being 0, see mapping.
    exclusive = particular.union(*(each.indexes for each in plain))
    return exclusive - now.indexes - now.facts, frozenset() if now.sparse else now.indexes


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.upper())
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).replace(".", " ").split())
