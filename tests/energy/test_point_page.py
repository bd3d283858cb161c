"""The page of a charge point as numbers and texts: its pure functions, run by node."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "desktop" / "js" / "house"
SCRIPTS = sorted(FOLDER.glob("point*.js"))
NODE = shutil.which("node")
RUN = """
const window = {};
eval(require('fs').readFileSync(process.argv[1], 'utf8'));
const own = window.jeenergieHouse.pointMath;
"""
MOST_BYTES = 40 * 1024
OUTLOOK: dict[str, Any] = {
    "at": "2026-05-28T14:10:00+02:00",
    "begin": "2026-05-28T02:00:00+02:00",
    "end": "2026-05-29T14:10:00+02:00",
    "past": [
        {"at": "2026-05-28T12:00:00+02:00", "solar": 3000, "car": 0},
        {"at": "2026-05-28T12:15:00+02:00", "solar": None, "car": 1400},
        {"at": "2026-05-28T12:30:00+02:00", "solar": 4200, "car": None},
        {"at": "2026-05-28T13:45:00+02:00", "solar": 3600, "car": None},
    ],
    "prices": [{"price": None}, {"price": 0.1579}, {"price": 0.2065}],
}

pytestmark = pytest.mark.skipif(not NODE, reason="node is not on this machine")


def js(script: str, zone: str = "UTC") -> Any:
    """The value of a JavaScript expression in a browser of that time zone; `own` has the functions."""
    code = f"{RUN} const outlook = {json.dumps(OUTLOOK)}; console.log(JSON.stringify({script}));"
    command = [str(NODE), "-e", code, str(FOLDER / "point.math.js")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"TZ": zone})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Paris"])
def test_the_axis_has_the_hours_of_the_house_whatever_the_browser_s_time_zone_is(zone: str) -> None:
    found = js("own.ticks(outlook, 10).map(each => [each.hour, own.across(outlook, 0, 2170)(each.at)])", zone)
    assert [hour for hour, _ in found] == [4, 8, 12, 16, 20, 0, 4, 8, 12]
    assert found[0][1] == pytest.approx(120)


def test_what_was_not_measured_is_a_gap_and_not_nothing() -> None:
    runs = js("own.runs(outlook.past, 'solar')")
    assert [[each["value"] for each in run] for run in runs] == [[3000], [4200], [3600]]
    assert js("own.energy(outlook.past, 'solar')") == pytest.approx(2.7)
    assert js("own.energy([{solar: null}], 'solar')") is None
    assert js("own.range(outlook.prices)") == {"most": 0.2065, "least": 0.1579}
    assert js("own.range([{price: null}])") == {"most": None, "least": None}


def test_the_scale_is_whole_kilowatts() -> None:
    assert js("[own.top(outlook), own.top({past: []})]") == [5000, 1000]


def test_the_progress_of_a_goal_stays_within_its_bar() -> None:
    goals = [{"energy": 10, "done": 2.5}, {"energy": 10, "done": 12}, {"energy": 0, "done": 3}]
    assert js(f"{json.dumps(goals)}.map(own.progress)") == [25, 100, None]


def test_the_journal_is_a_file_that_a_spreadsheet_reads() -> None:
    entries = [
        {"at": "2026-05-28T12:00:00+02:00", "decision": "solar", "why": "Mode choisi", "inputs": []},
        {
            "at": "2026-05-28T12:01:00+02:00",
            "decision": "7 A × 1",
            "why": '=HYPERLINK("x"), 1450 W',
            "inputs": {"mode": "solar", "grid": -1450, "apparent": [0, 20], "plan": False},
        },
    ]
    text = js(f"own.csv({json.dumps(entries)}, {{at: 'Moment', why: 'Pourquoi \"1\"'}})")
    rows = list(csv.reader(io.StringIO(text)))
    assert [len(row) for row in rows] == [12, 12, 12]
    assert rows[0][:3] == ["Moment", "decision", 'Pourquoi "1"']
    # The newest first; a text is never a formula; numbers are numbers.
    assert rows[1][:6] == [entries[1]["at"], "7 A × 1", '\'=HYPERLINK("x"), 1450 W', "solar", "-1450", ""]
    assert rows[1][6] == "0 20"
    assert rows[2][3:] == [""] * 9


def test_the_scripts_are_small() -> None:
    assert len(SCRIPTS) == 5
    assert sum(path.stat().st_size for path in SCRIPTS) < MOST_BYTES


def test_a_goal_in_percent_says_the_car_s_charge_state_and_how_old_it_is() -> None:
    goal = {
        "state": "planned", "energy": 0, "percent": 80, "done": 0, "by": "2026-05-29T07:30:00+02:00", "need": 18.25,
        "level": 49.6, "levelAt": "2026-05-28T09:05:00+02:00", "cost": None, "days": [1],
    }  # fmt: skip
    texts = {
        state: page(
            f"parts.goalText({{...outlook, plan: [], goal: {json.dumps({**goal, 'levelState': state})}}}, data)"
        )
        for state in ("fresh", "stale", "unknown")
    }
    assert all(text.startswith("80\u00a0% pour") and "07:30" in text for text in texts.values())
    assert "La voiture est à 50\u00a0% : il reste 18,3\u00a0kWh." in texts["fresh"]
    assert "La charge de la voiture, 50\u00a0%, date du jeudi 28 mai 09:05 : il reste 18,3\u00a0kWh." in texts["stale"]
    assert "n'est pas connue" in texts["unknown"]
    assert js("[own.progress({percent: 80, level: 40}), own.progress({percent: 80, level: null})]") == [50, None]


def test_a_goal_at_risk_says_what_helps() -> None:
    goal = {
        "state": "atRisk", "energy": 20, "percent": 0, "done": 0, "by": "2026-05-28T15:00:00+02:00", "missing": 5.5,
        "advice": "Branchez la voiture.", "withConsent": None, "days": [1],
    }  # fmt: skip
    text = page(f"parts.goalText({{...outlook, plan: [], goal: {json.dumps(goal)}}}, data)")
    assert text.endswith("À risque : il manquera 5,5\u00a0kWh. Branchez la voiture.")


def page(script: str) -> Any:
    """The value of an expression with the parts of the page, in French; the core's braces are taken off."""
    files = [str(FOLDER / f"{name}.js") for name in ("math", "point.math", "point.parts")]
    code = (
        "const window = {}; const read = file => require('fs').readFileSync(file, 'utf8');"
        "for (const file of process.argv.slice(1)) eval(read(file).replace(/\\{\\{|\\}\\}/g, ''));"
        "const parts = window.jeenergieHouse.pointParts, data = {language: 'fr-FR'};"
        f"const outlook = {json.dumps(OUTLOOK)}; console.log(JSON.stringify({script}));"
    )
    done = subprocess.run([str(NODE), "-e", code, *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_line_of_now_goes_through_no_price() -> None:
    """A column from 100 to 300 px wide, a label of 88 px: [now, where the label's middle is, its room]."""
    for now, middle, room in ((50, 200, 200), (150, 200, 200), (190, 245, 110), (210, 155, 110), (260, 200, 200)):
        assert js(f"own.labelPlace(100, 200, {now}, 88)") == [middle, room], now
