"""What a connection keeps, when it cannot be kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from jeenergied.memory import StoreMemory
from jeenergied.texts import Texts

from jeedom_bridge.store import StoreError

ROOT = Path(__file__).resolve().parents[2]


class FullDisk:
    """A store that refuses everything while `full`."""

    full = True

    def put(self, scope: str, key: str, value: Any) -> None:
        if self.full:
            raise StoreError("disk is full")

    def delete(self, scope: str, key: str) -> None:
        self.put(scope, key, None)


def test_a_full_disk_is_told_once_however_much_is_kept_or_deleted(caplog: pytest.LogCaptureFixture) -> None:
    store = FullDisk()
    memory = StoreMemory(store, "1")  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            memory.delete(f"month:{number}")
            memory.keep("state", number)
        assert [each.getMessage() for each in caplog.records] == ["disk is full"]
        store.full = False
        memory.keep("state", 6)
        store.full = True
        memory.delete("state")
    assert len(caplog.records) == 2


def test_a_full_disk_is_told_to_the_user_as_what_it_is() -> None:
    texts = Texts(ROOT / "core" / "i18n")
    error = StoreError("store.sqlite could not be written: database or disk is full")
    assert "espace disque" in texts.mistake(error)
    texts.language = "en_US"
    assert texts.mistake(error).startswith("The daemon cannot keep its data (store.sqlite could not be written")
    assert texts.mistake(KeyError("x")) == "Internal error: KeyError: 'x'"
