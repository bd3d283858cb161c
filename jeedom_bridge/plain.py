"""Texts that come from outside, made harmless for who shows them.

Jeedom's widgets and pages put values into HTML as they are, and logs are read in terminals: a device, or whoever
answers in its place, must not write markup, lines of a log, or escape sequences.
"""

from __future__ import annotations

import unicodedata

MAX_VALUE_CHARS = 255
"""Characters of a value or a name."""
MAX_SENTENCE_CHARS = 1000
"""Characters of a sentence for the user, which may quote a vendor."""
_BRACKETS = str.maketrans({"<": "\u2039", ">": "\u203a"})


def plain(text: str, longest: int = MAX_VALUE_CHARS) -> str:
    """The text without markup, control characters and direction marks, at most `longest` characters of it."""
    text = text[: 4 * longest]
    if text.isprintable():
        return text.translate(_BRACKETS)[:longest]
    kept = "".join(" " if letter in "\n\r\t\u2028\u2029" else letter for letter in text)
    kept = "".join(letter for letter in kept if not unicodedata.category(letter).startswith("C"))
    return kept.translate(_BRACKETS)[:longest]


def one_line(text: str) -> str:
    """The text with its control characters written out, as a log line shows them."""
    if text.isprintable():
        return text
    return "".join(_written(letter) if _controls(letter) else letter for letter in text)


def _controls(letter: str) -> bool:
    return letter != "\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _written(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
