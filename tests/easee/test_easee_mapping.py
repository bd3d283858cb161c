"""From the service's answers to facts, by the catalogue's rows."""

from __future__ import annotations

import json

import pytest
from jeenergied.devices.easee import circuits, mapping
from jeenergied.devices.easee.charger import Charger
from jeenergied.devices.easee.facts import FACTS
from jeenergied.devices.easee.mapping import Observation, Table
from jeenergied.devices.easee.sessions import Session, session

from tests.easee.conftest import catalogue
from tests.support.recorded import answers

ROWS = catalogue().all_rows("charger")


NUMBERS = {row.source.split("|")[1]: int(row.source.split("|")[0]) for row in ROWS if "|" in (row.source or "")}
NUMBERS.update(chargerOpMode=109, isOnline=250, cellRSSI=130, wiFiRSSI=132)
NUMBERS.update({f"dynamicCircuitCurrentP{phase}": 110 + phase for phase in (1, 2, 3)})
"""The vendor's names of observations."""


def answer(values, at="2026-01-31T10:00:00Z", kind=0):
    """The service's answer with these values, by the vendor's names."""
    listed = [{"id": NUMBERS[n], "value": v, "dataType": kind, "timestamp": at} for n, v in values.items()]
    return mapping.answered({"observations": listed}, "EH1")


NOW = 1769853600.0
"""2026-01-31T10:00:00Z."""


def flat(charger, changed):
    """The facts that changed, without their dates."""
    return {name: value for facts in charger.facts(changed).values() for name, value in facts.items()}


def values(state=None, **observations):
    """The commands' values of a charger with these observations, all of them fresh."""
    charger = Charger("EH1", Table(ROWS))
    changed = charger.take(answer(state or {}), 1.0, 1.0, NOW)
    for name, value in observations.items():
        changed |= charger.observe(Observation("EH1", int(name[1:]), str(value), 0, NOW), 2.0, NOW)
    facts = flat(charger, changed | charger.judge(NOW, settled=True))
    found = {row.logical_id: row.value(facts.get(row.source)) for row in ROWS if row.source}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("figure", [10**400, -(10**400), True, "1_0", "٣", "NaN", "1e999", [], {}])
def test_what_is_no_figure_of_a_charger_is_left_out(figure):
    assert values({"totalPower": figure, "sessionEnergy": 1.5}) == {"sessionEnergy": 1.5, "online": True}
    assert session(json.dumps({"MeterValueStop": figure})) in (None, Session(None, None, None))


@pytest.mark.parametrize(
    ("name", "command", "figure"),
    [
        ("inVoltageT2T3", "voltage_1", 253),
        ("inVoltageT2T3", "voltage_1", 400),  # where that pair of pins is two phases
        ("dynamicChargerCurrent", "dynamicChargerCurrent", 40),
        ("dynamicCircuitCurrentP1", "dynamicCircuitCurrent", 1000),
        ("cellRSSI", "cellRSSI", -104),
        ("wiFiRSSI", "wifiRSSI", -101),
        ("chargerOpMode", "status", 100),
        ("totalPower", "power", 24.2),
        ("inCurrentT3", "current_1", 35.4),
    ],
)
def test_true_values_lie_within_the_bounds_of_their_commands(name, command, figure):
    assert values({name: figure})[command] == figure


def test_a_mode_that_nobody_knows_says_nothing_about_the_car():
    assert "plugged" not in values({"chargerOpMode": 157})


def test_impossible_figures_are_left_out():
    found = values({"inVoltageT2T3": -241.0, "totalPower": 640, "inCurrentT3": 1e6, "cellRSSI": 99})
    assert set(found) == {"online"}


@pytest.mark.parametrize(
    ("phases", "limit"),
    [((16, 0, 0), 16), ((10, 0, 0), 10), ((16, 16, 0), 16), ((0, 0, 0), 0), ((40, 32, 40), 32), ((0, 0, 20), 20)],
)
def test_the_limit_of_a_circuit_is_the_lowest_of_the_phases_in_use(phases, limit):
    assert values(o111=phases[0], o112=phases[1], o113=phases[2])["dynamicCircuitCurrent"] == limit


def test_a_part_of_a_circuits_limits_is_no_limit_of_0():
    assert "dynamicCircuitCurrent" not in values(o112=0, o113=0)
    assert values(o112=0, o113=16)["dynamicCircuitCurrent"] == 16


def record(observation, value, at=100.0, kind=0):
    return Observation("EH1", observation, value, kind, at)


@pytest.mark.parametrize(("sent", "taken"), [("5120.7", 5120.7), ("5120", 5120), ("5120.0", 5120)])
def test_a_figure_keeps_its_fraction_even_when_it_is_said_to_be_whole(sent, taken):
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(mapping.LIFETIME_ENERGY, sent, kind=4), 2.0, 100.0)
    assert charger.values[mapping.LIFETIME_ENERGY] == taken


TOLD = [((242, 236, 226), -64, 7.25, (25, 32)), ((241, 237, 229), -79, 5.395, (32, 40))]
"""Voltages, WiFi, energy and currents of the twin and of the recorded state, read by eye."""


@pytest.mark.parametrize(("state", "told"), zip(answers("easee", "charger-state.json"), TOLD))
def test_a_recorded_state_becomes_the_commands_of_the_documentation(state, told):
    # The endpoint is gone; what its fields meant is still what the observations of those names mean.
    volts, wifi, energy, currents = told
    found = values({name: value for name, value in state.items() if name in NUMBERS})
    assert found["status"] == 2
    assert found["plugged"] is True
    assert found["paused"] is False
    assert (found["cable_locked"], found["cable_locked_permanently"], found["cable_state"]) == (True, False, 1)
    assert found["power"] == 0
    assert (found["voltage_1"], found["voltage_2"], found["voltage_3"]) == volts
    assert (found["wifiRSSI"], found["cellRSSI"], found["WIFI"]) == (wifi, 0, True)
    assert found["sessionEnergy"] == energy
    assert found["online"] is True
    assert (found["dynamicChargerCurrent"], found["dynamicCircuitCurrent"]) == currents
    assert "lifetimeEnergy" not in found  # that firmware did not tell


def test_every_source_is_an_observation_or_a_derived_fact():
    table = Table(ROWS)
    named = {row.source for row in ROWS if row.source and mapping.parse_source(row) is None}
    assert named == set(mapping._DERIVED)
    assert all(table.wants(each) for each in (30, 96, 103, 109, 120, 130, 132, 141, 183, 184, 185, 194, 195, 196))


def test_the_stream_and_rest_give_the_same_values():
    state = {"chargerOpMode": 3, "totalPower": 3.68, "inCurrentT3": 16.0, "lockCablePermanently": True}
    stream = values(o109="3", o120="3.68", o183="16", o30="1")
    rest = values(state)
    assert {name: rest[name] for name in stream} == stream


@pytest.mark.parametrize(
    ("mode", "plugged"), [(1, False), (2, True), (3, True), (4, True), (5, True), (6, True), (7, True), (8, True)]
)
def test_a_car_is_plugged_in_every_mode_but_disconnected(mode, plugged):
    found = values(o109=mode)
    assert (found["status"], found["plugged"]) == (mode, plugged)


def test_mode_zero_says_nothing_about_the_car():
    assert "plugged" not in values(o109=0)


@pytest.mark.parametrize("reason", [1, 2, 3, 4, 5, 6, 51, 52])
def test_reasons_of_a_pause(reason):
    assert values(o109=2, o96=reason)["paused"] is True


@pytest.mark.parametrize("reason", [0, 8, 25, 50, 53, 54, 55, 56, 79])
def test_reasons_that_are_no_pause(reason):
    assert values(o109=2, o96=reason)["paused"] is False


def test_a_limit_under_six_amperes_is_a_pause_unless_no_car_is_there():
    assert values(o109=2, o48=0, o96=0)["paused"] is True
    assert values(o109=1, o48=0, o96=52)["paused"] is False
    assert values(o109=3, o48=32, o96=0)["paused"] is False


def test_each_phase_has_its_current_and_its_voltage():
    found = values(o109=3, o183=6.5, o184=7.5, o185=8.5, o194=231.4, o195=234.4, o196=237.4)
    assert [found[f"current_{n}"] for n in (1, 2, 3)] == [6.5, 7.5, 8.5]
    assert [found[f"voltage_{n}"] for n in (1, 2, 3)] == [231, 234, 237]


@pytest.mark.parametrize(("locked", "for_good", "state"), [(0, 0, 0), (1, 0, 1), (0, 1, 2), (1, 1, 3)])
def test_the_lock_has_four_states(locked, for_good, state):
    assert values(o103=locked, o30=for_good)["cable_state"] == state


def test_the_signal_of_the_other_network_is_zero():
    both = {"o130": -80, "o132": -60}
    assert (values(**both, o141=1)["wifiRSSI"], values(**both, o141=1)["cellRSSI"]) == (-60, 0)
    assert (values(**both, o141=0)["wifiRSSI"], values(**both, o141=0)["cellRSSI"]) == (0, -80)
    assert (values(**both)["wifiRSSI"], values(**both)["cellRSSI"]) == (-60, -80)


def test_an_offline_charger_has_no_power_and_keeps_its_voltages():
    found = values(o109=3, o120=7.2, o183=16, o194=230, o250=0)
    assert (found["status"], found["power"], found["current_1"], found["voltage_1"]) == (0, 0, 0, 230)
    assert found["online"] is False


def test_figures_come_back_with_the_charger():
    charger = Charger("EH1", Table(ROWS))
    for observation, value in ((109, "3"), (120, "7.2"), (250, "0")):
        charger.observe(record(observation, value), 1.0, 100.0)
    charger.judge(100.0, settled=True)
    facts = flat(charger, charger.observe(record(250, "1", 101.0), 2.0, 101.0))
    assert (facts["status"], facts["120|totalPower|live"], facts["online"]) == (3, 7.2, True)


def test_the_reason_is_told_in_words():
    assert values(o96=52)["noCurrentReason"] == "Charge mise en pause"
    assert values(o96=54)["noCurrentReason"] == "En attente de la programmation"
    assert values(o96=4711)["noCurrentReason"] == "Autre motif"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31T10:00:00Z", 0.0),
        ("2026-01-31T10:00:00", 0.0),
        ("2026-01-31T10:00:00.5Z", 0.5),
        ("2026-01-31T10:00:00.1234567Z", 0.1234567),
        ("2026-01-31T11:00:00+01:00", 0.0),
        ("2026-01-31T11:00:00.25+0100", 0.25),
    ],
)
def test_times_with_any_number_of_decimals(text, seconds):
    assert mapping.moment(text) == pytest.approx(1769853600 + seconds, abs=1e-6)


@pytest.mark.parametrize("text", ["", "yesterday", None, 5, "2026-13-45T99:00:00Z", "2026-01-31"])
def test_what_is_no_time(text):
    assert mapping.moment(text) is None


def test_a_date_that_is_not_believed_does_not_lose_against_one_that_was():
    charger = Charger("EH1", Table(ROWS))
    assert charger.observe(record(124, "10.0", 390.0), 1.0, 100.0)
    assert charger.observe(record(124, "11.0", 420.0), 2.0, 101.0)
    assert charger.values[124] == 11.0


def test_older_values_of_an_observation_are_dropped():
    charger = Charger("EH1", Table(ROWS))
    assert charger.observe(record(109, "3", 50.0), 1.0, 100.0)
    assert not charger.observe(record(109, "1", 49.0), 2.0, 100.0)
    assert charger.values[109] == 3
    assert charger.dropped == 1


def test_of_two_values_at_the_same_time_the_last_wins_and_a_duplicate_is_no_change():
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(109, "3"), 1.0, 100.0)
    assert charger.observe(record(109, "2"), 2.0, 100.0) == {109}
    assert charger.observe(record(109, "2"), 3.0, 100.0) == set()


def test_a_time_in_the_future_does_not_block_what_follows():
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(109, "3", 1e9), 1.0, 100.0)
    assert charger.observe(record(109, "2", 101.0), 2.0, 101.0) == {109}


def test_an_answer_does_not_undo_what_the_stream_brought_meanwhile():
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(109, "3", 1769853700.0), 10.0, 1769853700.0)
    assert charger.take(answer({"chargerOpMode": 1, "totalPower": 2.0}), 11.0, 12.0, 1769853702.0) == {120}
    assert charger.values[109] == 3


def test_an_answer_without_dates_yields_to_what_the_stream_brought_since_it_was_asked_for():
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(109, "3", None), 10.0, 100.0)
    assert charger.take(answer({"chargerOpMode": 1}, at=None), 9.0, 12.0, 102.0) == set()
    assert charger.take(answer({"chargerOpMode": 1}, at=None), 13.0, 14.0, 104.0) == {109}


def test_an_answer_is_no_word_of_the_stream():
    charger = Charger("EH1", Table(ROWS))
    charger.take(answer({"chargerOpMode": 1}), 1.0, 2.0, 1.8e9)
    assert charger.heard is None


@pytest.mark.parametrize("typed", [3, "3", 3.0, "3.0"])
def test_answers_hold_json_types_or_texts(typed):
    assert values({"chargerOpMode": typed, "lockCablePermanently": True})["status"] == 3
    assert values({"lockCablePermanently": str(bool(typed)).lower()})["cable_locked_permanently"] is True


@pytest.mark.parametrize("content", [None, [], {}, 7, "x", {"observations": None}, {"observations": [None, 7, {}]}])
def test_an_answer_without_observations_is_none(content):
    assert mapping.answered(content, "EH1") == []


@pytest.mark.parametrize("value", ["", "nonsense", "NaN", "inf", "1e400", "{}"])
def test_what_is_no_value_keeps_the_last_one(value):
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(120, "3.5"), 1.0, 100.0)
    assert charger.observe(record(120, value, 101.0), 2.0, 101.0) == set()
    assert charger.values[120] == 3.5


@pytest.mark.parametrize("text", ["1", "true", "True", "0", "false"])
def test_booleans_in_every_spelling(text):
    assert values(o30=text)["cable_locked_permanently"] is (text.lower() in ("1", "true"))


def test_a_spurious_zero_of_the_session_is_left_out_and_a_new_car_begins_at_zero():
    charger = Charger("EH1", Table(ROWS))
    charger.observe(record(109, "3"), 1.0, 100.0)
    charger.observe(record(121, "4.2"), 1.0, 100.0)
    assert charger.observe(record(121, "0", 101.0), 2.0, 101.0) == set()
    charger.observe(record(109, "1", 102.0), 3.0, 102.0)
    assert charger.observe(record(109, "2", 103.0), 4.0, 103.0) == {109, 121}
    assert charger.values[121] == 0


def test_a_sessions_end_sharpens_the_meter():
    charger = Charger("EH1", Table(ROWS))
    text = json.dumps({"Id": 1, "EnergyKwh": 12.345, "MeterValueStop": 5133.012, "Auth": "04A1B2C3"})
    assert charger.observe(record(129, text), 1.0, 100.0) == {121, 124}
    assert (charger.values[124], charger.values[121]) == (5133.012, 12.345)


def test_observations_in_every_shape():
    one = {"mid": "EH1", "id": 109, "dataType": 4, "value": "3", "timestamp": "2026-01-31T10:00:00Z"}
    assert len(mapping.observations([one])) == 1
    assert len(mapping.observations([one, one])) == 2
    assert len(mapping.observations([[one, one, one]])) == 3
    assert mapping.observations([{"mid": "EH1", "id": "109", "value": "3"}, {"id": 109}, None, 7, "x"]) == []
    assert mapping.observations(None) == []


def test_ticks_keep_every_digit():
    ticks = 639054504000000001
    found = mapping.command_responses([{"serialNumber": "EH1", "ticks": ticks, "wasAccepted": True, "resultCode": 0}])
    assert found[0].ticks == ticks


@pytest.mark.parametrize("site", answers("easee", "site.json"))
def test_the_circuit_of_a_charger_is_found_in_its_site(site):
    [circuit] = site["circuits"]
    [charger] = circuit["chargers"]
    path = f"/api/sites/{circuit['siteId']}/circuits/{circuit['id']}"
    assert circuits.circuit_path(site, charger["id"]) == path
    assert circuits.circuit_path(site, "ES99999") is None
    assert circuits.circuit_path({"circuits": None}, "ES12345") is None


def test_every_catalogue_command_that_acts_is_known_to_the_daemon():
    from jeenergied.devices.easee.actions import ACTIONS

    acting = {row.logical_id for row in ROWS if row.data["type"] == "action"} - {"refresh"}
    assert acting == set(ACTIONS)


def test_every_fact_that_is_derived_is_known():
    assert set(mapping._DERIVED) <= set(FACTS["charger"])
