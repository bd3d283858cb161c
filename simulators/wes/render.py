"""Renders a CGX template: text, directives with C formats, and what happens when a format does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simulators.wes.box import Box
from simulators.wes.codes import cards, values

_CONVERSION = re.compile(r"%(?:%|[-+ 0#]*\d*(?:\.\d+)?(?:l|h)*([a-zA-Z]))")
NONSENSE = "-2147352576"


def render(box: Box, template: bytes) -> Iterator[bytes]:
    """The pieces of the page, one per line of the template, as the firmware sends them."""
    for raw in template.split(b"\n"):
        line = raw.rstrip(b"\r").decode("latin-1")
        letter, payload = line[:1], line[2:]
        if letter == ".":
            return
        with box.lock:
            text = payload if letter == "t" else directive(box, payload) if letter == "c" else ""
        if letter == "t":
            text += "\n"
        if text:
            yield text.encode("latin-1", "replace")


def directive(box: Box, payload: str) -> str:
    """Returns the output of one directive: nothing for an unknown code."""
    if payload.startswith("WRo"):
        return cards(box)
    width = 5 if payload.startswith("lSE") else 3 if payload.startswith(("la", "Vv")) else 4
    found = values(box, payload[:width].rstrip(" "))
    return "" if found is None else printf(payload[width:], found)


def printf(form: str, arguments: tuple[Any, ...]) -> str:
    """C's printf, with what a wrong conversion gives there: nonsense, not an error."""
    rest = list(arguments)

    def one(match: re.Match[str]) -> str:
        conversion = match.group(1)
        if conversion is None:
            return "%"
        value = rest.pop(0) if rest else None
        if isinstance(value, str if conversion == "s" else float if conversion == "f" else int):
            return str(match.group(0) % value)
        return {"f": match.group(0) % 0.0, "s": "\x7f"}.get(conversion, NONSENSE)

    return _CONVERSION.sub(one, form)
