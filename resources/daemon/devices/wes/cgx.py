"""The pages that we put on a WES, made from one table (`cgx.json`), and the order of their versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

OWN_FILE = "JEENERGIE.CGX"
"""The page that is polled. A name of its own: the official plugin's DATA_JEEDOM.CGX stays as it is."""
NAMES_FILE = "JEENAMES.CGX"
"""Names and identities of the inputs, read at discovery only."""


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """The content of `cgx.json`."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("cgx.json").read_text(encoding="utf-8"))
    return found


def version() -> str:
    """The version of our pages."""
    return str(table()["version"])


def files() -> dict[str, bytes]:
    """Every page by its file name, as it is sent."""
    return {name: content(name) for name in table()["files"]}


def content(name: str) -> bytes:
    """One page. ASCII, one directive per line."""
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
    """`c`, the code padded to its width, then the format: the firmware looks for it at that very place."""
    tens, units = divmod(number - 1, 10)
    code = code.replace("#", str(number)).replace("{tens}", str(tens)).replace("{units}", str(units))
    # Names are free text that nobody escapes.
    value = f"<![CDATA[{form}]]>" if text else form
    names = [tags] if isinstance(tags, str) else tags
    elements = (f"<{name}>{value}</{name}>" for name in (each.replace("#", str(number)) for each in names))
    return f"c {code:<{width}}{''.join(elements)}"


def older(found: str | None, wanted: str) -> bool:
    """Whether a page's version (dotted numbers; None: it has none) is before another."""
    return _numbers(found or "") < _numbers(wanted)


def _numbers(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,5}", text):
        return ()
    return tuple(int(part) for part in text.split("."))


def firmware(text: str) -> tuple[int, Decimal, str, int]:
    """`V0.84A10` as something that compares: what follows the dot is a decimal fraction, so that 0.9 > 0.84."""
    found = re.match(r"[Vv]?(\d{1,4})\.(\d{1,6})([A-Za-z]?)(\d{0,6})", text)
    if found is None:
        return (0, Decimal(0), "", 0)
    major, fraction, letter, number = found.groups()
    return (int(major), Decimal(f"0.{fraction}"), letter.lower(), int(number or 0))


def supported(text: str) -> bool:
    """Whether a firmware knows the directives of our pages."""
    return firmware(text) >= firmware(str(table()["firmware"]))
