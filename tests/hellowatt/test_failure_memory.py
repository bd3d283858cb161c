"""What the site can do wrong: each has its own answer, and none loses anything or asks too much."""

from __future__ import annotations

from datetime import date

import pytest

from jeedom_bridge.listener import CommandError
from simulators.hellowatt import Customer, HelloWattSite, Home

from .harness import EMAIL, PASSWORD, Bench, at, one_home

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)


def posts(site: HelloWattSite) -> int:
    return len(site.asked("login", "POST"))


def test_a_refused_password_is_shown_to_the_site_once(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E, password="mauvais").start()
    assert connected.last_state["state"] == "authentication_failed"
    assert "12 caractères" in connected.last_state["message"]
    assert connected.value("etat") == "CREDENTIALS"
    connected.pass_time(2 * 86400)
    connected.restart().pass_time(86400)
    assert posts(site) == 1
    connected.configure(password=PASSWORD)
    connected.pass_time(60)
    assert connected.last_state["state"] == "online"
    assert posts(site) == 2


@pytest.mark.parametrize(
    ("state", "mark"), [("inactive", "ACCOUNT_BLOCKED"), ("unconfirmed", "ACCOUNT_BLOCKED"), ("captcha", "EXTRA_STEP")]
)
def test_an_account_that_wants_its_owner_is_left_alone_for_a_day(clock, opened, bench, state, mark):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    if state == "captcha":
        site.fault("captcha", "/accounts/login/")
    else:
        site.customers[0].state = state
    connected = bench(site, clock, E).start().pass_time(20 * 3600)
    assert connected.last_state["state"] == "authentication_failed"
    assert connected.value("etat") == mark
    assert len(site.visits) <= 2
    site.clear()
    site.customers[0].state = "active"
    connected.pass_time(36 * 3600)
    assert connected.last_state["state"] == "online"


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/homes/502113/sge_measures"])
def test_a_429_is_remembered_across_a_restart(clock, opened, bench, path):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.fault("rate_limited", path, 7200, count=1)
    connected = bench(site, clock, E).start()
    assert connected.last_state["state"] == "waiting"
    asked = len(site.visits)
    for _ in range(3):
        connected.pass_time(1500).restart()
    with pytest.raises(CommandError, match="avant 14:00"):
        connected.ask("refresh")
    assert len(site.visits) == asked
    connected.pass_time(4 * 3600)
    assert connected.last_state["state"] == "online"


def test_a_429_without_a_time_means_an_hour(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.fault("rate_limited", "*", None, count=1)
    connected = bench(site, clock, E).start().pass_time(3400)
    assert len(site.visits) == 1
    assert connected.last_state["state"] == "waiting"


@pytest.mark.parametrize("lost", ["403", "401", "redirect", "page"])
def test_a_lost_session_is_renewed_and_the_same_asked_again(clock, opened, bench, lost):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.lost = lost
    connected = bench(site, clock, E).start().until("2026-03-11 14:00")
    site.logins.expire()
    site.visits.clear()
    connected.until("2026-03-11 16:30")
    assert connected.last_state["state"] == "online"
    assert posts(site) == 1
    assert date(2026, 3, 10) in connected.jeedom.history("2", "conso_jour")


def test_a_session_that_never_works_ends_after_one_login(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.logins.session_requests = 0
    connected = bench(site, clock, E).start()
    assert connected.value("etat") == "LOGIN_UNCONFIRMED"
    assert posts(site) == 1
    connected.pass_time(20 * 3600)
    assert posts(site) <= 4


@pytest.mark.parametrize(
    ("fault", "value", "path", "mark", "words"),
    [
        ("maintenance", 200, "/api", "SITE_DOWN", "maintenance"),
        ("maintenance", 503, "/api", "SITE_DOWN", "indisponible"),
        ("maintenance", 200, "/accounts", "SITE_DOWN", "maintenance"),
        ("html", None, "/api", "NOT_JSON", "une page au lieu"),
        ("garbage", None, "/api", "NOT_JSON", "illisible"),
        ("truncated", None, "/api", "SITE_DOWN", "injoignable"),
        ("drop", None, "*", "SITE_DOWN", "injoignable"),
        ("redirect", "https://example.org/x", "/api", "LAYOUT", "redirection 302"),
        ("renamed", ["datetime", "date"], "/api", "LAYOUT", "values[].datetime"),
        ("renamed", ["kwhDetailed", "kwh"], "/api", "LAYOUT", "values[].kwhDetailed"),
        ("renamed", ["values", "rows"], "/api", "LAYOUT", "values absent"),
        ("next", None, "/api", "LAYOUT", "values (next)"),
        ("no_input", "password", "/accounts", "ok", ""),
        ("no_cookie", None, "*", "LAYOUT", "cookie csrftoken"),
        ("interstitial", None, "*", "FORBIDDEN", "page de connexion"),
        ("renamed", ["form", "formulaire"], "/accounts", "ok", ""),
        ("status", 404, "/api", "NO_DATA", "ne connaît pas"),
        ("status", 400, "/api", "ERROR", "pas accepté la demande"),
    ],
)
def test_every_other_answer_says_what_it_was_and_loses_nothing(clock, opened, bench, fault, value, path, mark, words):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    site.fault(fault, path, value)
    connected = bench(site, clock, E).start()
    assert connected.value("etat") == mark
    told = connected.last_state.get("message", "")
    assert words in told
    assert "/api" not in told
    assert "changé" not in told
    site.clear()
    connected.until("2026-03-11 23:50")
    assert connected.last_state["state"] == "online"
    assert set(connected.jeedom.history("2", "conso_jour")) == set(home.truth("electricity", clock.time()))


@pytest.mark.parametrize("how", ["double", "slash", "version"])
def test_other_forms_of_the_same_are_understood(clock, opened, bench, how):
    site, home = one_home(clock, since=SINCE)
    site.slash, site.refuse_versions = how == "slash", how == "version"
    opened(site)
    if how == "double":
        site.fault("double", "/api")
    connected = bench(site, clock, E).start().until("2026-03-10 18:00")
    assert set(connected.jeedom.history("2", "conso_jour")) == set(home.truth("electricity", clock.time()))
    assert len(site.visits) < 20


def test_one_energy_that_fails_does_not_stop_the_other(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start().until("2026-03-11 10:00")
    site.fault("status", "/api/homes/502113/sge_measures", 500)
    connected.until("2026-03-11 23:00")
    assert (connected.value("etat"), connected.value("etat", "3")) == ("SITE_DOWN", "ok")
    assert date(2026, 3, 10) in connected.jeedom.history("3", "conso_jour")
    assert connected.last_state["state"] == "unreachable"


def test_a_home_without_gas_is_no_error_and_is_not_asked_again_for_a_week(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, []).start()
    for _ in range(3):
        found = connected.ask("discover", connection=connected.definition)["equipment"]
        assert [each["type"] for each in found] == ["electricity"]
    assert len(site.asked("adict")) == 1


def test_an_account_without_homes_data_or_meters_says_so(clock, opened, bench):
    bare = Home(1)
    site = opened(HelloWattSite([Customer(EMAIL, PASSWORD, [bare])], clock=clock.time))
    connected = bench(site, clock, []).start()
    with pytest.raises(CommandError, match="aucun compteur"):
        connected.ask("test")
    site.customers[0].homes = [Home(2, "99000000000417", since=date(2027, 1, 1))]
    clock.advance(1000)
    with pytest.raises(CommandError, match="mes-donnees"):
        connected.ask("test")
    site.customers[0].homes = []
    clock.advance(1000)
    with pytest.raises(CommandError, match="Aucun logement"):
        connected.ask("test")


def test_three_days_without_success_are_one_message(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start()
    site.fault("maintenance", "*", 503)
    connected.until("2026-03-16 10:00")
    assert len(connected.jeedom.of("message")) == 1
    assert len(site.visits) < 120
    site.clear()
    connected.until("2026-03-16 17:00")
    assert connected.last_state["state"] == "online"


def test_a_changed_site_is_looked_at_once_a_day_after_five_times(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start()
    site.fault("renamed", "/api", ["values", "rows"])
    connected.until("2026-03-10 16:00")
    assert "nouvel essai automatique" in connected.last_state["message"]
    connected.until("2026-03-13 12:00")
    assert "values reste introuvable" in connected.last_state["message"]
    site.visits.clear()
    connected.until("2026-03-16 12:00")
    assert len(site.asked("conso_daily")) == 3


def test_a_month_that_the_site_is_still_fetching_is_asked_again(clock, opened, bench):
    site, home = one_home(clock, since=date(2025, 11, 1))
    opened(site)
    home.ongoing = {"2025-12"}
    home.gaps = {("electricity", date(2025, 12, day)) for day in range(1, 32)}
    connected = bench(site, clock, E).start().pass_time(600)
    assert date(2025, 11, 5) not in connected.jeedom.history("2", "conso_jour")
    home.ongoing.clear()
    home.fill()
    connected.until("2026-03-10 18:00")
    assert set(connected.jeedom.history("2", "conso_jour")) == set(home.truth("electricity", clock.time()))


def test_a_daily_budget_holds_whatever_is_wanted(clock, opened, bench):
    site, _ = one_home(clock, since=date(2023, 3, 1), pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")], dailyRequests=20).start()
    site.fault("status", "/api/homes/502113/sge_measures", 500)
    for hour in range(12, 24):
        connected.until(f"2026-03-10 {hour}:59")
        try:
            connected.ask("refresh")
        except CommandError:
            pass
    assert len(site.visits) <= 20


def test_a_refresh_says_when_the_next_one_is_possible(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected: Bench = bench(site, clock, E).start()
    assert connected.ask("refresh") == {}
    with pytest.raises(CommandError, match=r"possible à 12:1"):
        connected.ask("refresh")
    for _ in range(5):
        connected.pass_time(1000)
        connected.ask("refresh", equipment="2")
    connected.pass_time(1000)
    with pytest.raises(CommandError, match="demain"):
        connected.ask("refresh")
    assert clock.time() < at("2026-03-10 15:00")


def test_too_many_failed_logins_are_waited_out(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.customers[0].failures = [clock.time()] * 5
    connected = bench(site, clock, E).start()
    assert connected.value("etat") == "TOO_MANY_LOGINS"
    connected.pass_time(3000)
    assert posts(site) == 1
    connected.pass_time(5 * 3600)
    assert connected.last_state["state"] == "online"


def test_an_import_goes_on_soon_where_it_was(clock, opened, bench):
    """The site is away in the middle, later the daemon ends there: minutes, not half-hours, and no month twice."""
    site, home = one_home(clock, since=date(2025, 8, 10))
    opened(site)
    connected = bench(site, clock, E)

    def answered() -> int:
        return sum(visit.status == 200 for visit in site.asked("sge_measures"))

    def pass_until(count: int) -> None:
        began = clock.time()
        while answered() < count:
            connected.pass_time(0.5)
            assert clock.time() - began < 45

    connected.configure()
    pass_until(3)
    site.fault("status", "/api/", 503)
    connected.pass_time(10)
    site.clear()
    pass_until(6)
    assert answered() < 10
    connected.restart()
    assert answered() == 1 + 6 + 3  # the round, six months with days, three before them
    days = {day for day, facts in home.truth("electricity", clock.time()).items() if "kwh" in facts}
    assert connected.jeedom.history("2", "conso_jour").keys() == days


def test_a_site_that_is_away_is_one_line_of_the_log(clock, opened, bench, caplog):
    site, _ = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start()
    site.fault("status", "/api/", 503)
    caplog.clear()
    connected.pass_time(2 * 86400)
    told = [each.getMessage() for each in caplog.records if each.levelname in ("WARNING", "ERROR")]
    assert len(told) == 1, told


def test_a_site_that_does_not_answer_at_all_is_asked_once_in_a_round(clock, opened, bench):
    """Each further request would wait as long: the state is told after one wait, however many energies there are."""
    site, _ = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start()
    assert connected.last_state["state"] == "online"
    connected.pass_time(1000)
    firsts = []
    for _ in range(2):
        site.visits.clear()
        site.faults.add("drop")
        with pytest.raises(CommandError, match="helloWatt"):
            connected.ask("refresh")
        assert len({visit.path for visit in site.visits}) == 1
        firsts.append(site.visits[0].path)
        assert connected.last_state["state"] == "unreachable"
        assert (connected.value("etat"), connected.value("etat", "3")) == ("SITE_DOWN", "SITE_DOWN")
        site.faults.clear()
        connected.pass_time(1000)
    assert len(set(firsts)) == 2, "an energy that alone does not answer does not keep the other from being read"
