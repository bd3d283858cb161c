"""How far a refusal reaches, how long it lasts, what the user reads, and what it costs the service in requests."""

from __future__ import annotations

import json
import re

import pytest
from jeenergied.devices.base import AuthenticationFailed, DeviceError, RateLimited, Refused, VendorError

from simulators.easee import Account
from tests.easee.conftest import FIRST, PASSWORD, SECOND, USER
from tests.easee.crank import DAY, HOUR, Memory, run
from tests.support.documented import agrees

MINUTE = 60.0


def act(crank, command, equipment=0, **options):
    crank.device.act(crank.device.connection.equipment[equipment], command, options)


def refused(crank, command, **options):
    with pytest.raises(DeviceError) as caught:
        act(crank, command, **options)
    return caught.value


def asked(service, since=0):
    """What was asked of the service and of the hub since the first so many."""
    return len(service.requests) + len(service.hub.negotiations) - since


def plain(error):
    """Checks that a message is in words: no path, no English title of the service."""
    text = str(error)
    assert not re.search(r"/api|/state|/hubs|statut|Too many|Forbidden|title", text), text
    return text


# One path, one charger.


def test_forbidden_on_one_path_refuses_that_action_only(make_crank, service):
    service.chargers[FIRST].command_mode = "nothing"
    crank = make_crank(FIRST, quiet=True)
    service.fault("firewall", f"/api/chargers/{FIRST}/settings")
    for _ in range(3):
        error = refused(crank, "smartCharging_ON")
        assert isinstance(error, Refused)
        assert "réessayez plus tard" in plain(error)
        act(crank, "pause_ON")
        crank.device.refresh()
        crank.run(5 * MINUTE)
    assert crank.errors == []


def test_forbidden_on_a_second_path_is_the_address(make_crank, service):
    crank = make_crank(FIRST, quiet=True)
    crank.device.refresh()
    service.fault("firewall")
    assert isinstance(refused(crank, "smartCharging_ON"), Refused)
    assert isinstance(refused(crank, "pause_ON"), RateLimited)
    before = asked(service)
    with pytest.raises(RateLimited, match="rien n'est envoyé avant le"):
        crank.device.test()  # real: that the address is blocked is our own conclusion
    assert asked(service, before) == 1
    with pytest.raises(RateLimited):
        crank.device.test()
    assert asked(service, before) == 1  # within a minute
    service.clear()
    crank.run(2 * MINUTE)
    crank.device.test()
    crank.device.refresh()


def test_two_refusals_with_a_success_between_them_are_two_paths(make_crank, service):
    service.chargers[FIRST].command_mode = "nothing"
    crank = make_crank(FIRST, quiet=True)
    service.fault("firewall", f"/api/chargers/{FIRST}/settings")
    service.fault("firewall", f"/api/chargers/{FIRST}/commands/lock_state")
    refused(crank, "smartCharging_ON")
    act(crank, "pause_ON")
    assert isinstance(refused(crank, "cable_lock"), Refused)
    act(crank, "pause_OFF")


def test_two_chargers_refused_in_the_same_way_are_one_kind_of_request(make_crank, service):
    service.fault("firewall", "/state/")
    crank = make_crank(FIRST, SECOND, quiet=True)
    crank.device.refresh()  # the stream is asked instead
    assert crank.device._session.asked == [FIRST, SECOND]
    crank.device.test()


def test_a_refused_reading_is_not_asked_for_again_and_again(make_crank, service):
    service.fault("status", "/state/", 404)
    crank = make_crank(FIRST, quiet=True)
    crank.device.subscribed(FIRST, None)
    crank.tell(FIRST, {109: 1, 250: 1})
    for _ in range(96):
        crank.run(15 * MINUTE)
        crank.tell(FIRST, {150: 20})
    assert service.asked("/state/") <= 5
    assert len(crank.device._session.asked) > 96  # the stream is asked for all values instead, which costs nothing


def test_a_kept_circuit_that_is_refused_is_looked_up_again(make_crank, service):
    service.chargers[FIRST].command_mode = "nothing"
    service.chargers[SECOND].circuit = 90000
    crank = make_crank(FIRST, quiet=True)
    act(crank, "setDynamicCircuitCurrent", slider=16)
    service.chargers[FIRST].circuit = 80001  # the old one answers 403 from now on
    act(crank, "setDynamicCircuitCurrent", slider=20)
    assert service.commands[-1][2]["phase1"] == 20
    assert sum(seen.path.endswith("/site") for seen in service.requests) == 2
    service.fault("status", "/api/sites/", 405)
    for _ in range(2):
        plain(refused(crank, "setDynamicCircuitCurrent", slider=16))
    service.clear()
    act(crank, "setDynamicCircuitCurrent", slider=16)


# What is gone for all.


def test_what_is_gone_for_all_chargers_for_a_day_is_told_once_as_the_vendors_change(make_crank, service):
    service.fault("status", "/state/", 404)
    crank = make_crank(FIRST, SECOND)
    crank.run(20 * HOUR)
    assert crank.messages == []
    crank.run(2 * DAY)
    after = make_crank(FIRST, SECOND, memory=Memory(json.loads(json.dumps(crank.memory))))
    after.run(3 * DAY)
    told = crank.messages + after.messages
    assert len(told) == 1
    assert "Les valeurs en direct et les commandes continuent" in told[0]
    assert {text for _, text in crank.troubles if text} == set()


def test_what_is_gone_for_one_charger_of_two_is_not_the_vendors_change(make_crank, service):
    service.fault("status", f"/state/{FIRST}", 404)
    crank = make_crank(FIRST, SECOND)
    crank.run(2 * DAY)
    assert crank.messages == []
    assert service.asked(f"/state/{FIRST}") < 10
    assert service.asked(f"/state/{SECOND}") > 1000  # every two minutes


def test_a_key_that_answers_no_longer_have_is_named_once_in_the_log(make_crank, service, caplog):
    crank = make_crank(FIRST, quiet=True)
    crank.device.refresh()
    service.fault("garbage", "/state/", '{"observations": [{"id": 109, "val": 3}]}')
    for _ in range(3):
        crank.device.refresh()
    told = [each.getMessage() for each in caplog.records if "no " in each.getMessage()]
    assert told == ["the answer 'observations' has no observations[].value, observations[].timestamp any more"]


# The address.


def test_a_block_of_a_day_from_the_last_request_ends_by_itself(make_crank, service):
    crank = make_crank(FIRST, SECOND)
    crank.run(HOUR)
    service.block()
    before, begun = asked(service), crank.clock.time()
    crank.run(DAY - HOUR)
    assert asked(service, before) == 1
    for command in ("pause_ON", "smartCharging_ON"):
        assert "rien n'est envoyé avant le" in plain(refused(crank, command))
    for ask in (crank.device.refresh, crank.device.test, crank.device.discover):
        with pytest.raises(RateLimited) as caught:
            ask()
        assert caught.value.retry == pytest.approx(begun + DAY + 900 - crank.clock.time(), abs=300)
    assert asked(service, before) == 1
    crank.run(1.5 * HOUR)
    assert service._blocked_until < crank.clock.time()
    assert asked(service, before) > 2
    assert service.asked("/state/") > 0
    crank.device.refresh()


def test_a_restart_neither_forgets_a_block_nor_makes_it_longer(make_crank, service):
    crank = make_crank(FIRST)
    crank.run(HOUR)
    service.block()
    crank.run(10 * MINUTE)
    before = asked(service)
    for _ in range(6):
        kept = (Memory(json.loads(json.dumps(each))) for each in (crank.memory, crank.shared_memory))
        crank = make_crank(FIRST, memory=next(kept), shared=next(kept))
        crank.run(3.9 * HOUR)
    assert asked(service, before) == 0
    crank.run(HOUR)
    assert service._blocked_until < crank.clock.time()
    crank.device.refresh()


def test_all_accounts_of_this_address_wait(make_crank, service, hand):
    service.accounts.change(Account("other@example.org", PASSWORD, (SECOND,)))
    shared = Memory()
    mine = make_crank(FIRST, shared=shared)
    other = make_crank(SECOND, shared=shared, user="other@example.org")
    run([mine, other], HOUR)
    service.block()
    before = asked(service)
    run([mine, other], DAY)
    assert asked(service, before) == 1
    run([mine, other], HOUR)
    mine.device.refresh()
    other.device.refresh()


def test_all_accounts_of_this_address_have_one_budget(make_crank, service):
    service.accounts.change(Account("other@example.org", PASSWORD, (SECOND,)))
    shared = Memory()
    mine = make_crank(FIRST, shared=shared, quiet=True)
    other = make_crank(SECOND, shared=shared, quiet=True, user="other@example.org")
    for _ in range(64):
        mine.device.refresh()
    with pytest.raises(RateLimited):
        mine.device.refresh()
    with pytest.raises(RateLimited, match="la suivante attend"):
        other.device.refresh()
    assert asked(service) <= 90


@pytest.mark.parametrize("kind", ["too_many", "limiter", "limited"])
def test_a_block_in_any_form_is_one(make_crank, service, kind):
    crank = make_crank(FIRST)
    crank.run(HOUR)
    service.fault(kind)
    before = asked(service)
    crank.run(3 * DAY)
    counted = [seen for seen in service.requests[before:] if seen.status in (302, 403, 429)]
    assert len(counted) <= 10  # an hour and a half of tries that grow rarer, then one a day
    assert all(isinstance(each, RateLimited) for each in crank.errors[-3:])
    plain(crank.errors[-1])
    service.clear()
    crank.run(DAY + HOUR)
    crank.device.refresh()


def test_an_answer_to_what_left_before_a_block_does_not_end_it(make_crank, service):
    crank = make_crank(FIRST, quiet=True)
    account = crank.device._account
    crank.device.refresh()
    begun, wall = crank.clock.monotonic(), crank.clock.time()
    crank.clock.advance(1)
    service.block()
    with pytest.raises(RateLimited):
        crank.device.refresh()
    account._passed(begun, wall)
    before = asked(service)
    with pytest.raises(RateLimited):
        crank.device.refresh()
    assert asked(service) == before


def test_a_pause_that_is_over_makes_the_next_one_no_longer(make_crank, service):
    crank = make_crank(FIRST, quiet=True)
    for _ in range(3):
        service.fault("limited", count=1)
        with pytest.raises(RateLimited) as caught:
            crank.device.refresh()
        assert caught.value.retry == pytest.approx(300, abs=1)
        crank.run(6 * MINUTE)
        crank.device.refresh()


def test_an_address_that_only_the_stream_refuses_is_served_by_requests(make_crank, service):
    service.hub.faults.clear()
    service.fault("status", "/negotiate", 429)
    crank = make_crank(FIRST)
    crank.run(3 * DAY)
    tries = len(service.hub.negotiations)
    assert tries <= 8
    assert service.asked("/state/") > 2 * DAY / 120
    assert "le flux en direct" in plain(crank.errors[-1])


def test_a_stream_that_is_gone_for_a_day_is_told_once_and_values_go_on(make_crank, service):
    service.hub.faults.clear()
    service.fault("status", "/negotiate", 404)
    crank = make_crank(FIRST)
    crank.run(2 * DAY)
    assert len(crank.messages) == 1
    assert "toutes les deux minutes" in crank.messages[0]
    assert len(service.hub.negotiations) <= 50
    assert service.asked("/state/") > 1000
    plain(crank.errors[-1])


def test_a_scenario_that_asks_every_minute_does_not_prolong_a_block_of_ours(make_crank, service):
    crank = make_crank(FIRST, quiet=True)
    crank.device.refresh()
    service.fault("firewall")
    refused(crank, "pause_ON")
    refused(crank, "smartCharging_ON")
    before = asked(service)
    for _ in range(24 * 60):
        with pytest.raises(DeviceError):
            crank.device.refresh()
        crank.run(MINUTE)
    assert asked(service, before) < 40


# The credential: logins in 30 days.

LOGINS = [
    ("wrong password", 40),
    ("wrong password, restarted every day", 40),
    ("login: no JSON", 780),
    ("login: error 500", 780),
    ("login: error 500 to a phone number", 780),
    ("login: 403 of the gateway", 40),
    ("login: 429", 40),
    ("every renewal refused", 830),
    ("nothing wrong", 1),
]


@pytest.mark.parametrize(("kind", "most"), LOGINS)
def test_logins_of_a_month(make_crank, service, kind, most, record_property):
    user, password = USER, PASSWORD
    if kind.startswith("wrong password"):
        password = "wrong"
    elif kind == "login: no JSON":
        service.fault("html", "/api/accounts/login")
    elif kind.startswith("login: error 500"):
        user = "+33612345678" if "phone" in kind else user
        service.fault("status", "/api/accounts/login", 500)
    elif kind == "login: 403 of the gateway":
        service.fault("firewall", "/api/accounts/login")
    elif kind == "login: 429":
        service.fault("limited", "/api/accounts/login")
    elif kind == "every renewal refused":
        service.accounts.refuse_refresh = True
    days = 30 if most < 100 and kind != "nothing wrong" else 2  # what is hourly is so from the first day on
    crank = make_crank(FIRST, user=user, password=password)
    if kind in ("every renewal refused", "nothing wrong"):
        service.fault("status", "/state/", 404)  # not to read 20,000 times
    for _ in range(days):
        crank.run(DAY)
        if "restarted" in kind:
            crank = make_crank(FIRST, password=password, memory=Memory(json.loads(json.dumps(crank.memory))))
    logins = service.asked("/api/accounts/login") * 30 / days
    record_property("logins", logins)
    print(f"{kind}: {logins:.0f} logins in 30 days")
    assert logins <= max(most, 30 / days)
    assert kind == "nothing wrong" or agrees("Easee", kind, logins)
    if crank.errors:
        plain(crank.errors[-1])


def test_a_refused_login_waits_longer_each_time_and_the_user_is_not_kept_waiting(make_crank, service):
    crank = make_crank(FIRST, password="wrong")
    crank.run(2 * DAY)
    assert 3 <= service.asked("login") <= 5
    before = service.asked("login")
    with pytest.raises(AuthenticationFailed, match="vérifiez-les"):
        crank.device.test()
    with pytest.raises(DeviceError):
        crank.device.test()  # within a minute
    assert service.asked("login") == before + 1
    service.accounts.change(Account(USER, "wrong", (FIRST,)))
    crank.run(2 * MINUTE)
    crank.device.test()
    crank.run(HOUR)
    crank.device.refresh()


def test_another_password_is_tried_at_once(make_crank, service):
    crank = make_crank(FIRST, password="wrong")
    crank.run(2 * DAY)
    after = make_crank(FIRST, memory=crank.memory)
    after.run(5 * MINUTE)
    after.device.refresh()


def test_a_phone_number_is_accepted_and_the_address_is_proposed_when_it_is_not(make_crank, service):
    service.accounts.change(Account("+33612345678", PASSWORD, (FIRST,)))
    make_crank(FIRST, user="+33612345678").device.test()
    with pytest.raises(AuthenticationFailed, match="adresse e-mail"):
        make_crank(FIRST, user="+33612345678", password="wrong").device.test()
    service.fault("status", "/api/accounts/login", 500)
    with pytest.raises(VendorError, match="adresse e-mail"):
        make_crank(FIRST, user="+33600000000").device.test()


def test_an_account_that_works_again_is_found_within_the_hour(make_crank, service):
    service.fault("status", "/api/accounts/login", 503)
    crank = make_crank(FIRST)
    crank.run(12 * HOUR)
    service.faults.clear()
    crank.run(1.1 * HOUR)
    assert service.accounts.logins == 1


# What a quiet charger costs.


def test_requests_of_a_quiet_charger(make_crank, service, record_property):
    crank = make_crank(FIRST, quiet=True)
    crank.device.subscribed(FIRST, None)
    charger = service.chargers[FIRST]
    crank.tell(FIRST, {each.id: each.value for each in charger.observed.values()})
    before, hours = asked(service), 24
    for _ in range(4 * hours):
        crank.run(15 * MINUTE)
        charger.pulse()
        crank.tell(FIRST, {150: 24, 194: 231.4})
    each_hour = asked(service, before) / hours
    record_property("requests", each_hour)
    print(f"quiet charger: {each_hour:.1f} requests an hour")
    assert each_hour < 12
