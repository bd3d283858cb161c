"""Takes out of texts what identifies anyone: for what a user posts in public. `Masker` takes out secrets only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Callable

from ..devices.common.endpoints import DIGITS_OF_DATA

MIN_KNOWN_CHARS = 3
"""Shorter values identify nobody and would make holes in every sentence."""

_PATTERNS = (
    (re.compile(r"[^\s@<>\"'«»()]+@[^\s@<>\"'«»()]+"), "<e-mail>"),
    (re.compile(r"\b([a-z][a-z0-9+.-]{1,9})://[^\s\"'<>«»)\]]+", re.I), r"\1://<address>"),
    (re.compile(r"\b[0-9A-F]{2}(?:[:-][0-9A-F]{2}){5}\b", re.I), "<mac>"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)"), "<address>"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.I), "<address>"),
    (re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.(?:local|lan|home|internal|fr|com|net|org|eu|io)\b", re.I), "<address>"),
    # Coordinates: four decimals of a degree are eleven metres.
    (re.compile(r"(?<![\w.])[-+]?\d{1,3}\.\d{4,}\b"), "<number>"),
    (re.compile(r"\d{6,}"), "<number>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[a-z])(?!(?:<|utf))[\w-]{8,}\b", re.I), "<code>"),
)
_PLAIN_KEY = re.compile(r"[A-Za-z_$+][\w$+ -]{0,39}", re.ASCII)


class Anonymous:
    """Knows the values of this installation; patterns take out what nobody has told it."""

    def __init__(self, known: Mapping[str, str], mask: Callable[[str], str]) -> None:
        """`known`: what each value is, as "name" or "key", by value; `mask`: takes out secrets."""
        self._mask = mask
        self._known = {value.casefold(): what for value, what in known.items() if len(value) >= MIN_KNOWN_CHARS}
        parts = "|".join(re.escape(value) for value in sorted(self._known, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{parts})(?!\w)", re.I) if parts else None

    def text(self, text: str) -> str:
        """A sentence or a technical text without what identifies anyone."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda found: f"<{self._known.get(found.group().casefold(), 'name')}>", text)
        text = self._mask(text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def shape(self, shape: Mapping[str, str]) -> dict[str, str]:
        """Keys and types of an answer; a key that may be a value (a date, a serial number, a name) becomes `*`."""
        found: dict[str, set[str]] = {}
        for place, types in shape.items():
            found.setdefault(self._place(place), set()).update(types.split("|"))
        return {place: "|".join(sorted(types)) for place, types in sorted(found.items())}

    def _place(self, place: str) -> str:
        return ".".join(self._key(part) for part in place.split("."))

    def _key(self, part: str) -> str:
        name = part.rstrip("[]")
        lists = part[len(name) :]
        plain = not name or name == "*" or (_PLAIN_KEY.fullmatch(name) and sum(map(str.isdigit, name)) < DIGITS_OF_DATA)
        return (name if plain and name.casefold() not in self._known else "*") + lists
