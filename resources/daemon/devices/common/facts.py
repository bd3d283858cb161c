"""Describes facts: what a backend's mapping produces and the `source` of a catalogue row names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One fact. `unit`: '' for states and texts; `about`: what it is, with its sign; `internal`: no row shows it."""

    unit: str
    about: str
    internal: bool = False


def written_out(facts: Mapping[str, Fact], places: Mapping[str, Iterable[str]]) -> dict[str, Fact]:
    """Replaces places in names, such as `<meter>`, by each of their values. Raises ValueError if one is unknown."""
    found = dict(facts)
    for place, values in places.items():
        written: dict[str, Fact] = {}
        for name, fact in found.items():
            written.update({name.replace(place, value): fact for value in (values if place in name else ("",))})
        found = written
    unknown = [name for name in found if "<" in name]
    if unknown:
        raise ValueError(f"unknown places in {unknown}")
    return found
