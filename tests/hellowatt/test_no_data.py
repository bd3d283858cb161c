"""No new days although the site answers: told once with the site's own words, asked once a day, and over when it is."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from jeenergied.devices.hellowatt import mapping

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.listener import CommandError
from simulators.hellowatt.homes import PARIS

from .harness import CATALOGUE, Bench, at, one_home

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)
WORDS = "Le consentement pour ce compteur a expiré."
REFUSAL = {"identifier": "consent_expired", "message": f"<p>{WORDS}</p>"}


def of_equipment(connected: Bench, equipment: str = "2") -> list[dict]:
    return [event for event in connected.jeedom.of("connection") if event.get("equipment") == equipment]


@pytest.mark.parametrize("nothing", ["null", "false", "missing"])
def test_nothing_beside_a_word_on_it_is_no_changed_site(nothing):
    _, home = one_home(ManualClock(at("2026-03-10 12:00")), since=SINCE)
    home.last_day, home.refusal, home.nothing = {"electricity": date(2025, 1, 1)}, REFUSAL, nothing
    answer = home.series("electricity", date(2026, 2, 1), date(2026, 3, 10), at("2026-03-10 12:00"))
    found = mapping.series(answer, date(2026, 2, 1), date(2026, 3, 9))
    assert (found.days, found.error, found.says) == ({}, "consent_expired", WORDS)


@pytest.mark.parametrize(("refusal", "nothing"), [(None, "null"), (REFUSAL, "missing")])
def test_days_that_stop_are_told_once_and_asked_once_a_day(clock, opened, bench, refusal, nothing):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-10 23:00")
    home.last_day, home.refusal, home.nothing = {"electricity": date(2026, 3, 9)}, refusal, nothing
    connected.until("2026-03-14 12:00")
    assert connected.value("etat") == "ok"
    assert of_equipment(connected) == []
    connected.until("2026-03-16 12:00")
    connected.restart()
    asked = len(site.visits)
    connected.until("2026-05-04 12:00")  # by then the two months that are read have no row at all
    told = of_equipment(connected)
    assert {event["state"] for event in told} == {"no_data"}
    assert len({event["message"] for event in told}) == 1
    assert "09/03/2026" in told[0]["message"]
    assert "mes-donnees" in told[0]["message"]
    assert (WORDS in told[0]["message"]) == bool(refusal)
    assert "<p>" not in told[0]["message"]
    assert connected.value("etat") == "NO_DATA"
    assert connected.last_state["state"] in ("online", "no_data")
    assert connected.jeedom.of("message") == []
    days = Counter(datetime.fromtimestamp(visit.at, PARIS).date() for visit in site.visits[asked:])
    assert sorted(days.values())[len(days) // 2] == 1
    assert sum(days.values()) / 49 < 1.8  # with the homes and an older month once a week, and a login in two
    # The consent is given again: all that was missed arrives, and the state says so once.
    home.last_day, home.refusal = {}, None
    connected.until("2026-05-05 23:00")
    assert connected.value("etat") == "ok"
    assert [event["state"] for event in of_equipment(connected)][-1] == "online"
    assert date(2026, 5, 4) in connected.jeedom.history("2", "conso_jour")


def test_one_energy_without_new_days_does_not_make_the_other_be_asked_less(clock, opened, bench):
    site, home = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start().until("2026-03-10 23:00")
    home.last_day = {"gas": date(2026, 3, 9)}
    connected.until("2026-03-20 14:00")
    assert connected.value("etat", "3") == "NO_DATA"
    assert of_equipment(connected, "2") == []
    site.visits.clear()
    home.gaps = {("electricity", date(2026, 3, 19))}
    connected.until("2026-03-20 23:55")
    assert len(site.asked("sge")) >= 3
    assert len(site.asked("adict")) == 1


@pytest.mark.parametrize("wrapping", ["results", "data", "values", "homes"])
def test_homes_are_found_in_every_wrapping(clock, opened, bench, wrapping):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    site.customers[0].listed = {wrapping: [home.described()]}
    connected = bench(site, clock, []).start()
    assert connected.ask("test")["identity"]["meters"] == 1


def test_an_account_that_shows_no_home_is_told_in_the_sites_words(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    error = {"identifier": "x", "message": "Compte en cours de création."}
    site.customers[0].listed = {"homes": None, "error": error}
    connected = bench(site, clock, []).start()
    with pytest.raises(CommandError, match="Compte en cours de création"):
        connected.ask("test")
    connected.pass_time(86400)
    assert len(site.visits) < 10


def test_what_was_settled_in_the_night_waits_for_the_next_afternoon(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-11 00:10")
    connected.ask("refresh")  # brings all that there is: the next day comes in the afternoon of tomorrow
    asked = len(site.visits)
    connected.until("2026-03-11 08:00")
    assert len(site.visits) == asked
    assert connected.device._schedule.wait() > 3600


def test_a_home_that_is_missing_in_one_list_is_no_news(clock, opened, bench):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-16 14:00")
    site.customers[0].listed = [type(home)(7, "99000000000001").described()]
    asked = len(site.asked("homes"))
    while len([visit for visit in site.visits if visit.path == "/api/homes"]) == 1:
        connected.pass_time(3600)
    assert len(site.asked("homes")) > asked
    half, site.customers[0].listed = site.customers[0].listed, None
    connected.until("2026-03-27 14:00")
    assert connected.jeedom.of("message") == []
    site.customers[0].listed = half
    connected.until("2026-04-10 14:00")
    assert ["n'est plus sur le compte" in event["text"] for event in connected.jeedom.of("message")] == [True]


def test_a_subscription_is_known_beside_a_figure_that_cannot_be_read():
    odd: list[str] = []
    row = {"kwhDetailed": {"HP": "?", "HC": 2}, "eurosDetailed": {"HP": "beaucoup", "HC": 0.4, "subscription": 0.57}}
    assert mapping.day_facts(row, SINCE, odd) == {"subscription": Decimal("0.57")}
    assert len(odd) == 2


def test_a_day_of_four_megawatt_hours_is_refused_and_told_once(clock, opened, bench, caplog):
    site, home = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    bad = date(2026, 3, 5)
    for energy, key in (("electricity", "Base"), ("gas", "total")):
        home.odd[(energy, bad)] = {
            "kwhDetailed": {key: 4123.0},
            "eurosDetailed": {key: 1037.0, "subscription": 0.5},
            "valueCo2": 88.0,
        }
    connected = bench(site, clock, [*E, ("gas", "502113")]).start().until("2026-03-14 12:00")
    for equipment in ("2", "3"):
        for command in ("conso_jour", "cout_jour", "co2_jour"):
            days = connected.jeedom.history(equipment, command)
            assert bad not in days
            assert date(2026, 3, 6) in days
        assert connected.jeedom.history(equipment, "abo_jour")[bad] == 0.5
        assert connected.jeedom.history(equipment, "conso_mois")[date(2026, 3, 1)] < 1000
    told = [
        each.getMessage() for each in caplog.records if each.levelname == "WARNING" and "refused" in each.getMessage()
    ]
    assert len(told) == 2
    assert "4123" not in " ".join(told)
    del home.odd[("electricity", bad)]
    connected.until("2026-03-15 20:00")
    assert bad in connected.jeedom.history("2", "conso_jour")


def test_every_type_has_a_silence_of_days_and_no_bound_is_a_guess():
    for kind in ("electricity", "gas"):
        after = CATALOGUE.data["silences"][CATALOGUE.silence(kind)]["after"]
        assert 3 * 86400 < after < 14 * 86400
        for row in CATALOGUE.all_rows(kind):
            assert not {"min", "max"} & row.data.keys()


def test_what_no_home_gets_any_more_is_the_sites_change(clock, opened, bench, caplog):
    """One 404 may be a meter's; for all homes and a day it is not, and one message says so."""
    site, _ = one_home(clock, since=SINCE)
    other = type(site.customers[0].homes[0])(7, "99000000000001", since=SINCE)
    site.customers[0].homes.append(other)
    opened(site)
    connected = bench(site, clock, [*E, ("electricity", "7")]).start().until("2026-03-10 23:00")
    site.fault("status", "/api/homes/7/sge_measures", 404)
    connected.until("2026-03-13 12:00")
    assert "ce compteur" in connected.last_state["message"]
    site.fault("status", "/api/homes/502113/sge_measures", 404)
    connected.until("2026-03-15 23:00")
    assert "d'aucun logement" in connected.last_state["message"]
    site.clear()
    connected.until("2026-03-16 23:00")
    assert connected.last_state["state"] == "online"
    assert date(2026, 3, 15) in connected.jeedom.history("3", "conso_jour")


def test_a_key_that_answers_no_longer_have_is_named_once_in_the_log(clock, opened, bench, caplog):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-10 23:00")
    site.fault("renamed", "/api/homes/502113/sge", ["eurosDetailed", "euros"])
    connected.until("2026-03-14 23:00")
    named = [each.getMessage() for each in caplog.records if "values[].eurosDetailed" in each.getMessage()]
    assert len([text for text in named if "any more" in text]) == 1
    assert "502113" not in str(connected.store.get("1", "shapes"))
