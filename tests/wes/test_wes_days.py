"""Days of a house whose inputs are lost and misread at random: nothing false is published, troubles are told once."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.wes import cgx

from simulators.wes.life import Life
from simulators.wes.losses import LOSSES
from simulators.wes.server import WesServer
from tests.wes.rig import item
from tests.wes.world import World

FULL = os.environ.get("JEENERGIE_FIRE") == "full"
HOURS = 7 * 24 if FULL else 8
OTHERS = ("comma", "cut", "drop", "html", "latin1", "ampersand", "status")
INDEXES = {f"BBRH{hour}J{colour}": f"BBRH{hour}J{colour}" for hour in "CP" for colour in "BWR"}


class Truth:
    """Every value that the inputs have really had."""

    def __init__(self, wes: WesServer) -> None:
        self.wes = wes
        self.seen: dict[tuple[str, str], set[Any]] = {}

    def note(self) -> None:
        """What the box shows now, were nothing lost."""
        box = self.wes.box
        with box.lock:
            tic = box.tics[0]
            self._add("teleinfo1", "PAP", tic.power)
            self._add("teleinfo1", "PTEC", tic.period)
            self._add("teleinfo1", "IINST", tic.current[0])
            for name in INDEXES:
                self._add("teleinfo1", name, round(tic.indexes.get(name, 0) / 1000, 3))
            self._add("sonde1", "temperature", box.probes[0].value)
            self._add("sonde2", "humidity", box.probes[1].value)
            self._add("pince1", "index", round(box.clamps[0].index, 3))
            self._add("pince1", "puissancew", box.clamps[0].real)
            self._add("1", "tension", box.voltage)

    def _add(self, equipment: str, command: str, value: Any) -> None:
        self.seen.setdefault((equipment, command), set()).add(value)


@pytest.mark.parametrize("seed", range(1, 5) if FULL else (1,))
def test_nothing_false_is_published_and_each_trouble_is_told_once(wes: WesServer, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    wes.files.update(cgx.files())
    members = [item("teleinfo", 1), item("pince", 1), item("sonde", 1), item("sonde", 2, {"sondeMeasure": "humidity"})]
    world = World(wes, tmp_path, members, jeedomCgx=True, supply9v=True)
    truth = Truth(wes)
    wes.life = Life(wes.box, world.clock.time)
    left, faults = 0, 0
    try:
        for _ in range(HOURS * 120):
            if left == 0:
                wes.clear()
                if chance.random() < 0.08:
                    kind = chance.choice([*LOSSES, *OTHERS])
                    values = {"cut": 900, "status": 503, **dict.fromkeys(LOSSES, 1)}
                    wes.fault(kind, value=chance.choice((1, 2)) if kind == "probe_lost" else values.get(kind))
                    left, faults = chance.choice((1, 2, 5, 15)), faults + 1
            left = max(0, left - 1)
            wes.life.update()
            truth.note()
            world.live(30)
            truth.note()
            if chance.random() < 0.002:
                world.restart()
        wes.clear()
        for _ in range(20):
            world.live(30)
            truth.note()
    finally:
        world.close()
    for place, seen in truth.seen.items():
        false = [value for value in world.history.get(place, []) if value not in seen]
        assert false == [], place
    for name in INDEXES:
        values = world.history.get(("teleinfo1", name), [])
        assert values == sorted(values)
    told = [(who, state) for who, state, _ in world.states]
    for who in {who for who, _ in told}:
        own = [state for each, state in told if each == who]
        assert own == ["no_data", "online"] * (len(own) // 2), who
    messages = [text for text in world.messages if not text.startswith("poll:")]
    assert [text for text in messages if "9 V" not in text] == []
    print(f"{HOURS} h: {faults} faults, {sum(map(len, world.history.values()))} values, {len(told)} states, {messages}")
