"""The attacks of `tests/security/attacks`, which anybody can run, are tried here as well."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from tests.security import attacks
from tests.security.attacks.target import HELD, NOT_HERE, tried

NAMES = [each.name for each in pkgutil.iter_modules(attacks.__path__) if each.name != "target"]


def test_there_is_one_for_each_way_that_was_open() -> None:
    assert NAMES == ["claimed_firmware", "impostor", "markup", "temporary_folder"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_attack_that_worked_once_is_held(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = tried(importlib.import_module(f"tests.security.attacks.{name}").attack, [])
    said = capsys.readouterr().out.strip()
    if code == NOT_HERE:
        pytest.skip(said)
    assert code == HELD, said
