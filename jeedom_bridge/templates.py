"""Templates of sentences for users, in which words follow a number.

`{n}` is a value, as for `str.format`; `{n:day|days}` is a number with the word in its singular or plural: "1 day",
"3 days". Which numbers take the singular depends on the language of the template; core/contract/vectors/plurals.json
has cases for each language of the project's code.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any, Union


def is_one(number: Union[int, float], language: str = "fr_FR") -> bool:
    """Whether a number takes the singular: below two in French, else one alone."""
    return abs(number) < 2 if language.startswith("fr") else number == 1


def fill(template: str, values: Mapping[str, Any], language: str = "fr_FR") -> str:
    """Fills in the values. Raises KeyError, IndexError or ValueError if they do not fit the template."""
    return _Filler(language).vformat(template, (), values) if "|" in template else template.format(**values)


class _Filler(string.Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        singular, bar, plural = format_spec.partition("|")
        if not bar:
            return str(super().format_field(value, format_spec))
        single = isinstance(value, (int, float)) and is_one(value, self._language)
        return f"{value} {singular if single else plural}"
