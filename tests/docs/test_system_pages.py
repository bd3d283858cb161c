"""The five pages of systems are alike: sections in order, settings as in the catalogues, messages as they come."""

from __future__ import annotations

import ast
import re
from itertools import chain

import pytest
from system_pages import (
    COMMANDS,
    DOCS,
    HEADS,
    LANGUAGES,
    RHYTHM,
    ROOT,
    SECTIONS,
    SETTINGS,
    SYSTEMS,
    TROUBLE,
    catalogue,
    facts,
    fields,
    page,
    say,
    section,
    sections,
    tables,
    translations,
)

BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("system", SYSTEMS)
OVERVIEW = {"fr_FR": "À quel rythme, et combien de requêtes ?", "en_US": "How often, and how many requests?"}
QUOTES = {"fr_FR": r"« (.+?) »", "en_US": r'"(.+?)"'}


@BOTH
@EACH
def test_a_system_has_every_section_in_order(language: str, system: str) -> None:
    found = sections(page(language, system))
    assert list(found) == SECTIONS[language]
    assert [title for title, text in found.items() if len(text.split()) < 12] == []


@EACH
def test_both_languages_are_alike(system: str) -> None:
    """As many subsections, list items, numbered steps, pictures and rows of tables in each section."""

    def shape(language: str) -> list[list[int]]:
        marks = (r"^### ", r"^- ", r"^\d+\. ", r"^!\[", r"^\|")
        texts = sections(page(language, system)).values()
        return [[len(re.findall(mark, text, re.MULTILINE)) for mark in marks] for text in texts]

    french, english = (shape(language) for language in LANGUAGES)
    told = zip(SECTIONS["en_US"], french, english)
    assert [(title, here, there) for title, here, there in told if here != there] == []


@BOTH
@EACH
def test_settings_are_told_as_the_catalogue_has_them(language: str, system: str) -> None:
    found = [
        row[:3]
        for table in tables(section(language, system, SETTINGS))
        if table[0][:3] == HEADS[language][SETTINGS]
        for row in table[1:]
    ]
    assert found == [facts(language, system, field) for _, field in fields(system)]


@BOTH
@EACH
def test_every_setting_says_what_it_is_for(language: str, system: str) -> None:
    rows = chain.from_iterable(table[1:] for table in tables(section(language, system, SETTINGS)))
    assert [row for row in rows if not row[-1]] == []


@BOTH
@EACH
def test_every_button_is_explained(language: str, system: str) -> None:
    text = page(language, system)
    for operation in catalogue(system)["connection"].get("operations", []):
        assert f"**{say(language, system, operation['label'])}**" in text


@BOTH
@EACH
def test_the_list_of_commands_is_one_click_away(language: str, system: str) -> None:
    assert f"](commands_{system}.md)" in section(language, system, COMMANDS)
    old = sections((DOCS / language / "commands.md").read_text("utf-8"))
    assert f"](commands_{system}.md)" in old[say(language, system, catalogue(system)["name"])]


@BOTH
@EACH
def test_a_system_leads_to_the_table_that_compares_all(language: str, system: str) -> None:
    address = re.sub(r"[^\w\s-]", "", OVERVIEW[language].lower()).strip().replace(" ", "-")
    assert f"](faq.md#{address})" in section(language, system, RHYTHM)


def messages(language: str) -> list[str]:
    """All that the plugin says, placeholders as they stand."""
    tables_ = translations().values()
    return [text for table in tables_ for text in (table if language == "fr_FR" else table.values())]


@BOTH
@EACH
def test_a_trouble_has_cause_and_remedy_and_is_quoted_as_it_comes(language: str, system: str) -> None:
    table = next(tables(section(language, system, TROUBLE)))
    assert table[0] == HEADS[language][TROUBLE]
    assert len(table) > 8
    said = messages(language)
    for row in table[1:]:
        assert len(row) == 3, row
        assert all(row), row
        for quoted in re.findall(QUOTES[language], row[0]):
            pattern = ".*".join(re.escape(part.strip()) for part in quoted.split("…"))
            assert any(re.search(pattern, text) for text in said), f"nothing says {quoted!r}"


def constant(system: str, name: str) -> object:
    """A constant of a system's modules, read and not imported; whichever module it is in."""
    found = []
    for path in (ROOT / "resources" / "daemon" / "devices" / system).rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                value = node.value.args[1] if isinstance(node.value, ast.Call) else node.value
                found.append(ast.literal_eval(value))
    assert len(found) == 1, f"{system} has {name} {len(found)} times"
    return found[0]


@BOTH
def test_the_table_that_compares_all_has_the_figures_of_the_code(language: str) -> None:
    text = sections((DOCS / language / "faq.md").read_text("utf-8"))[OVERVIEW[language]]
    rows = {row[0]: " ".join(row[1:]) for row in next(tables(text))[1:]}
    names = {"easee": "Easee", "econetatmo": "Netatmo", "enphase": "Enphase", "hellowatt": "helloWatt", "wes": "WES"}
    assert set(rows) == {names.get(system, say(language, system, catalogue(system)["name"])) for system in SYSTEMS}
    hour = constant("econetatmo", "HOUR_WINDOW")
    assert isinstance(hour, dict)
    figures = {
        "easee": [constant("easee", "REQUESTS_PER_WINDOW"), constant("easee", "REQUESTS_FOR_ACTIONS")],
        "econetatmo": [hour["poll"], hour["import"]],
        "hellowatt": [default("hellowatt", "dailyRequests")],
        "enphase": [default("enphase", "pollInterval")],
        "wes": [default("wes", "pollInterval")],
    }
    for system, wanted in figures.items():
        for figure in wanted:
            assert re.search(rf"\b{figure}\b", rows[names[system]]), (system, figure)
    assert f"{int(str(default('econetatmo', 'pollInterval'))) // 60} min" in rows["Netatmo"]


def default(system: str, key: str) -> object:
    return next(field["default"] for _, field in fields(system) if field["key"] == key)
