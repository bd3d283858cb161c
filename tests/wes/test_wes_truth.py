"""What may be called a value: age, plausibility and contracts, over hours of a clock that is moved by hand."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from simulators.wes import templates
from simulators.wes.box import Tic
from simulators.wes.server import WesServer
from tests.support.in_process import in_process
from tests.wes.rig import item
from tests.wes.test_wes_device import ready
from tests.wes.world import World

Make = Callable[..., World]
OFF_PEAK = {"tarification": "HC", "ticMeasure": "consumptionprod"}


@pytest.fixture
def make(wes: WesServer, tmp_path: Path) -> Iterator[Make]:
    """Makes a world with these equipment."""
    worlds = []

    def start(*equipment: Any, **config: Any) -> World:
        worlds.append(World(wes, tmp_path, equipment, **config))
        return worlds[-1]

    with in_process(wes.server):
        yield start
        for world in worlds:
            world.close()


@pytest.fixture
def off_peak(wes: WesServer) -> Tic:
    """An off-peak meter at the first link."""
    tic = wes.box.tics[0] = Tic(
        adco="021800000001", option="HC.", subscribed=45, period="H. Pleines", power=8400, current=[30, 0, 0, 0],
        indexes={"HP": 31204518, "HC": 19877402},
    )  # fmt: skip
    return tic


# Age.


def test_a_meter_link_without_frames_is_told_once_and_once_when_it_is_back(wes: WesServer, make: Make) -> None:
    world = make(item("teleinfo", 1), item("relais", 1))
    world.live(600)
    assert (world.value("teleinfo1", "PAP"), world.states) == (1840, [])
    wes.fault("tic_lost", value=1)
    world.live(86400, poll=60)
    assert [(who, state) for who, state, _ in world.states] == [("teleinfo1", "no_data")]
    assert "aucune trame de téléinfo" in world.states[0][2]
    assert re.search(r"depuis le 14/03/2025 15:5[12]", world.states[0][2])
    assert world.seen("teleinfo1", "PAP") == [1840]
    assert world.seen("teleinfo1", "PTEC") == ["H. Pleine BLEU"]
    assert world.date("teleinfo1", "PAP") <= 600
    assert world.now - world.date("relais1", "state") < 400  # the rest of the page lives on
    wes.clear()
    world.live(330)
    assert [(who, state) for who, state, _ in world.states[1:]] == [("teleinfo1", "online")]
    assert world.now - world.date("teleinfo1", "PAP") < 300


def test_a_link_that_never_had_a_meter_is_told(make: Make) -> None:
    world = make(item("teleinfo", 3))
    world.live(3600, poll=60)
    assert [(who, state) for who, state, _ in world.states] == [("teleinfo3", "no_data")]
    assert world.states[0][2].startswith("Aucune donnée reçue")


def test_what_the_page_still_shows_is_confirmed_and_what_is_gone_is_not(wes: WesServer, make: Make) -> None:
    ready(wes)
    world = make(item("pince", 1), jeedomCgx=True, supply9v=True)
    world.live(600)
    assert (world.value("1", "tension"), world.value("pince1", "puissancew")) == (234, 905)
    wes.fault("supply_lost")
    world.live(3600)
    assert (world.seen("1", "tension"), world.seen("pince1", "puissancew")) == ([234], [905])
    assert world.date("1", "tension") <= 600
    assert world.date("pince1", "puissancew") <= 600
    assert world.now - world.date("pince1", "puissance") < 400
    assert [text for text in world.messages if "9 V" in text] == [
        "Garage : L'alimentation 9 V ne donne plus la tension du secteur au WES : la tension et la puissance réelle "
        "des pinces gardent leurs dernières valeurs. Vérifiez son bloc d'alimentation."
    ]
    world.restart()
    world.live(3600)
    assert len(world.messages) == 1
    wes.clear()
    world.live(3600)
    assert len(world.messages) == 2
    assert "de nouveau" in world.messages[1]
    assert not world.states


def test_without_a_9_v_supply_nothing_is_missed(wes: WesServer, make: Make) -> None:
    wes.box.voltage = 0
    world = make(item("pince", 1))
    world.live(7200)
    assert not world.messages
    assert not world.states


def test_a_card_that_is_gone_is_told(wes: WesServer, make: Make) -> None:
    ready(wes)
    world = make(item("relais", 103), item("relais", 1), jeedomCgx=True)
    world.live(600)
    wes.box.cards = 0
    world.live(7200)
    assert [(who, state) for who, state, _ in world.states] == [("relais103", "no_data")]


# Plausibility: counters.


def test_indexes_that_read_0_once_are_not_published(
    wes: WesServer, make: Make, off_peak: Tic, caplog: pytest.LogCaptureFixture
) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    wes.fault("tic_zero", value=1, count=1)
    with caplog.at_level(logging.WARNING):
        world.live(30)
    assert "Index (HP) lu à 0" in caplog.text
    wes.clear()
    off_peak.indexes["HP"] += 1
    world.live(600)
    assert world.seen("teleinfo1", "HCHP") == [31204.518, 31204.519]
    assert world.seen("teleinfo1", "HCHC") == [19877.402]
    assert world.seen("teleinfo1", "PAP") == [8400]  # the powers of that frame were zeros as well
    assert not world.messages


def test_indexes_of_0_for_minutes_are_not_published_either(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    wes.fault("tic_zero", value=1)
    world.live(600, poll=1)  # the same text 600 times proves nothing
    wes.clear()
    world.live(300)
    assert world.seen("teleinfo1", "HCHP") == [31204.518]
    assert not world.messages


def test_an_index_with_a_digit_too_many_is_not_published(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    wes.fault("index_digit", value=1)
    world.live(300)
    wes.clear()
    world.live(300)
    assert world.seen("teleinfo1", "HCHP") == [31204.518]
    assert world.seen("teleinfo1", "PAP") == [8400]


def test_what_was_held_back_is_remembered_over_a_restart(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    wes.fault("index_digit", value=1)
    world.restart()
    world.live(300)
    assert world.seen("teleinfo1", "HCHP") == [31204.518]


def test_a_counter_that_stays_at_another_index_is_believed_and_told_once(wes: WesServer, make: Make) -> None:
    world = make(item("pince", 1), item("compteur", 1))
    world.live(600)
    wes.box.clamps[0].index = 0.4
    wes.box.counters[0].index = 12000.0
    world.live(840)
    assert world.value("pince1", "index") == 2813.447
    world.live(300)
    assert world.seen("pince1", "index") == [2813.447, 0.4]
    wes.box.clamps[0].index = 0.5
    world.live(300)
    assert world.seen("pince1", "index")[-1] == 0.5
    assert [text for text in world.messages if "pince" in text] == [
        "Garage : « pince 1 » : Index consommation est passé de 2813,447 à 0,4 et s'y tient. S'il ne s'agit pas d'un "
        "compteur remplacé ou remis à zéro, vérifiez ce compteur dans le WES."
    ]
    # 11 m³ within half a minute are possible for no house, but a user may set the index on the page of the WES.
    assert world.seen("compteur1", "index") == [842.311, 12000]


def test_a_new_meter_is_recognised_at_once_and_told(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    off_peak.adco, off_peak.indexes = "041900000002", {"HP": 12, "HC": 0}
    world.live(180)
    assert world.seen("teleinfo1", "ADCO") == ["021800000001", "041900000002"]
    assert world.seen("teleinfo1", "HCHP") == [31204.518, 0.012]
    assert world.seen("teleinfo1", "HCHC") == [19877.402, 0]
    assert world.messages == [
        "Garage : « teleinfo 1 » : le compteur a été remplacé, ses index partent de ceux du nouveau compteur."
    ]


def test_a_meter_number_misread_once_replaces_nothing(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    off_peak.adco, off_peak.indexes = "999999999999", {"HP": 5, "HC": 5}
    world.live(30)
    off_peak.adco, off_peak.indexes = "021800000001", {"HP": 31204520, "HC": 19877402}
    world.live(600)
    assert world.seen("teleinfo1", "ADCO") == ["021800000001"]
    assert world.seen("teleinfo1", "HCHP") == [31204.518, 31204.52]
    assert not world.messages


# Plausibility: contracts.


def test_a_contract_changed_at_the_meter_is_told_once_and_publishes_no_zeros(
    wes: WesServer, make: Make, off_peak: Tic
) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(600)
    off_peak.option, off_peak.period = "BBR(", "H. Pleine BLEU"
    off_peak.indexes = {"BBRHCJB": 19877999, "BBRHPJB": 31204999}
    world.live(86400, poll=60)
    assert world.seen("teleinfo1", "HCHP") == [31204.518]
    assert world.seen("teleinfo1", "HCHC") == [19877.402]
    assert world.date("teleinfo1", "HCHP") <= 600
    assert world.states == [
        (
            "teleinfo1",
            "no_data",
            "Le compteur est en Tempo, l'équipement est réglé sur Heures Creuses : ses index n'avancent plus. "
            "Choisissez « Automatique » ou Tempo comme tarification de « teleinfo 1 ».",
        )
    ]
    assert world.value("teleinfo1", "PAP") == 8400
    assert not world.messages
    world.restart()
    world.live(3600)
    assert len(world.states) == 1
    off_peak.option, off_peak.period, off_peak.indexes = "HC.", "H. Pleines", {"HP": 31204518, "HC": 19877402}
    world.restart()
    world.live(600)
    assert [state for _, state, _ in world.states] == ["no_data", "online"]


def test_an_equipment_on_automatic_follows_its_meter(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, {"tarification": "auto", "ticMeasure": "consumption"}))
    world.live(600)
    assert world.value("teleinfo1", "HCHP") == 31204.518
    assert world.value("teleinfo1", "BBRHPJB") is None
    off_peak.option, off_peak.period, off_peak.tomorrow = "BBR(", "H. Pleine BLEU", "----"
    off_peak.indexes = {"BBRHCJB": 19877999, "BBRHPJB": 31204999}
    world.live(3600)
    assert world.value("teleinfo1", "BBRHPJB") == 31204.999
    assert world.value("teleinfo1", "BBRHPJR") == 0  # of the contract, not used yet
    assert world.seen("teleinfo1", "HCHP") == [31204.518]
    assert world.value("teleinfo1", "COULEUR") == "bleu"
    assert world.value("teleinfo1", "COULEUR_DEMAIN") == "inconnue"
    assert (world.states, world.messages) == ([], [])


def test_commands_of_the_contract_in_force_are_offered(wes: WesServer, make: Make, off_peak: Tic) -> None:
    bare = item("teleinfo", 1, {"tarification": "auto"})
    commands = {name: {} for name in bare.commands if name in ("PAP", "PTEC")}
    world = make(type(bare)(bare.id, bare.type, bare.key, bare.name, bare.config, commands))
    world.live(60)
    assert {name for _, name in world.available} == {"HCHP", "HCHC", "PERIODE"}


# Plausibility: probes.


@pytest.mark.parametrize("fault", ["probe_lost", "probe_85"])
def test_a_probe_that_is_unplugged_keeps_its_last_value_and_is_told(wes: WesServer, make: Make, fault: str) -> None:
    world = make(item("sonde", 1), item("sonde", 2))
    wes.box.probes[1].value = -0.5
    world.live(600)
    wes.fault(fault, value=1)
    wes.box.probes[1].value = 0.0
    world.live(3600)
    assert world.seen("sonde1", "temperature") == [19.4]
    assert world.date("sonde1", "temperature") <= 600
    assert world.seen("sonde2", "temperature") == [-0.5, 0]  # a frost that begins
    assert [(who, state) for who, state, _ in world.states] == [("sonde1", "no_data")]
    world.restart()
    world.live(300)
    assert world.seen("sonde1", "temperature") == [19.4]
    wes.clear()
    world.live(900)
    assert world.seen("sonde1", "temperature") == [19.4]
    assert world.now - world.date("sonde1", "temperature") < 400


@pytest.mark.parametrize(
    ("measure", "values", "right"),
    [
        ("temperature", [84.0, 85.0, 86.0], [84, 85, 86]),
        ("temperature", [20.0, -127.0, 127.9, 20.5], [20, 20.5]),
        ("humidity", [55.0, -127.0, 0.0, 85.0], [55, 85]),
        ("luminosity", [0.0, 300.0, 0.0, 250.0], [300, 0, 250]),
    ],
)
def test_what_a_probe_cannot_measure_is_no_value(
    wes: WesServer, make: Make, measure: str, values: list[float], right: list[float]
) -> None:
    world = make(item("sonde", 1, {"sondeMeasure": measure}))
    for value in values:
        wes.box.probes[0].value = value
        world.live(30)
    assert world.seen("sonde1", measure) == right


# Injection.


@pytest.mark.parametrize("page", ["standard", "1.0.4", "1.0.5", "ours"])
def test_a_surplus_seller_sees_his_injection_on_every_page(
    wes: WesServer, make: Make, off_peak: Tic, page: str
) -> None:
    off_peak.injection, off_peak.injected_power, off_peak.power = 7654321, 2310, 0
    if page == "ours":
        ready(wes)
        off_peak.producer = 1
    elif page != "standard":
        wes.files["DATA_JEEDOM.CGX"] = templates.official(page)
    world = make(item("teleinfo", 1, OFF_PEAK), jeedomCgx=page != "standard")
    world.live(60)
    assert world.value("teleinfo1", "INJECTION") == 7654.321
    assert world.value("teleinfo1", "PAPIJ") == 2310
    assert world.value("teleinfo1", "PRODUCTEUR") == 1
    off_peak.injected_power = 0
    world.live(60)
    assert world.value("teleinfo1", "PAPIJ") == 0  # at night
    assert [each.config["ticMeasure"] for each in world.device.discover() if each.type == "teleinfo"] == [
        "consumptionprod", "consumptionprod", "consumption"
    ]  # fmt: skip


def test_without_injection_there_is_none(wes: WesServer, make: Make, off_peak: Tic) -> None:
    world = make(item("teleinfo", 1, OFF_PEAK))
    world.live(3600)
    assert {name for _, name in world.values} & {"INJECTION", "PAPIJ", "PRODUCTEUR"} == set()


def test_a_password_that_has_worked_is_called_wrong_only_after_refusals_in_a_row(tmp_path: Path) -> None:
    with WesServer() as wes:
        world = World(wes, tmp_path, [])
        world.live(60)
        wes.fault("status", value=401, count=2)
        world.live(60)
        assert not any("refuse" in text for text in world.messages)
        world.live(60)
        wes.fault("status", value=401)
        world.live(600)
        assert any("refuse l'identifiant" in text for text in world.messages)
        world.close()
