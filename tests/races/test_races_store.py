"""Many connections keep things, one is forgotten, and a backup is made, at the same moment."""

from __future__ import annotations

from pathlib import Path

from jeenergied.connections.memory import StoreMemory

from jeedom_bridge.store import Store

from .conftest import Race

ROUNDS = 12


def test_what_the_store_says_is_what_is_on_the_disk(race: Race, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        path = tmp_path / str(number) / "store.sqlite"
        store = Store(path)

        def work(scope: str, store: Store = store) -> None:
            for mark in range(4):
                store.put_all(scope, {"mark": mark, "token": f"{scope}-{mark}"})
            store.put(scope, "gone", 1)
            store.delete(scope, "gone")

        def disturb(store: Store = store) -> None:
            for _ in range(3):
                store.put("3", "token", "secret")
                store.forget("3")
                store.back_up()
                store.protect()

        race(lambda work=work: work("1"), lambda work=work: work("2"), disturb)
        again = Store(path)  # not closed, as after a kill
        assert again.damage is None
        for scope in "12":
            assert again.scope(scope) == store.scope(scope) == {"mark": 3, "token": f"{scope}-3"}
        assert again.scope("3") == {}
        again.close()
        (path.parent / "store.sqlite").unlink()
        assert Store(path).scope("1")["token"] == "1-3"


def test_nothing_is_written_once_a_memory_is_closed(race: Race, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        store = Store(tmp_path / f"{number}.sqlite")
        memory = StoreMemory(store, "1")

        def keep(memory: StoreMemory = memory) -> None:
            for mark in range(6):
                memory.put("token", mark)
                memory.keep("mark", mark)
                memory.delete("mark")

        def forget(store: Store = store, memory: StoreMemory = memory) -> None:
            memory.close()
            store.forget("1")

        race(keep, forget)
        assert store.scope("1") == {}
        store.close()
