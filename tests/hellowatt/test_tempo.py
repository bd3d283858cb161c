"""Tempo colours: one that was told too early is replaced, the one in force holds until six, a dead source is named."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import requests
from jeenergied.devices.hellowatt.colors import answers
from jeenergied.devices.hellowatt.colors.services import ColorService, NotTold, same_service

from simulators.hellowatt import Calendar, RteService, TempoService
from tests.support.fuzz import CONTRACT, Witness, canned_session
from tests.support.mutations import Answer, answer_of

from .harness import Bench, at, one_home

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)
WORDS = {"blue": "bleu", "white": "blanc", "red": "rouge"}
TEMPO = ((date(2000, 1, 1), "tempo"),)


def calendar() -> Calendar:
    """Tomorrow (the 11th) is told as white until 11:15, and is red; the day before is blue."""
    return Calendar(
        published=10.2,
        revised={date(2026, 3, 11): (11.25, "white")},
        colors={date(2026, 3, 10): "blue", date(2026, 3, 11): "red", date(2026, 3, 12): "blue"},
    )


@pytest.mark.parametrize("offset", [0, 240, 420, 600, 780, 1080, 1320, 1499])
def test_a_colour_that_is_revised_at_a_quarter_past_eleven_is_right_everywhere(clock, opened, bench, offset):
    """Eight installations, whose first question comes at 11:05 to 11:30."""
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    clock.step(at("2026-03-10 09:00") - clock.time())
    tempo = opened(TempoService(clock=clock.time, calendar=calendar()))
    connected: Bench = bench(site, clock, E, tempo=tempo)
    connected.store.put("1", "tempoOffset", offset)
    connected.start().until("2026-03-10 13:00")
    assert connected.value("tempo_demain") == "rouge"
    connected.until("2026-03-11 00:05")
    assert connected.value("tempo_jour") == "rouge"
    connected.until("2026-03-11 10:00")
    assert connected.jeedom.history("2", "tempo_code")[date(2026, 3, 11)] == 3
    asked = [at_ for at_, _ in tempo.visits if at_ > at("2026-03-10 12:40")]
    assert asked == []


def test_the_colour_in_force_changes_at_six(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    rte = opened(RteService(clock=clock.time, calendar=calendar()))
    connected: Bench = bench(site, clock, E, rte=rte).start().until("2026-03-11 05:55")
    assert (connected.value("tempo_actuel"), connected.value("tempo_jour")) == ("bleu", "rouge")
    connected.until("2026-03-11 06:05")
    assert connected.value("tempo_actuel") == "rouge"
    connected.until("2026-03-12 05:58")
    assert (connected.value("tempo_actuel"), connected.value("tempo_jour")) == ("rouge", "bleu")


def test_a_start_in_the_night_asks_for_the_colour_in_force(opened, bench, clock):
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    clock.advance(at("2026-03-12 02:00") - clock.time())
    tempo = opened(TempoService(clock=clock.time, calendar=calendar()))
    connected: Bench = bench(site, clock, E, tempo=tempo).start().pass_time(120)
    assert (connected.value("tempo_actuel"), connected.value("tempo_jour")) == ("rouge", "bleu")


@pytest.mark.parametrize("fault", [("status", 403), ("status", 404), ("unknown", None), ("redirect", "/elsewhere")])
def test_a_source_that_is_dead_for_a_week_is_named_once_and_the_other_one_serves(clock, opened, bench, caplog, fault):
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    both = calendar()
    tempo = opened(TempoService(clock=clock.time, calendar=both))
    rte = opened(RteService(clock=clock.time, calendar=both))
    tempo.faults.add(fault[0], value=fault[1])
    connected: Bench = bench(site, clock, E, tempo=tempo, rte=rte).start().until("2026-03-10 13:00")
    assert (connected.value("tempo_jour"), connected.value("tempo_demain")) == ("bleu", "rouge")
    connected.until("2026-03-17 13:00")
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert ["api-couleur-tempo.fr" in text for text in warnings if "Tempo" in text] == [True]
    assert connected.jeedom.of("message") == []  # nothing that the user must do
    assert len(tempo.visits) <= 7 * 2 + 8
    assert len(rte.visits) <= 7 * 3 + 2
    caplog.clear()
    tempo.faults.clear()
    connected.until("2026-03-19 13:00")
    assert connected.value("tempo_demain") == WORDS[both.final(date(2026, 3, 20))]


def test_when_no_source_answers_for_a_day_the_user_reads_which(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    rte = opened(RteService(clock=clock.time))
    tempo.faults.add("unknown")
    rte.faults.add("unknown")
    connected: Bench = bench(site, clock, E, tempo=tempo, rte=rte).start().until("2026-03-11 11:00")
    assert connected.jeedom.of("message") == []
    connected.until("2026-03-17 12:00")
    assert connected.value("tempo_jour") == "inconnue"
    [told] = connected.jeedom.of("message")
    assert "api-couleur-tempo.fr, RTE" in told["text"]
    assert len(tempo.visits) <= 24  # two days each
    connected.restart()
    tempo.faults.clear()
    rte.faults.clear()
    connected.until("2026-03-18 13:00")
    assert connected.value("tempo_jour") != "inconnue"
    assert len(connected.jeedom.of("message")) == 1


def test_rte_can_be_asked_first(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE, tariffs=TEMPO)
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    rte = opened(RteService(clock=clock.time))
    connected: Bench = bench(site, clock, E, tempo=tempo, rte=rte, tempoSource="rte").start()
    connected.until("2026-03-10 13:00")
    assert connected.value("tempo_demain") != "inconnue"
    assert tempo.visits == []


def test_a_redirect_of_the_same_service_is_followed_and_remembered():
    """As the bare host of the third party does it."""
    asked: list[str] = []

    def reply(request: requests.PreparedRequest) -> Answer:
        asked.append(str(request.url))
        if "//www." not in str(request.url):
            return Answer(b"", 301, {"location": str(request.url).replace("//", "//www.")})
        return answer_of({"dateJour": "2026-03-10", "codeJour": 3})

    context: Any = Witness(CONTRACT.catalogues["hellowatt"], at("2026-03-10 12:00"))
    source = ColorService(context, "https://tempo.example")
    source._session = canned_session(reply)
    for _ in range(2):
        assert source.ask([date(2026, 3, 10)]) == {date(2026, 3, 10): 3}
    assert [url.split("/")[2] for url in asked] == ["tempo.example", "www.tempo.example", "www.tempo.example"]
    source.base = "https://other.example"
    for location in ("https://tempo.example/x", "http://[", "https://[::1", "//[x]/"):
        source._session = canned_session(lambda _request, to=location: Answer(b"", 301, {"location": to}))
        with pytest.raises(NotTold, match="another service"):
            source.ask([date(2026, 3, 10)])


@pytest.mark.parametrize(
    ("asked", "target", "same"),
    [
        ("https://a.fr/x", "https://www.a.fr/x", True),
        ("https://www.a.fr/x", "https://a.fr/x", True),
        ("https://a.fr/x", "http://www.a.fr/x", False),
        ("https://a.fr/x", "https://www.a.fr/y", False),
        ("https://a.fr/x", "https://www.b.fr/x", False),
        ("https://a.fr/x", "https://a.fr:8443/x", False),
        ("https://a.fr/x", "https://u@a.fr/x", False),
        ("http://127.0.0.1:5/x", "http://127.0.0.1:5/x", True),
        ("http://127.0.0.1:5/x", "http://127.0.0.1:6/x", False),
        ("https://a.fr/x", "https://[/x", False),
    ],
)
def test_only_the_same_service_is_followed(asked, target, same):
    assert same_service(asked, target) is same


def test_what_rte_only_assumes_is_not_a_colour():
    values = {
        "2026-03-10": "WHITE",
        "2026-03-10-fallback": "false",
        "2026-03-11": "BLUE",
        "2026-03-11-fallback": "true",
    }
    assert answers.rte_colors({"values": {**values, "2026-03-12": "GREEN", "x": "RED"}}) == {date(2026, 3, 10): 2}
    assert answers.rte_colors({"values": {"2026-03-10": "red"}}) == {date(2026, 3, 10): 3}
    for hostile in (None, [], {"values": []}, {"values": {"2026-99-99": "RED", "2026-03-10": 5}}):
        assert answers.rte_colors(hostile) == {}
