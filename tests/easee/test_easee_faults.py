"""What goes wrong with the service and its stream: recovered alone, in bounded time, with nothing invented."""

from __future__ import annotations

import json
import time

import pytest
from jeenergied.devices.easee.streaming import stall_detector

from tests.easee.conftest import FIRST, SECOND, connection
from tests.easee.standing import PING_S


def begin(rig, cloud, *serials):
    """An account whose chargers have values."""
    rig.configure(connection(cloud, *(serials or (FIRST,))))
    rig.wait_value("10", "status", 1)


def news(cloud, serial=FIRST):
    """Something happens at the charger that nobody has told yet."""
    cloud.chargers[serial].plug()


@pytest.mark.parametrize("how", ["close", "fin", "rst", "type7", "type7again"])
def test_an_ended_stream_is_opened_anew_and_nothing_between_is_missed(make_rig, cloud, how):
    rig = make_rig()
    begin(rig, cloud, FIRST, SECOND)
    cloud.hub.faults.add("status", "/negotiate", 503, count=1)
    cloud.hub.end_streams(how)
    rig.wait(lambda: len(cloud.hub.negotiations) >= 2)
    news(cloud)
    rig.wait_value("10", "status", 3)
    # The first charger's value can arrive before the second one has subscribed.
    rig.wait(lambda: cloud.hub.subscribed(SECOND) == 1)
    assert cloud.hub.streams == 1
    assert cloud.hub.subscribed(FIRST) == 1
    assert cloud.accounts.logins == 1
    assert rig.states() in (["connecting", "online"], ["online"])  # seconds are no news


def test_each_stream_has_a_connection_of_its_own(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    for number in range(2, 5):
        cloud.hub.end_streams("fin")
        rig.wait(lambda number=number: len(cloud.hub.upgrades) >= number)
        rig.wait(lambda: cloud.hub.subscribed(FIRST) == 1)
    assert len(cloud.hub.negotiations) == 4


def test_a_stream_that_says_nothing_at_all_is_replaced(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    cloud.hub.mute = True
    news(cloud)
    rig.wait(lambda: not rig.device()._session.live, 65)
    cloud.hub.mute = False
    rig.wait_value("10", "status", 3)
    assert len(cloud.hub.negotiations) == 2
    assert "unreachable" not in rig.states()  # it was back before anybody could be sure


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_service_that_is_dead_is_told_after_three_of_its_pings(make_rig, cloud, kind):
    rig = make_rig()
    begin(rig, cloud)
    rig.time.run(70)
    begun = rig.clock.monotonic()
    cloud.hub.mute = True
    cloud.fault(kind, "/", 503)
    rig.wait(lambda: "unreachable" in rig.states(), 120)
    assert 3 * PING_S - 5 <= rig.clock.monotonic() - begun <= 3 * PING_S + 5


def test_a_stalled_stream_is_found_well_before_jeedoms_heartbeat(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    rig.wait(lambda: cloud.asked("/state") == 1)
    cloud.hub.stalled = True
    news(cloud)
    begun = rig.clock.monotonic()
    rig.wait_value("10", "status", 3, 600)  # read by REST
    rig.wait(lambda: len(cloud.hub.negotiations) >= 2)
    assert rig.clock.monotonic() - begun < 600
    assert rig.runner().health.counters["stalls"] >= 1


@pytest.mark.parametrize("readings", ["there", "gone"])
@pytest.mark.parametrize(("charging", "most"), [(True, 300), (False, 480)])
def test_from_a_stall_to_the_truth(make_rig, cloud, readings, charging, most, record_property):
    if readings == "gone":
        cloud.fault("status", "/state/", 404)
    charger = cloud.chargers[FIRST]
    if charging:
        charger.plug()
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "power", 11.04 if charging else 0)
    rig.time.settle()
    cloud.hub.stalled = True
    begun = rig.clock.monotonic()
    asked = cloud.asked("/state/")  # after the subscription, and before the change
    charger.unplug() if charging else charger.plug()
    # A stalled hub that is asked anew tells what it has, unlike one whose every word is held back.
    rig.wait(lambda: len(cloud.hub.subscriptions) > 1 or cloud.asked("/state/") > asked, most)
    cloud.hub.stalled = False
    rig.wait_value("10", "power", 0 if charging else 11.04)
    rig.wait_value("10", "status", 1 if charging else 3)
    taken = rig.clock.monotonic() - begun
    record_property("seconds", taken)
    print(f"stall while {'charging' if charging else 'idle'}, readings {readings}: truth after {taken:.0f} s")
    assert taken < most
    rig.wait(lambda: rig.value("10", "online"))


def test_a_charger_that_the_hub_has_forgotten_is_asked_for_on_the_stream_that_stands(make_rig, cloud, monkeypatch):
    monkeypatch.setattr(stall_detector, "MAX_RECONNECTIONS_PER_HOUR", 0)
    cloud.hub.deaf.add(FIRST)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)  # read by REST
    cloud.hub.deaf.clear()
    rig.wait(lambda: cloud.hub.subscribed(FIRST), 600)
    news(cloud)
    rig.wait_value("10", "status", 3)
    assert (len(cloud.hub.negotiations), cloud.hub.streams) == (1, 1)


def test_a_quiet_charger_is_not_taken_for_a_stalled_stream(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud, FIRST, SECOND)
    before = len(cloud.requests)
    rig.time.run(1500)
    assert len(cloud.hub.negotiations) == 1
    assert "stalls" not in rig.runner().health.counters
    states = [seen for seen in cloud.requests[before:] if "/observations" in seen.path]
    assert 2 <= len(states) <= 12


def test_an_account_without_a_replay_is_reconnected_but_not_for_ever(make_rig, cloud):
    cloud.hub.stalled = True
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.time.run(1500)
    assert 2 <= len(cloud.hub.negotiations) <= 4


def test_a_token_that_ends_in_mid_stream_is_renewed_at_the_next_connection(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    cloud.accounts.revoke()
    cloud.hub.end_streams("close")
    rig.wait(lambda: len(cloud.hub.upgrades) >= 2)
    news(cloud)
    rig.wait_value("10", "status", 3)
    assert (cloud.accounts.refreshes, cloud.accounts.logins) == (1, 1)


def test_a_websocket_that_refuses_the_token_leads_to_another_token(make_rig, cloud):
    cloud.fault("status", "/upgrade", 401, count=1)
    rig = make_rig()
    begin(rig, cloud)
    assert cloud.accounts.refreshes + cloud.accounts.logins == 2


def test_tries_during_an_outage_are_few_and_the_end_of_it_is_noticed(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud, FIRST, SECOND)
    cloud.fault("status", "/negotiate", 503)
    cloud.hub.end_streams("fin")
    tries = len(cloud.hub.negotiations)
    rig.time.run(40)
    assert len(cloud.hub.negotiations) - tries <= 6
    cloud.clear()
    rig.wait(lambda: cloud.hub.subscribed(FIRST))


def test_an_outage_is_told_once_and_its_end_too(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    cloud.fault("status", "/negotiate", 503)
    cloud.hub.end_streams("fin")
    rig.wait(lambda: "unreachable" in rig.states(), 120)
    rig.time.run(250)
    assert rig.states().count("unreachable") <= 2  # one, and Jeedom's repeat every five minutes
    cloud.clear()
    rig.wait(lambda: rig.states()[-1] == "online", 400)


def test_without_a_stream_the_state_is_read_now_and_then(make_rig, cloud):
    rig = make_rig()
    begin(rig, cloud)
    cloud.fault("status", "/negotiate", 503)
    cloud.hub.end_streams("fin")
    news(cloud)
    rig.wait_value("10", "status", 3, 300)


@pytest.mark.parametrize("bad", [FIRST, SECOND])
def test_without_a_stream_one_bad_charger_does_not_keep_the_others_from_being_read(make_rig, cloud, bad):
    rig = make_rig()
    begin(rig, cloud, FIRST, SECOND)
    cloud.fault("status", "/negotiate", 503)
    cloud.fault("status", f"/state/{bad}", 404)
    cloud.hub.end_streams("fin")
    good, number = (SECOND, "11") if bad == FIRST else (FIRST, "10")
    news(cloud, good)
    rig.wait_value(number, "status", 3, 300)


@pytest.mark.parametrize("kind", ["html", "garbage", "truncated", "drop"])
def test_a_negotiation_that_fails_in_any_way_is_tried_again(make_rig, cloud, kind):
    cloud.fault(kind, "/negotiate", count=1)
    rig = make_rig()
    begin(rig, cloud)


@pytest.mark.parametrize("kind", ["status", "drop", "html"])
def test_an_upgrade_that_fails_in_any_way_is_tried_again(make_rig, cloud, kind):
    cloud.fault(kind, "/upgrade", 502 if kind == "status" else None, count=1)
    rig = make_rig()
    begin(rig, cloud)


@pytest.mark.parametrize("kind", ["error", "none"])
def test_a_handshake_that_fails_is_tried_again(make_rig, cloud, kind):
    cloud.hub.handshake = kind
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: len(cloud.hub.upgrades) >= 2)
    cloud.hub.handshake = "normal"
    rig.wait_value("10", "status", 1)


def test_a_handshake_glued_to_records_counts(rig, cloud):
    cloud.hub.handshake = "glued"
    begin(rig, cloud)


def test_records_split_over_frames_are_put_together(rig, cloud):
    cloud.hub.chop = 7
    begin(rig, cloud)
    news(cloud)
    rig.wait_value("10", "status", 3)


def test_records_glued_into_one_frame_are_all_used(rig, cloud):
    cloud.hub.glue = True
    begin(rig, cloud)
    rig.wait_value("10", "WIFI", True)


def test_a_replay_in_any_order_with_duplicates_invents_nothing(rig, cloud):
    cloud.hub.shuffle = True
    begin(rig, cloud)
    rig.wait(lambda: rig.runner().health.counters.get("observationsTooOld", 0) > 20)
    seen = {event["values"]["status"] for event in rig.server.of("values") if "status" in event["values"]}
    assert seen == {1}


def test_damaged_and_unknown_records_cost_only_themselves(rig, cloud):
    begin(rig, cloud)
    good = json.dumps(
        {
            "type": 1,
            "target": "ProductUpdate",
            "arguments": [{"mid": FIRST, "dataType": 4, "id": 109, "timestamp": "2099-01-01T00:00:00Z", "value": "4"}],
        }
    )
    bad = ["{", "[]", "null", '{"type":99}', '{"type":1}', '{"type":1,"target":"New","arguments":[{}]}', "\x00", '""']
    bad += [
        f'{{"type":1,"target":"ProductUpdate","arguments":{each}}}' for each in ("null", "7", "[null]", '[{"id":{}}]')
    ]
    cloud.hub.send_all("\x1e".join([*bad, good]) + "\x1e")
    rig.wait_value("10", "status", 4)
    assert len(cloud.hub.negotiations) == 1


def test_what_is_no_utf_8_ends_the_stream_and_a_new_one_follows(rig, cloud):
    begin(rig, cloud)
    cloud.hub.send_all("\udcff\x1e")
    rig.wait(lambda: len(cloud.hub.negotiations) == 2)
    news(cloud)
    rig.wait_value("10", "status", 3)


def test_a_refused_subscription_is_told_of_that_charger_only(rig, cloud):
    cloud.hub.refused.add(SECOND)
    begin(rig, cloud, FIRST, SECOND)
    rig.wait(lambda: [e for e in rig.server.of("connection") if e.get("equipment") == "11"])
    news(cloud)
    rig.wait_value("10", "status", 3)
    assert rig.states()[-1] == "online"


def test_a_subscription_without_an_answer_disturbs_nobody(rig, cloud):
    cloud.hub.deaf.add(SECOND)
    begin(rig, cloud, FIRST, SECOND)
    news(cloud)
    rig.wait_value("10", "status", 3)


@pytest.mark.parametrize(
    ("kind", "value", "least"),
    [("limited", 100, 100), ("limited", None, 300), ("too_many", None, 300), ("limiter", None, 300)],
)
def test_nothing_is_sent_while_the_service_asks_to_wait(make_rig, cloud, kind, value, least):
    cloud.fault(kind, "/api/accounts/login", value, count=1)
    rig = make_rig()
    first = rig.clock.monotonic()
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: "waiting" in rig.states())
    assert "until" in next(event for event in rig.server.of("connection") if event["state"] == "waiting")
    rig.wait(lambda: len(cloud.requests) > 1, 2 * least)
    assert rig.clock.monotonic() - first >= least
    rig.wait_value("10", "status", 1)


def test_a_pause_outlives_a_restart(make_rig, cloud):
    cloud.fault("limited", "/api/accounts/login", 600, count=1)
    first = make_rig()
    first.configure(connection(cloud, FIRST))
    first.wait(lambda: "waiting" in first.states())
    first.stop()
    second = make_rig()
    second.configure(connection(cloud, FIRST))
    second.wait(lambda: "waiting" in second.states())
    assert len(cloud.requests) == 1


def test_a_pause_is_told_once_and_does_not_grow_by_waiting(make_rig, cloud, caplog):
    cloud.fault("limited", "/api/accounts/login", 600, count=1)
    first = make_rig()
    first.configure(connection(cloud, FIRST))
    first.wait(lambda: "waiting" in first.states())
    first.stop()
    caplog.clear()
    second = make_rig()
    second.configure(connection(cloud, FIRST))
    second.wait(lambda: cloud.asked("login") == 2, 1200)
    told = [each.getMessage() for each in caplog.records if each.levelname in ("WARNING", "ERROR")]
    assert len(told) == 1, told


def test_a_pause_that_has_not_helped_is_followed_by_longer_ones(make_rig, cloud):
    cloud.fault("limited", "/api/accounts/login", 10, count=3)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: cloud.asked("login") == 2)
    second = rig.clock.monotonic()
    rig.wait(lambda: cloud.asked("login") == 3, 600)
    assert rig.clock.monotonic() - second > 290


def test_empty_and_null_states_keep_what_is_known(rig, cloud):
    begin(rig, cloud)
    rig.wait(lambda: cloud.asked("/state") == 1)
    cloud.fault("nulls", f"/state/{FIRST}")
    rig.device().refresh()
    cloud.clear()
    cloud.fault("garbage", f"/state/{FIRST}", "[]", count=1)
    rig.device().refresh()
    assert rig.device()._fleet.get(FIRST).values[109] == 1


def test_a_service_that_is_not_there_at_the_start_is_no_reason_to_end(make_rig, cloud):
    cloud.server.suspend()
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: "unreachable" in rig.states())
    cloud.server.resume()
    rig.wait_value("10", "status", 1)


def test_the_end_does_not_wait_for_a_stream_that_hangs(make_rig, cloud):
    rig = make_rig()
    cloud.hub.handshake = "none"
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: len(cloud.hub.upgrades) >= 1)
    begun = time.monotonic()
    rig.supervisor.stop(2.0)
    assert time.monotonic() - begun < 12
