"""The durable store: what was written is there after anything."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.store import Store, StoreError
from tests.support.disk import fill, small_disk

VALUES: dict[str, Any] = {
    "text": "é\U0001f600\x00",
    "number": 1.5,
    "big": 2**70,
    "yes": True,
    "none": None,
    "list": [1, [2, {"three": 3}]],
    "object": {"a": {"b": "c"}},
    "empty": "",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite"


@pytest.fixture
def full_disk() -> Iterator[Path]:
    """A file system of 64 kB."""
    with small_disk(Path("/tmp") / f"full-disk-{os.getpid()}", "64k") as place:
        yield place


def reopened(path: Path) -> Store:
    store = Store(path)
    assert store.damage is None
    return store


class TestKeeping:
    @pytest.mark.parametrize("key", list(VALUES))
    def test_what_was_put_is_there_after_a_restart(self, path: Path, key: str) -> None:
        store = Store(path)
        store.put("12", key, VALUES[key])
        # Not closed: as after a kill.
        assert reopened(path).get("12", key, "nothing") == VALUES[key]

    def test_scopes_are_apart(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "token", "a")
        store.put("2", "token", "b")
        assert store.scope("1") == {"token": "a"}
        store.forget("1")
        again = reopened(path)
        assert (again.scope("1"), again.scope("2")) == ({}, {"token": "b"})

    def test_what_is_unknown_has_the_default(self, path: Path) -> None:
        store = Store(path)
        assert store.get("1", "x") is None
        assert store.get("1", "x", 5) == 5
        store.delete("1", "x")

    def test_what_is_deleted_is_gone(self, path: Path) -> None:
        store = Store(path)
        store.put_all("1", VALUES)
        for key in VALUES:
            store.delete("1", key)
        assert reopened(path).scope("1") == {}

    def test_several_values_are_kept_together_or_not_at_all(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "a", 1)
        with pytest.raises(TypeError):
            store.put_all("1", {"a": 2, "b": object()})
        assert store.scope("1") == {"a": 1}
        store.put("1", "c", 3)
        assert reopened(path).scope("1") == {"a": 1, "c": 3}

    def test_a_value_is_a_copy(self, path: Path) -> None:
        store = Store(path)
        value = [1]
        store.put("1", "x", value)
        value.append(2)
        assert store.get("1", "x") == [1]

    def test_many_threads(self, path: Path) -> None:
        store = Store(path)

        def work(scope: str) -> None:
            for number in range(30):
                store.put(scope, "mark", number)

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        again = reopened(path)
        assert [again.get(str(n), "mark") for n in range(6)] == [29] * 6

    def test_only_the_owner_can_read_it(self, path: Path) -> None:
        old = os.umask(0)
        try:
            store = Store(path)
            store.put("1", "token", "x")
            store._flush()
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        finally:
            os.umask(old)
        assert set(modes.values()) == {0o600}

    def test_a_file_that_others_could_read_is_closed_to_them(self, path: Path) -> None:
        Store(path).put("1", "token", "x")
        path.chmod(0o644)
        reopened(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_files_that_were_opened_to_others_are_closed_again(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "token", "x")
        aside = path.with_name(f"{path.name}.damaged-20260101-000000")
        aside.write_bytes(b"token")
        for each in (path, aside):
            each.chmod(0o775)
        store.protect()
        assert {stat.S_IMODE(each.stat().st_mode) for each in (path, aside)} == {0o600}

    def test_a_forgotten_token_is_not_left_in_the_file(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "token", "a-very-secret-token-" * 20)
        store.put("2", "token", "another")
        store.forget("1")
        assert b"a-very-secret" not in path.read_bytes()
        store.close()
        assert sorted(each.name for each in path.parent.iterdir()) == ["store.copy.sqlite", "store.sqlite"]
        assert not any(b"a-very-secret" in each.read_bytes() for each in path.parent.iterdir())


class TestDamage:
    def filled(self, path: Path) -> bytes:
        store = Store(path)
        for scope in range(20):
            store.put_all(str(scope), {"token": f"token-{scope}-" * 20, "mark": scope})
        store.close()
        return path.read_bytes()

    def test_cut_at_every_byte_it_opens_and_keeps_what_can_be_read(self, path: Path) -> None:
        whole = self.filled(path)
        step = max(1, len(whole) // 400)
        for size in range(0, len(whole), step):
            self.check(path, whole[:size])

    def test_with_any_byte_changed_it_opens_and_never_lies(self, path: Path) -> None:
        whole = self.filled(path)
        generator = random.Random(1)
        for _ in range(200):
            damaged = bytearray(whole)
            for _ in range(generator.choice((1, 1, 5, 200))):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            self.check(path, bytes(damaged), lies=True)

    def check(self, path: Path, content: bytes, lies: bool = False) -> None:
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(content)
        store = Store(path)
        for scope in range(20):
            values = store.scope(str(scope))
            if not lies:
                assert values.items() <= {"token": f"token-{scope}-" * 20, "mark": scope}.items()
        store.put("new", "token", "x")
        store.close()
        again = Store(path)
        assert again.damage is None
        assert again.get("new", "token") == "x"
        again.close()

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"x",
            b"SQLite format 3\0",
            b"\0" * 4096,
            b"not a database",
            bytes(range(256)) * 32,
            b"SQLite format 3\0" + b"\xff" * 5000,
        ],
    )
    def test_another_file_in_its_place(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        store = Store(path)
        assert (store.damage is None) == (content == b"")
        store.put("1", "x", 1)
        assert reopened(path).get("1", "x") == 1

    def test_the_damaged_file_is_kept_and_named(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"not a database at all")
        store = Store(path)
        aside = next(each for each in path.parent.iterdir() if "damaged" in each.name)
        assert aside.name in str(store.damage)
        assert aside.read_bytes() == b"not a database at all"
        assert stat.S_IMODE(aside.stat().st_mode) == 0o600

    def test_damaged_files_do_not_pile_up(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        for number in range(30):
            path.write_bytes(b"not a database at all")
            aside = path.with_name(f"{path.name}.damaged-20260101-0000{number:02}")
            aside.write_bytes(b"an earlier one")
            Store(path).close()
        assert sum("damaged" in each.name for each in path.parent.iterdir()) <= 6

    def test_values_that_are_no_json_are_left_out(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "good", 1)
        store.close()
        database = sqlite3.connect(path)
        database.execute("INSERT INTO entry VALUES ('1', 'bad', '{')")
        database.commit()
        database.close()
        store = Store(path)
        assert store.scope("1") == {"good": 1}
        store.put("1", "more", 2)
        assert reopened(path).scope("1") == {"good": 1, "more": 2}

    def test_a_table_of_another_shape(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE entry (other TEXT)")
        database.commit()
        database.close()
        store = Store(path)
        assert store.damage
        store.put("1", "x", 1)
        assert reopened(path).get("1", "x") == 1


class TestWhileRunning:
    def test_a_file_that_was_taken_away_is_written_anew(self, path: Path) -> None:
        store = Store(path)
        store.put_all("1", {"token": "a", "mark": 1})
        path.unlink()
        store.put("1", "mark", 2)
        assert reopened(path).scope("1") == {"token": "a", "mark": 2}

    def test_a_file_that_was_replaced_by_an_older_one_is_written_anew(self, path: Path) -> None:
        """As when a backup is restored: what runs is newer."""
        store = Store(path)
        store.put_all("1", {"token": "old", "mark": 1})
        older = path.read_bytes()
        store.put("1", "token", "new")
        path.unlink()
        path.write_bytes(older)
        store.put("1", "mark", 2)
        assert reopened(path).scope("1") == {"token": "new", "mark": 2}

    @pytest.mark.parametrize("content", [b"", b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
    def test_a_file_that_is_damaged_is_written_anew(self, path: Path, content: bytes) -> None:
        store = Store(path)
        store.put_all("1", {"token": "a", "mark": 1})
        with path.open("r+b") as file:
            file.truncate(0)
            file.write(content)
        store.put("1", "mark", 2)
        assert store.scope("1") == {"token": "a", "mark": 2}
        assert reopened(path).scope("1") == {"token": "a", "mark": 2}

    def test_a_directory_that_was_taken_away_is_said_and_made_good_later(self, path: Path) -> None:
        store = Store(path)
        store.put_all("1", {"token": "a", "mark": 1})
        path.unlink()
        path.parent.rmdir()
        with pytest.raises(StoreError):
            store.put("1", "mark", 2)
        path.parent.mkdir()
        store.put("1", "more", 3)
        assert reopened(path).scope("1") == {"token": "a", "mark": 2, "more": 3}


class TestUnwritable:
    def test_a_directory_in_its_place(self, path: Path) -> None:
        path.mkdir(parents=True)
        store = Store(path)
        assert store.damage
        with pytest.raises(StoreError):
            store.put("1", "x", 1)
        assert store.get("1", "x") == 1

    def test_a_full_disk_is_said_and_made_good_later(self, full_disk: Path) -> None:
        path = full_disk / "store.sqlite"
        store = Store(path)
        store.put("1", "token", "before")
        filler = fill(full_disk)
        with pytest.raises(StoreError, match="full"):
            store.put("1", "token", "x" * 10000)
        assert store.get("1", "token") == "x" * 10000
        with pytest.raises(StoreError):
            store.put("1", "mark", 5)
        filler.unlink()
        store.put("1", "more", 1)
        assert reopened(path).scope("1") == {"token": "x" * 10000, "mark": 5, "more": 1}

    def test_a_full_disk_at_the_start(self, full_disk: Path) -> None:
        path = full_disk / "store.sqlite"
        fill(full_disk)
        store = Store(path)
        with pytest.raises(StoreError):
            store.put("1", "token", "kept in memory")
        assert store.get("1", "token") == "kept in memory"
        (full_disk / "filler").unlink()
        store.put("1", "mark", 1)
        assert reopened(path).scope("1") == {"token": "kept in memory", "mark": 1}

    def test_a_damaged_file_on_a_full_disk_loses_nothing(self, full_disk: Path) -> None:
        path = full_disk / "store.sqlite"
        store = Store(path)
        for scope in range(10):
            store.put(str(scope), "token", f"token-{scope}-" * 30)
        store.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:-2000])
        fill(full_disk)
        first = Store(path)
        saved = {str(scope): first.scope(str(scope)) for scope in range(10)}
        first.close()
        second = Store(path)
        assert {str(scope): second.scope(str(scope)) for scope in range(10)} == saved

    def test_another_program_that_holds_it_is_waited_for(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "x", 1)
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
        store.put("1", "x", 2)
        assert reopened(path).get("1", "x") == 2
        other.close()


KILLED = """
import sys
from pathlib import Path
from jeedom_bridge.store import Store
store = Store(Path(sys.argv[1]))
number = store.get("1", "mark", 0)
while True:
    number += 1
    store.put_all("1", {"mark": number, "token": f"token-{number}-" * 50})
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_killed_at_any_moment_nothing_durable_is_lost(path: Path) -> None:
    generator = random.Random(7)
    last = 0
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(generator.randrange(1, 60)):
            last = int(process.stdout.readline() or last)
        process.send_signal(signal.SIGKILL)
        last = max([last, *(int(line) for line in process.stdout.read().split() if line.isdigit())])
        process.wait()
        process.stdout.close()
        store = reopened(path)
        kept = store.get("1", "mark")
        assert last <= kept <= last + 1
        assert store.get("1", "token") == f"token-{kept}-" * 50
        store.close()
