"""Makes a simulator answer in the shape that a user's diagnostics file tells.

    python -m simulators.report FILE            what the file tells, one example answer for each shape

A shape is {"place": "type|type"}: "" is the answer itself, "a.b" a key, "list[]" an entry of a list, "*" any key that
may be a value. In a test: `replay(simulator.fault, connections(FILE)[0])`. The simulator's own answer is changed no
more than needed: keys that the file does not have go, missing ones come with a made-up value, types become those told.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

FORMAT = 1
Shape = Mapping[str, str]

PATHS: dict[str, dict[str, str]] = {
    "enphase": {
        "readings": "/ivp/meters/readings",
        "meters": "/ivp/meters$",
        "production": "/production.json",
        "summary": "/api/v1/production$",
        "inverters": "/api/v1/production/inverters",
        "batteries": "/ivp/ensemble/inventory",
        "charge of batteries": "/ivp/ensemble/secctrl",
        "/ivp/ensemble/power": "/ivp/ensemble/power",
        "/ivp/pdm/device_data": "/ivp/pdm/device_data",
    },
    "easee": {"observations": "/state/", "chargers": "/api/chargers$", "site": "/api/chargers/*/site$"},
    "wes": {name: f"/{name}" for name in ("data.cgx", "jeenergie.cgx", "data_jeedom.cgx")},
    "econetatmo": {name: f"/api/{name}" for name in ("homesdata", "homestatus", "getmeasure", "gethomemeasure")},
    "hellowatt": {
        "user": "/api/user$",
        "homes": "/api/homes$",
        "contracts": "/api/homes/*/contracts",
        "electricity": "/api/homes/*/sge_measures/",
        "gas": "/api/homes/*/adict_measures/",
    },
}
"""By system and kind of answer: the path of its request, as faults of the simulators name it. No path has two kinds."""

EXAMPLES: dict[str, Any] = {"null": None, "boolean": True, "number": 1, "text": "1", "list": [], "object": {}}
FIRST = ("object", "list", "number", "text", "boolean", "null")
"""Of several types that one place has had, the one that tells most."""


def connections(source: Path | str | Mapping[str, Any]) -> list[dict[str, Any]]:
    """The connections of a diagnostics file, or of its content. Raises ValueError if it is none."""
    told = source if isinstance(source, Mapping) else json.loads(Path(source).read_text(encoding="utf-8"))
    report = told.get("daemon") if isinstance(told.get("daemon"), dict) and "connections" in told["daemon"] else told
    if not isinstance(report, Mapping) or report.get("format") != FORMAT:
        raise ValueError(f"not a diagnostics file of format {FORMAT}")
    return [dict(each) for each in report["connections"]]


def replay(fault: Callable[..., Any], connection: Mapping[str, Any], *kinds: str) -> list[str]:
    """Puts the shapes of one connection (or only `kinds`) in force at its simulator; returns their kinds.

    `fault(kind, path, value)` is that of the simulator. Kinds whose path is not known are left out.
    """
    paths = PATHS.get(str(connection["backend"]), {})
    chosen = [kind for kind in connection["shapes"] if kind in paths and (not kinds or kind in kinds)]
    for kind in chosen:
        fault("shape", paths[kind], connection["shapes"][kind])
    return chosen


def example(shape: Shape, place: str = "") -> Any:
    """An answer of this shape with made-up values."""
    types = shape.get(place, "null").split("|")
    kind = next((each for each in FIRST if each in types), "null")
    if kind == "object":
        return {key: example(shape, inner) for key, inner in _keys(shape, place).items()}
    if kind == "list":
        inner = f"{place}[]"
        return [example(shape, inner)] if inner in shape else []
    return EXAMPLES[kind]


def reshaped(answer: Any, shape: Shape, place: str = "") -> Any:
    """The answer with the keys and types of the shape; its values are kept where they fit."""
    types = shape.get(place, "").split("|")
    if isinstance(answer, dict) and "object" in types:
        keys = _keys(shape, place)
        kept = {}
        for key, value in answer.items():
            inner = keys.pop(key, None) or keys.get("*")
            if inner is not None:
                kept[key] = reshaped(value, shape, inner)
        return {**kept, **{key: example(shape, inner) for key, inner in keys.items() if key != "*"}}
    if isinstance(answer, list) and "list" in types:
        inner = f"{place}[]"
        return [reshaped(each, shape, inner) for each in answer] if inner in shape else []
    if _type(answer) in types:
        return answer
    if "text" in types and isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return str(answer)
    if "number" in types and isinstance(answer, str):
        try:
            return float(answer)
        except ValueError:
            pass
    return example(shape, place)


def _keys(shape: Shape, place: str) -> dict[str, str]:
    """The keys of the object at a place, with their own places."""
    start = f"{place}." if place else ""
    found = {}
    for each in shape:
        rest = each[len(start) :] if each.startswith(start) else ""
        if rest and "." not in rest and not rest.endswith("[]"):
            found[rest] = each
    return found


def _type(part: Any) -> str:
    for kind, types in (("null", type(None)), ("boolean", bool), ("number", (int, float)), ("text", str)):
        if isinstance(part, types):
            return kind
    return "list" if isinstance(part, list) else "object"


def main(arguments: list[str]) -> int:
    """Prints an example of each answer."""
    for connection in connections(arguments[0]):
        for kind, shape in connection["shapes"].items():
            print(f"{connection['backend']} {kind}")
            print(json.dumps(example(shape), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
