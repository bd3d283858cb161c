"""Ordinary life: late days, new commands, a Jeedom that is away, Tempo, operations, and what is in no log."""

from __future__ import annotations

import base64
import json
import logging
from datetime import date, datetime
from urllib.parse import quote

import pytest

from jeedom_bridge.logs import _Formatter
from simulators.hellowatt import TempoService
from simulators.hellowatt.homes import PARIS, tempo_color

from .harness import EMAIL, PASSWORD, all_commands, one_home, wait_until

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)
WORDS = {"blue": "bleu", "white": "blanc", "red": "rouge"}


def test_a_late_day_is_asked_for_at_growing_intervals_until_it_is_there(clock, opened, bench):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-11 14:00")
    home.gaps.add(("electricity", date(2026, 3, 10)))
    site.visits.clear()
    connected.until("2026-03-11 23:59")
    asked = [visit.at for visit in site.asked("conso_daily")]
    waits = [after - before for before, after in zip(asked, asked[1:])]
    assert len(asked) == 4
    assert waits == sorted(waits)
    assert waits[0] > 3000
    home.fill()
    site.visits.clear()
    connected.until("2026-03-12 23:59")
    assert len(site.asked("conso_daily")) == 1
    assert date(2026, 3, 10) in connected.jeedom.history("2", "conso_jour")


def test_the_time_of_day_differs_from_one_installation_to_the_next(clock, opened, bench, tmp_path):
    minutes = set()
    for number in range(4):
        site, _ = one_home(clock, since=SINCE)
        opened(site)
        (tmp_path / str(number)).mkdir()
        connected = bench(site, clock, E)
        connected.end()
        connected.folder = tmp_path / str(number)
        connected._open()
        connected.start().pass_time(86400)
        minutes.add(datetime.fromtimestamp(site.asked("conso_daily")[-1].at, PARIS).strftime("%H:%M"))
    assert len(minutes) > 1


def test_a_restart_asks_nothing_and_tells_the_same_state(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-10 20:00")
    written, asked = connected.jeedom.written, len(site.visits)
    for _ in range(5):
        connected.restart()
        assert connected.last_state["state"] == "online"
    assert (connected.jeedom.written, len(site.visits)) == (written, asked)


def test_a_command_that_comes_later_gets_all_of_its_history(clock, opened, bench):
    site, home = one_home(clock, since=SINCE, solar=True)
    opened(site)
    connected = bench(site, clock, E, seen=False).start().until("2026-03-10 20:00")
    offered = {name for event in connected.jeedom.of("available") for name in event["commands"]}
    assert {"prod_jour", "gain_annee", "solaire_mois", "fournisseur"} <= offered
    assert not {"tempo_code", "conso_hp_jour"} & offered
    assert connected.jeedom.history("2", "prod_jour") == {}
    connected.commands["2"] = all_commands("electricity")
    connected.configure()
    connected.pass_time(120)
    truth = home.truth("electricity", clock.time())
    assert set(connected.jeedom.history("2", "prod_jour")) == {day for day, f in truth.items() if "injection" in f}
    assert "prod_jour" not in connected.jeedom.values.get("2", {})


def test_equipment_that_is_created_after_the_start_gets_its_history_and_colours_at_once(clock, opened, bench):
    site, home = one_home(clock, since=date(2025, 11, 1), tariffs=((date(2000, 1, 1), "tempo"),))
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    connected = bench(site, clock, [], tempo=tempo).start()
    connected.members = {"2": E[0]}
    connected.commands = {"2": all_commands("electricity")}
    connected.configure()
    connected.pass_time(120)
    assert set(connected.jeedom.history("2", "conso_jour")) == set(home.truth("electricity", clock.time()))
    assert connected.value("tempo_jour") == WORDS[tempo_color(date(2026, 3, 10))]


def test_what_jeedom_does_not_take_is_sent_when_it_is_back(clock, opened, bench, monkeypatch):
    monkeypatch.setattr("jeenergied.devices.hellowatt.days.acknowledged.MAX_WAIT_S", 0.4)
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E)
    connected.jeedom.away = True
    connected.start().pass_time(600)
    assert connected.jeedom.written == 0
    connected.restart()
    connected.jeedom.away = False
    connected.pass_time(600)
    wait_until(lambda: len(connected.outbox) == 0)
    connected.pass_time(600)
    assert set(connected.jeedom.history("2", "conso_jour")) == set(home.truth("electricity", clock.time()))


def test_todays_and_tomorrows_colours_come_from_the_public_source(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE, tariffs=((date(2000, 1, 1), "tempo"),))
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    tempo.calendar.published = 13.5
    connected = bench(site, clock, E, tempo=tempo).start().until("2026-03-10 12:50")
    assert connected.value("tempo_jour") == WORDS[tempo_color(date(2026, 3, 10))]
    assert connected.value("tempo_demain") == "inconnue"
    connected.until("2026-03-10 23:00")
    assert connected.value("tempo_demain") == WORDS[tempo_color(date(2026, 3, 11))]
    asked = len(tempo.visits)
    connected.until("2026-03-11 08:00")
    assert len(tempo.visits) == asked
    assert connected.value("tempo_jour") == WORDS[tempo_color(date(2026, 3, 11))]
    assert connected.value("tempo_demain") == "inconnue"
    codes = connected.jeedom.history("2", "tempo_code")
    assert max(codes) == date(2026, 3, 11)
    assert all(WORDS[tempo_color(day)] == ("", "bleu", "blanc", "rouge")[code] for day, code in codes.items())


@pytest.mark.parametrize("fault", ["garbage", "status", "drop", "html"])
def test_a_source_of_colours_that_fails_is_asked_ever_more_seldom_and_disturbs_nothing(clock, opened, bench, fault):
    site, _ = one_home(clock, since=SINCE, tariffs=((date(2000, 1, 1), "tempo"),))
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    tempo.faults.add(fault, value=503 if fault == "status" else None)
    connected = bench(site, clock, E, tempo=tempo).start().pass_time(24 * 3600)
    assert connected.value("tempo_jour") == "inconnue"
    assert connected.last_state["state"] == "online"
    assert len(tempo.visits) <= 8


def test_a_home_without_tempo_asks_no_source(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    tempo = opened(TempoService(clock=clock.time))
    bench(site, clock, E, tempo=tempo).start().pass_time(86400)
    assert tempo.visits == []


def test_the_operations_read_and_send_again_without_doubling(clock, opened, bench):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E).start().until("2026-03-10 23:00")
    rows = json.dumps(sorted(map(str, connected.jeedom.rows.items())))
    asked, written = len(site.visits), connected.jeedom.written
    count = sum(len(each) for each in connected.jeedom.rows.values())
    connected.ask("run", connection="1", operation="sendHistory")
    connected.pass_time(60)
    assert (len(site.visits), connected.jeedom.written) == (asked, written + count)
    home.correct("electricity", date(2026, 1, 25), clock.time(), "2")
    connected.ask("run", connection="1", operation="importHistory")
    connected.pass_time(7200)
    assert json.dumps(sorted(map(str, connected.jeedom.rows.items()))) != rows
    days = connected.jeedom.history("2", "conso_jour")
    assert days == {day: float(f["kwh"]) for day, f in home.truth("electricity", clock.time()).items()}
    assert connected.jeedom.of("progress")[-1]["percent"] == 100


def test_the_import_of_two_energies_is_one_progress(clock, opened, bench):
    site, _ = one_home(clock, since=date(2024, 11, 1), pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start().until("2026-03-10 23:00")
    told = [(each["percent"], each["text"]) for each in connected.jeedom.of("progress")]
    assert [percent for percent, _ in told] == sorted(percent for percent, _ in told)
    assert told[-1][0] == 100
    assert any("continue dans 30 min" in text for percent, text in told if percent < 100)


def test_nothing_confidential_reaches_a_log(clock, opened, bench, caplog):
    site, _ = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    caplog.set_level(logging.DEBUG)
    connected = bench(site, clock, [*E, ("gas", "502113")])
    connected.socket.handle(
        "configure", {"apikey": "k", "cmd": "configure", "revision": 1, "connections": [connected.definition]}
    )
    connected.revision = 1
    connected.pass_time(60)
    connected.ask("test")
    connected.ask("discover")
    site.logins.expire()
    site.fault("garbage", "/api/homes/502113/adict", json.dumps({"password": PASSWORD}), count=1)
    connected.until("2026-03-10 20:00")
    connected.configure(password=PASSWORD + "x")
    connected.pass_time(60)
    formatter = _Formatter(connected.masker)
    own = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("jeenergied.devices"))
    shown = "\n".join(formatter.format(record) for record in caplog.records)
    assert len(site.logins.secrets) >= 4
    for secret in {PASSWORD, PASSWORD + "x", EMAIL, "99000000000417", "99000000000888", *site.logins.secrets}:
        for text in (secret, quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
            assert text not in own
            assert text not in shown
    assert connected.states.count("authentication_failed") == 1
