"""Maps the answers of the services for Tempo colours to colour codes: 1 blue, 2 white, 3 red. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from .. import mapping


def tempo_color(answer: Any, day: date) -> int | None:
    """Returns the colour code of a day from the public service: 1 blue, 2 white, 3 red; None if unknown."""
    if not isinstance(answer, dict) or str(answer.get("dateJour", ""))[:10] != day.isoformat():
        return None
    code = answer.get("codeJour")
    return code if isinstance(code, int) and not isinstance(code, bool) and code in mapping.COLOR_NAMES else None


_RTE = {"BLUE": 1, "WHITE": 2, "RED": 3}


def rte_colors(answer: Any) -> dict[date, int]:
    """Returns colour codes by day from RTE's open data, without days marked as fallback."""
    values = answer.get("values") if isinstance(answer, dict) else None
    found: dict[date, int] = {}
    if not isinstance(values, dict):
        return found
    for name, value in values.items():
        code = _RTE.get(value.upper()) if isinstance(value, str) else None
        fallback = str(values.get(f"{name}-fallback", "false")).lower()
        if code is None or fallback != "false" or not re.fullmatch(r"\d{4}-\d\d-\d\d", str(name), re.ASCII):
            continue
        day = mapping.local_day(name)
        if day is not None:
            found[day] = code
    return found
