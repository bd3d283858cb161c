"""The examples name commands that exist, and speak of the same ones in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jeedom_bridge.contract import Contract
from tests.support.example_page import scenarios, settings

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = Contract(ROOT / "core" / "contract").catalogues
EQUIPMENT = {
    "Toit": ("enphase", "combined"),
    "Passerelle": ("enphase", "connection"),
    "Borne": ("easee", "charger"),
    "TIC 1": ("wes", "teleinfo"),
    "Électricité": ("hellowatt", "electricity"),
}
"""What the pages call each system's equipment; "Ballon" is any plugin's."""
FOREIGN = {"Ballon"}
OF_A_CONNECTION = {"État", "Rafraîchir"}


def page(language: str) -> str:
    return (ROOT / "docs" / language / "examples.md").read_text("utf-8")


def used(language: str) -> list[tuple[str, str]]:
    """Equipment and command of each reference to one."""
    return re.findall(r"#\[[^]]+\]\[([^]]+)\]\[([^]]+)\]#", page(language))


def names(backend: str, kind: str) -> set[str]:
    known = {row.data["name"] for row in CATALOGUES[backend].all_rows(None if kind == "connection" else kind)}
    return known | OF_A_CONNECTION if kind == "connection" else known


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_every_command_of_an_example_is_in_the_catalogue(language: str) -> None:
    assert len(used(language)) > 30
    for equipment, command in used(language):
        if equipment not in FOREIGN:
            assert command in names(*EQUIPMENT[equipment]), f"{equipment}: {command}"


def test_both_languages_have_the_same_expressions() -> None:
    assert used("fr_FR") == used("en_US")


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_no_expression_uses_what_jeedom_understands_otherwise(language: str) -> None:
    """Jeedom takes min and max for functions of the history, and ends a function at the first closing parenthesis."""
    for code in re.findall(r"```\n(.*?)```", page(language), re.DOTALL):
        assert not re.search(r"\b(min|max)\(", code)
        assert not re.search(r"(floor|round|ceil)\(\s*\(", code)


def test_every_block_is_a_scenario_that_can_be_read_and_the_same_in_both_languages() -> None:
    """They are run in a real Jeedom by tests/jeedom/test_jeedom_examples.py."""
    french, english = scenarios("fr_FR"), scenarios("en_US")
    assert len(french) == len(english) == 7
    assert len({each.section for each in french}) == 5
    for here, there in zip(french, english):
        assert (here.triggers, here.schedules) == (there.triggers, there.schedules)
        assert [each["type"] for each in here.elements] == [each["type"] for each in there.elements]
    assert len(settings("fr_FR")) == len(settings("en_US")) == 10
