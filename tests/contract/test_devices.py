"""A catalogue and a package make a system: which class runs it, and what it does that its own does not say."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jeenergied.devices import device_class
from jeenergied.devices.base import Connection, Device, Equipment, Identity, Refused, vendor_url

CATALOGUES = Path(__file__).resolve().parents[2] / "core" / "contract" / "catalogue"
BACKENDS = sorted(
    path.stem for path in CATALOGUES.glob("*.json") if "automatic" not in json.loads(path.read_text("utf-8"))
)


class Silent(Device):
    """A system that can nothing but be read."""

    def start(self) -> None:
        """Nothing to prepare."""

    def refresh(self) -> None:
        """Nothing to read."""

    def test(self) -> Identity:
        """Nobody."""
        return Identity({}, "")


@pytest.fixture
def silent() -> Silent:
    return Silent(Connection("1", "silent", "", {}), mock.Mock())


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_catalogue_has_its_class(backend: str) -> None:
    found = device_class(backend)
    assert found is not None
    assert issubclass(found, Device)
    assert found.__module__ == f"jeenergied.devices.{backend}.device"


@pytest.mark.parametrize("name", ["base", "nothing", "", "Enphase", "../enphase", "enphase.device", "os", "enphase\n"])
def test_no_other_name_is_a_system(name: str) -> None:
    assert device_class(name) is None


def test_a_missing_dependency_is_not_a_missing_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'lxml'", name="lxml")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="lxml"):
        device_class("wes")


def test_what_a_system_does_not_know_is_refused_in_words(silent: Silent) -> None:
    with pytest.raises(Refused, match="pas prise en charge : on"):
        silent.act(Equipment("2", "x", "1", "", {}, {}), "on", {})
    with pytest.raises(Refused, match="Opération inconnue : fly"):
        silent.run("fly", {})
    assert silent.discover() == []


@pytest.mark.parametrize("address", ["http://example.org", "ftp://127.0.0.1", "", "  ", "https:/x", "//x"])
def test_passwords_go_nowhere_unencrypted(address: str) -> None:
    with pytest.raises(Refused, match="https://"):
        vendor_url(address)


def test_a_simulator_on_this_machine_may_be_plain() -> None:
    assert vendor_url(" http://127.0.0.1:8080/ ") == "http://127.0.0.1:8080"
    assert vendor_url("https://example.org/") == "https://example.org"
