"""Lists the inputs and outputs of a WES from its page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import mapping
from .cgx_page import CgxPage
from .mapping import SECTIONS, Facts, Origin, Texts, number


@dataclass(frozen=True)
class Offer:
    """One input or output of a WES; `active`: it has data."""

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
"""Values of which one other than 0 shows that something is connected; other types are always present."""


def offers(page: CgxPage, names: CgxPage | None, origin: Origin = mapping.OURS) -> list[Offer]:
    """Returns every input and output of the page; `names`: our second page, if the WES has it."""
    found = _tic_offers(page, names, origin)
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


def _tic_offers(page: CgxPage, names: CgxPage | None, origin: Origin) -> list[Offer]:
    """The three meters. Beside one that only draws, one that injects is that of a plant which sells all it produces."""
    sections = {str(n): page.section(f"tic{n}") for n in range(1, 4) if page.section(f"tic{n}")}
    producing = {key for key, texts in sections.items() if mapping.facts("teleinfo", texts, origin).get("PRODUCTEUR")}
    drawing = {key for key, texts in sections.items() if mapping.present(texts)} - producing
    injecting = "production" if drawing else "consumptionprod"
    found = []
    for key, texts in sections.items():
        config: Facts = {"typetic": "linky", "ticMeasure": injecting if key in producing else "consumption"}
        found.append(Offer("teleinfo", key, _name(names, "teleinfo", key), config, mapping.present(texts)))
    return found


def _offer(page: CgxPage, names: CgxPage | None, section: str, kind: str, key: str) -> Offer:
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


def _name(names: CgxPage | None, kind: str, key: str) -> str:
    text = names.section(kind).get("NAME" + key, "") if names is not None else ""
    return "" if text == "Pas Dispo" else re.sub(r"[\x00-\x1f\x7f]", " ", text).strip()[:60]


def _has_rom(names: CgxPage | None, key: str) -> bool:
    text = names.section("rom").get("SONDE" + key, "") if names is not None else ""
    return bool(re.fullmatch(r"[0-9A-Fa-f]{16}", text)) and text.strip("0") != "" and text.upper().strip("F") != ""
