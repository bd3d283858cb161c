"""The energy panel in a browser: figures that Jeedom's history holds, without any daemon.

JEEDOM_SHOTS names a folder for screenshots.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import chromium
import pytest
from axe import serious
from chromium import Chromium
from jeedom_host import URL, Jeedom
from theme import THEMES, wear

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

PANEL = URL + "/index.php?v=d&m=jeenergie&p=panel&tab=meters"
YEAR = date.today().year - 1
"""The year that the figures below are about: over, whatever day it is."""
STOP = "config::save('deamonAutoMode', 0, 'jeenergie'); plugin::byId('jeenergie')->deamon_stop();"
"""No daemon: it would ask the real vendors for these connections."""
CLEAN = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        if (strpos($each->getName(), 'Panneau') === 0 && !$each->isConnection()) { $each->remove(); }
    }
    foreach (jeenergie::connections() as $each) {
        if (strpos($each->getName(), 'Panneau') === 0) { $each->remove(); }
    }
"""
MAKE = """
    $made = [];
    $settings = ['host' => '127.0.0.1', 'user' => 'a@example.org', 'password' => 'x', 'clientId' => 'x',
        'clientSecret' => 'x', 'refreshToken' => 'x'];
    foreach (json_decode($argv[1], true) as [$backend, $type, $name, $key, $config]) {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie')->setName('Panneau ' . uniqid())->setIsEnable(1);
        $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', $backend);
        $connection->setConfiguration('config', array_intersect_key($settings, array_flip(array_column(
            Catalogue::fields($backend, null),
            'key'
        ))));
        $connection->save();
        $equipment = Discovery::create($connection, $type, $key ?: uniqid(), $name, $config);
        $made[$name] = (string) $equipment->getId();
    }
    echo json_encode($made);
"""
HOUSE, TEMPO, CAR = "Panneau maison", "Panneau Tempo", "Panneau voiture"
METER, LINE = "Panneau compteur", "Panneau ligne"
SERIES = """Highcharts.charts.filter(Boolean).pop().series
    .map(each => [each.name, each.options.data.map(value => value === null ? null : Math.round(value * 100) / 100)])"""


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def history(equipment: str, command: str, found: dict[date, float]) -> dict[str, Any]:
    points = [[datetime(d.year, d.month, d.day).astimezone().isoformat(), value] for d, value in found.items()]
    return {"event": "history", "equipment": equipment, "command": command, "points": points}


@pytest.fixture(scope="module")
def figures(jeedom: Jeedom, quiet: None) -> Iterator[None]:
    """A house whose tariff has two periods from the 16th of February on, a flat on Tempo, a car's charger."""
    jeedom.php(STOP)
    jeedom.php(CLEAN)
    wanted: list[list[Any]] = [
        ["hellowatt", "electricity", HOUSE, "", {}],
        ["hellowatt", "electricity", TEMPO, "", {}],
        ["easee", "charger", CAR, "", {}],
        ["wes", "teleinfo", METER, "1", {"tarification": "HC"}],
        ["econetatmo", "line", LINE, "", {"consumptionType": "electrical"}],
    ]
    made = jeedom.php(MAKE, json.dumps(wanted))
    house, tempo, car = made[HOUSE], made[TEMPO], made[CAR]
    split = ["conso_hp_jour", "conso_hc_jour", "cout_hp_jour", "cout_hc_jour", "prod_jour"]
    blue = ["tempo_conso_bleu_hp", "tempo_conso_bleu_hc", "conso_hp_jour", "conso_hc_jour"]
    jeedom.post(
        {"event": "available", "equipment": house, "commands": split},
        {"event": "available", "equipment": tempo, "commands": blue},
        {"event": "available", "equipment": made[METER], "commands": ["HCHP", "HCHC"]},
    )
    whole = days(date(YEAR, 1, 1), date(YEAR, 3, 31))
    detailed = days(date(YEAR, 2, 16), date(YEAR, 3, 31))
    before = days(date(YEAR - 1, 1, 1), date(YEAR - 1, 1, 31))
    jeedom.post(
        history(house, "conso_jour", {**dict.fromkeys(before, 8.0), **dict.fromkeys(whole, 10.0)}),
        history(house, "conso_hp_jour", dict.fromkeys(detailed, 6.0)),
        history(house, "conso_hc_jour", dict.fromkeys(detailed, 4.0)),
        history(house, "prod_jour", dict.fromkeys(whole, 2.0)),
        history(house, "cout_jour", dict.fromkeys(whole, 3.5)),
        history(house, "abo_jour", dict.fromkeys(whole, 0.5)),
        history(house, "cout_hp_jour", dict.fromkeys(detailed, 2.0)),
        history(house, "cout_hc_jour", dict.fromkeys(detailed, 1.0)),
    )
    jeedom.post(
        history(tempo, "conso_jour", dict.fromkeys(whole, 12.0)),
        # Peak and off-peak before Tempo, and with it: there they would count the same twice.
        history(tempo, "conso_hp_jour", dict.fromkeys(whole, 7.0)),
        history(tempo, "conso_hc_jour", dict.fromkeys(whole, 5.0)),
        history(tempo, "tempo_conso_bleu_hp", dict.fromkeys(detailed, 7.0)),
        history(tempo, "tempo_conso_bleu_hc", dict.fromkeys(detailed, 5.0)),
        # A counter that stands still between two charges leaves no history of these days.
        history(car, "lifetimeEnergy", {date(YEAR, 1, 2): 100.0, date(YEAR, 1, 9): 130.0, date(YEAR, 2, 20): 145.0}),
    )
    noon = datetime(YEAR, 1, 5, 12).astimezone()
    jeedom.post(
        history(made[METER], "HCHP", {date(YEAR, 1, 1): 50.0, date(YEAR, 1, 2): 58.0}),
        history(made[METER], "HCHC", {date(YEAR, 1, 1): 20.0, date(YEAR, 1, 2): 25.0}),
        {
            **history(made[LINE], "total_energy", {}),
            "points": [[(noon + timedelta(minutes=30 * n)).isoformat(), 250.0] for n in range(8)],
        },
    )
    yield
    jeedom.php(CLEAN)


class Panel:
    """What somebody does on the panel."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser

    def choose(self, name: str, beside: bool = False) -> None:
        self.browser.click(".jpPick summary")
        line = self.browser.until(
            "[...document.querySelectorAll('.jpList li')]"
            f".find(e => e.textContent.includes({json.dumps(name)}))?.dataset.id"
        )
        self.browser.click(f".jpList li[data-id='{line}'] {'input' if beside else 'button'}")
        if beside:
            self.browser.click(".jpPick summary")
        self.browser.until(f"document.querySelector('.jpPick summary').innerText.includes({json.dumps(name)})")

    def press(self, group: str, value: str) -> None:
        self.browser.click(f"[data-group={group}] [data-value={value}]")

    def option(self, name: str) -> None:
        self.browser.click(f"[data-option={name}]")

    def months(self) -> None:
        """The months of the year that has the figures."""
        self.press("period", "month")
        self.browser.click("[data-move='-1']")
        self.browser.until(f"document.querySelector('.jpPeriod').innerText === '{YEAR}'")

    def shows(self, expected: dict[str, list[float | None]]) -> None:
        """The chart has these columns, the first months of them, and no others."""
        end = time.monotonic() + 10
        while True:
            first = {name: values[:3] for name, values in self.chart(list(expected))}
            if first == expected or time.monotonic() > end:
                break
            time.sleep(0.1)
        assert first == expected

    def chart(self, names: list[str]) -> list[Any]:
        wanted = json.dumps(json.dumps(names, ensure_ascii=False, separators=(",", ":")))
        same = f"JSON.stringify({SERIES}.map(each => each[0])) === {wanted}"
        try:
            self.browser.until(f"window.Highcharts && {same}", 10)
        except AssertionError:
            assert [name for name, _ in self.browser.run(SERIES)] == names
        return list(self.browser.run(SERIES))

    def totals(self) -> str:
        return self.browser.text(".jpTotals").replace("\u202f", " ").replace("\xa0", " ")

    def look(self, name: str) -> None:
        if folder := os.environ.get("JEEDOM_SHOTS"):
            self.browser.screenshot(Path(folder, f"panel-{name}.png"))


@contextmanager
def opened(width: int, height: int) -> Iterator[Panel]:
    with Chromium(width, height) as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        browser.goto(PANEL)
        browser.until("document.querySelector('.jpList li')")
        yield Panel(browser)
        browser.run("1")
        assert browser.errors == []


@pytest.fixture
def panel(figures: None) -> Iterator[Panel]:
    with opened(1400, 1000) as found:
        yield found


def test_months_without_a_split_show_what_is_left_of_them(panel: Panel) -> None:
    panel.choose(HOUSE)
    panel.months()
    february, leap = (date(YEAR, 3, 1) - date(YEAR, 2, 1)).days, (date(YEAR, 3, 1) - date(YEAR, 2, 16)).days
    production = [62.0, 2.0 * february, 62.0]
    panel.shows({"Consommation": [310.0, 10.0 * february, 310.0], "Production": production})
    panel.option("split")
    panel.shows(
        {
            "Consommation HP": [None, 6.0 * leap, 186.0],
            "Consommation HC": [None, 4.0 * leap, 124.0],
            "Consommation non détaillé": [310.0, 150.0, None],
            "Production": production,
        }
    )
    panel.look("split")
    # The subscription is a part of what a day costs; what rounding leaves is none.
    panel.press("figure", "money")
    panel.shows(
        {
            "HP": [None, 2.0 * leap, 62.0],
            "HC": [None, 1.0 * leap, 31.0],
            "Abonnement": [15.5, 0.5 * february, 15.5],
            "Non détaillé": [93.0, 45.0, None],
        }
    )
    panel.look("split-money")


def test_a_split_by_colour_takes_the_place_of_peak_and_off_peak_on_its_days(panel: Panel) -> None:
    panel.choose(TEMPO)
    panel.months()
    panel.option("split")
    shown = {name: values[:3] for name, values in panel.chart(["Bleu HP", "Bleu HC", "HP", "HC"])}
    days_of_february = (date(YEAR, 3, 1) - date(YEAR, 2, 16)).days
    assert shown["Bleu HP"] == [None, 7.0 * days_of_february, 217.0]
    assert shown["HP"] == [217.0, 105.0, None]
    assert shown["HC"] == [155.0, 75.0, None]


def test_the_year_before_is_compared_on_the_same_dates(panel: Panel) -> None:
    panel.choose(HOUSE)
    panel.months()
    panel.option("compare")
    names = [f"Consommation {YEAR - 1}", f"Production {YEAR - 1}", f"Consommation {YEAR}", f"Production {YEAR}"]
    assert panel.chart(names)[0][1][:3] == [248.0, None, None]
    assert "+25 % à dates égales" in panel.totals()
    panel.press("period", "year")
    assert panel.browser.run("document.querySelector('[data-option=compare]').disabled")
    by_year = dict(panel.chart(["Consommation", "Production"]))["Consommation"]
    assert next(value for value in by_year if value is not None) == 248.0
    panel.look("compare")


def test_another_system_stands_beside_on_the_same_panel(panel: Panel) -> None:
    panel.choose(HOUSE)
    panel.months()
    panel.choose(CAR, beside=True)
    names = [f"{HOUSE} – Consommation", f"{HOUSE} – Production", f"{CAR} – Consommation"]
    assert dict(panel.chart(names))[names[2]][:3] == [30.0, 15.0, None]
    panel.look("beside")
    # The choice is remembered; a charger alone has nothing in euros.
    panel.browser.goto(PANEL)
    panel.browser.until(f"document.querySelector('.jpPick summary').innerText.includes({json.dumps(CAR)})")
    panel.choose(CAR)
    panel.press("figure", "money")
    panel.browser.until("document.querySelector('.jpMessage').innerText.includes('Aucune donnée de ce genre')")
    assert panel.browser.run("document.querySelector('[data-option=split]').disabled")


def test_counters_of_a_tariff_are_parts_and_measures_add_up(panel: Panel) -> None:
    panel.choose(METER)
    panel.months()
    panel.shows({"Consommation": [13.0, None, None]})
    panel.option("split")
    panel.shows({"HC": [5.0, None, None], "HP": [8.0, None, None]})
    panel.choose(LINE)
    panel.shows({"Consommation": [2.0, None, None]})


def test_the_first_day_of_a_counter_counts_from_its_first_value(panel: Panel, jeedom: Jeedom) -> None:
    """A counter that begins at 1,000 in the morning and is at 1,025 in the evening: 25, not nothing, nor 1,025."""
    found = jeedom.php(
        """$meter = null;
        foreach (jeenergie::byType('jeenergie') as $each) { $meter = $each->getName() === $argv[1] ? $each : $meter; }
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($meter->getId())->setLogicalId('premier')
            ->setName('Premier jour')->setType('info')->setSubType('numeric')->setUnite('kWh')->setIsHistorized(1);
        $cmd->save();
        foreach ([['08:00:00', 1000], ['20:00:00', 1025]] as [$at, $value]) {
            DB::Prepare('REPLACE INTO history SET cmd_id = :cmd, datetime = :at, value = :value',
                ['cmd' => $cmd->getId(), 'at' => '2024-05-02 ' . $at, 'value' => $value]);
        }
        $days = new ReflectionMethod('Jeenergie\\Energy\\Panel', 'daysOf');
        $days->setAccessible(true);
        $series = ['cmd' => $cmd->getId(), 'per' => 'counter'];
        $found = $days->invoke(null, $series, '2024-05-01', '2024-05-31');
        $cmd->remove();
        echo json_encode($found);""",
        METER,
    )
    assert found == {"2024-05-02": 25}


def test_a_chart_that_is_drawn_follows_the_theme(panel: Panel) -> None:
    """Jeedom changes its theme at dusk, under the pages that are open; axe-core finds nothing serious in either."""
    panel.choose(HOUSE)
    panel.months()
    panel.chart(["Consommation", "Production"])
    inks = """[...document.querySelectorAll('.highcharts-axis-labels text, .highcharts-axis text, .jpTotal b')]
        .map(each => getComputedStyle(each).fill === 'rgb(0, 0, 0)' ? getComputedStyle(each).color
            : getComputedStyle(each).fill)"""
    seen = []
    for theme in THEMES:
        wear(panel.browser, theme)
        assert len(set(panel.browser.run(inks))) == 1, theme
        seen += panel.browser.run(inks)[:1]
        assert serious(panel.browser, "#div_jeenergiePanel") == []
    assert seen[0] != seen[1]


def test_a_phone_shows_the_chart_without_scrolling(figures: None) -> None:
    with opened(390, 844) as panel:
        panel.choose(HOUSE)
        panel.months()
        panel.chart(["Consommation", "Production"])
        panel.browser.run("window.scrollTo(0, 0)")
        panel.look("phone")
        top = panel.browser.run("document.querySelector('.jpChart').getBoundingClientRect().top")
        height = panel.browser.run("document.querySelector('.jpPick').getBoundingClientRect().height")
        assert (top < 844 / 2, height < 50) == (True, True), (top, height)
        assert panel.browser.run("document.documentElement.scrollWidth") <= 390


def test_the_mobile_application_has_the_panel(figures: None) -> None:
    with opened(390, 844) as panel:
        browser = panel.browser
        browser.goto(URL + "/index.php?v=m")
        # It draws its home when it has learnt who is there: only then another page stays.
        browser.until("document.body.getAttribute('data-page') === 'home' && window.plugins?.length")
        time.sleep(1)
        browser.run("jeedomUtils.loadPage('panel', 'Jeenergie', null, 'jeenergie')")
        browser.until("document.querySelector('#div_jeenergieHouse[data-ready]')")
        browser.click("[data-tab=meters]")
        browser.until("document.querySelector('.jpList li')")
        panel.choose(HOUSE)
        panel.months()
        panel.chart(["Consommation", "Production"])
        panel.look("mobile")
        browser.until("document.querySelector('.jpTile .eqLogic-widget')")
