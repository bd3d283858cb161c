"""Changes a part of all values at each request: what a measurement of costs needs."""

from __future__ import annotations

import random
from typing import Any

from simulators.wes.box import PERIODS, Box, Tic


class Stir:
    """Moves `part` (0 to 1) of the values of a box at each `update`; what it leaves stands still."""

    def __init__(self, box: Box, part: float, seed: int = 1) -> None:
        self.box = box
        self.part = part
        self._random = random.Random(seed)
        self._leaves: list[tuple[Any, Any]] = []
        self._collect()

    def update(self) -> None:
        """Another value for as many as were asked for."""
        with self.box.lock:
            for holder, key in self._random.sample(self._leaves, round(len(self._leaves) * self.part)):
                value = holder[key]
                holder[key] = (1 - value) if value in (0, 1, True, False) else _moved(value)

    def _collect(self) -> None:
        box = self.box
        for part in (*box.tics, *box.counters, *box.clamps, *box.probes):
            self._take(vars(part))
            for each in vars(part).values():
                if isinstance(each, (dict, list)):
                    self._take(each)
        for values in (box.inputs, box.analogs, box.switches, box.variables, box.relays):
            self._take(values)
        self._leaves += [(vars(box), name) for name in ("voltage", "space_left", "alarm")]

    def _take(self, holder: Any) -> None:
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            if isinstance(holder[key], (int, float)) and key not in ("producer", "injecting", "enabled", "ejp_notice"):
                self._leaves.append((holder, key))


def _moved(value: float) -> float:
    return value + 1 if isinstance(value, int) else round(value + 0.11, 3)


def full(cards: int = 1) -> Box:
    """A box on which every input carries data."""
    box = Box(cards)
    box.voltage = 234
    for n, tic in enumerate(box.tics):
        fresh = Tic(f"03197654321{n}", "BBR", 45, "H. Pleine BLEU", 1840 + n, 0, [8, 2, 3, 4], [233, 234, 235])
        fresh.max_current, fresh.tomorrow = [41, 42, 43, 44], "Jour BLANC"
        fresh.indexes = {f"BBRH{h}J{c}": 12345678 + n for h in "CP" for c in "BWR"}
        fresh.energy, fresh.cost = (dict.fromkeys(PERIODS, 11.5 + n) for _ in range(2))
        vars(tic).update(vars(fresh))
    for n, counter in enumerate(box.counters):
        counter.pulses, counter.index, counter.flow, counter.yesterday = 100 + n, 842.311 + n, 2.5 + n, 9.5 + n
        counter.amount, counter.cost = (dict.fromkeys(PERIODS, 7.25 + n) for _ in range(2))
    for n, clamp in enumerate(box.clamps):
        clamp.current, clamp.apparent, clamp.real, clamp.index, clamp.enabled = (
            4.12 + n,
            948 + n,
            905 + n,
            2813.4 + n,
            1,
        )
        for sums in (clamp.energy, clamp.cost, clamp.injected, clamp.gain, clamp.maximum):
            sums.update(dict.fromkeys(PERIODS, 5.25 + n))
    for n, probe in enumerate(box.probes):
        probe.value, probe.rom = 15.5 + n, f"28FF4A1C0216{n:02X}7B"
    box.analogs = [1.5 + n for n in range(4)]
    box.variables = [20.5 + n for n in range(8)]
    return box
