"""Everything that a user reads has an English text, with the same values in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Contract
from jeedom_bridge.logs import Masker
from tests.support.sentences import DAEMON, ROOT, constants

CATALOGUES = sorted((ROOT / "core" / "contract" / "catalogue").glob("*.json"))
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
SHOWN = ("name", "label", "help", "confirm", "keyLabel", "keyHelp", "placeholder", "says", "unticked")


def shown(part: Any) -> Iterator[str]:
    """The texts of a catalogue; names of commands are data and stay French, what they offer does not."""
    if isinstance(part, list):
        for each in part:
            yield from shown(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "tile":
                yield from on_a_tile(value)
            elif key == "choices":
                yield from value.values()
            elif key in SHOWN and isinstance(value, str) and "logicalId" not in part and " " in value:
                yield value
            elif key != "phases":
                yield from shown(value)


def on_a_tile(part: Any) -> Iterator[str]:
    """The texts of a tile, single words as well."""
    if isinstance(part, list):
        for each in part:
            yield from on_a_tile(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("label", "plus", "minus", "zero", "waiting"):
                yield value
            elif key in ("words", "columns"):
                yield from value.values() if isinstance(value, dict) else value
            else:
                yield from on_a_tile(value)


def test_the_tiles_have_their_english_texts() -> None:
    contract = ROOT / "core" / "contract"
    tiles = {"tiles.json": json.loads((contract / "tiles.json").read_text("utf-8"))}
    for path in CATALOGUES:
        catalogue = json.loads(path.read_text("utf-8"))
        parts = [catalogue["connection"], *catalogue["equipment"].values()]
        tiles[f"catalogue/{path.name}"] = [each.get("tile", {}) for each in parts]
    for name, part in tiles.items():
        known = SECTIONS.get(f"plugins/jeenergie/core/contract/{name}", {})
        assert sorted(set(on_a_tile(part)) - known.keys()) == [], name


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_its_english_texts(path: Path) -> None:
    known = SECTIONS[f"plugins/jeenergie/core/contract/catalogue/{path.name}"]
    texts = set(shown(json.loads(path.read_text("utf-8"))))
    assert texts
    assert sorted(text for text in texts if text not in known and re.search(r"[a-zà-ÿ]{3,} ", text)) == []


@pytest.mark.parametrize("path", sorted(DAEMON.rglob("*.py")), ids=lambda path: str(path.relative_to(DAEMON)))
def test_a_module_of_the_daemon_has_its_english_texts(path: Path) -> None:
    known = SECTIONS["plugins/jeenergie/resources/daemon"]
    assert sorted(set(constants(path)) - set(known)) == []


@pytest.mark.parametrize(
    "path", sorted((DAEMON / "devices").rglob("*.py")), ids=lambda path: f"{path.parent.name}.{path.stem}"
)
def test_what_is_found_is_named_in_the_users_language(path: Path) -> None:
    """Equipment keeps the name that it was found by: no words in it are the program's own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Found":
            name = next((each.value for each in node.keywords if each.arg == "name"), (*node.args, None, None, None)[2])
            parts = name.values if isinstance(name, ast.JoinedStr) else [name]
            words = [str(each.value) for each in parts if isinstance(each, ast.Constant) and each.value is not None]
            assert not re.search("[a-zé]", "".join(words), re.I), f"line {node.lineno}: {words}"


def test_both_languages_hold_the_same_values() -> None:
    for french, english in SECTIONS["plugins/jeenergie/resources/daemon"].items():
        names, counted = re.compile(r"{(\w+)(?::[^}]*)?}"), re.compile(r"{(\w+):[^|}]+\|[^|}]+}")
        assert sorted(names.findall(french)) == sorted(names.findall(english)), french
        assert sorted(counted.findall(french)) == sorted(counted.findall(english)), french


def test_what_follows_a_number_has_both_forms_in_both_languages() -> None:
    for table in SECTIONS.values():
        for french, english in table.items():
            if "|" in re.sub(r"{\w+:[^}]*}", "", french):
                parts = [french.split("|"), english.split("|")]
                assert [len(each) for each in parts] == [2, 2], french
                assert len({tuple(re.findall(r"%\w", part)) for both in parts for part in both}) == 1, french


IN_BRACKETS = re.compile(r"\w\((?:s|x|es|e|nt|ies)\)")
"""One word for both numbers: "commande(s)"."""
NEVER_ONE = {
    "L'appareil de {watts} W n'obéit pas après {count} essais ; nouvel essai dans {wait}": "two at least",
    "La borne n'obéit pas à {amps} A après {count} essais ; nouvel essai dans {wait}": "two at least",
    "{count} requêtes à Netatmo en une heure, la limite est proche : la suite attend quelques minutes": "hundreds",
    "{days} jours": "two at least",
    "{hours} heures": "two at least",
    "Le WES n'a reçu que {size} octets sur {whole} de {name} : réessayez.": "hundreds",
    "Le WES a coupé sa page de mesures ({size} octets reçus), rien n'en est repris ; nouvel essai automatique": "many",
    "Plus de {n} connexions : c'est trop": "dozens",
    "Les {n} requêtes permises par jour ont été faites : les prochaines demain": "ten at least",
    "{n} connexions au compte helloWatt ont déjà été faites aujourd'hui : la prochaine demain": "two at least",
    "Déjà {n} rafraîchissements aujourd'hui : le prochain est possible demain": "four",
    "helloWatt : aucune donnée nouvelle depuis {n} jours. {reason}": "three at least",
}
"""Sentences with a plural behind what they are filled in with, and why it is right."""


def test_no_word_is_written_for_both_numbers() -> None:
    pages = [*ROOT.glob("docs/??_??/*.md"), ROOT / "README.md", *ROOT.glob("mobile/**/*.html")]
    files = [*pages, *ROOT.glob("core/contract/**/*.json"), *ROOT.glob("core/i18n/*.json"), *ROOT.glob("core/**/*.php")]
    files += [*ROOT.glob("desktop/**/*.*"), *ROOT.glob("plugin_info/*.*")]
    texts = {f"{path.relative_to(ROOT)}": path.read_text("utf-8") for path in files if path.suffix not in (".png",)}
    for path in DAEMON.rglob("*.py"):
        texts[f"{path.relative_to(ROOT)}"] = "\n".join(constants(path))
    found = [f"{name}: {each[0]}" for name, text in texts.items() for each in IN_BRACKETS.finditer(text)]
    assert [each for each in found if not re.search(r": \w\(", each)] == []


def test_a_plural_behind_a_number_has_its_singular() -> None:
    plural = re.compile(r"(?:{\w+}|%(?:\d\$)?[sd]) (?!sous|sans|dans|pas|après)(?:[a-zà-ÿ-]{3,}s|[a-zà-ÿ]+aux)\b")
    texts = {text for table in SECTIONS.values() for text in table if "|" not in text}
    found = {text for text in texts if plural.search(text)}
    assert found - NEVER_ONE.keys() == set()
    assert NEVER_ONE.keys() - texts == set(), "no longer there"


def test_no_english_text_begins_with_a_number_sign() -> None:
    """Jeedom cuts it off, as its mark of a text to be translated: "#age# ago" was shown as "age# ago"."""
    assert [text for table in SECTIONS.values() for text in table.values() if text.startswith("#")] == []


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_no_sentence_is_taken_for_a_secret(language: str) -> None:
    """A sentence such as "refuses the token: the access ..." would reach the user with a hole in it."""
    masker = Masker()
    pairs = [pair for table in SECTIONS.values() for pair in table.items()]
    texts = [french if language == "fr_FR" else english for french, english in pairs]
    shown_texts = [re.sub(r"\{\w+\}|%(?:\d\$)?[sd]", "valeur", text) for text in texts]
    assert [text for text in shown_texts if masker.mask(text) != text] == []


UNITS = {"%", "W", "V", "A", "VA", "s", "min", "h", "kWh", "kVA", "g/kWh", "kWh/m³", "€/kWh"}
"""The same in every language."""


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_unit_of_a_field_is_known_to_everybody_or_translated(path: Path) -> None:
    known = SECTIONS[f"plugins/jeenergie/core/contract/catalogue/{path.name}"]
    catalogue = json.loads(path.read_text("utf-8"))
    parts = [catalogue["connection"], *catalogue["equipment"].values()]
    parts += [operation for part in parts for operation in part.get("operations", [])]
    units = {field["unit"] for part in parts for field in part.get("fields", []) if "unit" in field}
    assert sorted(units - known.keys() - UNITS) == []


def literals(path: Path) -> Iterator[str]:
    """What a file says between quotes, without comments."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        tree = ast.parse(text)
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                yield node.value
        return
    text = re.sub(r"/\*.*?\*/|(?<=\s)//[^\n]*", "", text, flags=re.DOTALL)
    if path.suffix == ".js":
        text = re.sub(r"\{\{.*?\}\}|/[^/\n]*[«»][^/\n]*/[a-z]*", "", text)
    else:
        text = re.sub(r"\{\{.*?\}\}", "", text)
    for found in re.finditer(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`", text):
        yield re.sub(r"\\(['\"\\])", r"\1", found[0][1:-1])


PATTERN = re.compile(r"\[\^|^”$|\\s")
"""A regular expression, and what Names puts in the place of a quote."""


def test_quotes_around_a_name_are_part_of_a_translated_text() -> None:
    """Put around it by the code they would be French ones in every language."""
    folders = {"core/src": "*.php", "core/ajax": "*.php", "desktop": "*.*", "mobile": "*.*", "resources/daemon": "*.py"}
    known = {text for table in SECTIONS.values() for text in table}
    found = [
        f"{path.relative_to(ROOT)}: {literal}"
        for folder, pattern in folders.items()
        for path in sorted((ROOT / folder).rglob(pattern))
        if path.suffix in (".php", ".js", ".py", ".html")
        for literal in literals(path)
        if re.search("[«»“”]", literal) and literal not in known and not PATTERN.search(literal)
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(path.stem for path in CATALOGUES))
def test_each_text_that_a_command_may_hold_can_be_read_in_english(name: str) -> None:
    contract = ROOT / "core" / "contract"
    tiles = json.loads((contract / "tiles.json").read_text("utf-8"))
    known = {*SECTIONS[f"plugins/jeenergie/core/contract/catalogue/{name}.json"], *tiles["words"], *tiles["chips"]}
    catalogue = Contract(contract).catalogues[name]
    rows = [row.data for kind in (None, *catalogue.data["equipment"]) for row in catalogue.all_rows(kind)]
    texts = {text for row in rows for text in (row.get("map") or {}).values() if isinstance(text, str)}
    assert sorted(texts - known) == []
