"""Pure: from the texts of a page to facts by the names that the catalogue's `source` uses, and what a page offers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .page import LAST, UNKNOWN, Page

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
"""Where each type stands in the page. In all but `tic` the tags end with the number."""
FIRST_CARD = 100
"""Relays of 1-wire cards have the number card x 100 + relay and a section of their own."""

_AS_TEXT = frozenset(("ADCO", "OPTARIF", "PTEC", "DEMAIN"))
_STATES = frozenset(("RELAIS", "SWITCH", "ENTREE"))
_NOT_ZERO = {"TENSION1", "TENSION2", "TENSION3", "H_WeekEnd", "HC_Semaine", "HP_Semaine"}
_NOT_ZERO |= {"HC_WeekEnd", "HP_WeekEnd", "HC_Mercredi", "HP_Mercredi", "H_SUPER_CREUSE"}
"""Zero stands for "not measured" or "not of this contract"."""
_OLD_TAGS = {"HCHC": "H_CREUSE", "HCHP": "H_PLEINE"}
"""Firmware 0.61 names them otherwise."""
MOST_ENERGY = 1e7
"""kWh: an injection index beyond is what a wrong directive prints."""
_NUMBER = re.compile(r"([+-]?\d{1,15})(?:[.,](\d{1,9}))?(?:\s+[^\d\s.,+-].{0,20})?", re.ASCII)


@lru_cache(maxsize=2048)
def number(text: str | None) -> int | float | None:
    """The number that a text is or begins with (`338.25 l`, `0,75`); None for `ND`, `nan`, nothing, ..."""
    found = _NUMBER.fullmatch(text) if text else None
    if found is None:
        return None
    whole, fraction = found.groups()
    return int(whole) if fraction is None else float(f"{whole}.{fraction}")


def place(kind: str, key: str) -> tuple[str, str]:
    """The section of an equipment and what its tags end with."""
    if kind == "teleinfo":
        return f"tic{key}", ""
    if kind == "relais" and key.isdigit() and int(key) > FIRST_CARD:
        return "relais1W", key
    return SECTIONS.get(kind, ""), key


def tags(kind: str, key: str, sources: set[str]) -> list[tuple[str, str]]:
    """What to look up for an equipment: (name in the facts, tag in its section)."""
    names = sorted(sources)
    if kind == "teleinfo":
        names = sorted({*names, "ADCO", "PTEC", "PRODUCTEUR", "INJECTION", *_OLD_TAGS, LAST + "INJECTION"})
    end = place(kind, key)[1]
    return [(name, name + end) for name in names]


def facts(kind: str, texts: Texts, trusted: bool = True) -> Facts:
    """The facts of one equipment.

    `texts`: by the names of `tags`; for a clamp also `V`. `trusted`: the page is our own, whose injection index is
    one; in others it is what a wrong directive prints.
    """
    if kind == "teleinfo":
        return _tic(texts)
    if kind == "pince":
        return _clamp(texts, trusted)
    return _plain(texts)


def _plain(texts: Texts) -> Facts:
    found: Facts = {}
    for name, text in texts.items():
        if name in _AS_TEXT or name in _STATES:
            if text and UNKNOWN not in text:
                found[name] = text[:64].upper() if name in _STATES else " ".join(text[:64].split())
            continue
        value = number(text)
        if value is not None and (value or name not in _NOT_ZERO):
            found[name] = value
    return found


def _tic(texts: Texts) -> Facts:
    if not present(texts):
        return {}
    read = dict(texts)
    for old, new in _OLD_TAGS.items():
        if old in read:
            read.setdefault(new, read.pop(old))
    last = read.pop(LAST + "INJECTION", None)
    if last is not None:
        # Version 1.0.5 of the official page, third TIC: the first INJECTION is the flag, the second the index.
        read["PRODUCTEUR"], read["INJECTION"] = read.get("INJECTION", ""), last
    found = _plain(read)
    if "OPTARIF" in found:
        found["OPTARIF"] = found["OPTARIF"].rstrip(".")
    if "PRODUCTEUR" in found:
        found["PRODUCTEUR"] = int(found["PRODUCTEUR"] != 0)
        if not found["PRODUCTEUR"]:
            found.pop("INJECTION", None)
            found.pop("PAPIJ", None)
    return found


def present(texts: Texts) -> bool:
    """Whether frames arrive at a TIC: without, all its numbers are 0."""
    return any(letter.isdigit() for letter in texts.get("ADCO", "")) and not texts.get("PTEC", "").startswith("TIC ND")


def _clamp(texts: Texts, trusted: bool) -> Facts:
    found = _plain({name: text for name, text in texts.items() if name != "V"})
    if isinstance(found.get("INDEX"), int):
        found["INDEX"] = found["INDEX"] / 1000  # firmware 0.61 counts in Wh
    injected = found.get("INJECT")
    if injected is not None and not (0 <= injected < MOST_ENERGY and (trusted or injected > 0)):
        del found["INJECT"]
    if not found.get("WATT") and not number(texts.get("V")):
        found.pop("WATT", None)  # real power needs the 9 V supply
    return found


def server(page: Page) -> Facts:
    """The facts of the box itself."""
    info = page.section("info")
    shown = {name: info.get(name, "") for name in ("firmware", "serverversion")}
    found: Facts = {name: text[:64] for name, text in shown.items() if text and UNKNOWN not in text}
    for name in ("alarme", "spaceleft"):
        value = number(info.get(name))
        if value is not None:
            found[name] = value
    voltage = number(page.section("pince").get("V"))
    if voltage:
        found["V"] = voltage
    if page.version:
        found["cgxversion"] = page.version[:64]
    return found


# What a probe says is not always a measure.

POWER_ON = 85.0
BUS_ERROR = 127.0


@dataclass
class Probe:
    """What is remembered of one probe: whether it ever measured anything, and a doubtful value to be confirmed."""

    alive: bool = False
    doubtful: bool = False

    def measure(self, value: float | None, temperature: bool) -> float | None:
        """The value if it is one: 0.0 is also what an absent probe gives, 85.0 and 127 what a disturbed one does."""
        if value is None:
            return None
        if temperature and abs(value) >= BUS_ERROR and abs(value) < BUS_ERROR + 1:
            return None
        if temperature and value == POWER_ON and not self.doubtful:
            self.doubtful = True
            return None
        self.doubtful = temperature and value == POWER_ON
        if value:
            self.alive = True
        return value if self.alive else None


# Actions.

SWITCHED = {"relais": "RELAIS", "switch": "SWITCH"}


def state(page: Page, kind: str, key: str) -> bool | None:
    """Whether a relay, a switch or, with no kind, the alarm is on; None when the page does not tell."""
    if not kind:
        text = page.section("info").get("alarme", "")
    else:
        section, end = place(kind, key)
        text = page.section(section).get(SWITCHED[kind] + end, "")
    return {"ON": True, "1": True, "OFF": False, "0": False}.get(text.upper())


# What there is to tick.


@dataclass(frozen=True)
class Offer:
    """One input or output of a WES; `active`: it carries data."""

    type: str
    key: str
    name: str = ""
    config: Facts = field(default_factory=dict)
    active: bool = True


_TAGS = {
    "compteur": "INDEX",
    "pince": "I",
    "sonde": "SONDE",
    "bouton": "ENTREE",
    "relais": "RELAIS",
    "switch": "SWITCH",
    "analogique": "AD",
    "variable": "VARIABLE",
}
_SIGNS = {
    "compteur": ("PULSE", "INDEX"),
    "pince": ("I", "INDEX", "INJECT", "MODINJECT"),
    "sonde": ("SONDE",),
    "switch": ("SWITCH",),
    "analogique": ("AD",),
    "variable": ("VARIABLE",),
}
"""Values of which one that is not 0 tells that something is connected; other types are always there."""


def offers(page: Page, names: Page | None) -> list[Offer]:
    """Every input and output that the page shows; `names`: our second page, when the WES has it."""
    found = []
    for number_ in range(1, 4):
        if page.section(f"tic{number_}"):
            found.append(_tic_offer(page, names, str(number_)))
    for kind, tag in _TAGS.items():
        sections = ("relais", "relais1W") if kind == "relais" else (SECTIONS[kind],)
        for section in sections:
            keys = sorted(_keys(page.section(section), tag), key=int)
            found += [_offer(page, names, section, kind, key) for key in keys]
    return found


def _keys(section: Texts, tag: str) -> Iterator[str]:
    for each in section:
        end = each[len(tag) :]
        if each.startswith(tag) and re.fullmatch(r"[1-9]\d{0,3}", end):
            yield end


def _tic_offer(page: Page, names: Page | None, key: str) -> Offer:
    texts = page.section(f"tic{key}")
    active = present(texts)
    config: Facts = {"typetic": "linky"}
    option = texts.get("OPTARIF", "").upper()
    for start, tariff in (("BBR", "BBRH"), ("EJP", "EJP"), ("BASE", "BASE"), ("HC", "HC")):
        if active and option.startswith(start):
            config["tarification"] = tariff
    flag = _tic({**texts, LAST + "INJECTION": texts[LAST + "INJECTION"]} if LAST + "INJECTION" in texts else texts)
    producing = bool(flag.get("PRODUCTEUR"))
    config["ticMeasure"] = "consumptionprod" if producing else "consumption"
    return Offer("teleinfo", key, _name(names, "teleinfo", key), config, active)


def _offer(page: Page, names: Page | None, section: str, kind: str, key: str) -> Offer:
    texts = page.section(section)
    name = _name(names, kind, key)
    active = kind not in _SIGNS or any(number(texts.get(sign + key)) for sign in _SIGNS[kind])
    config: Facts = {}
    if kind == "compteur":
        config["comptMeasure"] = "consumption"
    elif kind == "sonde":
        config["sondeMeasure"] = "temperature"
        active = active or _has_rom(names, key)
    elif kind == "pince":
        produces = texts.get("MODINJECT" + key) == "1"
        config["pinceMeasure"] = "production" if produces else "consumption"
        active = active or (names is not None and names.section("enabled").get("PINCE" + key) == "1")
    return Offer(kind, key, name, config, active)


def _name(names: Page | None, kind: str, key: str) -> str:
    text = names.section(kind).get("NAME" + key, "") if names is not None else ""
    return "" if text == "Pas Dispo" else re.sub(r"[\x00-\x1f\x7f]", " ", text).strip()[:60]


def _has_rom(names: Page | None, key: str) -> bool:
    text = names.section("rom").get("SONDE" + key, "") if names is not None else ""
    return bool(re.fullmatch(r"[0-9A-Fa-f]{16}", text)) and text.strip("0") != "" and text.upper().strip("F") != ""
