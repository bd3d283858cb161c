"""An account from its first login on: values, tokens, chargers that come and go, other passwords."""

from __future__ import annotations

import json

import pytest
from jeenergied.devices.base import AuthenticationFailed, DeviceError, RateLimited

from simulators.easee import Account
from tests.easee.conftest import FIRST, PASSWORD, SECOND, USER, connection


def refresh_without_end(rig):
    for _ in range(200):
        rig.device().refresh()


def test_values_of_all_chargers_come_by_one_stream_and_one_login(rig, cloud):
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("10", "status", 1)
    rig.wait_value("11", "status", 1)
    assert (cloud.accounts.logins, len(cloud.hub.negotiations), cloud.hub.streams) == (1, 1, 1)
    assert rig.value("10", "power") == 0
    assert rig.value("10", "lifetimeEnergy") == 5120.7
    assert rig.states()[-1] == "online"


def test_a_change_at_the_charger_is_a_value_at_once(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    cloud.chargers[FIRST].plug()
    rig.wait_value("10", "status", 3)
    rig.wait_value("10", "power", 11.04)
    rig.wait_value("10", "plugged", True)
    assert rig.value("11", "status") is None


def test_the_session_is_walked_through(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    charger = cloud.chargers[FIRST]
    charger.plug(battery=1.0)
    rig.wait_value("10", "status", 3)
    charger.pass_time(600)
    rig.wait_value("10", "status", 4)
    rig.wait_value("10", "power", 0)
    charger.unplug()
    rig.wait_value("10", "status", 1)
    rig.wait_value("10", "plugged", False)


def test_test_logs_in_really_and_tells_how_many_chargers_there_are(rig, cloud):
    _, asked = rig.supervisor.ask_temporary(rig.supervisor.parse(connection(cloud)), lambda device: device.test())
    identity = asked.result(30)
    assert identity.data == {"chargers": 2, "equalizers": 0, "serials": [FIRST, SECOND]}
    assert cloud.accounts.logins == 1


def test_a_wrong_password_is_told_by_test_with_what_to_do(rig, cloud):
    wrong = rig.supervisor.parse(connection(cloud, password="wrong"))
    _, asked = rig.supervisor.ask_temporary(wrong, lambda device: device.test())
    with pytest.raises(AuthenticationFailed, match="vérifiez-les dans l'application Easee"):
        asked.result(30)


def test_a_wrong_password_is_tried_once_and_told_once(make_rig, cloud):
    rig = make_rig()
    rig.configure(connection(cloud, FIRST, password="wrong"))
    rig.wait(
        lambda: rig.states() == ["connecting", "authentication_failed"] or rig.states() == ["authentication_failed"]
    )
    rig.time.run(120)
    assert cloud.accounts.failed_logins == 1
    assert rig.states().count("authentication_failed") == 1


def test_a_user_who_asks_ends_the_pause_of_a_refused_login(make_rig, cloud):
    cloud.fault("status", "/api/accounts/login", 401)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: "authentication_failed" in rig.states())
    cloud.faults.clear()
    rig.time.run(70)
    assert "online" not in rig.states()
    runner = rig.runner()
    runner.call(runner.device.test).result(30)
    assert cloud.asked("login") == 2


def test_another_password_takes_effect_at_once(rig, cloud):
    rig.configure(connection(cloud, FIRST, password="wrong"))
    rig.wait(lambda: "authentication_failed" in rig.states())
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)


def test_tokens_of_the_former_password_are_not_used_with_a_new_one(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.configure(connection(cloud, FIRST, password="wrong"))
    rig.wait(lambda: "authentication_failed" in rig.states())


def test_a_restart_costs_no_login(make_rig, cloud):
    first = make_rig()
    first.configure(connection(cloud, FIRST))
    first.wait_value("10", "status", 1)
    first.stop()
    second = make_rig()
    second.configure(connection(cloud, FIRST))
    second.wait_value("10", "status", 1)
    assert cloud.accounts.logins == 1


def test_a_token_is_renewed_before_half_of_its_life_and_costs_no_reconnection(make_rig, cloud):
    cloud.accounts.lifetime = 400.0
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.wait(lambda: cloud.accounts.refreshes >= 1, 200)
    tokens = rig.device()._account.tokens
    assert tokens.age(tokens.kept()) < 400.0
    assert cloud.accounts.logins == 1
    assert len(cloud.hub.negotiations) == 1


def test_a_refused_token_is_renewed_once_and_the_request_repeated(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    cloud.accounts.revoke()
    rig.device().refresh()
    assert (cloud.accounts.refreshes, cloud.accounts.logins) == (1, 1)


def test_a_refused_renewal_leads_to_a_login(make_rig, cloud):
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.time.run(70)
    cloud.accounts.refuse_refresh = True
    cloud.accounts.revoke()
    rig.device().refresh()
    assert cloud.accounts.logins == 2


def test_a_token_that_is_refused_after_its_renewal_ends_in_words(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.wait(lambda: cloud.asked("/state") == 1)
    cloud.fault("status", "/state/", 401)
    before = len(cloud.requests)
    with pytest.raises(AuthenticationFailed):
        rig.device().refresh()
    assert len(cloud.requests) - before == 3  # refused, renewed, refused


def test_chargers_are_found_with_their_names_and_colours(rig, cloud):
    cloud.chargers[FIRST].name, cloud.chargers[FIRST].color = "Garage", 2
    rig.configure(connection(cloud))
    found = rig.device().discover()
    assert [(each.type, each.key, each.name, each.config["color"]) for each in found] == [
        ("charger", FIRST, "Garage", "red"),
        ("charger", SECOND, f"Charger {SECOND}", "white"),
    ]


def test_a_charger_that_is_added_is_subscribed_without_another_stream(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("11", "status", 1)
    assert len(cloud.hub.negotiations) == 1


def test_a_charger_that_is_removed_is_unsubscribed(rig, cloud):
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("11", "status", 1)
    rig.configure(connection(cloud, FIRST))
    # The stream is built anew for it: for a moment neither is subscribed.
    rig.wait(lambda: (cloud.hub.subscribed(SECOND), cloud.hub.subscribed(FIRST)) == (0, 1))


def test_a_charger_moves_to_another_account(rig, cloud):
    cloud.accounts.change(Account("other@example.org", "another password", (SECOND,)))
    mine = connection(cloud, FIRST, SECOND)
    other = connection(cloud, identifier="2", user="other@example.org", password="another password")
    rig.configure(mine, other)
    rig.wait_value("11", "status", 1)
    moved = mine["equipment"].pop()
    rig.configure(mine, {**other, "equipment": [moved]})
    rig.wait(lambda: rig.runner("2").health.counters.get("observations"))
    cloud.chargers[SECOND].plug()
    rig.wait_value("11", "status", 3)
    assert cloud.hub.subscribed(SECOND) == 1


def test_a_serial_of_somebody_else_is_told_and_does_not_disturb_the_others(rig, cloud):
    rig.configure(connection(cloud, FIRST, "EH999999"))
    rig.wait_value("10", "status", 1)
    rig.wait(lambda: [e for e in rig.server.of("connection") if e.get("equipment") == "11"])
    told = [event for event in rig.server.of("connection") if event.get("equipment") == "11"]
    assert (told[0]["state"], told[0]["code"]) == ("error", "refused")
    assert "EH999999" in told[0]["message"]
    assert rig.states()[-1] == "online"


def test_a_serial_that_is_none_reaches_no_address(rig, cloud):
    rig.configure(connection(cloud, FIRST, "../../accounts"))
    rig.wait(lambda: [e for e in rig.server.of("connection") if e.get("equipment") == "11"])
    paths = [each.path for each in cloud.requests]
    assert paths
    # The library takes the dots out of an address: "/state/../../accounts/observations" is asked as the last two words.
    assert [path for path in paths if ".." in path or ("accounts" in path and "login" not in path)] == [], paths


def test_two_accounts_do_not_disturb_each_other(rig, cloud):
    wrong = connection(cloud, SECOND, identifier="2", password="wrong")
    rig.configure(connection(cloud, FIRST), wrong)
    rig.wait(lambda: rig.supervisor.status()["2"]["state"] == "authentication_failed")
    rig.wait_value("10", "status", 1)
    assert rig.supervisor.status()["1"]["state"] == "online"


def test_an_account_that_is_taken_away_leaves_no_stream(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.configure()
    rig.wait(lambda: cloud.hub.streams == 0)


def test_refresh_reads_every_charger(rig, cloud):
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("11", "status", 1)
    cloud.hub.stalled = True
    cloud.chargers[SECOND].set(124, 5121.5)
    rig.device().refresh()
    rig.wait(lambda: rig.device()._fleet.get(SECOND).values[124] == 5121.5)


def test_an_offline_charger_shows_no_power(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    cloud.chargers[FIRST].plug()
    rig.wait_value("10", "power", 11.04)
    cloud.chargers[FIRST].go_offline()
    rig.wait_value("10", "power", 0)
    rig.wait_value("10", "status", 0)
    rig.wait_value("10", "online", False)
    cloud.chargers[FIRST].come_back()
    rig.wait_value("10", "power", 11.04)


def test_the_budget_holds_requests_back_before_the_service_does(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    before = len(cloud.requests)
    with pytest.raises(RateLimited) as caught:
        refresh_without_end(rig)
    assert len(cloud.requests) - before < 90
    assert 0 < caught.value.retry <= 305  # it is counted in parts of five seconds
    counters = rig.runner().status()["counters"]
    assert counters["requestsLast5min"] <= counters["requestsAllowed5min"] == 90


def test_actions_have_a_budget_of_their_own(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    with pytest.raises(RateLimited):
        refresh_without_end(rig)
    rig.act("10", "pause_ON")


def test_an_address_without_https_is_refused_in_words(rig, cloud):
    rig.configure(
        {**connection(cloud, FIRST), "config": {"user": "a", "password": "b", "apiUrl": "http://example.org"}}
    )
    rig.wait(lambda: "error" in rig.states())
    assert "https://" in rig.server.of("connection")[-1]["message"]


def test_what_is_kept_holds_no_password(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    kept = json.dumps(rig.store.scope("1"))
    assert PASSWORD not in kept
    assert USER not in kept


def test_a_quiet_charger_counts_as_fresh_while_the_stream_lives(make_rig, cloud):
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.time.run(200)
    seen, _ = rig.runner().publisher._plans["10"].seen["status"]
    assert rig.clock.monotonic() - seen < 150


def test_errors_are_of_the_kinds_that_the_core_knows():
    from jeenergied.devices.easee.actions import NotConfirmed
    from jeenergied.devices.easee.client import NotThere, TokenRefused

    assert all(issubclass(each, DeviceError) for each in (NotConfirmed, NotThere, TokenRefused))


@pytest.mark.parametrize("answer", [404, 400])
@pytest.mark.parametrize("typed", [True, False])
def test_the_endpoint_that_the_vendor_has_removed_is_not_missed(make_rig, cloud, answer, typed):
    cloud.state_endpoint, cloud.typed = answer, typed
    rig = make_rig()
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("11", "status", 1)
    cloud.hub.stalled = True
    cloud.chargers[SECOND].plug()
    rig.device().refresh()
    rig.wait_value("11", "status", 3)
    rig.wait_value("11", "power", 11.04)
    assert not cloud.asked("/api/chargers/")
    assert not [event for event in rig.server.of("connection") if event.get("equipment")]


@pytest.mark.parametrize("status", [404, 400])
def test_a_refused_reading_of_the_accounts_own_charger_is_no_fault_of_it(make_rig, cloud, status):
    cloud.fault("status", "/state/", status)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    rig.wait(lambda: cloud.asked("/api/chargers") == 1)
    cloud.chargers[FIRST].plug()
    rig.wait_value("10", "status", 3)
    assert not [event for event in rig.server.of("connection") if event.get("equipment")]


@pytest.mark.parametrize("bad", [FIRST, SECOND])
def test_one_bad_charger_does_not_spoil_the_refresh_of_the_others(make_rig, cloud, bad):
    cloud.fault("status", f"/state/{bad}", 404)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("10", "status", 1)
    rig.wait_value("11", "status", 1)
    cloud.hub.stalled = True
    good, number = (SECOND, "11") if bad == FIRST else (FIRST, "10")
    cloud.chargers[good].plug()
    before = len(cloud.hub.subscriptions)
    rig.device().refresh()
    rig.wait_value(number, "status", 3)
    rig.wait(lambda: cloud.hub.subscriptions[before:])
    assert [serial for _, serial in cloud.hub.subscriptions[before:]] == [bad]  # the stream is asked instead
