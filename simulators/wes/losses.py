"""Values of a WES when one of its inputs is lost or misread.

Zeros and digits too many are what people report of téléinfo decoders (Teleinfo-TIC-with-ESPhome #4, 2020;
TeleinfoMySensors #9, 2022; NextDom/plugin-teleinfo #105, #139); 0.0 of an absent probe is recorded, 85.0 is the
power-on value of a DS18B20. Believed on 2026-11-29.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from simulators.wes.box import Box, Probe, Tic

LOSSES = ("tic_lost", "tic_zero", "index_digit", "probe_lost", "probe_85", "supply_lost")


def lossy(box: Box, kind: str, place: int) -> Box:
    """A copy of the box with that loss at an input, counted from 0."""
    shown = copy.copy(box)
    if kind == "supply_lost":
        shown.voltage = 0
        shown.clamps = [replace(clamp, real=0) for clamp in box.clamps]
    elif kind.startswith("probe"):
        shown.probes = list(box.probes)
        shown.probes[place] = Probe(85.0 if kind == "probe_85" else 0.0, box.probes[place].rom, box.probes[place].name)
    else:
        shown.tics = list(box.tics)
        shown.tics[place] = _misread(box.tics[place], kind)
    return shown


def _misread(tic: Tic, kind: str) -> Tic:
    if kind == "tic_lost":
        return Tic()
    if kind == "index_digit":
        return replace(tic, indexes={name: value * 10 for name, value in tic.indexes.items()})
    return replace(tic, power=0, injected_power=0, current=[0] * 4, voltage=[0] * 3, indexes={}, injection=0)
