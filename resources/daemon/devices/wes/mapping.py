"""Maps the texts of a page to facts, named as the catalogue's `source`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import tariff
from .cgx_page import LAST_PREFIX, UNREADABLE, CgxPage

Facts = dict[str, Any]
Texts = Mapping[str, str]

SECTIONS = {
    "teleinfo": "tic{n}",
    "compteur": "impulsion",
    "pince": "pince",
    "sonde": "temp",
    "bouton": "entree",
    "relais": "relais",
    "switch": "switch_virtuel",
    "analogique": "analogique",
    "variable": "variables",
}
"""Section of each equipment type. In all but `tic` the tags end with the number of the input."""
CARD_NUMBERS_FROM = 100
"""Relays of 1-wire cards are numbered card x 100 + relay and have their own section."""

_AS_TEXT = frozenset(("ADCO", "OPTARIF", "PTEC", "DEMAIN"))
_STATES = frozenset(("RELAIS", "SWITCH", "ENTREE"))
_NOT_ZERO = {"TENSION1", "TENSION2", "TENSION3", "H_WeekEnd", "HC_Semaine", "HP_Semaine"}
_NOT_ZERO |= {"HC_WeekEnd", "HP_WeekEnd", "HC_Mercredi", "HP_Mercredi", "H_SUPER_CREUSE"}
"""Facts for which zero means "not measured" or "not of this contract"."""
_METER_TAGS = frozenset(("ADCO", "OPTARIF", "PTEC", "PRODUCTEUR", "INJECTION", "PAPIJ"))
"""Tags that the facts of a Teleinfo input depend on, whatever commands exist."""
_DERIVED_FACTS = frozenset(("PERIODE", "COULEUR", "COULEUR_DEMAIN", "PTECRAW"))
"""Facts that no tag holds."""
_OLD_TAGS = {"HCHC": "H_CREUSE", "HCHP": "H_PLEINE"}
"""Tags of firmware 0.61, and their present names."""
MAX_INDEX_KWH = 1e7
"""kWh: an injection index above this is printed by a wrong directive."""
_NUMBER = re.compile(r"([+-]?\d{1,15})(?:[.,](\d{1,9}))?(?:\s+[^\d\s.,+-].{0,20})?", re.ASCII)


@lru_cache(maxsize=2048)
def number(text: str | None) -> int | float | None:
    """Returns the number that a text is or begins with (`338.25 l`, `0,75`); None for `ND`, `nan`, '', ..."""
    found = _NUMBER.fullmatch(text) if text else None
    if found is None:
        return None
    whole, fraction = found.groups()
    return int(whole) if fraction is None else float(f"{whole}.{fraction}")


def place(kind: str, key: str) -> tuple[str, str]:
    """Returns (section of an equipment, ending of its tags)."""
    if kind == "teleinfo":
        return f"tic{key}", ""
    if kind == "relais" and key.isdigit() and int(key) > CARD_NUMBERS_FROM:
        return "relais1W", key
    return SECTIONS.get(kind, ""), key


def tags(kind: str, key: str, sources: set[str]) -> list[tuple[str, str]]:
    """Returns the lookups of an equipment: (name in the facts, tag in its section)."""
    names = sorted(sources)
    if kind == "teleinfo":
        names = sorted(
            ({*names} - _DERIVED_FACTS) | {*_METER_TAGS, *tariff.indexes(), *_OLD_TAGS, LAST_PREFIX + "INJECTION"}
        )
    end = place(kind, key)[1]
    return [(name, name + end) for name in names]


@dataclass(frozen=True)
class Origin:
    """The kind of a page. `ours`: built from our table. `flag`: its PRODUCTEUR is a flag (code `ei`), not an index.

    PRODUCTEUR is the code `Tp`, an index, on the standard page and on the official page up to 1.0.4; 1.0.5 of January
    2024 made it a flag, as our page does (jeedom/plugin-wescontrol; homeassistant-cartelectronic-wes of 2023-08).
    """

    ours: bool = True
    flag: bool = True


OURS = Origin()


def facts(kind: str, texts: Texts, origin: Origin = OURS) -> Facts:
    """Returns the facts of one equipment. `texts`: by the names of `tags`; for a clamp also `V`."""
    if kind == "teleinfo":
        return _tic(texts, origin.flag)
    if kind == "pince":
        return _clamp(texts, origin.ours)
    return _plain(texts)


def _plain(texts: Texts) -> Facts:
    found: Facts = {}
    for name, text in texts.items():
        if name in _AS_TEXT or name in _STATES:
            if text and UNREADABLE not in text:
                found[name] = text[:64].upper() if name in _STATES else " ".join(text[:64].split())
            continue
        value = number(text)
        if value is not None and (value or name not in _NOT_ZERO):
            found[name] = value
    return found


def _tic(texts: Texts, flag: bool) -> Facts:
    if not present(texts):
        return {}
    read = dict(texts)
    for old, new in _OLD_TAGS.items():
        if old in read:
            read.setdefault(new, read.pop(old))
    last = read.pop(LAST_PREFIX + "INJECTION", None)
    if last is not None:
        # Version 1.0.5 of the official page, third TIC: the first INJECTION is the flag, the second the index.
        read["PRODUCTEUR"], read["INJECTION"] = read.get("INJECTION", ""), last
    found = _plain(read)
    if "OPTARIF" in found:
        found["OPTARIF"] = found["OPTARIF"].rstrip(".")
    return {**_injecting(found, flag), **tariff.stable(found)}


def _injecting(found: Facts, flag: bool) -> Facts:
    """Decides whether there is injection: an index or a power above 0 proves it, whatever PRODUCTEUR says."""
    producer = found.pop("PRODUCTEUR", None)
    measured = any(found.get(name, 0) > 0 for name in ("INJECTION", "PAPIJ"))
    if producer or measured:
        found["PRODUCTEUR"] = 1
        if not flag and not found.get("INJECTION"):
            found.pop("INJECTION", None)  # another index may count, so that this one is unknown
        return found
    if producer is not None and flag:
        found["PRODUCTEUR"] = 0
    found.pop("INJECTION", None)
    found.pop("PAPIJ", None)
    return found


def present(texts: Texts) -> bool:
    """True if frames arrive at a TIC: without, all its numbers are 0."""
    return any(letter.isdigit() for letter in texts.get("ADCO", "")) and not texts.get("PTEC", "").startswith("TIC ND")


def _clamp(texts: Texts, ours: bool) -> Facts:
    found = _plain({name: text for name, text in texts.items() if name != "V"})
    if isinstance(found.get("INDEX"), int):
        found["INDEX"] = found["INDEX"] / 1000  # firmware 0.61 counts in Wh
    injected = found.get("INJECT")
    if injected is not None and not (0 <= injected < MAX_INDEX_KWH and (ours or injected > 0)):
        del found["INJECT"]
    if not found.get("WATT") and not number(texts.get("V")):
        found.pop("WATT", None)  # real power needs the 9 V supply
    return found


def server(page: CgxPage) -> Facts:
    """Returns the facts of the WES itself."""
    info = page.section("info")
    shown = {name: info.get(name, "") for name in ("firmware", "serverversion")}
    found: Facts = {name: text[:64] for name, text in shown.items() if text and UNREADABLE not in text}
    for name in ("alarme", "spaceleft"):
        value = number(info.get(name))
        if value is not None:
            found[name] = value
    volts = voltage(page)
    if volts is not None:
        found["V"] = volts
    if page.version:
        found["cgxversion"] = page.version[:64]
    return found


def voltage(page: CgxPage) -> float | None:
    """Returns the mains voltage in V; None without the 9 V supply, which measures it."""
    return number(page.section("pince").get("V")) or None


# Actions.

SWITCHED = {"relais": "RELAIS", "switch": "SWITCH"}


def state(page: CgxPage, kind: str, key: str) -> bool | None:
    """True if a relay, a switch or, without kind, the alarm is on; None if unknown."""
    if not kind:
        text = page.section("info").get("alarme", "")
    else:
        section, end = place(kind, key)
        text = page.section(section).get(SWITCHED[kind] + end, "")
    return {"ON": True, "1": True, "OFF": False, "0": False}.get(text.upper())
