"""The templates that are not ours: the firmware's standard page and the official plugin's file, version 1.0.5."""

from __future__ import annotations

from collections.abc import Iterator

PERIODS = (("j", "JOUR"), ("m", "MOIS"), ("a", "ANNEE"))
TEMPO = ("BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR")
DAYS = ("HC_Semaine", "HP_Semaine", "HC_WeekEnd", "HP_WeekEnd", "HC_Mercredi", "HP_Mercredi")
SECTIONS = (
    "impulsion", "pince", "temp", "relais", "entree", "analogique", "switch_virtuel", "variables",
)  # fmt: skip
INFO = ("g d", "date", "%02d/%02d/%02d"), ("h h", "time", "%02d:%02d"), ("v v", "firmware", "%s")
INFO_MORE = ("L A", "alarme", "%d"), ("ff", "spaceleft", "%0.03f"), ("v h", "serverversion", "%s")


# PRODUCTEUR is the code `Tp`, an index, on the standard page (mirrored by the page of homeassistant-cartelectronic-wes,
# 2023-08) and on the official page up to 1.0.4 (jeedom/plugin-wescontrol, 2021 to 2023); `ei`, a flag, since 1.0.5
# (2024-01). Believed on 2026-11-29; no recorded page decides it.


def official(version: str = "1.0.5") -> bytes:
    """The file of the official plugin: 1.0.5, 12,249 bytes, or 1.0.4, which differs in PRODUCTEUR here."""
    lines = ['t <?xml version="1.0" encoding="UTF-8"?>', "t <data>", "t <jeedom>"]
    lines += [f"t <cgxversion>{version}</cgxversion>", "t </jeedom>", "t <info>"]
    lines += [_line(4, code, tag, form) for code, tag, form in (*INFO, *INFO_MORE)]
    lines.append("t </info>")
    for number in (1, 2, 3):
        lines += [f"t <tic{number}>", *_tic(number, True, version == "1.0.5"), f"t </tic{number}>"]
    for section in SECTIONS:
        lines += [f"t <{section}>", *_section(section, True), f"t </{section}>"]
    lines += ["c WRo", "t </data>", "."]
    return ("\n".join(lines) + "\n").encode("ascii")


def standard() -> bytes:
    """The firmware's own page: no alarm, costs, daily values nor clamp power."""
    lines = ["t <data><info>", *(_line(4, *row) for row in INFO), "t </info>"]
    for number in (1, 2, 3):
        lines += [f"t <tic{number}>", *_tic(number, False, False), f"t </tic{number}>"]
    for section in SECTIONS:
        lines += [f"t <{section}>", *_section(section, False), f"t </{section}>"]
    lines += ["c WRo", "t </data>", "."]
    return ("\n".join(lines) + "\n").encode("ascii")


def _line(width: int, code: str, tag: str, form: str, space: str = "") -> str:
    return f"c {code.ljust(width)}{space}<{tag}>{form}</{tag}>"


def _tic(n: int, full: bool, flag: bool) -> Iterator[str]:
    rows = [(f"ea{n}", "ADCO", "%s"), (f"eo{n}", "OPTARIF", "%s."), (f"eS{n}", "ISOUSC", "%d")]
    rows += [(f"Tn{n}", "PTEC", "%s"), (f"ip{n}", "PAP", "%d"), (f"ij{n}", "PAPIJ", "%d")]
    if full:
        for letter, period in PERIODS:
            rows += [(f"{letter}T{n}", f"CONSO_{period}", "%.03f"), (f"{letter}E{n}", f"COUT_{period}", "%.02f")]
        rows.append((f"ij{n}", "PAPIJ", "%d"))
    rows += [(f"ii{n}{k}", f"IINST{k or ''}", "%d") for k in range(4)]
    rows += [(f"iu{n}{k}", f"TENSION{k}", "%lu") for k in (1, 2, 3)]
    rows += [(f"iM{n}{k}", f"IMAX{k or ''}", "%d") for k in range(4)]
    rows += [(f"Te{n}", "PEJP", "%d"), (f"TD{n}", "DEMAIN", "%s")]
    rows += [(code, tag, "%09u") for code, tag in _indexes(n)]
    if n == 3 and flag:
        rows += [("Tp3", "PRODUCTEUR", "%09u"), ("ei3", "INJECTION", "%09u"), ("TJ3", "INJECTION", "%09u")]
    else:
        rows += [(f"{'ei' if flag else 'Tp'}{n}", "PRODUCTEUR", "%09u"), (f"TJ{n}", "INJECTION", "%09u")]
    return (_line(4, *row) for row in rows)


def _indexes(n: int) -> list[tuple[str, str]]:
    first = [(f"Tb{n}1", "BASE"), (f"TP{n}", "H_PLEINE"), (f"TC{n}", "H_CREUSE"), (f"Tj{n}1", "EJPHN")]
    first.append((f"Tj{n}2", "EJPHPM"))
    first += [(f"Tr{n}{place}", tag) for place, tag in enumerate(TEMPO, 1)]
    first.append((f"Tw{n}", "H_WeekEnd"))
    first += [(f"Tm{n}{place}", tag) for place, tag in enumerate(DAYS, 1)]
    return [*first, (f"Ts{n}", "H_SUPER_CREUSE")]


def _section(section: str, full: bool) -> Iterator[str]:
    if section == "impulsion":
        for n in range(1, 7):
            yield from _counter(n, full)
    elif section == "pince":
        yield from _clamps(full)
    elif section == "temp":
        for n in range(30):
            yield _line(4, f"W{n // 10}T{n % 10}", f"SONDE{n + 1}", "%.01f", " ")
    elif section == "relais":
        yield from (_line(4, f"o R{n}", f"RELAIS{n}", "%s", " ") for n in (1, 2))
    elif section == "entree":
        yield from (_line(4, f"l\tE{n}", f"ENTREE{n}", "%d", " ") for n in (1, 2))
    elif section == "analogique":
        yield "c la " + "".join(f"<AD{n}>%.02f</AD{n}>" for n in (1, 2, 3, 4))
    elif section == "switch_virtuel":
        yield from (_line(5, f"lSE{n}", f"SWITCH{n}", "%d") for n in range(1, 25))
    else:
        yield from (_line(3, f"Vv{n}", f"VARIABLE{n}", "%.02f", " ") for n in range(1, 9))


def _counter(n: int, full: bool) -> Iterator[str]:
    yield _line(4, f"pp{n}", f"PULSE{n}", "%d")
    yield _line(4, f"pIU{n}", f"INDEX{n}", "%d.%03.0f")
    if full:
        rows = [("pd", "DEBIT"), ("pCj", "CONSO_JOUR"), ("pCh", "CONSO_VEILLE"), ("pej", "COUT_JOUR")]
        rows += [("pCm", "CONSO_MOIS"), ("pem", "COUT_MOIS"), ("pCa", "CONSO_ANNEE"), ("pea", "COUT_ANNEE")]
        yield from (_line(4, f"{code}{n}", f"{tag}{n}", "%.02f") for code, tag in rows)


def _clamps(full: bool) -> Iterator[str]:
    for n in range(1, 5):
        yield _line(4, f"P A{n}", f"I{n}", "%.02f", " ")
        if full:
            yield _line(4, f"P P{n}", f"PUISSANCE{n}", "%d", " ")
        yield _line(4, f"P W{n}", f"INDEX{n}", "%.03f", " ")
        yield _line(4, f"PPi{n}" if full else f"PIt{n}", f"INJECT{n}", "%.03f", " ")
        if full:
            yield _line(4, f"PPi{n}", f"MODINJECT{n}", "%d", " ")
            for letter, period in PERIODS:
                for code, tag in (("PC", "CONSO"), ("Pe", "COUT"), ("PI", "INJEC"), ("Pg", "GAIN"), ("PM", "MAX")):
                    yield _line(4, f"{code}{letter}{n}", f"{tag}_{period}{n}", "%.02f", " ")
            if n == 1:
                yield "c PPT " + "".join(f"<WATT{k}>%d</WATT{k}>" for k in (1, 2, 3, 4))
    yield _line(4, "PVV", "V", "%d", " ")
