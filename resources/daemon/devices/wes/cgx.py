"""Builds the pages that we upload to a WES from one table (`cgx.json`), and compares versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

OWN_FILE = "JEENERGIE.CGX"
"""The page that is polled. Our own name: the official plugin's DATA_JEEDOM.CGX is left alone."""
NAMES_FILE = "JEENAMES.CGX"
"""Names and identities of the inputs, read at discovery only."""


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """Returns the content of `cgx.json`."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("cgx.json").read_text(encoding="utf-8"))
    return found


def version() -> str:
    """Returns the version of our pages."""
    return str(table()["version"])


def files() -> dict[str, bytes]:
    """Returns every page by file name, as uploaded."""
    return {name: content(name) for name in table()["files"]}


def content(name: str) -> bytes:
    """Returns one page: ASCII, one directive per line."""
    lines = ['t <?xml version="1.0" encoding="UTF-8"?>', "t <data>", "t <jeedom>"]
    lines += [f"t <cgxversion>{version()}</cgxversion>", "t </jeedom>"]
    for part in table()["files"][name]:
        lines += _part(part)
    lines += ["t </data>", "."]
    return ("\n".join(lines) + "\n").encode("ascii")


def _part(part: Mapping[str, Any]) -> Iterator[str]:
    if "whole" in part:  # the firmware writes this element itself, or nothing
        yield f"c {part['whole']}"
        return
    for number in range(1, part.get("repeat", 1) + 1):
        section = part["section"].replace("#", str(number))
        yield f"t <{section}>"
        for group in part["groups"]:
            numbers = range(1, group["count"] + 1) if "count" in group else [number]
            for each in numbers:
                for code, tags, form in group["rows"]:
                    yield _directive(group.get("width", 4), code, tags, form, each, bool(part.get("text")))
        yield f"t </{section}>"


def _directive(width: int, code: str, tags: Any, form: str, number: int, text: bool) -> str:
    """Returns `c`, the code padded to its width, then the format: the firmware expects it at that column."""
    tens, units = divmod(number - 1, 10)
    code = code.replace("#", str(number)).replace("{tens}", str(tens)).replace("{units}", str(units))
    # Names are free text that the WES does not escape.
    value = f"<![CDATA[{form}]]>" if text else form
    names = [tags] if isinstance(tags, str) else tags
    elements = (f"<{name}>{value}</{name}>" for name in (each.replace("#", str(number)) for each in names))
    return f"c {code:<{width}}{''.join(elements)}"


def older(found: str | None, wanted: str) -> bool:
    """True if a page's version (dotted numbers, or None) is before another."""
    return _numbers(found or "") < _numbers(wanted)


def _numbers(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,5}", text):
        return ()
    return tuple(int(part) for part in text.split("."))


def firmware(text: str) -> tuple[int, Decimal, str, int]:
    """Converts `V0.84A10` to a tuple that compares: the part after the dot is a decimal fraction, 0.9 > 0.84."""
    found = re.match(r"[Vv]?(\d{1,4})\.(\d{1,6})([A-Za-z]?)(\d{0,6})", text)
    if found is None:
        return (0, Decimal(0), "", 0)
    major, fraction, letter, number = found.groups()
    return (int(major), Decimal(f"0.{fraction}"), letter.lower(), int(number or 0))


def supported(text: str) -> bool:
    """True if a firmware supports the directives of our pages."""
    return firmware(text) >= firmware(str(table()["firmware"]))
