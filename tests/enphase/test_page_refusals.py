"""One page that is refused, empty or no JSON never stops the others, and is told without its path."""

from __future__ import annotations

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Plant
from simulators.server import Response

from .harness import INVERTERS, PRODUCTION, READINGS, SERIAL, SUMMARY, Pages, house

NOON = 1_780_312_800.0  # 1 June 2026, 13:20 in Paris
METERS = "/ivp/meters"
PANELS = {
    SUMMARY: {"wattHoursToday": 10937, "wattHoursSevenDays": 342385, "wattHoursLifetime": 5089571, "wattsNow": 1068}
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def answering(gateway: EnphaseGateway, path: str, response: Response) -> None:
    """Answers one page, and no other that begins like it, with `response`."""
    healthy = gateway.server.answer
    gateway.server.answer = lambda request: response if request.path == path else healthy(request)


BROKEN = {
    "empty": Response(200, b""),
    "page": Response.of_html("<html><body>Not what you asked</body></html>"),
    "503": Response.of_text("Resource busy, please retry after 30 seconds", 503),
    "500": Response.of_html("<html></html>", 500),
    "closed": Response(how="drop"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_standard_gateway_with_a_broken_list_of_meters_is_read_by_its_summary(opened, bench, clock, how):
    gateway = opened(EnphaseGateway(Pages(dict(PANELS), "D7.6.175", imeter=False), clock=clock.time))
    answering(gateway, METERS, BROKEN[how])
    running = bench(gateway, clock=clock).start()
    assert running.values() == {"PwattsNow": 1068, "PwattHoursLifetime": 5089571}
    running.advance(2 * 3600, 60)
    assert set(running.states) <= {"connecting", "online"}
    assert running.asked(SUMMARY) > 115
    text = running.ask("test", connection=running.definition)["text"]
    assert "ne donne pas la liste de ses compteurs" in text
    assert running.ask("discover", connection=running.definition)["equipment"]


@pytest.mark.parametrize("how", BROKEN)
def test_meters_behind_a_list_that_was_broken_at_the_start_are_found_within_minutes(opened, bench, clock, how):
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    healthy = gateway.server.answer
    answering(gateway, METERS, BROKEN[how])
    running = bench(gateway, clock=clock).start()
    assert running.values()["PwattsNow"] == 1500  # of the production page
    assert "indexcumulimport" not in running.values()
    gateway.server.answer = healthy
    running.advance(400, 20)
    assert running.values()["indexcumulimport"] == 4_000_000


def test_a_summary_that_fails_leaves_the_inverters_sum(opened, bench, clock):
    pages = Pages(
        {PRODUCTION: {"production": [{"type": "inverters", "activeCount": 9, "wNow": 1111, "whLifetime": 99}]}}
    )
    gateway = opened(EnphaseGateway(pages, clock=clock.time))
    pages.firmware, pages.imeter = "D7.6.175", False
    answering(gateway, SUMMARY, BROKEN["503"])
    assert bench(gateway, clock=clock).start().values()["PwattsNow"] == 1111


def test_a_summary_of_zeros_for_a_while_does_not_change_what_counts(opened, bench, clock):
    """For two minutes, as after a boot; the inverters' own sum, which counts from elsewhere, is there meanwhile."""
    before = {"wattHoursToday": 900, "wattHoursSevenDays": 4000, "wattHoursLifetime": 5_000_000, "wattsNow": 1000}
    source = Pages({SUMMARY: before}, "D7.6.175", imeter=False)
    source.pages[PRODUCTION] = {
        "production": [{"type": "inverters", "activeCount": 24, "readingTime": 1, "wNow": 1000, "whLifetime": 317_385}]
    }
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock).start()
    running.advance(600, 30)
    running.forget_events()
    source.pages[SUMMARY] = dict.fromkeys(before, 0)
    running.advance(120, 10)
    source.pages[SUMMARY] = {**before, "wattHoursLifetime": 5_000_050}
    running.advance(300, 10)
    assert {event["values"].get("PwattHoursLifetime", 5_000_050) for event in running.of("values")} <= {
        5_000_000,
        5_000_050,
    }
    assert running.values()["PwattHoursLifetime"] == 5_000_050
    assert set(running.states) <= {"online"}


@pytest.mark.parametrize("path", [READINGS, PRODUCTION, INVERTERS, METERS])
def test_no_message_names_a_path(opened, bench, clock, path, caplog):
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    running = bench(gateway, clock=clock, inverters=(SERIAL,)).start()
    for response in (Response(200, b"{{"), Response(404), Response.of_text("busy", 503)):
        answering(gateway, path, response)
        running.advance(3700, 60)
    told = [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert path == METERS or told
    told += [event.get("message", "") for event in running.of("connection")] + running.messages
    assert [text for text in told if "/ivp" in text or "/api" in text or ".json" in text] == []


def test_retired_inverters_are_offered_as_inactive(opened, bench, clock):
    source = house()
    units = [
        {"serialNumber": SERIAL, "lastReportDate": NOON - 100, "devType": 1, "lastReportWatts": 260},
        {"serialNumber": "121600000102", "lastReportDate": 1536668599, "lastReportWatts": 13, "maxReportWatts": 13},
        {"serialNumber": "121800000103", "lastReportDate": 0, "devType": 1, "lastReportWatts": 0, "maxReportWatts": 0},
        {"serialNumber": "122300000104", "lastReportDate": NOON - 6 * 86_400, "devType": 1, "lastReportWatts": 1},
    ]
    source.pages[INVERTERS] = units
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    found = bench(gateway, clock=clock).start().ask("discover")["equipment"]
    assert {each["key"]: each["active"] for each in found if each["type"] == "inverter"} == {
        SERIAL: True,
        "121600000102": False,
        "121800000103": False,
        "122300000104": True,  # snow, or a winter night
    }


def test_retired_inverters_of_a_plant_are_offered_as_inactive_too(opened, bench, clock):
    gateway = opened(EnphaseGateway(DaySource(Plant(clock.time, inverters=3, retired=2)), clock=clock.time))
    found = bench(gateway, clock=clock).start().ask("discover")["equipment"]
    assert [each["active"] for each in found if each["type"] == "inverter"] == [False, False, True, True, True]


def test_a_key_that_a_page_no_longer_has_is_named_once(opened, bench, clock, caplog):
    source = house()
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, inverters=(SERIAL,)).start()
    running.advance(3700, 60)
    assert [
        record for record in caplog.records if "no more" in record.getMessage() or "any more" in record.getMessage()
    ] == []
    units = source.pages[INVERTERS]
    source.pages[INVERTERS] = lambda now: [{"serial": each["serialNumber"]} for each in units(now)]
    running.advance(6 * 3600, 60)
    told = [record.getMessage() for record in caplog.records if "any more" in record.getMessage()]
    assert told == ["the answer 'inverters' has no [].serialNumber, [].lastReportDate any more"]
