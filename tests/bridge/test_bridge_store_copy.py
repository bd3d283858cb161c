"""What a backup takes of the store opens, is whole, and is of one moment; what was put back counts."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from jeedom_bridge.store import Store, StoreError
from jeedom_bridge.store.database import SCOPE_SUM_KEY
from jeedom_bridge.store.errors import Damage, DiskFull, Locked, NotWritable
from tests.support.disk import fill, small_disk

COPY = "store.copy.sqlite"
BUSY = """
import sys
from pathlib import Path
from jeedom_bridge.store import Store
store = Store(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    scopes = {f"{part}": f"value-{number}-" * 40 for part in range(40)}
    store.put_all("1", {"mark": number, **scopes})
    if number == 20:
        store.back_up()
        print(number, flush=True)
    if number > 20 and number % 50 == 0:
        print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite"


@pytest.fixture
def busy(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has made a copy, and writes 41 values at a time without pause."""
    with subprocess.Popen([sys.executable, "-c", BUSY, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "20"
        yield process
        process.kill()


def in_two_parts(source: Path, target: Path) -> None:
    """Copies a file as a slow disk does: while its second half is read it is no longer what its first half was."""
    try:
        with source.open("rb") as old, target.open("wb") as new:
            new.write(old.read(source.stat().st_size // 2 // 4096 * 4096))
            time.sleep(0.02)
            new.write(old.read())
    except FileNotFoundError:
        return  # a journal that was there a moment ago


def in_tar(folder: Path, to: Path) -> None:
    """As Jeedom does it, moment of the files included: in whole seconds."""
    archive = to.parent / "backup.tar.gz"
    packed = subprocess.run(
        ["tar", "cfz", str(archive), "-C", str(folder), "."], capture_output=True, text=True, check=False
    )
    assert packed.returncode in (0, 1), packed.stderr  # 1: a file changed while it was read
    to.mkdir(exist_ok=True)
    subprocess.run(["tar", "xfz", str(archive), "-C", str(to)], check=True)


@pytest.mark.parametrize("keeps_times", [False, True])
def test_files_copied_while_they_are_written_open_and_are_of_one_moment(
    busy: subprocess.Popen[str], path: Path, tmp_path: Path, keeps_times: bool
) -> None:
    torn = 0
    for number in range(25):
        target = tmp_path / f"copy{number}"
        target.mkdir()
        for name in (path.name, f"{path.name}-journal", COPY):
            in_two_parts(path.parent / name, target / name)
            if keeps_times and (target / name).exists():
                with suppress(FileNotFoundError):  # a journal that was there a moment ago
                    shutil.copystat(path.parent / name, target / name)
        store = Store(target / path.name)
        mark = store.get("1", "mark")
        assert mark >= 20
        assert {store.get("1", str(part)) for part in range(40)} == {f"value-{mark}-" * 40}
        torn += store.damage is not None
        store.close()
    assert busy.poll() is None
    if keeps_times:
        assert torn, "none of the copies was torn: this has tested nothing"


def test_a_copy_that_was_asked_for_is_as_new_as_can_be(path: Path, tmp_path: Path) -> None:
    store = Store(path)
    store.put_all("1", {"token": "new", "mark": 5})
    store.back_up()
    in_tar(path.parent, tmp_path / "restored")
    (tmp_path / "restored" / path.name).unlink()  # the copy alone goes into a backup
    again = Store(tmp_path / "restored" / path.name)
    assert (again.damage, again.scope("1")) == (None, {"token": "new", "mark": 5})


def test_a_copy_that_was_put_back_counts_and_what_is_written_then_stays(path: Path, tmp_path: Path) -> None:
    """The database of Jeedom is as old as the copy: marks that are ahead of it would leave measures out."""
    store = Store(path)
    store.put_all("1", {"mark": 1, "token": "a"})
    store.back_up()
    in_tar(path.parent, tmp_path / "backup")
    store.put_all("1", {"mark": 2, "later": True})
    store.put("2", "mark", 9)
    store.close()
    (tmp_path / "backup" / path.name).unlink()
    subprocess.run(f"tar c -C {tmp_path / 'backup'} . | tar x -C {path.parent}", shell=True, check=True)
    back = Store(path)
    assert (back.damage, back.scope("1"), back.scope("2")) == (None, {"mark": 1, "token": "a"}, {})
    back.put("1", "mark", 3)
    for _ in range(2):  # not closed, as after a kill
        back = Store(path)
        assert back.scope("1") == {"mark": 3, "token": "a"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_copy_in_its_place_changes_nothing(path: Path) -> None:
    store = Store(path)
    store.put("1", "mark", 1)
    store.back_up()
    store.put("1", "mark", 2)
    (path.parent / COPY).chmod(0o775)  # as the core does at each backup
    again = Store(path)
    assert again.get("1", "mark") == 2
    again.protect()
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def test_without_the_database_the_copy_is_taken(path: Path) -> None:
    store = Store(path)
    store.put("1", "mark", 1)
    store.close()
    path.unlink()
    assert Store(path).get("1", "mark") == 1


def test_a_power_cut_before_the_copy_is_noted_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path)
    store.put("1", "mark", 1)
    store.back_up()
    store.put("1", "mark", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_note", lambda self, database: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.back_up()
    again = Store(path)
    assert (again.damage, again.get("1", "mark")) == (None, 2)


def test_what_is_forgotten_is_not_in_the_copy_either(path: Path) -> None:
    store = Store(path)
    store.put("1", "token", "a-very-secret-token-" * 20)
    store.put("2", "token", "another")
    store.back_up()
    assert b"a-very-secret" in (path.parent / COPY).read_bytes()
    store.forget("1")
    assert not any(b"a-very-secret" in each.read_bytes() for each in path.parent.iterdir())
    path.unlink()
    assert (Store(path).scope("1"), Store(path).scope("2")) == ({}, {"token": "another"})


def test_an_unchanged_store_is_not_copied_again(path: Path) -> None:
    store = Store(path)
    store.put("1", "mark", 1)
    store.back_up()
    first = (path.parent / COPY).stat().st_ino
    store.back_up()
    assert (path.parent / COPY).stat().st_ino == first
    store.put("1", "mark", 2)
    store.back_up()
    assert (path.parent / COPY).stat().st_ino != first


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_copy_that_is_of_no_use_does_no_harm(path: Path, content: bytes) -> None:
    store = Store(path)
    store.put("1", "mark", 1)
    store.close()
    (path.parent / COPY).write_bytes(content)
    again = Store(path)
    assert (again.damage, again.get("1", "mark")) == (None, 1)
    again.put("1", "mark", 2)
    again.close()
    path.unlink()
    assert Store(path).get("1", "mark") == 2


def test_of_a_database_that_is_damaged_in_its_place_the_newest_is_kept(path: Path) -> None:
    store = Store(path)
    for scope in range(20):
        store.put_all(str(scope), {"token": f"token-{scope}-" * 20, "mark": 1})
    store.back_up()
    for scope in range(20):
        store.put(str(scope), "mark", 2)
    store._close_database()
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)  # a bad block
    again = Store(path)
    assert again.damage is not None
    assert {again.get(str(scope), "token") for scope in range(20)} == {f"token-{n}-" * 20 for n in range(20)}
    marks = [again.get(str(scope), "mark") for scope in range(20)]
    assert set(marks) <= {1, 2}
    assert 2 in marks


@pytest.mark.parametrize("torn", range(1, 12))
def test_of_a_file_that_is_torn_and_damaged_each_scope_is_of_one_moment(path: Path, torn: int) -> None:
    """The time of the copy is the noted one, so that the file seems damaged in its place; some pages are older."""
    store = Store(path)
    moments = []
    for moment in range(3):
        for scope in range(12):
            store.put_all(str(scope), {f"{part}": f"value-{moment}-" * 100 for part in range(4)})
        if moment == 0:
            store.back_up()
        moments.append(path.read_bytes())
    store._close_database()
    pages = [moments[2][at : at + 4096] for at in range(0, len(moments[2]), 4096)]
    assert len(pages) > torn + 1
    pages[torn] = moments[1][torn * 4096 : (torn + 1) * 4096]
    pages[-1] = b"\xff" * 4096
    path.write_bytes(b"".join(pages))
    again = Store(path)
    assert again.damage is not None
    for scope in range(12):
        kept = again.scope(str(scope))
        assert len(kept) == 4
        assert len(set(kept.values())) == 1, scope


def test_values_of_two_moments_are_noticed(path: Path) -> None:
    store = Store(path)
    store.put_all("1", {"a": 1, "b": 1})
    store.back_up()
    store.put_all("1", {"a": 2, "b": 2})
    store._close_database()
    database = sqlite3.connect(path)
    database.execute("UPDATE entry SET value='1' WHERE scope='1' AND key='b'")
    database.commit()
    database.close()
    again = Store(path)
    assert isinstance(again.damage, Damage)
    assert again.scope("1") == {"a": 1, "b": 1}
    assert Store(path).damage is None


def test_a_database_of_an_earlier_version_is_taken_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE entry (scope TEXT, key TEXT, value TEXT, PRIMARY KEY (scope, key)) WITHOUT ROWID")
    database.execute("INSERT INTO entry VALUES ('1', 'mark', '7')")
    database.commit()
    database.close()
    store = Store(path)
    assert (store.damage, store.scope("1")) == (None, {"mark": 7})
    store.put("1", "more", 8)
    assert Store(path).scope("1") == {"mark": 7, "more": 8}


def write_as_a_later_version(path: Path, layout: int) -> bytes:
    """A store whose table has another column, and which may say that its content means something else."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "CREATE TABLE entry (scope TEXT, key TEXT, value TEXT, at REAL DEFAULT 0, PRIMARY KEY (scope, key))"
        )
        database.execute("INSERT INTO entry VALUES ('1', 'mark', '7', 1.5)")
        database.execute("CREATE TABLE other (what TEXT)")
        database.execute("INSERT INTO other VALUES ('of the later version')")
        database.execute(f"PRAGMA user_version={layout}")
    return path.read_bytes()


def test_columns_that_a_later_version_has_added_stay(path: Path) -> None:
    write_as_a_later_version(path, 0)
    store = Store(path)
    store.put("1", "more", 8)
    store.close()
    assert store.damage is None
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT key, value, at FROM entry WHERE scope='1' ORDER BY key").fetchall()
        assert [row for row in rows if row[0] != SCOPE_SUM_KEY] == [("mark", "7", 1.5), ("more", "8", 0.0)]
        assert database.execute("SELECT what FROM other").fetchall() == [("of the later version",)]


def test_a_database_of_a_later_layout_is_kept_as_it_is_and_what_can_be_read_goes_on(path: Path) -> None:
    written = write_as_a_later_version(path, 1)
    store = Store(path)
    assert store.scope("1") == {"mark": 7}
    assert store.damage is not None
    assert (store.damage.newer, store.damage.values, store.damage.error) == (True, 1, None)
    assert (path.parent / store.damage.aside).read_bytes() == written
    store.put("1", "more", 8)
    store.close()
    again = Store(path)
    assert (again.damage, again.scope("1")) == (None, {"mark": 7, "more": 8})
    for n in range(5):  # whatever happens later
        again._rescue(sqlite3.DatabaseError(f"damaged {n}"))
    assert (path.parent / store.damage.aside).read_bytes() == written


def test_a_database_of_a_later_layout_stays_in_its_place_while_the_disk_is_full() -> None:
    with small_disk(Path("/tmp") / f"store-newer-{os.getpid()}", "96k") as place:
        path = place / "data" / "store.sqlite"
        written = write_as_a_later_version(path, 1)
        filler = fill(place)
        store = Store(path)
        assert store.scope("1") == {"mark": 7}
        assert path.read_bytes() == written
        with pytest.raises(DiskFull):
            store.put("1", "more", 8)
        assert path.read_bytes() == written
        filler.unlink()
        store.put("1", "more", 8)
        store.close()
        assert store.damage is not None
        kept = [each for each in path.parent.iterdir() if ".newer-" in each.name]
        assert [each.read_bytes() for each in kept] == [written]
        assert Store(path).scope("1") == {"mark": 7, "more": 8}


class TestErrors:
    def test_a_full_disk(self) -> None:
        with small_disk(Path("/tmp") / f"store-copy-{os.getpid()}", "96k") as place:
            store = Store(place / "store.sqlite")
            store.put("1", "mark", 1)
            store.back_up()
            old = store.copy.read_bytes()
            fill(place)
            with pytest.raises(DiskFull):
                store.put("1", "token", "x" * 50_000)
            with pytest.raises(DiskFull):
                store.back_up()
            assert store.copy.read_bytes() == old
            store.close()

    def test_a_folder_that_is_gone(self, path: Path) -> None:
        store = Store(path)
        store.put("1", "mark", 1)
        shutil.rmtree(path.parent)
        with pytest.raises(NotWritable):
            store.put("1", "mark", 2)
        with pytest.raises(NotWritable):
            store.back_up()

    def test_another_program_that_holds_it(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = sqlite3.connect
        monkeypatch.setattr("sqlite3.connect", lambda *given, **more: real(*given, **{**more, "timeout": 0.1}))
        store = Store(path)
        other = real(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked):
            store.put("1", "mark", 2)
        other.close()

    def test_before_python_3_11_the_fixed_text_of_sqlite_tells(self) -> None:
        from jeedom_bridge.store.errors import kind

        assert kind(sqlite3.OperationalError("database or disk is full")) is DiskFull
        assert kind(sqlite3.OperationalError("attempt to write a readonly database")) is NotWritable
        assert kind(sqlite3.OperationalError("database is locked")) is Locked
        assert kind(sqlite3.DatabaseError("database disk image is malformed")) is None
        assert kind(OSError(5, "Input/output error")) is StoreError
