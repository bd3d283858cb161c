"""Made-up gateways: which page a value comes from, and what is not a value at all."""

from __future__ import annotations

import logging

import pytest
from jeenergied.devices.enphase.gateway.client import EndpointRefused
from jeenergied.devices.enphase.gateway.endpoints import Endpoints

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Fitted, Plant
from tests.support.clocks import noon

from .harness import (
    INVERTERS,
    PRODUCTION,
    READINGS,
    SERIAL,
    SUMMARY,
    Pages,
    commands_of,
    house,
    meter,
    reading,
)

STANDARD = {
    SUMMARY: {"wattHoursToday": 10, "wattHoursSevenDays": 700, "wattHoursLifetime": 5_000_000, "wattsNow": 1234},
    PRODUCTION: {"production": [{"type": "inverters", "activeCount": 9, "wNow": 1111, "whLifetime": 99_000}]},
}


def eim(kind, watts, lifetime, volts=230.0, active=1, **other):
    head = {"type": "eim", "activeCount": active, "measurementType": kind, "readingTime": 0}
    return {**head, "wNow": watts, "whLifetime": lifetime, "rmsVoltage": volts, **other}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(noon())


@pytest.fixture
def play(opened, bench, clock):
    """Runs a connection against made-up pages."""

    def start(pages, firmware="D8.2.4382", imeter=True, **config):
        source = pages if isinstance(pages, (Pages, DaySource)) else Pages(pages, firmware, imeter)
        gateway = opened(EnphaseGateway(source, clock=clock.time))
        return bench(gateway, clock=clock, **{"phases": "tri", **config}).start()

    return start


def metered(now, *meters, **pages):
    return {"/ivp/meters": [each[0] for each in meters], READINGS: [each[1] for each in meters], **pages}


# ---- what has no meter


@pytest.mark.parametrize("meters", [None, [], {}, {"error": "x"}, [meter("production", state="disabled")]])
def test_a_gateway_without_meters_is_read_by_its_summary(play, meters):
    pages = {**STANDARD, READINGS: []}
    if meters is not None:
        pages["/ivp/meters"] = meters
    running = play(pages, imeter=False, pollInterval=1)
    assert running.values() == {"PwattsNow": 1234, "PwattHoursLifetime": 5_000_000}
    running.advance(3600, 10)
    assert 100 <= running.asked(SUMMARY) <= 130
    assert running.asked(PRODUCTION) <= 2
    assert set(running.states) <= {"connecting", "online"}


@pytest.mark.parametrize(
    ("firmware", "watts"), [("D8.2.4263", 1234), ("D8.2.4264", 1111), ("D8.3.1", 1111), ("D10.0.0", 1111)]
)
def test_metered_hardware_without_transformers_has_a_summary_that_stands_still(play, firmware, watts):
    running = play({**STANDARD, "/ivp/meters": [meter("production", state="disabled")]}, firmware)
    assert running.values()["PwattsNow"] == watts


def test_a_summary_of_zeros_gives_way_to_the_inverters(play):
    empty = dict.fromkeys(STANDARD[SUMMARY], 0)
    assert play({**STANDARD, SUMMARY: empty}, imeter=False).values()["PwattsNow"] == 1111


def test_entries_with_no_active_transformer_are_rubbish(play):
    page = {
        "production": [*STANDARD[PRODUCTION]["production"], eim("production", 3.6, 1586.6, 714.0, active=0)],
        "consumption": [eim("total-consumption", 500, 9000, active=0), eim("net-consumption", -5, -9, active=0)],
    }
    running = play({PRODUCTION: page, "/ivp/meters": [meter("production", 3, state="disabled")]}, "D8.2.4400")
    assert running.values() == {"PwattsNow": 1111, "PwattHoursLifetime": 99_000}


def test_firmware_that_does_not_list_its_meters_may_show_them(play, clock):
    lines = [
        {"wNow": 400.0, "whLifetime": 10.0, "rmsVoltage": 231.0},
        {"wNow": 300.0, "whLifetime": 20.0, "rmsVoltage": 233.0},
    ]
    page = {"production": [eim("production", 700.0, 30.0, 464.0, lines=lines)]}
    values = play({PRODUCTION: page}).values()
    assert values == {
        "PwattsNow": 700,
        "PwattsNow1": 400,
        "PwattsNow2": 300,
        "PwattHoursLifetime": 30,
        "PwattHoursLifetime1": 10,
        "PwattHoursLifetime2": 20,
        "tension": 232,
        "tension1": 231,
        "tension2": 233,
    }


@pytest.mark.parametrize(
    ("pages", "state", "words"),
    [({}, "error", "n'offre pas son bilan de production"), ({PRODUCTION: {}}, "unreachable", "n'a pas de mesure")],
)
def test_a_gateway_that_knows_nothing_is_an_error_and_not_a_silence(play, pages, state, words):
    running = play(pages, imeter=False)
    assert running.last_state["state"] == state
    assert words in running.last_state["message"]
    assert running.values() == {}


# ---- phases


def test_lines_of_unused_phases_do_not_move_the_others(play):
    zero = {"wNow": 0.0, "whLifetime": 0.0, "rmsVoltage": 0.0}
    lines = [zero, {"wNow": 300.0, "whLifetime": 20.0, "rmsVoltage": 233.0}, zero]
    values = play({PRODUCTION: {"production": [eim("production", 300.0, 20.0, 233.0, lines=lines)]}}).values()
    assert "PwattsNow1" not in values
    assert (values["PwattsNow2"], values["tension"]) == (300, 233)


def test_three_phases_without_lines_are_no_phase_one(play):
    page = {"production": [eim("production", 700.0, 30.0, 700.0)]}
    pages = {"/ivp/meters": [meter("production", 3)], PRODUCTION: page}
    assert play(pages).values() == {"PwattsNow": 700, "PwattHoursLifetime": 30, "tension": 233.3}


def test_panels_on_one_phase_of_three(play, clock):
    net = reading("net-consumption", 1, 600.0, 9.0, 8.0, (100.0, 3.0, 2.0, 231), (200.0, 3, 3, 232), (300.0, 3, 3, 233))
    values = play(
        metered(
            1,
            (meter("production", 1), reading("production", 1, 1000.0, 50.0, 0.0)),
            (meter("net-consumption", 3), net),
        )
    ).values()
    assert [values[f"CwattsNow{n}"] for n in ("", 1, 2, 3)] == [1600, 1100, 200, 300]
    assert "PwattsNow2" not in values
    assert [values[f"tension{n}"] for n in ("", 1, 2, 3)] == [232, 231, 232, 233]


@pytest.mark.parametrize("count", [None, 0, 4, -1, "3", 2.5, True])
def test_an_unknown_number_of_phases_gives_no_phase_and_no_voltage(play, count):
    one = reading("production", 1, 900.0, 50.0, 0.0, (300.0, 3.0, 2.0, 231), (300.0, 3, 3, 232), (300.0, 3, 3, 233))
    values = play(metered(1, (meter("production", 3, phaseCount=count), one))).values()
    assert values == {"PwattsNow": 900, "PwattHoursLifetime": 50}


def test_channels_are_found_by_their_number_and_not_by_their_place(play):
    one = reading("production", 1, 900.0, 50.0, 0.0, (100.0, 1, 2, 231), (200.0, 2, 3, 232), (300.0, 3, 3, 233))
    one["channels"].reverse()
    values = play(metered(1, (meter("production", 3), one))).values()
    assert [values[f"PwattsNow{n}"] for n in (1, 2, 3)] == [100, 200, 300]


# ---- meters


def test_extra_readings_and_meters_for_storage_are_ignored(play):
    pages = metered(
        1,
        (meter("storage", 1), reading("storage", 1, 777.0, 7.0, 7.0)),
        (meter("production", 1), reading("production", 1, 900.0, 50.0, 0.0)),
        (meter("net-consumption", 1, state="disabled"), reading("net-consumption", 1, 5.0, 5.0, 5.0)),
    )
    strange = {**reading("production", 1, 0.0, 0.0, 0.0), "eid": 0x3D000200}
    pages[READINGS] = [strange, *reversed(pages[READINGS]), strange]
    assert play(pages, phases="mono").values() == {"PwattsNow": 900, "PwattHoursLifetime": 50, "tension": 230}


def test_a_transformer_on_the_loads_has_no_import_index(play):
    pages = metered(
        1,
        (meter("production"), reading("production", 1, 900.0, 50.0, 0.0)),
        (meter("total-consumption"), reading("total-consumption", 1, 400.0, 70.0, 3.0)),
    )
    pages[PRODUCTION] = {
        "production": [eim("production", 900.0, 50.0)],
        "consumption": [eim("total-consumption", 400.0, 71.0), eim("net-consumption", -500.0, 21.0)],
    }
    running = play(pages, phases="mono")
    wanted = {
        "PwattsNow": 900,
        "PwattHoursLifetime": 50,
        "CwattsNow": 400,
        "CwattHoursLifetime": 70,  # the readings' own, not the slow page's
        "CwattsNowNet": -500,
        "Import": 0,
        "Export": 500,
        "CwattHoursLifetimeNet": 21,
        "tension": 230,
    }
    assert running.values() == wanted
    running.advance(600, 10)
    assert running.values() == wanted


@pytest.mark.parametrize("production", [0.0, 900.0])
def test_firmware_that_shows_the_net_as_the_total_is_mended(play, production):
    page = {
        "production": [eim("production", production, 5000.0)],
        "consumption": [eim("total-consumption", 100.0, 2000.0), eim("net-consumption", 100.0, 2000.0)],
    }
    pages = {"/ivp/meters": [meter("production"), meter("total-consumption")], PRODUCTION: page}
    values = play(pages, "D8.3.5433", phases="mono").values()
    assert values["CwattsNow"] == 100 + production
    assert values["CwattHoursLifetime"] == 7000
    assert values["CwattHoursLifetimeNet"] == 2000


def test_a_meter_on_the_grid_only_is_completed_by_the_inverters(play, clock):
    pages = {
        "/ivp/meters": [meter("production", state="disabled"), meter("net-consumption")],
        READINGS: lambda now: [reading("net-consumption", now, -500.0, 70.0, 30.0)],
        PRODUCTION: STANDARD[PRODUCTION],
    }
    running = play(pages, "D8.2.4400", phases="mono", pollInterval=1)
    running.advance(120, 1)
    assert running.values() == {
        "PwattsNow": 1111,
        "PwattHoursLifetime": 99_000,
        "CwattsNow": 611,
        "CwattsNowNet": -500,
        "Import": 0,
        "Export": 500,
        "indexcumulimport": 70,
        "indexcumulexport": 30,
        "tension": 230,
    }
    assert running.asked(READINGS) > 100
    assert running.asked(PRODUCTION) <= 4


def test_a_meter_that_does_not_measure_is_left_out_and_told_once(play):
    broken = meter("net-consumption", meteringStatus="not-metering", statusFlags=["power-on-unused-phase"])
    pages = metered(
        1,
        (meter("production"), reading("production", 1, 900.0, 50.0, 0.0)),
        (broken, reading("net-consumption", 1, -3.0, 5.0, 5.0)),
    )
    running = play(pages)
    assert "CwattsNowNet" not in running.values()
    assert len(running.messages) == 1
    assert "net-consumption (not-metering, power-on-unused-phase)" in running.messages[0]
    running.advance(7300, 60)
    running.restart()
    assert len(running.messages) == 1


def test_readings_that_are_refused_are_replaced_by_the_slow_page_at_its_own_pace(play, caplog):
    source = house()
    del source.pages[READINGS]
    source.pages[PRODUCTION]["production"][0]["wNow"] = 1600.0
    running = play(source, phases="mono", pollInterval=1)
    running.advance(600, 1)
    assert running.values()["PwattsNow"] == 1600
    assert running.asked(PRODUCTION) <= 25
    assert running.asked(READINGS) <= 2
    assert set(running.states) <= {"connecting", "online"}
    source.pages[READINGS] = house().pages[READINGS]
    running.advance(25 * 3600, 600)
    assert running.values()["PwattsNow"] == 1500


@pytest.mark.parametrize("answer", [[], {}, {"error": "not now"}, {"err": 1}, None, "text", [1, None], [{"eid": 5}]])
def test_readings_that_hold_nothing_are_replaced_too(play, answer):
    source = house()
    source.pages[READINGS] = answer
    running = play(source, phases="mono")
    assert running.values()["PwattsNow"] == 1500
    running.advance(600, 10)
    assert set(running.states) <= {"connecting", "online"}
    source.pages[READINGS] = house().pages[READINGS]
    running.advance(7200, 60)
    before = running.asked(READINGS)
    running.advance(600, 60)
    assert running.asked(READINGS) - before == 10


def test_texts_nulls_and_missing_fields_are_no_values(play):
    one = reading("production", 1, "900", None, 0.0)
    two = reading("net-consumption", 1, 100.0, 50.0, "7")
    del two["voltage"]
    one["voltage"] = "230"
    values = play(metered(1, (meter("production"), one), (meter("net-consumption"), two)), phases="mono").values()
    assert values == {"CwattsNowNet": 100, "Import": 100, "Export": 0, "indexcumulimport": 50}


def test_a_lifetime_of_zero_is_sent_where_nothing_flows_and_only_after_a_while(play):
    pages = metered(
        1,
        (meter("production"), reading("production", 1, 900.0, 0.0, 0.0)),
        (meter("net-consumption"), reading("net-consumption", 1, -50.0, 0.0, 0.0)),
    )
    pages[READINGS] = lambda now: [
        reading("production", now, 900.0, 0.0, 0.0),
        reading("net-consumption", now, -50.0, 0.0, 0.0),
    ]
    pages[PRODUCTION] = {"consumption": [eim("total-consumption", 850.0, 0.0), eim("net-consumption", -50.0, 0.0)]}
    running = play(pages, phases="mono")
    powers = {"PwattsNow", "CwattsNow", "CwattsNowNet", "Import", "Export", "tension"}
    assert set(running.values()) == powers
    running.advance(1200, 60)
    assert set(running.values()) == powers | {"indexcumulimport"}
    assert running.values()["indexcumulimport"] == 0


# ---- inverters


def unit(age, watts=260, **other):
    return lambda now: [
        {"serialNumber": SERIAL, "lastReportDate": int(now) - age, "devType": 1, "lastReportWatts": watts, **other}
    ]


@pytest.mark.parametrize(("age", "watts"), [(0, 260), (1700, 260), (1900, 0), (40_000, 0)])
@pytest.mark.parametrize("offset", [0, -3000, 3000])
def test_an_inverter_sleeps_by_the_clock_of_its_gateway(opened, bench, clock, age, watts, offset):
    source = house()
    source.pages[INVERTERS] = unit(age)
    gateway = opened(EnphaseGateway(source, clock=clock.time, clock_offset=offset))
    token = gateway.key.issue(gateway.serial, now=clock.time() - 10_000)
    running = bench(gateway, clock=clock, inverters=(SERIAL,), token=token).start()
    assert running.inverter(SERIAL) == {"Watt": watts}


def test_an_inverter_that_reports_hourly_does_not_sleep_in_between(opened, bench, clock):
    source = house()
    begin = int(clock.time())
    source.pages[INVERTERS] = lambda now: unit(int(now - begin) % 3600, 200 + int(now - begin) // 3600)(now)
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, inverters=(SERIAL,)).start()
    running.advance(3700, 60)  # until the rhythm is known
    running.forget_events()
    running.advance(4 * 3600, 60)
    sent = [event["values"]["Watt"] for event in running.of("values") if event["equipment"] == "10"]
    assert [value for value in sent if value == 0] == []
    source.pages[INVERTERS] = unit(7300)
    running.advance(120, 60)
    assert running.inverter(SERIAL)["Watt"] == 0


def test_batteries_among_the_inverters_are_none_of_them(opened, bench, clock):
    source = house()
    battery = {"serialNumber": "121000000009", "lastReportDate": 1, "devType": 11, "lastReportWatts": 5}
    panels = source.pages[INVERTERS]
    source.pages[INVERTERS] = lambda now: [battery, *panels(now)]
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, inverters=(SERIAL, "121000000009")).start()
    assert running.inverter("121000000009") == {}
    assert running.inverter(SERIAL) == {"Watt": 260, "maxWatt": 366}
    assert [each["key"] for each in running.ask("discover")["equipment"]] == [gateway.serial, SERIAL]


def test_an_inverter_that_is_not_listed_any_more_keeps_its_last_value_and_is_not_sent(opened, bench, clock):
    source = house()
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, inverters=(SERIAL,)).start()
    source.pages[INVERTERS] = []
    running.forget_events()
    running.advance(300, 60)
    assert running.inverter(SERIAL) == {}


# ---- against the truth of a simulated plant


@pytest.mark.parametrize("phases", [1, 3])
def test_a_day_s_values_are_those_of_the_plant(play, clock, phases):
    plant = Plant(clock.time, phases=phases)
    plant.set({"production": 2000.0 * phases, "consumption": 500.0 * phases})
    running = play(DaySource(plant), phases="tri")
    before = running.values()
    running.advance(3600, 60)
    values = running.values()
    assert set(values) == {
        name for name in commands_of("combined") if not name[-1].isdigit() or int(name[-1]) <= phases
    }
    assert (values["PwattsNow"], values["CwattsNowNet"]) == (2000 * phases, -1500 * phases)
    assert values["indexcumulexport"] - before["indexcumulexport"] == pytest.approx(1500 * phases, abs=3 * phases)
    assert values["indexcumulimport"] == before["indexcumulimport"]
    assert values["PwattHoursLifetime1"] - before["PwattHoursLifetime1"] == pytest.approx(2000, abs=3)
    assert values["CwattHoursLifetime"] - before["CwattHoursLifetime"] == pytest.approx(500 * phases, abs=40 * phases)
    assert values["tension1"] == pytest.approx(running.gateway.state()["volts"][0], abs=0.06)


def test_a_plant_with_a_transformer_on_its_loads(play, clock, caplog):
    plant = Plant(clock.time)
    plant.set({"production": 2000.0, "consumption": 500.0})
    running = play(DaySource(plant, fitted=Fitted(consumption="total-consumption")), phases="mono")
    values = running.advance(120, 10).values()
    assert "indexcumulimport" not in values
    assert (values["CwattsNow"], values["Export"]) == (500, 1500)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("gone", [READINGS, "/ivp/meters"])
def test_a_page_that_was_there_and_is_refused_for_a_moment_is_waited_for(play, gone, restarted):
    """A gateway that starts refuses pages; the inverters' own counters must not show for the meters' meanwhile."""
    source = house()
    running = play(source, phases="mono")
    before = running.values()["PwattHoursLifetime"]
    source.pages[SUMMARY] = STANDARD[SUMMARY]
    source.pages[PRODUCTION] = STANDARD[PRODUCTION]
    page = source.pages.pop(gone)
    if restarted:
        running.restart()
    running.advance(60, 5)
    assert running.values().get("PwattHoursLifetime", before) == before
    source.pages[gone] = page
    asked = running.asked(READINGS)
    running.advance(300, 10)
    assert running.asked(READINGS) - asked >= 4
    assert running.values()["PwattHoursLifetime"] == before
    assert running.states[-1] == "online"


def test_a_side_page_that_was_there_is_asked_for_again_within_minutes(play):
    source = house()
    running = play(source, phases="mono")
    running.advance(120, 10)
    page = source.pages.pop(INVERTERS)
    running.advance(120, 10)
    source.pages[INVERTERS] = page
    asked = running.asked(INVERTERS)
    running.advance(600, 10)
    assert running.asked(INVERTERS) - asked > 2


def test_a_page_refused_for_years_is_still_left_alone_for_a_day_at_a_time():
    class Gone:
        answers = 1

        def get(self, path, read=None):
            if self.answers:
                self.answers -= 1
                return {}
            raise EndpointRefused("gone")

    clock = ManualClock(noon())
    pages = Endpoints(Gone(), None, clock, lambda: SERIAL, lambda: None)
    pages.read(INVERTERS)
    for _ in range(1200):
        assert pages.offered(INVERTERS) is None
        clock.advance(86_400)
        assert not pages.skipped(INVERTERS)
