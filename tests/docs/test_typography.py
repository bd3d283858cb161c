"""One way of writing in each language, on all pages and in all texts of the screens.

French: straight apostrophe, « guillemets » and a space before : ; ! ? (a plain one, as typed). English: straight
apostrophe, “curly quotes”, which no script or attribute ends at, and no space. An ellipsis is one character. Names of
commands are data: Jeedom takes the straight apostrophe out of a name, so that they have the curly one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from system_pages import DOCS, ROOT
from test_words import command_names

SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
ENGLISH_PUNCTUATION = "a space before punctuation"
UNWANTED = {
    "fr_FR": {
        r"’": "a curly apostrophe",
        r'["“”]': "English quotes",
        r"«(?! )|(?<! )»": "no space within « »",
        r"[^\W\d_][:;!?](?=\s|$)": "no space before punctuation",
        r"[\u00a0\u202f]": "a space that cannot be seen to be another one",
        r"\.\.\.": "three dots instead of …",
    },
    "en_US": {
        r"’": "a curly apostrophe",
        r'"': "straight quotes",
        r"[«»]": "French quotes",
        r"[\w”) ] [:;!?](?=\s|$)": ENGLISH_PUNCTUATION,
        r"“(?=\s)|(?<=\s)”": "a space within the quotes",
        r"[\u00a0\u202f]": "a space that cannot be seen to be another one",
        r"\.\.\.": "three dots instead of …",
    },
}
BOTH = pytest.mark.parametrize("language", sorted(UNWANTED))


def written(language: str) -> Iterator[tuple[str, str]]:
    """Where a text stands, and the text without code and names of commands."""
    names = command_names()
    long = sorted((name for name in names if re.search(r"[ ’]", name)), key=len, reverse=True)
    data = re.compile("|".join(re.escape(name) for name in long))
    quoted = re.compile(r"[Dd](?:u jour|e l’énergie du jour), du mois, de l’année|\bde l’année\b|, à minuit")
    for page in sorted((DOCS / language).glob("*.md")):
        text = CODE.sub(lambda found: "\n" * found[0].count("\n") or "x", page.read_text("utf-8"))
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{page.name}:{number}", quoted.sub("x", data.sub("x", line))
    for section, table in SECTIONS.items():
        for french, english in table.items():
            if french not in names:
                yield Path(section).name, french if language == "fr_FR" else english


@BOTH
def test_texts_are_written_in_one_way(language: str) -> None:
    found = [
        f"{place}: {what}: {text[max(0, hit.start() - 30) : hit.end() + 30]!r}"
        for place, text in written(language)
        for pattern, what in UNWANTED[language].items()
        for hit in re.finditer(pattern, text)
    ]
    assert found == []


@BOTH
def test_quotes_come_in_pairs(language: str) -> None:
    first, last = ("«", "»") if language == "fr_FR" else ("“", "”")
    whole: dict[str, str] = {}
    for place, text in written(language):
        at = place.partition(":")[0] if ".md:" in place else f"{place}: {text}"
        whole[at] = whole.get(at, "") + text
    assert [at for at, text in whole.items() if text.count(first) != text.count(last)] == []
