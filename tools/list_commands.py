#!/usr/bin/env python3
"""Writes the lists of every command from the catalogues: docs/*/commands_<system>.md, and commands.md that leads there.

`--check`: whether they are current.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jeedom_bridge.contract import without_profiles  # noqa: E402

CONTRACT = ROOT / "core" / "contract"
CATALOGUES = CONTRACT / "catalogue"
FIRST = ["enphase", "easee", "wes", "econetatmo", "hellowatt"]
SYSTEMS = [*FIRST, *sorted({path.stem for path in CATALOGUES.glob("*.json")} - set(FIRST))]
FORMERS: dict[str, dict[str, str]] = json.loads((CONTRACT / "former_names.json").read_text("utf-8"))["systems"]
WORDS = {
    "fr_FR": {
        "title": "Toutes les commandes",
        "all": "Une liste par système. Chaque connexion a en plus **État** (`state`) et **Rafraîchir** (`refresh`), "
        "chaque équipement **Rafraîchir** (`refresh`).",
        "list": "[Toutes ses commandes]({page}) · [sa page]({system})",
        "of": "Commandes : ",
        "intro": "Cette liste est tirée du catalogue du plugin : elle est complète. Voyez aussi "
        "[la page du système]({system}) et [les autres listes](commands.md). Chaque connexion a en plus "
        "**État** (`state`) et **Rafraîchir** (`refresh`), chaque équipement **Rafraîchir** (`refresh`). Le logicalId "
        "est celui que montre l'onglet Commandes sous le type. {former}« Si » se rapporte aux réglages de "
        "l'équipement ou de sa connexion ; « donnée » : la commande est créée quand la donnée arrive pour la première "
        "fois ; « à la demande » : par *Créer les commandes manquantes*.",
        "former": "« Ancien nom » : celui que la commande avait dans l'ancien plugin, et qu'elle garde si elle existe "
        "déjà dans votre Jeedom. ",
        "head": ("Nom", "Ancien nom", "logicalId", "Type", "Unité", "Créée"),
        "connection": "Connexion : ",
        "create": {"always": "toujours", "seen": "donnée", "never": "à la demande"},
        "if": "si",
        "or": " ou ",
        "and": " et ",
        "yes": "coché",
        "no": "décoché",
        "same": "Comme",
    },
    "en_US": {
        "title": "All commands",
        "all": "A list for each system. Each connection also has **État** (`state`) and **Rafraîchir** (`refresh`), "
        "each piece of equipment **Rafraîchir** (`refresh`).",
        "list": "[All its commands]({page}) · [its page]({system})",
        "of": "Commands: ",
        "intro": "This list comes from the plugin's catalogue: it is complete. See also [the system's page]({system}) "
        "and [the other lists](commands.md). Each connection also has **État** (`state`) and **Rafraîchir** "
        "(`refresh`), each piece of equipment **Rafraîchir** (`refresh`). The logicalId is the one "
        "that the tab Commands shows below the type. {former}“If” is about the settings of the equipment or of its "
        "connection; “data”: the command is created when the data comes for the first time; “on demand”: by *Create "
        "the missing commands*. Names are French in every language: they are data that scenarios rely on.",
        "former": "“Former name”: the one that the command had in the former plugin, and keeps if it exists in your "
        "Jeedom. ",
        "head": ("Name", "Former name", "logicalId", "Type", "Unit", "Created"),
        "connection": "Connection: ",
        "create": {"always": "always", "seen": "data", "never": "on demand"},
        "if": "if",
        "or": " or ",
        "and": " and ",
        "yes": "ticked",
        "no": "not ticked",
        "same": "As",
    },
}
FORMER_NAME = 1
"""The column that a list has only where some command had another name."""
TYPES = {
    "fr_FR": {"info": "info", "action": "action", "numeric": "numérique", "string": "texte", "binary": "binaire"},
    "en_US": {"info": "info", "action": "action", "string": "text"},
}
SUBTYPES = {
    "fr_FR": {"other": "bouton", "slider": "curseur", "select": "liste", "message": "message", "color": "couleur"},
    "en_US": {"other": "button"},
}


class Pages:
    """The lists in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words: dict[str, Any] = WORDS[language]
        self._texts: dict[str, str] = {}
        self._formers: dict[str, str] = {}
        if language != "fr_FR":
            sections = json.loads((ROOT / "core" / "i18n" / f"{language}.json").read_text("utf-8"))
            for system in SYSTEMS:
                self._texts.update(sections.get(f"plugins/jeenergie/core/contract/catalogue/{system}.json", {}))

    def texts(self) -> dict[str, str]:
        """Every page by its name."""
        pages = {"commands": [f"# {self._words['title']}", "", self._words["all"]]}
        for system in SYSTEMS:
            self._formers = FORMERS.get(system, {})
            catalogue = json.loads((CATALOGUES / f"{system}.json").read_text("utf-8"))
            name, own = self._say(catalogue["name"]), f"{system}.md"
            former = self._words["former"] if self._formers else ""
            links = self._words["list"].format(page=f"commands_{own}", system=own)
            pages["commands"] += ["", f"## {name}", "", links]
            title = [f"# {self._words['of']}{name}", "", self._words["intro"].format(system=own, former=former)]
            pages[f"commands_{system}"] = title + self._system(without_short_forms(catalogue))
        return {page: "\n".join(lines) + "\n" for page, lines in pages.items()}

    def _say(self, french: str) -> str:
        return self._texts.get(french) or french

    def _system(self, catalogue: dict[str, Any]) -> list[str]:
        connection = catalogue["connection"]
        fields = {f"connection.{each['key']}": each for each in connection["fields"]}
        lines: list[str] = []
        own = {key.partition(".")[2]: field for key, field in fields.items()}
        if connection.get("commands"):
            lines += self._table(f"{self._words['connection']}{self._say(connection['label'])}", connection, own, [])
        told: dict[str, str] = {}
        for part in catalogue["equipment"].values():
            rows = list(part.get("commands", []))
            for name in part.get("sets", []):
                if name not in told:
                    rows += catalogue["sets"][name]
            again = sorted({told[name] for name in part.get("sets", []) if name in told})
            told.update({name: self._say(part["name"]) for name in part.get("sets", []) if name not in told})
            known = {**fields, **{each["key"]: each for each in part.get("fields", [])}}
            lines += self._table(self._say(part["name"]), {"commands": rows}, known, again)
        return lines

    def _table(self, title: str, part: dict[str, Any], fields: dict[str, Any], again: list[str]) -> list[str]:
        if not part["commands"] and not again:
            return []
        lines = ["", f"## {title}", ""]
        if again:
            lines += [f"{self._words['same']} *{', '.join(again)}*.", ""]
        if not part["commands"]:
            return lines[:-1]
        columns = [column for column in range(6) if column != FORMER_NAME or any(map(self._former, part["commands"]))]
        lines += [f"| {' | '.join(self._words['head'][column] for column in columns)} |", "| --- " * len(columns) + "|"]
        for row in part["commands"]:
            kind = TYPES[self._language].get(row["type"], row["type"])
            subtypes = {**TYPES[self._language], **SUBTYPES[self._language]}
            cells = (
                numbered(row["name"], row),
                numbered(self._former(row), row),
                f"`{numbered(row['logicalId'], row)}`",
                f"{kind}, {subtypes.get(row['subType'], row['subType'])}",
                unit(row.get("unit", "")),
                self._created(row, fields),
            )
            shown = " | ".join(cells[column] for column in columns)
            lines.append(re.sub(r"\|  (?=\|)", "| ", f"| {shown} |"))
        return lines

    def _former(self, row: dict[str, Any]) -> str:
        ambiguous = f"{row['logicalId']} ({row['name']})"
        return self._formers.get(ambiguous, self._formers.get(row["logicalId"], ""))

    def _created(self, row: dict[str, Any], fields: dict[str, Any]) -> str:
        conditions = []
        for key, wanted in row.get("when", {}).items():
            field = fields.get(key, {"label": key})
            values = wanted if isinstance(wanted, list) else [wanted]
            if wanted == "{n}":
                values = row["each"]
            names = [self._value(field, value) for value in values]
            conditions.append(f"{self._say(field['label'])} = {self._words['or'].join(names)}")
        created = row.get("create", "always")
        if not conditions:
            return str(self._words["create"][created])
        told = f"{self._words['if']} {self._words['and'].join(conditions)}"
        return told if created == "always" else f"{self._words['create'][created]}, {told}"

    def _value(self, field: dict[str, Any], value: Any) -> str:
        if isinstance(value, bool):
            return str(self._words["yes" if value else "no"])
        return self._say(field.get("choices", {}).get(str(value), str(value)))


def without_short_forms(catalogue: dict[str, Any]) -> dict[str, Any]:
    """A catalogue whose rows are whole, each of those with `each` still once."""
    shared = json.loads((CONTRACT / "profiles.json").read_text("utf-8"))["profiles"]
    profiles = {**shared, **catalogue.get("profiles", {})}

    def whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [part for row in rows for part in without_profiles(row, profiles, catalogue.get("phases"))]

    def part(of: dict[str, Any]) -> dict[str, Any]:
        return {**of, "commands": whole(of.get("commands", []))}

    return {
        **catalogue,
        "sets": {name: whole(rows) for name, rows in catalogue.get("sets", {}).items()},
        "connection": part(catalogue["connection"]),
        "equipment": {name: part(of) for name, of in catalogue["equipment"].items()},
    }


def unit(said: Any) -> str:
    """A unit; of one that a setting decides, all."""
    if not isinstance(said, dict):
        return str(said)
    return ", ".join(dict.fromkeys(str(value) for key, value in said.items() if key != "by"))


def numbered(text: str, row: dict[str, Any]) -> str:
    """A row that stands for several, told once."""
    return text.replace("{n}", "/".join(map(str, row["each"]))) if "each" in row else text


def main() -> int:
    """Writes the pages, or compares them."""
    stale = []
    for language in WORDS:
        folder = ROOT / "docs" / language
        texts = {folder / f"{page}.md": text for page, text in Pages(language).texts().items()}
        if "--check" in sys.argv[1:]:
            stale += [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
            stale += set(folder.glob("commands*.md")) - set(texts)
        else:
            for path, text in texts.items():
                path.write_text(text, "utf-8")
    for each in stale:
        print(f"{each.relative_to(ROOT)} is not what the catalogues say: run tools/list_commands.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
