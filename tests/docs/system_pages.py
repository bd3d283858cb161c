"""What a system's page is made of, and what its catalogue says that the page has to repeat."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jeedom_bridge.contract import Contract

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CATALOGUES = ROOT / "core" / "contract" / "catalogue"
SYSTEMS = sorted(
    path.stem for path in CATALOGUES.glob("*.json") if "automatic" not in json.loads(path.read_text("utf-8"))
)
"""What is made by itself out of all systems is none."""
LANGUAGES = ("fr_FR", "en_US")
SECTIONS = {
    "fr_FR": [
        "Prérequis",
        "Pas à pas",
        "Réglages",
        "Commandes",
        "Rythme et requêtes",
        "Limites",
        "En cas de problème",
        "Matériel pris en charge",
        "Venir de l'ancien plugin",
    ],
    "en_US": [
        "Requirements",
        "Step by step",
        "Settings",
        "Commands",
        "How often, how many requests",
        "Limits",
        "Troubleshooting",
        "Supported hardware",
        "Coming from the former plugin",
    ],
}
SETTINGS, COMMANDS, RHYTHM, TROUBLE = 2, 3, 4, 6
HEADS = {
    "fr_FR": {SETTINGS: ["Réglage", "Par défaut", "Valeurs"], TROUBLE: ["Ce que vous voyez", "Cause", "Que faire"]},
    "en_US": {SETTINGS: ["Setting", "Default", "Values"], TROUBLE: ["What you see", "Cause", "What to do"]},
}
WORDS = {
    "fr_FR": {
        "advanced": "avancé",
        "required": "obligatoire",
        "to": "à",
        True: "coché",
        False: "décoché",
        "none": "aucune",
    },
    "en_US": {
        "advanced": "advanced",
        "required": "required",
        "to": "to",
        True: "ticked",
        False: "not ticked",
        "none": "none",
    },
}
MANY = 6
"""Choices beyond which the page need not list them all."""


def catalogue(system: str) -> Any:
    return json.loads((CATALOGUES / f"{system}.json").read_text("utf-8"))


def translations() -> dict[str, dict[str, str]]:
    """English by French, by section."""
    return dict(json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8")))


def say(language: str, system: str, french: str) -> str:
    """A text of a catalogue in a language."""
    table = translations().get(f"plugins/jeenergie/core/contract/catalogue/{system}.json", {})
    return french if language == "fr_FR" else table.get(french) or french


def page(language: str, system: str) -> str:
    return (DOCS / language / f"{system}.md").read_text("utf-8")


def sections(text: str) -> dict[str, str]:
    """The text below each heading of the second level, in order."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def section(language: str, system: str, number: int) -> str:
    return sections(page(language, system))[SECTIONS[language][number]]


def tables(text: str) -> Iterator[list[list[str]]]:
    """Each table as rows of cells, its head first."""
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        lines = [line for line in block.splitlines() if not re.fullmatch(r"[|\s:-]+", line)]
        yield [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def fields(system: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every setting with what it belongs to: the connection, a type of equipment, the commands of one; each once."""
    whole = catalogue(system)
    seen: list[dict[str, Any]] = []
    for part, own in [("connection", whole["connection"]), *whole["equipment"].items()]:
        for field in own.get("fields", []):
            if field not in seen:
                seen.append(field)
                yield part, field
    made = Contract(CATALOGUES.parent).catalogues[system]
    for kind in whole["equipment"]:
        for row in made.all_rows(kind):
            for field in row.data.get("settings", []):
                if field["key"] not in [each["key"] for each in seen]:
                    seen.append(field)
                    yield "commands", field


def facts(language: str, system: str, field: dict[str, Any]) -> list[str]:
    """Label, default and values of a setting as the page has to tell them."""
    words = WORDS[language]
    label = say(language, system, field["label"])
    if field.get("advanced"):
        label += f" ({words['advanced']})"
    unit = " " + say(language, system, field["unit"]) if field.get("unit") else ""
    default = field.get("default")
    choices = field.get("choices", {})
    if default is None:
        told = str(words["required"]) if field.get("required") else "–"
    elif isinstance(default, bool):
        told = str(words[default])
    elif isinstance(default, list):
        told = str(words["none"])
    elif choices:
        told = say(language, system, choices[str(default)])
    else:
        told = f"{default}{unit}" if field["type"] == "number" else f"`{default}`"
    values = "–"
    if "min" in field or "max" in field:
        values = f"{field['min']} {words['to']} {field['max']}{unit}"
    elif 0 < len(choices) <= MANY:
        values = " · ".join(say(language, system, name) for name in choices.values())
    return [label, told, values]
