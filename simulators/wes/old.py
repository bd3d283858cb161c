"""The standard page of a WES of 2017 (firmware V0.61D): fewer inputs, other tags, indexes as they are."""

from __future__ import annotations

from simulators.wes.box import ABSENT, Box, Tic
from simulators.wes.codes import on_off

TAGS = {"BASE": "BASE", "HC": "HCHC", "HP": "HCHP", "EJPHN": "EJPHN", "EJPHPM": "EJPHPM"}
TAGS.update({tag: tag for tag in ("BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR")})


def page(box: Box) -> bytes:
    """Two TICs, four counters, eight switches; no version of a template, no length."""
    day, month, year = box.date
    parts = [f"<info><date>{day:02d}/{month:02d}/{year}</date><time>{box.time[0]:02d}:{box.time[1]:02d}</time>"]
    parts.append(f"<firmware>{box.firmware}</firmware></info>")
    parts += [f"<tic{n}>{_tic(box.tics[n - 1])}</tic{n}>" for n in (1, 2)]
    counters = enumerate(box.counters[:4], 1)
    pulses = "".join(f"<PULSE{n}>{c.pulses}</PULSE{n}><INDEX{n}>{int(c.index)}</INDEX{n}>" for n, c in counters)
    clamps = enumerate(box.clamps, 1)
    currents = "".join(f" <I{n}>{c.current:.2f}</I{n}> <INDEX{n}>{round(c.index * 1000)}</INDEX{n}>" for n, c in clamps)
    parts += [f"<impulsion>{pulses}</impulsion>", f"<pince>{currents}</pince>"]
    parts.append(_list("temp", "SONDE", [f"{probe.value:.1f}" for probe in box.probes]))
    parts.append(_list("relais", "RELAIS", [on_off(box.relays[n]) for n in (1, 2)]))
    parts.append(_list("entree", "ENTREE", [str(state) for state in box.inputs]))
    parts.append(_list("analogique", "AD", [str(int(value)) for value in box.analogs]))
    parts.append(_list("switch_virtuel", "SWITCH", [str(state) for state in box.switches[:8]]))
    parts.append(_list("variables", "VARIABLE", [f"{value:.2f}" for value in box.variables]))
    return ("<data>" + "".join(parts) + "</data>").encode("latin-1", "replace")


def _list(section: str, tag: str, values: list[str]) -> str:
    return f"<{section}>" + "".join(f" <{tag}{n}>{v}</{tag}{n}>" for n, v in enumerate(values, 1)) + f"</{section}>"


def _tic(tic: Tic) -> str:
    elements = {
        "ADCO": tic.adco or ABSENT, "OPTARIF": tic.option + ".", "ISOUSC": tic.subscribed, "PTEC": tic.period,
        "PAP": tic.power, "IINST": tic.current[0], "IINST1": tic.current[1], "IINST2": tic.current[2],
        "IINST3": tic.current[3], "IMAX": tic.max_current[0], "IMAX1": tic.max_current[1],
        "IMAX2": tic.max_current[2], "IMAX3": tic.max_current[3], "PEJP": tic.ejp_notice,
        "DEMAIN": tic.tomorrow if tic.adco else "----",
    }  # fmt: skip
    elements.update({tag: tic.indexes.get(name, 0) for name, tag in TAGS.items()})
    return "".join(f"<{tag}>{value}</{tag}>" for tag, value in elements.items())
