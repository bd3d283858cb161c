"""Every command of the catalogue, with every setting that changes it, against a page rendered from our template.

What is expected is said here once more, by hand, from the documents: neither the catalogue nor the mapping is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from jeenergied.devices.base import Connection, Equipment
from jeenergied.devices.wes import cgx, mapping
from jeenergied.devices.wes.cgx_page import CgxPage, parse
from jeenergied.devices.wes.changed_facts import ChangedFacts
from jeenergied.devices.wes.discovery import offers
from jeenergied.devices.wes.mapping import OURS, Origin
from jeenergied.devices.wes.plausibility import PlausibilityCheck

from simulators.wes import templates
from simulators.wes.box import PERIODS, Box, Clamp, Counter, Tic
from simulators.wes.render import render
from tests.support.recorded import answers
from tests.wes.rig import CATALOGUE, CONTRACT

NAMES = ("JOUR", "MOIS", "ANNEE")
INDEXES = ["BASE", "HP", "HC", "EJPHN", "EJPHPM", *(f"BBRH{h}J{c}" for c in "BWR" for h in "CP")]
INDEXES += ["WE", "HCS", "HPS", "HCWE", "HPWE", "HCM", "HPM", "HSC"]


CONTRACTS = {
    "BASE": ("BASE", "Toutes les Heures", {"BASE"}),
    "HC": ("HC.", "H. Pleines", {"HCHC", "HCHP"}),
    "EJP": ("EJP", "HN..", {"EJPHN", "EJPHPM", "PEJP"}),
    "BBRH": (
        "BBR(",
        "H. Pleine BLANC",
        {*(f"BBRH{h}J{c}" for c in "BWR" for h in "CP"), "DEMAIN", "PTECRAW", "COULEUR", "COULEUR_DEMAIN"},
    ),
}
"""Of each contract: how a WES names it, one of its periods, and the commands that only it has."""
PERIODS_OF = {"BASE": "BASE", "HC": "HP", "EJP": "HN", "BBRH": "HP"}


def distinct(cards: int = 2, contract: str = "HC") -> Box:
    """A box on which no two values are alike."""
    count = itertools.count(11)
    box = Box(cards)
    box.voltage, box.alarm = 234, 1
    for n, tic in enumerate(box.tics):
        fresh = Tic(f"0319765432{n}0", tomorrow="Jour ROUGE", ejp_notice=1, producer=1)
        fresh.option, fresh.period, _ = CONTRACTS[contract]
        fresh.subscribed, fresh.power, fresh.injected_power, fresh.injection = (next(count) for _ in range(4))
        fresh.current, fresh.max_current = [[next(count) for _ in range(4)] for _ in range(2)]
        fresh.voltage = [next(count) for _ in range(3)]
        fresh.indexes = {name: next(count) * 1000 + 7 for name in INDEXES}
        fresh.energy, fresh.cost = ({p: next(count) + 0.25 for p in PERIODS} for _ in range(2))
        vars(tic).update(vars(fresh))
    for counter in box.counters:
        counter.pulses, counter.index = next(count), next(count) + 0.042
        counter.flow, counter.yesterday = next(count) + 0.5, next(count) + 0.75
        counter.amount, counter.cost = ({p: next(count) + 0.25 for p in PERIODS} for _ in range(2))
    for clamp in box.clamps:
        clamp.current, clamp.apparent, clamp.real = next(count) + 0.12, next(count), next(count)
        clamp.index, clamp.injection = next(count) + 0.001, next(count) + 0.002
        for sums in (clamp.energy, clamp.cost, clamp.injected, clamp.gain, clamp.maximum):
            sums.update({p: next(count) + 0.5 for p in PERIODS})
    for n, probe in enumerate(box.probes):
        probe.value, probe.rom = 40.1 + n, "28FF4A1C0216017B"
    box.inputs = [1, 0]
    box.analogs = [next(count) + 0.25 for _ in box.analogs]
    box.variables = [-next(count) - 0.5 for _ in box.variables]
    box.switches = [n % 2 for n in range(24)]
    box.relays = {number: number % 3 == 0 for number in box.relays}
    return box


def expected_tic(tic: Tic) -> dict[str, Any]:
    """(name, value) of every command of a meter link."""
    contract = next(key for key, (option, _, _) in CONTRACTS.items() if option == tic.option)
    found: dict[str, Any] = {
        "ADCO": tic.adco, "OPTARIF": tic.option.rstrip("."), "ISOUSC": tic.subscribed, "PTEC": tic.period.rstrip(),
        "PAP": tic.power, "PEJP": True, "DEMAIN": "Jour ROUGE", "PTECRAW": "HPJW", "PERIODE": PERIODS_OF[contract],
        "COULEUR": "blanc", "COULEUR_DEMAIN": "rouge", "PRODUCTEUR": 1, "PAPIJ": tic.injected_power,
        "INJECTION": tic.injection / 1000, "PRODUCTION": tic.injection / 1000,
        "HCHC": tic.indexes["HC"] / 1000, "HCHP": tic.indexes["HP"] / 1000,
        "H_WeekEnd": tic.indexes["WE"] / 1000, "HC_Semaine": tic.indexes["HCS"] / 1000,
        "HP_Semaine": tic.indexes["HPS"] / 1000, "HC_WeekEnd": tic.indexes["HCWE"] / 1000,
        "HP_WeekEnd": tic.indexes["HPWE"] / 1000, "HC_Mercredi": tic.indexes["HCM"] / 1000,
        "HP_Mercredi": tic.indexes["HPM"] / 1000, "H_SUPER_CREUSE": tic.indexes["HSC"] / 1000,
    }  # fmt: skip
    for number, suffix in enumerate(("", "1", "2", "3")):
        found[f"IINST{suffix}"], found[f"IMAX{suffix}"] = tic.current[number], tic.max_current[number]
    found.update({f"TENS{n}": tic.voltage[n - 1] for n in (1, 2, 3)})
    for name in ("BASE", "EJPHN", "EJPHPM", *(f"BBRH{h}J{c}" for c in "BWR" for h in "CP")):
        found[name] = tic.indexes[name] / 1000
    for letter, name in zip(PERIODS, NAMES):
        found[f"CONSO_{name}"] = found[f"PROD_{name}"] = tic.energy[letter]
        found[f"COUT_{name}"] = found[f"GAIN_{name}"] = tic.cost[letter]
    others = set().union(*(names for key, (_, _, names) in CONTRACTS.items() if key != contract))
    return {name: value for name, value in found.items() if name not in others}


def expected_counter(counter: Counter) -> dict[str, Any]:
    """The same of a counter."""
    found: dict[str, Any] = {"index": counter.index, "nbimpulsion": counter.pulses, "debit": counter.flow}
    found["consoveille"] = found["prodveille"] = counter.yesterday
    for letter, name in zip(PERIODS, ("jour", "mois", "annee")):
        found[f"conso{name}"] = found[f"prod{name}"] = counter.amount[letter]
        found[f"cout{name}"] = found[f"gain{name}"] = counter.cost[letter]
    return found


def expected_clamp(clamp: Clamp) -> dict[str, Any]:
    """The same of a clamp."""
    found: dict[str, Any] = {
        "index": clamp.index, "injection": clamp.injection, "intensite": clamp.current, "puissance": clamp.apparent,
        "puissancew": clamp.real,
    }  # fmt: skip
    for letter, name in zip(PERIODS, ("jour", "mois", "annee")):
        found[f"conso{name}"], found[f"cout{name}"] = clamp.energy[letter], clamp.cost[letter]
        found[f"injec{name}"], found[f"gain{name}"] = clamp.injected[letter], clamp.gain[letter]
        found[f"max{name}"] = clamp.maximum[letter]
    return found


def expected(box: Box, kind: str, key: int) -> dict[str, Any]:
    """Every command that an equipment can have with any settings."""
    if kind == "teleinfo":
        return expected_tic(box.tics[key - 1])
    if kind == "compteur":
        return expected_counter(box.counters[key - 1])
    if kind == "pince":
        return expected_clamp(box.clamps[key - 1])
    if kind == "sonde":
        return dict.fromkeys(("temperature", "humidity", "luminosity"), box.probes[key - 1].value)
    if kind in ("analogique", "variable"):
        return {"value": (box.analogs if kind == "analogique" else box.variables)[key - 1]}
    states = {"bouton": lambda: box.inputs[key - 1], "switch": lambda: box.switches[key - 1]}
    return {"state": bool(states[kind]() if kind in states else box.relays[key])}


def all_settings(kind: str) -> Iterator[dict[str, Any]]:
    """Every combination of the choices of a type, unset included."""
    fields = [field for field in CATALOGUE.fields(kind) if "choices" in field]
    for values in itertools.product(*([None, *field["choices"]] for field in fields)):
        yield {field["key"]: value for field, value in zip(fields, values) if value is not None}


def page(box: Box, template: bytes) -> CgxPage:
    return parse(b"".join(render(box, template)), "x")


def exact(value: Any) -> Any:
    """A number but for what binary fractions do to it."""
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


def values(
    found: CgxPage, kind: str, key: object, config: dict[str, Any], uploaded: bool, origin: Origin = OURS
) -> dict[str, Any]:
    """What would be published of one equipment."""
    reader = ChangedFacts(CATALOGUE, PlausibilityCheck())
    equipment = Equipment("e", kind, str(key), "", CATALOGUE.settings(config, kind), {})
    reader.adopt(Connection("1", "wes", "", {}, {}, (equipment,)))
    facts = next((change.facts for change in reader.read(found, origin, 0.0)), {})
    rows = CATALOGUE.rows(kind, config, {"jeedomCgx": uploaded})
    result = {row.logical_id: row.value(facts.get(row.source or "")) for row in rows if row.data["type"] == "info"}
    return {name: value for name, value in result.items() if value is not None}


STANDARD = Origin(ours=False, flag=False)
KEYS = {
    "teleinfo": 3,
    "compteur": 6,
    "pince": 4,
    "sonde": 30,
    "bouton": 2,
    "switch": 24,
    "analogique": 4,
    "variable": 8,
}


def check(kind: str, box: Box, configs: list[dict[str, Any]], missing: set[str]) -> set[str]:
    """Compares every command with the box; returns those that were compared. `missing`: those without value."""
    found = page(box, cgx.content(cgx.OWN_FILE))
    keys = list(range(1, KEYS[kind] + 1)) if kind in KEYS else [1, 2, 101, 108, 201, 208]
    reached = set()
    for config in configs:
        for key in keys if len(keys) < 5 or not config else (keys[0], keys[-1]):
            got = values(found, kind, key, config, True)
            right = expected(box, kind, key)
            assert got == {name: exact(right[name]) for name in got}
            rows = {r.logical_id for r in CATALOGUE.rows(kind, config, {"jeedomCgx": True}) if r.data["type"] == "info"}
            assert set(got) == rows - missing
            reached |= set(got)
    return reached


@pytest.mark.parametrize("kind", [each for each in (*KEYS, "relais") if each != "teleinfo"])
def test_each_command_has_the_right_value_for_each_setting(kind: str) -> None:
    reached = check(kind, distinct(), list(all_settings(kind)), set())
    assert reached == {row.logical_id for row in CATALOGUE.all_rows(kind) if row.data["type"] == "info"}


def test_each_command_of_a_meter_link_has_the_right_value_for_each_setting() -> None:
    reached = set()
    for contract in CONTRACTS:
        others = set().union(*(names for key, (_, _, names) in CONTRACTS.items() if key != contract))
        configs = [each for each in all_settings("teleinfo") if each.get("tarification", "auto") in (contract, "auto")]
        reached |= check("teleinfo", distinct(contract=contract), configs, others)
    assert reached == {row.logical_id for row in CATALOGUE.all_rows("teleinfo") if row.data["type"] == "info"}


def test_the_catalogue_is_as_the_contract_says() -> None:
    CONTRACT.check()
    for kind in (None, *CATALOGUE.data["equipment"]):
        for config in all_settings(kind) if kind else [{"jeedomCgx": True, "screen": True, "supply9v": True}]:
            found = CATALOGUE.rows(kind, config, {"jeedomCgx": True})
            identities, titles = ([row.logical_id for row in found], [row.data["name"] for row in found])
            assert len(set(identities)) == len(identities)
            assert len(set(titles)) == len(titles)
            assert all(row.data.get("value", "state") in (*identities, "state") for row in found)


def names(kind: str, config: dict[str, Any], uploaded: bool = True) -> set[str]:
    return {r.logical_id for r in CATALOGUE.rows(kind, config, {"jeedomCgx": uploaded}) if r.data["type"] == "info"}


def unit(kind: str, logical_id: str, config: dict[str, Any]) -> Any:
    row = next(r for r in CATALOGUE.rows(kind, config, {"jeedomCgx": True}) if r.logical_id == logical_id)
    written = row.data.get("unit", "")
    settings = CATALOGUE.settings(config, kind)
    return written if isinstance(written, str) else written.get(settings.get(written["by"], ""), "")


def test_the_tariff_decides_which_indexes_there_are() -> None:
    assert "BASE" in names("teleinfo", {"tarification": "BASE"})
    assert {"HCHC", "HCHP"} <= names("teleinfo", {"tarification": "HC"})
    assert {"EJPHN", "EJPHPM", "PEJP"} <= names("teleinfo", {"tarification": "EJP"})
    tempo = names("teleinfo", {"tarification": "BBRH"})
    assert {"DEMAIN", "PTECRAW", "BBRHCJB", "BBRHPJR"} <= tempo
    assert not tempo & {"BASE", "HCHC", "EJPHN", "PEJP"}
    assert {"BASE", "HCHC", "EJPHN", "BBRHCJB"} <= names("teleinfo", {}) == names("teleinfo", {"tarification": "auto"})


def test_costs_and_periods_need_the_uploaded_page() -> None:
    config = {"ticMeasure": "consumption", "tarification": "BASE"}
    more = names("teleinfo", config) - names("teleinfo", config, uploaded=False)
    assert more == {f"{what}_{period}" for what in ("CONSO", "COUT") for period in NAMES}


@pytest.mark.parametrize("kind", ["cal", "eau", "elec", "fioul", "gaz", "gazpar"])
def test_any_type_of_counter_has_its_commands_and_its_units(kind: str) -> None:
    # Since 2024 the existing plugin creates none of these for a new counter.
    config = {"typecompt": kind, "comptMeasure": "consumption"}
    assert {"nbimpulsion", "debit", "consoveille", "consojour", "consomois", "consoannee"} <= names("compteur", config)
    small, large = ("Wh", "kWh") if kind in ("cal", "elec") else ("l", "m³")
    assert unit("compteur", "index", config) == unit("compteur", "consojour", config) == small
    assert unit("compteur", "consoannee", config) == large
    assert unit("compteur", "debit", config) == f"{small}/min"
    assert unit("compteur", "index", {**config, "indexUnit": "large"}) == large


def test_the_standard_page_gives_what_it_has() -> None:
    box = distinct()
    found = page(box, templates.standard())
    assert (
        values(found, "teleinfo", 1, {"tarification": "HC"}, False, STANDARD)["HCHC"]
        == box.tics[0].indexes["HC"] / 1000
    )
    clamp = values(found, "pince", 2, {"pinceMeasure": "production"}, False, STANDARD)
    assert clamp == {"injection": box.clamps[1].injection, "intensite": box.clamps[1].current}


def test_the_page_of_the_official_plugin_is_read_without_its_mistakes() -> None:
    box = distinct()
    box.clamps[0].injecting = 1
    found = page(box, templates.official())
    third = values(found, "teleinfo", 3, {"ticMeasure": "production"}, True, Origin(False, True))
    assert third["INJECTION"] == box.tics[2].injection / 1000
    assert third["PRODUCTEUR"] == 1
    # Its injection index is made from a directive that is no index.
    assert "injection" not in values(found, "pince", 1, {"pinceMeasure": "production"}, True, Origin(False, True))


def test_a_recorded_page_of_2017_gives_what_is_connected() -> None:
    told = [(99.921, 1.27, 19.5), (45.584, 0.63, 22)]
    for page_text, (index, amperes, degrees) in zip(answers("wes", "data_V0.61D_2017.xml"), told):
        found = parse(page_text.encode(), "data.cgx")
        assert mapping.server(found)["firmware"] == "V0.61D"
        assert values(found, "teleinfo", 1, {"tarification": "HC"}, False, STANDARD) == {}
        assert values(found, "pince", 4, {"pinceMeasure": "consumption"}, False, STANDARD) == {
            "index": index,
            "intensite": amperes,
        }
        assert values(found, "sonde", 1, {"sondeMeasure": "temperature"}, False) == {"temperature": degrees}
        assert values(found, "sonde", 2, {"sondeMeasure": "temperature"}, False) == {}
        active = {(each.type, each.key) for each in offers(found, None, STANDARD) if each.active}
        assert active == {
            *(("pince", str(n)) for n in (1, 2, 3, 4)), ("sonde", "1"), *(("bouton", str(n)) for n in (1, 2)),
            *(("relais", str(n)) for n in (1, 2)),
        }  # fmt: skip


@pytest.mark.parametrize("volts", [262, 195])
def test_a_voltage_beyond_what_is_usual_is_published(volts: int) -> None:
    row = next(row for row in CATALOGUE.all_rows(None) if row.logical_id == "tension")
    assert row.value(volts) == volts


def test_no_value_is_bounded_by_a_guess() -> None:
    # What the WES measures has no physical bound that its own page could cross.
    for kind in (None, *CATALOGUE.data["equipment"]):
        assert [row.logical_id for row in CATALOGUE.all_rows(kind) if {"min", "max"} & set(row.data)] == []
