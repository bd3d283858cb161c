"""How a gateway is asked, and what its failures look like to Jeedom: one request at a time, one word per outage."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Plant
from simulators.server import Response
from tests.support.clocks import noon

from .harness import INVERTERS, PRODUCTION, READINGS, SERIAL, SUMMARY, Pages, house, reading, wait_until


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(noon())


@pytest.fixture
def gateway(opened, clock):
    return opened(EnphaseGateway(house(), clock=clock.time))


def errors(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def told(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# ---- discipline


@pytest.mark.parametrize("cookies", [False, True], ids=["session", "a new session each time"])
def test_at_one_second_the_readings_are_nearly_all_that_is_asked(bench, opened, clock, caplog, cookies):
    gateway = opened(EnphaseGateway(house(), clock=clock.time, cookie_always=cookies))
    running = bench(gateway, clock=clock, pollInterval=1, inverters=(SERIAL,)).start()
    begin = len(gateway.requests)
    running.advance(600, 1)
    asked = [seen.path.split("?")[0] for seen in gateway.requests[begin:]]
    assert asked.count(READINGS) == 600
    assert asked.count(PRODUCTION) == asked.count(INVERTERS) == 10
    assert len(asked) == 620
    assert gateway.max_in_flight == 1
    assert gateway.tls_connections == 2
    assert told(caplog) == []


def test_once_an_hour_the_gateway_is_looked_at_again(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=60).start()
    begin = len(gateway.requests)
    running.advance(3 * 3600, 60)
    asked = [seen.path.split("?")[0] for seen in gateway.requests[begin:]]
    for path in ("/info", "/auth/check_jwt", "/ivp/meters"):
        assert asked.count(path) == 3
    assert len(asked) == 3 * (3 + 3 * 60)


def test_the_period_is_the_users(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=300).start()
    running.advance(3000, 10)
    assert running.asked(READINGS) == 11
    assert running.asked(PRODUCTION) == 11
    running.configure(pollInterval=2)
    running.settle()
    begin = running.asked(READINGS)
    running.advance(60, 1)
    assert running.asked(READINGS) - begin == 30


def test_a_page_that_takes_half_a_minute_is_asked_less_often(bench, opened, clock):
    source = house()
    page = source.pages[PRODUCTION]

    def slow(now):
        clock.advance(30)
        return page

    source.pages[PRODUCTION] = slow
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=10).start()
    running.advance(7200, 10)
    assert 9 <= running.asked(PRODUCTION) <= 13
    assert running.asked(READINGS) > 680


def test_a_slow_page_delays_the_readings_and_does_not_pile_them_up(bench, opened, clock):
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=1).start()
    gateway.fault("latency", PRODUCTION, 0.5, count=1)
    slow = threading.Thread(target=running.advance, args=(61, 61))
    slow.start()
    wait_until(lambda: gateway.server.in_flight)
    clock.advance(30)
    slow.join()
    running.settle()
    running.advance(5, 1)
    assert gateway.max_in_flight == 1


def test_what_the_user_asks_for_waits_its_turn(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=1).start()
    gateway.fault("latency", READINGS, 0.05)
    questions = [
        threading.Thread(target=running.ask, args=("refresh",)),
        threading.Thread(target=running.ask, args=("discover",)),
        threading.Thread(target=running.ask, args=("test",), kwargs={"connection": running.definition}),
    ]
    for question in questions:
        question.start()
    running.advance(5, 1)
    for question in questions:
        question.join()
    assert gateway.max_in_flight == 1


@pytest.mark.parametrize("mode", ["combined", "separate"])
def test_new_equipment_has_all_values_within_three_seconds(bench, gateway, clock, mode):
    running = bench(gateway, clock=clock, pollInterval=60, mode=mode)
    kinds = {"combined": ["combined"], "separate": ["production", "net", "total"]}[mode]
    for number, kind in enumerate(kinds):
        running.equip(str(50 + number), kind, gateway.serial)
    newcomers, running.others = running.others, []
    running.start().advance(7)
    running.forget_events()
    running.others = newcomers
    running.configure()
    running.advance(3, 0.5)
    at_once = [set(running.values(str(50 + number))) for number in range(len(kinds))]
    running.advance(180, 5)
    for number, before in enumerate(at_once):
        assert set(running.values(str(50 + number))) == before != set()


def test_a_connection_that_the_gateway_has_closed_is_no_failure(bench, gateway, clock, caplog):
    running = bench(gateway, clock=clock, pollInterval=1).start()
    before = running.asked(READINGS)
    for _ in range(5):
        gateway.server.drop_connections()
        running.advance(1)
    assert running.asked(READINGS) == before + 5
    assert told(caplog) == []


# ---- what the user asks for


def test_the_test_says_who_answers_and_how_long_the_token_lasts(bench, gateway, clock):
    running = bench(gateway, clock=clock).start()
    answer = running.ask("test", connection=running.definition)
    assert answer["text"] == (
        "Passerelle 122300000001, firmware D8.2.4382, 2 compteurs actifs, jeton valable encore 364 jours"
    )
    identity = {"serial": "122300000001", "firmware": "D8.2.4382", "meters": 2, "tokenDays": 364}
    assert answer["identity"] == identity
    form = running.definition
    form["config"] = {**form["config"], "pollInterval": 7}  # not as it runs
    assert running.ask("test", connection=form)["identity"] == identity
    assert set(running.states) <= {"connecting", "online"}


def test_a_test_of_settings_that_are_not_saved_sends_nothing(bench, gateway, clock):
    running = bench(gateway, clock=clock)
    running.supervisor.configure(1, [])
    assert running.ask("test", connection=running.definition)["identity"]["meters"] == 2
    assert running.ask("discover", connection=running.definition)["equipment"][0]["type"] == "combined"
    running.drain()
    assert running.events == []


def test_what_is_found_has_keys_and_names(bench, gateway, clock):
    found = bench(gateway, clock=clock).start().ask("discover")["equipment"]
    assert [(each["type"], each["key"], each["name"]) for each in found] == [
        ("combined", "122300000001", "Passerelle Enphase 0001"),
        ("inverter", SERIAL, "Onduleur 01"),
    ]


@pytest.mark.parametrize("kind", ["html", "garbage"])
def test_the_gateway_is_found_even_when_its_list_of_inverters_is_broken(bench, gateway, clock, kind):
    running = bench(gateway, clock=clock).start()
    gateway.fault(kind, INVERTERS)
    assert [each["type"] for each in running.ask("discover")["equipment"]] == ["combined"]


def test_a_refresh_has_everything_sent_that_changed(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=3600, inverters=(SERIAL,)).start()
    running.forget_events()
    gateway.source.pages[READINGS] = lambda now: [reading("production", now, 77.0, 9_000_001.0, 0.0)]
    gateway.source.pages[PRODUCTION]["consumption"][0]["whLifetime"] = 8_000_123.0
    gateway.source.pages[INVERTERS] = lambda now: [
        {"serialNumber": SERIAL, "lastReportDate": int(now), "devType": 1, "lastReportWatts": 33}
    ]
    assert running.ask("refresh", equipment="2") == {}
    assert running.values()["PwattsNow"] == 77
    assert running.values()["CwattHoursLifetime"] == 8_000_123
    assert running.inverter(SERIAL) == {"Watt": 33}


def test_a_refresh_before_the_first_success_says_why_not(bench, gateway, clock):
    gateway.fault("status", value=503)
    running = bench(gateway, clock=clock).start()
    with pytest.raises(Exception, match="démarre ou est surchargée") as refused:
        running.ask("refresh")
    assert refused.value.code == "unreachable"
    gateway.clear()
    assert running.ask("refresh") == {}
    assert running.values()["PwattsNow"] == 1500


def test_an_operation_that_does_not_exist(bench, gateway, clock):
    running = bench(gateway, clock=clock).start()
    with pytest.raises(Exception, match="Opération inconnue"):
        running.ask("run", connection="1", operation="explode", options={})


# ---- failures

FAULTS = {
    "html": (None, "sous une forme lisible", "error"),
    "garbage": (None, "sous une forme lisible", "error"),
    "drop": (None, "ne répond pas", "unreachable"),
    "truncated": (None, "ne répond pas", "unreachable"),
    "status": (503, "démarre ou est surchargée", "unreachable"),
    "zeros": (None, "n'a pas de mesure", "unreachable"),
    "frozen": (None, "n'avancent plus", "unreachable"),
}


@pytest.mark.parametrize(("kind", "period"), [*((kind, 1) for kind in FAULTS), ("garbage", 60), ("frozen", 60)])
def test_a_failure_is_told_after_three_intervals_once_and_recovers_alone(bench, gateway, clock, caplog, kind, period):
    value, words, state = FAULTS[kind]
    running = bench(gateway, clock=clock, pollInterval=period).start()
    running.advance(120, period)
    running.forget_events()
    gateway.fault(kind, READINGS, value)
    before = len(gateway.requests)
    step = 5 if period == 1 else 20
    quiet = 25 if period == 1 else 160
    running.advance(quiet, step)
    assert set(running.states) <= {"online"}
    running.advance(900 - quiet, step)
    assert state in running.states
    assert set(running.states) <= {"online", state}
    assert running.last_state["state"] == state
    assert words in running.last_state["message"]
    assert running.last_state["code"] == {"error": "vendor_error"}.get(state, state)
    assert len(errors(caplog)) == 1
    assert len(gateway.requests) - before < 900 / 6  # given time, however short the period
    values = [event for event in running.of("values") if event["equipment"] == "2"]
    sent = {name: value for event in values for name, value in event["values"].items()}
    assert not {name: value for name, value in sent.items() if value != healthy()[name]}
    gateway.clear()
    running.advance(150, step)
    assert running.last_state["state"] == "online"
    running.forget_events()
    gateway.source.pages[READINGS] = lambda now: [reading("production", now, 1234.0, 9_000_000.0, 0.0)]
    running.advance(60, step)
    assert running.values()["PwattsNow"] == 1234
    assert len(errors(caplog)) == 1


def healthy() -> dict[str, float]:
    """The values of `house` in one phase."""
    return {
        "PwattsNow": 1500,
        "PwattHoursLifetime": 9_000_000,
        "CwattsNow": 900,
        "CwattHoursLifetime": 8_000_000,
        "CwattsNowNet": -600,
        "Import": 0,
        "Export": 600,
        "CwattHoursLifetimeNet": -1_000_000,
        "indexcumulimport": 4_000_000,
        "indexcumulexport": 5_000_000,
        "tension": 230,
    }


def test_a_healthy_house_has_exactly_these_values(bench, gateway, clock):
    assert bench(gateway, clock=clock).start().values() == healthy()


def test_an_inverter_has_its_power_and_its_highest(bench, gateway, clock):
    gateway.source.pages[INVERTERS] = lambda now: [
        {"serialNumber": SERIAL, "lastReportDate": int(now), "devType": 1, "lastReportWatts": 33, "maxReportWatts": 250}
    ]
    seen = bench(gateway, clock=clock, inverters=(SERIAL,)).start().inverter(SERIAL)
    assert (seen["Watt"], seen["maxWatt"]) == (33, 250)


@pytest.mark.parametrize("kind", ["status", "drop", "garbage", "truncated", "zeros"])
def test_a_short_pause_at_night_is_not_told_at_all(bench, gateway, clock, caplog, kind):
    running = bench(gateway, clock=clock, pollInterval=60, inverters=(SERIAL,)).start()
    running.advance(600, 10)
    running.forget_events()
    gateway.fault(kind, value=503 if kind == "status" else None)
    running.advance(120, 5)
    gateway.clear()
    running.advance(120, 5)
    assert set(running.states) <= {"online"}
    assert told(caplog) == []
    before = running.asked(READINGS)
    running.advance(360, 5)
    assert running.asked(READINGS) - before == 6


def test_a_hiccup_of_one_request_costs_two_seconds(bench, gateway, clock, caplog):
    running = bench(gateway, clock=clock, pollInterval=1).start()
    gateway.fault("garbage", READINGS, count=1)
    before = running.asked(READINGS)
    running.advance(10, 1)
    assert running.asked(READINGS) - before >= 7
    assert told(caplog) == []


def test_a_gateway_that_says_nothing_ends_in_a_time_out(bench, gateway, clock, monkeypatch, caplog):
    monkeypatch.setattr("jeenergied.devices.enphase.gateway.client.READ_TIMEOUT_S", 0.1)
    running = bench(gateway, clock=clock, pollInterval=10).start()
    gateway.fault("hang", READINGS)
    running.advance(600, 30)
    assert running.last_state["state"] == "unreachable"
    assert "ne répond pas" in running.last_state["message"]
    gateway.clear()
    running.advance(90, 10)
    assert running.states[-1] == "online"
    assert len(errors(caplog)) == 1


@pytest.mark.parametrize("path", [PRODUCTION, INVERTERS])
@pytest.mark.parametrize("kind", ["garbage", "html", "drop", "truncated", "status"])
def test_a_page_beside_the_main_one_fails_alone(bench, gateway, clock, caplog, path, kind):
    running = bench(gateway, clock=clock, pollInterval=30, inverters=(SERIAL,)).start()
    gateway.fault(kind, path, 500 if kind == "status" else None)
    running.advance(1800, 30)
    assert set(running.states) <= {"connecting", "online"}
    assert errors(caplog) == []
    assert len(told(caplog)) == 1
    assert running.asked(READINGS) >= 60
    failed = running.asked(path)
    assert failed <= (14 if kind == "drop" else 7)  # 1, 2, 4, ... min
    gateway.clear()
    before = len(told(caplog))
    running.advance(1200, 30)
    assert running.asked(path) > failed
    gateway.fault(kind, path, 500 if kind == "status" else None)
    running.advance(300, 30)
    assert len(told(caplog)) == before + 1  # another outage


@pytest.mark.parametrize("kind", ["garbage", "drop", "status"])
def test_a_broken_list_of_meters_does_not_stop_the_readings(bench, gateway, clock, caplog, kind):
    running = bench(gateway, clock=clock, pollInterval=60).start()
    running.forget_events()
    answer = gateway.server.answer
    gateway.server.answer = lambda request: answer(request) if request.path != "/ivp/meters" else broken(kind)
    before = running.asked(READINGS)
    running.advance(4200, 60)
    assert running.asked(READINGS) - before == 70
    gateway.fault("garbage", READINGS, count=1)  # a failure, after which everything is looked at again
    running.advance(300, 30)
    assert running.asked(READINGS) - before > 72
    assert set(running.states) == {"online"}
    assert errors(caplog) == []


def broken(kind: str) -> Response:
    """An answer that is no use."""
    if kind == "garbage":
        return Response(200, b"{{{")
    return Response(500) if kind == "status" else Response(how="drop")


@pytest.mark.parametrize("kind", ["garbage", "drop", "status"])
def test_a_standard_gateway_does_not_depend_on_its_slow_page(bench, opened, clock, kind):
    summary = {"wattHoursToday": 10, "wattHoursSevenDays": 700, "wattHoursLifetime": 5_000_000, "wattsNow": 1234}
    gateway = opened(EnphaseGateway(Pages({SUMMARY: summary}, "D7.6.175", imeter=False), clock=clock.time))
    gateway.fault(kind, PRODUCTION, 500 if kind == "status" else None)
    running = bench(gateway, clock=clock).start()
    assert running.values() == {"PwattsNow": 1234, "PwattHoursLifetime": 5_000_000}
    running.advance(7200, 60)
    assert set(running.states) <= {"connecting", "online"}
    assert running.asked(SUMMARY) > 118


def test_a_boot_of_ten_minutes(bench, opened, clock, caplog):
    plant = Plant(clock.time)
    plant.set({"production": 3000.0, "consumption": 700.0})
    gateway = opened(EnphaseGateway(DaySource(plant), clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=5).start()
    before = running.values()
    running.forget_events()
    gateway.access.end_sessions()
    gateway.server.suspend()
    running.advance(25, 5)
    assert set(running.states) <= {"online"}
    running.advance(335, 5)
    assert running.states[-1] == "unreachable"
    gateway.server.resume()
    gateway.fault("status", value=503)
    running.advance(180, 5)
    gateway.clear()
    gateway.fault("zeros")
    running.advance(60, 5)
    assert running.states[-1] == "unreachable"
    gateway.clear()
    running.advance(120, 5)
    assert running.states[-1] == "online"
    assert len(errors(caplog)) == 1
    sent = [event["values"] for event in running.of("values") if event["equipment"] == "2"]
    for name in ("PwattHoursLifetime", "indexcumulexport"):
        indexes = [values[name] for values in sent if name in values]
        assert indexes == sorted(indexes)
        assert indexes[-1] > before[name]
    assert {values["PwattsNow"] for values in sent if "PwattsNow" in values} <= {3000}
    assert min(values["tension"] for values in sent if "tension" in values) > 200
    assert "CwattHoursLifetime" in running.values()


def test_a_boot_of_a_standard_gateway_does_not_change_what_counts(bench, opened, clock):
    plant = Plant(clock.time)
    plant.set({"production": 3000.0, "consumption": 700.0})
    source = DaySource(plant, metered=False, firmware="D7.6.175")
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=30).start()
    running.advance(600, 30)
    running.forget_events()
    gateway.fault("status", value=503)
    running.advance(120, 10)
    gateway.clear()
    gateway.fault("zeros")
    running.advance(120, 10)
    gateway.clear()
    running.advance(1200, 30)
    values = [event["values"] for event in running.of("values")]
    sent = [each["PwattHoursLifetime"] for each in values if "PwattHoursLifetime" in each]
    assert sent == sorted(sent)
    assert sent[-1] - sent[0] < 3000


def test_meters_that_are_set_up_later_are_found_within_the_hour(bench, opened, clock):
    source = house()
    meters = source.pages["/ivp/meters"]
    source.pages["/ivp/meters"] = [{**each, "state": "disabled"} for each in meters]
    page = source.pages[PRODUCTION]
    inverters = {"type": "inverters", "activeCount": 9, "wNow": 1111, "whLifetime": 9_000_000}
    source.pages[PRODUCTION] = {"production": [inverters], "storage": []}
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=1).start()
    assert running.values()["PwattsNow"] == 1111
    source.pages["/ivp/meters"], source.pages[PRODUCTION] = meters, page
    running.advance(3660, 30)
    assert running.values() == healthy()
    before = running.asked(READINGS)
    running.advance(10, 1)
    assert running.asked(READINGS) - before == 10


def test_three_phases_that_become_one_are_noticed_within_the_hour(bench, opened, clock):
    source = house()
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, phases="tri").start()
    assert running.values()["PwattsNow1"] == 1500
    source.pages["/ivp/meters"] = [{**each, "phaseCount": 3} for each in source.pages["/ivp/meters"]]
    source.pages[READINGS] = lambda now: [
        reading("production", now, 60.0, 9_000_000.0, 400.0, (10.0, 1, 0, 231), (20.0, 2, 0, 232), (30.0, 3, 0, 233))
    ]
    running.advance(3700, 60)
    assert [running.values()[f"PwattsNow{n}"] for n in ("", 1, 2, 3)] == [60, 10, 20, 30]


def test_a_bench_that_ends_in_the_middle_of_a_request_ends_soon(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=10).start()
    gateway.fault("hang", READINGS)
    clock.advance(10)
    wait_until(lambda: gateway.server.in_flight)
    begin = time.monotonic()
    running.supervisor.configure(99, [])
    assert time.monotonic() - begin < 4
    gateway.clear()


def test_with_a_long_interval_a_failure_is_tried_again_within_a_minute(opened, bench, clock):
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    made = bench(gateway, clock=clock, pollInterval=600).start()
    gateway.fault("status", READINGS, 404, count=3)
    polls = made.asked(READINGS)
    made.advance(660, 1)
    assert made.asked(READINGS) == polls + 4
    assert set(made.states) <= {"connecting", "online"}
