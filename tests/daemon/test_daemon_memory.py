"""What a connection keeps, when it cannot be kept."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from jeenergied.connections.memory import StoreMemory
from jeenergied.texts import Texts

from jeedom_bridge.store import Store, StoreError
from jeedom_bridge.store.errors import Damage, DiskFull, NotWritable
from tests.support.core import Core, Quiet
from tests.support.process import DaemonProcess, Lab

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
    newer = texts.damage(Damage(7, "store.sqlite.newer-20270101-000000", newer=True))
    assert "version plus récente du plugin : 7 valeurs" in newer
    error = DiskFull("store.sqlite could not be written: database or disk is full")
    assert "(le disque est plein)" in texts.mistake(error)
    texts.language = "en_US"
    assert texts.mistake(error).startswith("The daemon cannot keep its data (the disk is full).")
    assert texts.mistake(KeyError("x")) == "Internal error: KeyError: 'x'"


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_what_was_damaged_is_told_once_in_the_users_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """The language comes with the first desired state: before that nobody could be told."""
    (tmp_path / "store.sqlite").write_bytes(b"not a database at all")
    core = Core(tmp_path, monkeypatch, Quiet)
    assert len(core.outbox) == 0
    for revision in (1, 2):
        core.ask("configure", revision=revision, settings={"language": language}, connections=[])
    batch = core.outbox.take(everything=True)
    assert batch is not None
    (event,) = map(json.loads, batch.parts)
    words = "were damaged" if language == "en_US" else "étaient endommagées"
    assert words in event["text"]
    assert "data/daemon/store.sqlite.damaged-" in event["text"]
    core.close()


def test_what_cannot_be_written_is_told_with_its_cause() -> None:
    texts = Texts(ROOT / "core" / "i18n", "en_US")
    text = texts.damage(Damage(7, "", NotWritable("x")))
    assert "cannot be written (writing is not allowed, or the folder is gone), 7 values were read" in text


def test_a_backup_is_answered_when_the_copy_is_there(lab: Lab, daemon: DaemonProcess) -> None:
    copy = daemon.datadir / "store.copy.sqlite"
    daemon.configure(lab.connection(tokens=True))
    lab.reports.wait("token")
    assert not copy.exists()
    assert daemon.result("backup") == {}
    moved = lab.directory / "restored"
    moved.mkdir()
    shutil.copy(copy, moved / "store.copy.sqlite")
    store = Store(moved / "store.sqlite")
    assert store.get("1", "token") >= 1
    store.close()


def test_a_daemon_that_ends_leaves_a_copy(lab: Lab, daemon: DaemonProcess) -> None:
    daemon.configure(lab.connection(tokens=True))
    lab.reports.wait("token")
    assert daemon.stop() == 0
    (daemon.datadir / "store.sqlite").unlink()
    assert Store(daemon.datadir / "store.sqlite").get("1", "token") >= 1
