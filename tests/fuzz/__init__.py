"""Spoilt answers of every vendor: `python -m tests.fuzz` runs them by the thousand, `test_fuzz.py` a few of each."""

from __future__ import annotations

from importlib import import_module

from tests.support.fuzz import Endpoint

BACKENDS = ("easee", "econetatmo", "enphase", "hellowatt", "house", "wes")


def endpoints_of(backend: str) -> list[Endpoint]:
    """Every address of a backend whose answers are spoilt."""
    found: list[Endpoint] = import_module(f"tests.fuzz.{backend}").endpoints()
    return found
