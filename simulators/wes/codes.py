"""Meaning of each code of a CGX directive: the firmware's side of the table."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Callable, Optional

from simulators.wes.box import ABSENT, Box, Clamp, Counter, Tic

Values = Optional[tuple[Any, ...]]
"""The arguments that the firmware fills a format with; None: an unknown code."""

TARIFFS = {
    "b1": "BASE", "P": "HP", "C": "HC", "j1": "EJPHN", "j2": "EJPHPM",
    "r1": "BBRHCJB", "r2": "BBRHPJB", "r3": "BBRHCJW", "r4": "BBRHPJW", "r5": "BBRHCJR", "r6": "BBRHPJR",
    "w": "WE", "m1": "HCS", "m2": "HPS", "m3": "HCWE", "m4": "HPWE", "m5": "HCM", "m6": "HPM", "s": "HSC",
}  # fmt: skip


@cache
def _fullmatch(pattern: str, code: str) -> Optional[re.Match[str]]:
    """A page has the same codes each time, some hundred of them."""
    return re.fullmatch(pattern, code)


def values(box: Box, code: str) -> Values:
    """The values behind `code` (trailing spaces taken off)."""
    if code in _FIXED:
        return _FIXED[code](box)
    for family in (_tic, _counter, _clamp, _probe, _other):
        found = family(box, code)
        if found is not None:
            return found
    return None


def cards(box: Box) -> str:
    """Output of the firmware for `WRo`: eight relays per card found, nothing without a card."""
    if not box.cards:
        return ""
    numbers = [card * 100 + place for card in range(1, box.cards + 1) for place in range(1, 9)]
    states = "".join(f"<RELAIS{n}>{on_off(box.relays[n])}</RELAIS{n}>" for n in numbers)
    return f"<relais1W>{states}</relais1W>"


def on_off(state: bool) -> str:
    """As the firmware writes a relay."""
    return "ON" if state else "OFF"


_FIXED: dict[str, Callable[[Box], tuple[Any, ...]]] = {
    "g d": lambda box: box.date,
    "h h": lambda box: box.time,
    "v v": lambda box: (box.firmware,),
    "v h": lambda box: (box.hardware,),
    "L A": lambda box: (box.alarm,),
    "ff": lambda box: (box.space_left,),
    "r a": lambda box: box.mac,
    "PPT": lambda box: tuple(clamp.real for clamp in box.clamps),
    "PVV": lambda box: (box.voltage,),
    "la": lambda box: tuple(box.analogs),
    "WRn": lambda box: (box.cards,),
    "o R1": lambda box: (on_off(box.relays[1]),),
    "o R2": lambda box: (on_off(box.relays[2]),),
    "o n0": lambda box: (box.relay_names[0],),
    "o n1": lambda box: (box.relay_names[1],),
    "l\tE1": lambda box: (box.inputs[0],),
    "l\tE2": lambda box: (box.inputs[1],),
}


def _tic(box: Box, code: str) -> Values:
    found = _fullmatch(r"(e[aoSidnN]|T[a-zA-Z]|i[pjiuM]|[jma][TE])([123])(\d?)", code)
    if found is None:
        return None
    letters, tic, sub = found.group(1), box.tics[int(found.group(2)) - 1], found.group(3)
    if letters[0] in "jma" and letters[1] in "TE":
        return ((tic.energy if letters[1] == "T" else tic.cost)[letters[0]],)
    if letters[0] == "T" and letters[1:] + sub in TARIFFS:
        return (tic.indexes.get(TARIFFS[letters[1:] + sub], 0),)
    if letters in ("ii", "iM") and sub in ("0", "1", "2", "3"):
        return ((tic.current if letters == "ii" else tic.max_current)[int(sub)],)
    if letters == "iu" and sub in ("1", "2", "3"):
        return (tic.voltage[int(sub) - 1],)
    return (_tic_simple(tic)[letters],) if not sub and letters in _tic_simple(tic) else None


def _tic_simple(tic: Tic) -> dict[str, Any]:
    return {
        "ea": tic.adco or ABSENT, "eo": tic.option, "eS": tic.subscribed, "ei": tic.producer, "en": tic.name or ABSENT,
        "Tn": tic.period, "Te": tic.ejp_notice, "TD": tic.tomorrow, "TJ": tic.injection,
        "Tp": tic.producer_index,
        "ip": tic.power, "ij": tic.injected_power,
    }  # fmt: skip


def _counter(box: Box, code: str) -> Values:
    found = _fullmatch(r"p(p|IU|d|C[jhma]|e[jma]|n)([1-6])", code)
    if found is None:
        return None
    counter: Counter = box.counters[int(found.group(2)) - 1]
    what = found.group(1)
    if what == "p":
        return (counter.pulses,)
    if what == "IU":
        thousandths = round(counter.index * 1000)
        return (thousandths // 1000, float(thousandths % 1000))
    if what == "Ch":
        return (counter.yesterday,)
    if what[0] in "Ce":
        return ((counter.amount if what[0] == "C" else counter.cost)[what[1]],)
    return (counter.flow if what == "d" else counter.name,)


def _clamp(box: Box, code: str) -> Values:
    found = _fullmatch(r"P( A| P| W|Pi|It|n|a|[CeIgM][jma])([1-4])", code)
    if found is None:
        return None
    clamp: Clamp = box.clamps[int(found.group(2)) - 1]
    what = found.group(1)
    simple: dict[str, Any] = {
        " A": clamp.current, " P": clamp.apparent, " W": clamp.index, "Pi": clamp.injecting, "It": clamp.injection,
        "n": clamp.name, "a": clamp.enabled,
    }  # fmt: skip
    if what in simple:
        return (simple[what],)
    kinds = {"C": clamp.energy, "e": clamp.cost, "I": clamp.injected, "g": clamp.gain, "M": clamp.maximum}
    return (kinds[what[0]][what[1]],)


def _probe(box: Box, code: str) -> Values:
    found = _fullmatch(r"W([012])([TNS])(\d)", code)
    if found is None:
        return None
    probe = box.probes[int(found.group(1)) * 10 + int(found.group(3))]
    if found.group(2) == "S":
        rom = bytes.fromhex(probe.rom) if probe.rom else bytes(8)
        return tuple(rom)
    return (probe.value if found.group(2) == "T" else probe.name,)


def _other(box: Box, code: str) -> Values:
    found = _fullmatch(r"(lSE|Vv|l n|l a)(\d{1,2})", code)
    if found is None:
        return None
    lists: dict[str, list[Any]] = {
        "lSE": box.switches, "Vv": box.variables, "l n": box.input_names, "l a": box.analog_names,
    }  # fmt: skip
    place = int(found.group(2)) - 1
    entries = lists[found.group(1)]
    return (entries[place],) if 0 <= place < len(entries) else None
