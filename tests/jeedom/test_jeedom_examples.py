"""The examples of the pages, as they stand there: saved and started in a real Jeedom, with systems that are simulated.

The daemon is the real one; what the scenarios do is seen at the charger, at the heater and in the message centre.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from example_house import VOLTS, House, house
from jeedom_host import Jeedom
from test_jeedom_daemon import until

from tests.docs.system_pages import LANGUAGES, catalogue, say
from tests.support.example_page import Scenario, scenarios, settings

SURPLUS, TELEINFO, TEMPO, SILENT, PLUGGED, YESTERDAY, TODAY = range(7)
LIMIT, LARGEST = 48, 32
PATIENCE_S = 60
BOTH = pytest.mark.parametrize("language", LANGUAGES)
REFERENCE = r"#\[[^#]+\]#"


@pytest.fixture(scope="module")
def home(jeedom: Jeedom) -> Iterator[House]:
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    with house(jeedom, mark=f" {time.time_ns() % 1_000_000}") as made:
        yield made


@pytest.fixture(autouse=True)
def as_it_was(home: House) -> Iterator[None]:
    """The car is away, nothing is exported, nothing has been told."""
    home.charger.unplug()
    home.charger.set(LIMIT, float(LARGEST))
    home.gateway.set(production=0.0, consumption=300.0)
    home.event("#[Maison][Passerelle][État]#", "En ligne")
    home.wait_for("#[Garage][Borne][Branché]#", 0)
    home.wait_for("#[Garage][Borne][Limite du chargeur]#", LARGEST)
    home.forget()
    yield
    while home.scenarios:
        home.drop(home.scenarios.pop())


def example(language: str, number: int) -> Scenario:
    return scenarios(language)[number]


def limit(home: House) -> Any:
    return home.charger.get(LIMIT)


def expected(home: House, scenario: Scenario) -> str:
    """The sentence of a scenario with the values of now."""
    sentence = re.search(r'"message": "((?:[^"\\]|\\.)*)"', json.dumps(scenario.elements, ensure_ascii=False))
    assert sentence
    return re.sub(REFERENCE, lambda found: str(home.value(found[0])), json.loads(f'"{sentence[1]}"'))


@BOTH
def test_the_surplus_goes_into_the_car(home: House, language: str) -> None:
    run = home.save(example(language, SURPLUS))

    def shine(export: float, after: float) -> None:
        """So much would go to the grid; the limit that follows is at the charger."""
        charging = home.charger.get(120) * 1000
        home.gateway.set(production=export + 300.0, consumption=300.0 + charging)
        net = export - charging
        until(lambda: abs(home.number("#[Maison][Toit][Injection réseau]#") - max(0.0, net)) < 5, PATIENCE_S)
        until(lambda: abs(home.number("#[Maison][Toit][Soutirage réseau]#") - max(0.0, -net)) < 5, PATIENCE_S)
        until(lambda: abs(home.number("#[Garage][Borne][Puissance]#") * 1000 - charging) < 5, PATIENCE_S)
        home.start(run)
        until(lambda: limit(home) == after, PATIENCE_S)
        home.wait_for("#[Garage][Borne][Limite du chargeur]#", after)

    home.gateway.set(production=5000.0, consumption=300.0)
    until(lambda: abs(home.number("#[Maison][Toit][Injection réseau]#") - 4700) < 5)
    home.start(run)
    assert limit(home) == LARGEST, "no car, nothing is set"
    home.charger.plug(amps=40.0)
    home.wait_for("#[Garage][Borne][Branché]#", 1)
    shine(12.5 * VOLTS, 12)
    shine(9.5 * VOLTS, 9)
    shine(40.5 * VOLTS, LARGEST)
    shine(5.5 * VOLTS, 0)
    shine(20.5 * VOLTS, 20)
    home.event("#[Maison][Passerelle][État]#", "Injoignable")
    home.start(run)
    until(lambda: limit(home) == 0)


@BOTH
def test_it_charges_off_peak_and_never_on_a_red_day(home: House, language: str) -> None:
    def tariff(words: str, period: str, color: str) -> None:
        home.box.set("tics.0.period", words)
        home.wait_for("#[Maison][TIC 1][Période tarifaire]#", period)
        home.wait_for("#[Maison][TIC 1][Couleur du jour]#", color)

    def becomes(amps: float) -> None:
        """The limit is set, and the scenario has ended: Jeedom passes over what would start one that still runs."""
        until(lambda: limit(home) == amps, PATIENCE_S)
        home.idle(run)

    tariff("H. Pleine BLEU", "HP", "bleu")
    run = home.save(example(language, TELEINFO))
    home.charger.plug()
    becomes(0)
    for words, period, color, after in (
        ("H. Creuse BLEU", "HC", "bleu", LARGEST),
        ("H. Creuse ROUGE", "HC", "rouge", 0),
        ("H. Creuse BLANC", "HC", "blanc", LARGEST),
        ("H. Pleine BLANC", "HP", "blanc", 0),
    ):
        tariff(words, period, color)
        becomes(after)


@BOTH
def test_without_a_wes_the_hours_are_those_of_the_contract(home: House, language: str) -> None:
    example_ = example(language, TEMPO)
    assert example_.schedules == ["0 22 * * *", "0 6 * * *"]
    home.charger.plug()
    for hour, color, after in (
        ("2200", "blanc", LARGEST),
        ("600", "blanc", 0),
        ("530", "blanc", LARGEST),
        ("2300", "rouge", 0),
    ):
        home.event("#[Maison][Électricité][Tempo en cours]#", color)
        home.start(home.save(example_, time=hour))
        until(lambda wanted=after: limit(home) == wanted, PATIENCE_S)  # type: ignore[misc]
    home.event("#[Maison][Électricité][Tempo en cours]#", "blanc")
    home.start(home.save(example_))
    clock = int(time.strftime("%H%M"))
    until(lambda: limit(home) == (LARGEST if clock >= 2200 or clock < 600 else 0), PATIENCE_S)


@BOTH
def test_a_system_that_is_silent_for_a_quarter_of_an_hour_is_told(home: House, language: str) -> None:
    told = example(language, SILENT)
    run = home.save(told)

    def fall() -> dict[str, Any]:
        before = home.launched(run)
        time.sleep(1)
        home.event("#[Maison][Passerelle][État]#", "Injoignable")
        home.runs(run, before)
        (task,) = until(lambda: home.later(run))
        assert 14 * 60 <= task["at"] <= 16 * 60
        return dict(task)

    task = fall()
    home.event("#[Maison][Passerelle][État]#", "En ligne")
    home.now(task)
    assert home.messages == [], "a short outage"
    task = fall()
    home.now(task)
    assert home.messages == [expected(home, told)]
    assert "Injoignable" in home.messages[0]


@BOTH
def test_a_car_that_is_plugged_in_and_does_not_charge_is_told(home: House, language: str) -> None:
    told = example(language, PLUGGED)
    run = home.save(told)
    home.charger.plug()
    (task,) = until(lambda: home.later(run), PATIENCE_S)
    assert 14 * 60 <= task["at"] <= 16 * 60
    home.wait_for("#[Garage][Borne][État]#", 3)
    home.now(task)
    assert home.messages == [], "it charges"
    home.charger.unplug()
    home.wait_for("#[Garage][Borne][Branché]#", 0)
    home.charger.set(LIMIT, 0.0)
    home.charger.obey("pause_charging", {})
    before = home.launched(run)
    time.sleep(1)
    home.charger.plug()
    home.charger.obey("pause_charging", {})
    home.runs(run, before)
    home.wait_for("#[Garage][Borne][État]#", 2)
    home.wait_for("#[Garage][Borne][Branché]#", 1)
    (task,) = until(lambda: home.later(run), PATIENCE_S)
    home.now(task)
    assert home.messages == [expected(home, told)]


@BOTH
def test_the_cost_of_a_day_is_told(home: House, language: str) -> None:
    yesterday, today = example(language, YESTERDAY), example(language, TODAY)
    home.event("#[Maison][Électricité][Date de la dernière donnée]#", "2026-01-01")  # a trigger is a change
    home.save(yesterday)
    run = home.save(today)
    home.start(run)
    assert home.messages == [expected(home, today)]
    assert re.search(r"2[.,]31", home.messages[0])
    home.forget()
    home.event("#[Maison][Électricité][Date de la dernière donnée]#", time.strftime("%Y-%m-%d"))
    until(lambda: home.messages)
    assert home.messages == [expected(home, yesterday)]
    assert re.search(r": \d+([.,]\d+)? kWh, \d+([.,]\d+)? €", home.messages[0])


@BOTH
def test_the_water_heater_follows_the_surplus(home: House, language: str) -> None:
    """Its times are a sixtieth of the page's."""
    stage = catalogue("enphase")["equipment"]["stage"]
    fields = {say(language, "enphase", each["label"]): each for each in stage["fields"]}
    told = settings(language)
    name = told.pop(say(language, "enphase", stage["keyLabel"]))
    config: dict[str, Any] = {}
    for label, value in told.items():
        field = fields.pop(label)
        if field["type"] == "number":
            number, unit = value.split()
            assert unit == field["unit"]
            assert field["min"] <= int(number) <= field["max"]
            config[field["key"]] = int(number) // 60 if unit == "s" else int(number)
        elif field["type"] == "choice":
            names = {say(language, "enphase", text): key for key, text in field["choices"].items()}
            config[field["key"]] = names[value]
        else:
            config[field["key"]] = home.command(value)
    assert fields == {}, "every setting is told"
    begun = len(home.journal)
    request = {"connection": home.connections["enphase"], "type": "stage", "key": name, "name": name, "config": config}
    made = home.jeedom.own("addByHand", **request)["id"]
    try:
        home.gateway.set(production=config["onAbove"] + 200.0, consumption=300.0)
        time.sleep(6)
        assert home.journal[begun:] == [], "not enough"
        home.gateway.set(production=config["onAbove"] + 400.0)
        until(lambda: home.journal[begun:] == ["on"], PATIENCE_S)
        on = time.monotonic()
        home.gateway.set(consumption=300.0 + 2200.0)
        time.sleep(5)
        assert home.journal[begun:] == ["on"], "it uses the surplus itself"
        home.gateway.set(production=2200.0)
        until(lambda: home.journal[begun:] == ["on", "off"], PATIENCE_S)
        assert time.monotonic() - on > config["leastOn"] - 3
    finally:
        home.jeedom.php("jeenergie::byId($argv[1])->remove();", made)
