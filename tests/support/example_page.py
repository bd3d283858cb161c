"""The code blocks of the pages of examples, read into what Jeedom's page of a scenario sends when it is saved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORDS = {
    "fr_FR": {
        "mode": "Mode",
        "scheduled": "programmé",
        "and": "et",
        "trigger": "Déclencheur",
        "action": "ACTION",
        "if": "SI",
        "then": "ALORS",
        "else": "SINON",
        "in": r"DANS (\d+) minutes",
        "value": "valeur :",
        "text": "« (.*) »",
    },
    "en_US": {
        "mode": "Mode",
        "scheduled": "scheduled",
        "and": "and",
        "trigger": "Trigger",
        "action": "ACTION",
        "if": "IF",
        "then": "THEN",
        "else": "ELSE",
        "in": r"IN (\d+) minutes",
        "value": "value:",
        "text": '"(.*)"',
    },
}
Element = dict[str, Any]


@dataclass
class Scenario:
    """`section`: the heading it stands under; `elements`: what the core's `scenarioElement::saveAjaxElement` takes."""

    section: str
    triggers: list[str] = field(default_factory=list)
    schedules: list[str] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def form(self, name: str) -> dict[str, Any]:
        """What the page of a scenario sends."""
        return {
            "name": name,
            "isActive": 1,
            "mode": "provoke" if self.triggers else "schedule",
            "trigger": self.triggers,
            "schedule": self.schedules,
            "elements": self.elements,
        }


def blocks(language: str) -> list[tuple[str, str]]:
    """Heading and text of each code block, in order."""
    found = []
    text = (DOCS / language / "examples.md").read_text("utf-8")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        found += [(heading, code) for code in re.findall(r"```\n(.*?)```", part, re.DOTALL)]
    return found


def scenarios(language: str) -> list[Scenario]:
    """Those of the page; a block of settings is none."""
    words = WORDS[language]
    starts = (words["mode"] + " ", words["trigger"] + " ")
    return [_scenario(section, code, words) for section, code in blocks(language) if code.startswith(starts)]


def settings(language: str) -> dict[str, str]:
    """Label and value of the block of settings, without the remarks in parentheses."""
    starts = (WORDS[language]["mode"] + " ", WORDS[language]["trigger"] + " ")
    code = next(code for _, code in blocks(language) if not code.startswith(starts))
    rows = [re.fullmatch(r"(\S.*?)\s{2,}(\S.*?)(?:\s{2,}\(.*\))?", line) for line in code.splitlines()]
    assert all(rows), code
    return {row[1]: row[2] for row in rows if row}


def _scenario(section: str, code: str, words: dict[str, str]) -> Scenario:
    made = Scenario(section)
    body = []
    for line in code.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword == words["mode"]:
            kind, _, crons = rest.strip().partition(", ")
            assert kind == words["scheduled"], line
            made.schedules = crons.split(f" {words['and']} ")
        elif keyword == words["trigger"]:
            made.triggers.append(rest.strip())
        elif line.strip():
            body.append(line)
    made.elements = _elements(body, words)
    return made


def _elements(lines: list[str], words: dict[str, str]) -> list[Element]:
    made: list[Element] = []
    place = 0
    while place < len(lines):
        keyword, _, rest = lines[place].strip().partition(" ")
        indent = _indent(lines[place])
        place += 1
        below = []
        while place < len(lines) and _indent(lines[place]) > indent:
            below.append(lines[place])
            place += 1
        rest = rest.strip()
        if keyword == words["action"]:
            made.append({"type": "action", "subElements": [_actions("action", rest, below, words)]})
        elif keyword == words["if"]:
            made.append({"type": "if", "subElements": [_condition("if", rest)]})
        elif keyword in (words["then"], words["else"]):
            name = "then" if keyword == words["then"] else "else"
            made[-1]["subElements"].append(_actions(name, rest, below, words))
        else:
            raise ValueError(f"not understood: {keyword} {rest}")
    return made


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _condition(name: str, expression: str) -> Element:
    return {"type": name, "subtype": "condition", "expressions": [{"type": "condition", "expression": expression}]}


def _actions(name: str, action: str, below: list[str], words: dict[str, str]) -> Element:
    later = re.fullmatch(words["in"], action)
    if later:
        inner = [{"type": "element", "element": each} for each in _elements(below, words)]
        within = {"type": "do", "subtype": "action", "expressions": inner}
        expression: Element = {
            "type": "element",
            "element": {"type": "in", "subElements": [_condition("in", later[1]), within]},
        }
    else:
        assert not below, below
        expression = {"type": "action", **_action(action, words)}
    return {"type": name, "subtype": "action", "expressions": [expression]}


def _action(action: str, words: dict[str, str]) -> Element:
    variable = re.fullmatch(r"Variable\s+(\w+)\s*=\s*(.*)", action)
    message = re.fullmatch(r"message\s+" + words["text"], action)
    command = re.fullmatch(r"(#\[.*?\]#)(?:\s+" + words["value"] + r"\s*(.*))?", action)
    if variable:
        return {"expression": "variable", "options": {"name": variable[1], "value": variable[2]}}
    if message:
        return {"expression": "message", "options": {"message": message[1]}}
    if command:
        return {"expression": command[1], "options": {"slider": command[2]} if command[2] else {}}
    raise ValueError(f"not understood: {action}")
