"""The picture of the house as numbers: the page's pure functions, run by node."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jeenergied.energy.balance import Energies, flows

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "desktop" / "js" / "house"
BODY = ROOT / "desktop" / "php" / "house.body.php"
LISTS = [BODY, ROOT / "desktop" / "php" / "point.body.php", ROOT / "core" / "src" / "Energy" / "House.php"]
MATH = FOLDER / "math.js"
NODE = shutil.which("node")
RUN = """
const window = {};
eval(require('fs').readFileSync(process.argv[1], 'utf8'));
const math = window.jeenergieHouse.math;
"""
NOW = 1_781_517_600
MOST_BYTES = 60 * 1024

needs_node = pytest.mark.skipif(not NODE, reason="node is not on this machine")


def js(script: str) -> Any:
    """The value of a JavaScript expression; `math` has the functions."""
    code = f"{RUN} console.log(JSON.stringify({script}));"
    done = subprocess.run([str(NODE), "-e", code, str(MATH)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def figure(value: Any, age: float = 2, unit: str = "W") -> dict[str, Any]:
    return {"value": value, "unit": unit, "at": NOW - age}


def picture(**values: Any) -> Any:
    """The picture of a house; `told`, `has`, `devices`, `used`: as the page has them."""
    data: dict[str, Any] = {"has": ["grid.power", "solar.power", "battery.power"], "devices": []}
    data |= {key: values.pop(key) for key in ("told", "holds", "has", "devices", "used") if key in values}
    data["values"] = values
    return js(f"math.picture({json.dumps(data)}, {NOW})")


@needs_node
def test_what_flows_where_is_what_the_daemon_says() -> None:
    chance = random.Random(4)
    cases = [(chance.uniform(-5000, 5000), chance.uniform(0, 6000), chance.uniform(-3000, 3000)) for _ in range(300)]
    cases += [(0.0, 0.0, 0.0), (-1000.0, 0.0, 0.0), (3000.0, 0.0, -2500.0)]
    found = js(f"{json.dumps(cases)}.map(each => math.flows(...each))")
    for (grid, solar, battery), ours in zip(cases, found):
        energies = Energies(max(grid, 0), max(-grid, 0), solar, max(-battery, 0), max(battery, 0))
        assert ours == pytest.approx(vars(flows(energies)), abs=1e-6)


@needs_node
def test_the_sun_serves_house_battery_and_grid() -> None:
    found = picture(gridPower=figure(-1800), solarPower=figure("4200"), batteryPower=figure(-1.5, unit="kW"))
    assert {(each["from"], each["to"]): each["power"] for each in found["lines"]} == {
        ("solar", "house"): 900,
        ("solar", "battery"): 1500,
        ("solar", "grid"): 1800,
    }
    assert [each["color"] for each in found["lines"] if each["to"] == "grid"] == ["export"]
    assert [found["nodes"][each]["mode"] for each in ("solar", "grid", "battery")] == ["produces", "feeds", "charges"]


@needs_node
def test_the_grid_can_fill_the_battery() -> None:
    found = picture(gridPower=figure(3400), solarPower=figure(0), batteryPower=figure(-2500))
    lines = {(each["from"], each["to"]): each["power"] for each in found["lines"]}
    assert lines == {("grid", "house"): 900, ("grid", "battery"): 2500}


@needs_node
def test_what_is_not_known_draws_no_flow_and_is_no_zero() -> None:
    told = {"grid": None, "solar": 300, "battery": 0, "house": None, "base": None}
    found = picture(gridPower=figure(640, 1300), solarPower=figure(300), batteryPower=figure(0), told=told)
    grid = found["nodes"]["grid"]
    assert (grid["state"], grid["age"], grid["mode"]) == ("old", 1300, "unknown")
    assert found["nodes"]["house"] == {"power": None, "state": "unknown", "age": None}
    assert found["flows"] is None
    assert {each["power"] for each in found["lines"]} == {None}


@needs_node
def test_a_value_without_news_is_old_when_nobody_vouches_for_it() -> None:
    script = f"[100, 400].map(age => math.stateOf({{value: 5, unit: 'W', at: {NOW} - age}}, undefined, {NOW}).state)"
    assert js(script) == ["known", "old"]
    assert js(f"math.stateOf({{value: 0, unit: 'W', at: {NOW} - 3000}}, 0, {NOW}).state") == "known"
    assert js(f"math.stateOf({{value: '', unit: 'W', at: {NOW}}}, undefined, {NOW}).power") is None


@needs_node
def test_until_the_daemon_answers_a_quiet_value_of_a_house_that_is_online_is_not_old() -> None:
    values = {"gridPower": figure(0, 900), "solarPower": figure(300), "batteryPower": figure(0)}
    assert picture(**values, holds=True)["nodes"]["grid"]["state"] == "known"
    assert picture(**values, holds=False)["nodes"]["grid"]["state"] == "old"
    told = {"grid": None, "solar": 300, "battery": 0, "house": None, "base": None}
    assert picture(**values, holds=True, told=told)["nodes"]["grid"]["state"] == "old"


@needs_node
def test_what_was_vouched_for_once_does_not_hold_for_ever() -> None:
    script = (
        f"[100, 500].map(ago => math.stateOf({{value: 9, unit: 'W', at: {NOW} - 900}}, 9, {NOW}, {NOW} - ago).state)"
    )
    assert js(script) == ["known", "old"]


@needs_node
def test_a_flow_without_news_is_asked_after_and_a_rest_later() -> None:
    def doubtful(value: Any, age: float) -> Any:
        return js(f"math.isDoubtful([undefined, {json.dumps(figure(value, age))}], {NOW}, 45)")

    assert [doubtful(800, 10), doubtful(800, 60), doubtful(0, 60), doubtful(None, 60)] == [False, True, False, False]


@needs_node
def test_the_sun_at_night_is_asked_after_before_it_would_count_as_old() -> None:
    """Jeedom tells nothing of a value that stays the same."""

    def doubtful(age: float, told_ago: str) -> Any:
        return js(f"math.isDoubtful([{json.dumps(figure(0, age))}], {NOW}, 45, {told_ago})")

    assert [doubtful(300, "undefined"), doubtful(350, "undefined")] == [False, True]
    assert [doubtful(40000, f"{NOW} - 300"), doubtful(40000, f"{NOW} - 350")] == [False, True]


@needs_node
@pytest.mark.parametrize(("car", "base"), [(300, 600), (950, 0), (11000, None), ("", None)])
def test_the_rest_of_the_house_is_never_negative_nor_a_guess(car: Any, base: Any) -> None:
    devices = [{"id": "9", "name": "Car", "kind": "charger", **figure(car)}]
    found = picture(gridPower=figure(900), power=figure(900), devices=devices, has=["grid.power"])
    assert found["nodes"]["base"]["power"] == base


@needs_node
def test_a_house_without_sun_and_battery_has_no_such_nodes() -> None:
    found = picture(gridPower=figure(700), solarPower=figure(0), batteryPower=figure(0), has=["grid.apparentPower"])
    assert set(found["nodes"]) == {"grid", "house", "base"}
    assert [(each["from"], each["to"], each["power"]) for each in found["lines"]] == [("grid", "house", 700)]


@needs_node
def test_consumers_chargers_first_the_rest_in_one_and_no_duplicate() -> None:
    devices = [{"id": str(n), "name": f"Load {n}", "kind": "load", **figure(100 * n)} for n in range(1, 7)]
    devices += [{"id": "9", "name": "Car", "kind": "charger", **figure(0)}]
    found = picture(gridPower=figure(3000), devices=devices, used={"6": False})
    assert [each["id"] for each in found["consumers"]] == ["9", "5", "4", "others"]
    others = found["consumers"][-1]
    assert (others["power"], others["count"], others["state"]) == (600, 3, "known")


@needs_node
def test_a_line_is_as_wide_as_its_power() -> None:
    widths = js("[0, 4, 100, 1000, 5000, 10000].map(each => math.width(each, 10000))")
    assert widths[:2] == [0, 0]
    assert widths[2:] == sorted(widths[2:])
    assert widths[-1] == 16
    assert widths[4] - 2 == pytest.approx(7)


@needs_node
def test_periods_begin_and_end_where_a_calendar_has_them() -> None:
    at = "new Date(2024, 1, 29)"  # a Thursday
    spans = js(f"['day', 'week', 'month', 'year', 'all'].map(each => Object.values(math.span(each, {at})))")
    assert spans == [
        ["2024-02-29", "2024-02-29", "hour"],
        ["2024-02-26", "2024-03-03", "day"],
        ["2024-02-01", "2024-02-29", "day"],
        ["2024-01-01", "2024-12-31", "month"],
        [None, None, "year"],
    ]
    moved = js(
        "['day', 'week', 'month', 'year'].map(each => math.span(each, math.moved(each, new Date(2024, 0, 31), 1)).from)"
    )
    assert moved == ["2024-02-01", "2024-02-05", "2024-02-01", "2025-01-01"]


@needs_node
def test_slots_that_nobody_measured_keep_their_place() -> None:
    rows = [{"at": f"2026-10-25T0{hour}:00:00+0{offset}:00"} for hour, offset in ((1, 2), (2, 2), (2, 1))]
    hours = js(f"math.slots({{from: '2026-10-25', rows: {json.dumps(rows)}}}, 'hour')")
    assert len(hours) == 25
    assert hours[:4] == ["2026-10-25T00:00", *(row["at"] for row in rows)]
    days = js("math.slots({from: '2026-02-27', to: '2026-03-01', rows: []}, 'day')")
    assert days == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert len(js("math.slots({from: '2026-01-01', to: '2026-12-31', rows: []}, 'month')")) == 12


@needs_node
@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0, "W", "0 W"), (-850.4, "W", "−850 W"), (1974, "W", "1,97 kW"), (12.345, "kWh", "12,3 kWh"),
     (1.2, "€", "1,20 €"),     (None, "W", "–"), ("", "kWh", "–"), (0.2065, "€/kWh", "0,2065 €/kWh"), 
     (-0.001, "€", "0,00 €"), (41.6, "%", "42 %")],
)  # fmt: skip
def test_figures_are_written_for_people(value: Any, unit: str, shown: str) -> None:
    assert js(f"math.text({json.dumps(value)}, {json.dumps(unit)}, 'fr-FR')").replace("\u00a0", " ") == shown


@needs_node
def test_next_to_nothing_is_no_full_bar_where_it_is_the_most() -> None:
    assert js("[math.share(0.002, [0.002]), math.share(1, [2, 1])]") == [2, 50]


@needs_node
def test_the_file_has_every_row_and_leaves_out_what_is_not_known() -> None:
    rows = [
        {"at": "2026-06-15", "house": 1.23456, "flows": {"s2h": 0.5}, "cost": None},
        {"at": "2026-06-16", "flows": None},
    ]
    lines = js(f"math.csv({{rows: {json.dumps(rows)}}}, {{at: 'Début'}})").split("\r\n")
    assert lines[0].startswith('"Début","house"')
    first = dict(zip(re.findall(r'"(.*?)"', lines[0]), lines[1].split(",")))
    assert (first["Début"], first["house"], first["s2h"], first["cost"]) == ("2026-06-15", "1.2346", "0.5", "")
    assert set(lines[2].split(",")[1:]) == {""}


FLUIDS: list[dict[str, Any]] = [
    {"name": "Gaz", "unit": "m³", "rows": {"2026-06-14": 0.35, "2026-06-16": 0.4}},
    {"name": 'Eau "froide"', "unit": "m³", "rows": {"2026-06-15": 0.25}, "energies": {}, "costs": {}},
]
FLUIDS[0] |= {"energies": {"2026-06-14": 3.5, "2026-06-16": 4}, "costs": {"2026-06-16": 0.4}}


@needs_node
def test_gas_and_water_have_columns_and_rows_of_their_own_in_the_file() -> None:
    answer = {"rows": [{"at": "2026-06-15", "house": 1.5, "flows": None}], "fluids": FLUIDS}
    lines = js(f"math.csv({json.dumps(answer)}, {{at: 'Début'}})").split("\r\n")
    assert lines[0].endswith(',"Gaz m³","Gaz kWh","Gaz €","Eau ""froide"" m³"')
    assert [line.split(",")[0] for line in lines[1:]] == ["2026-06-14", "2026-06-15", "2026-06-16", ""]
    assert [line.split(",")[-4:] for line in lines[1:4]] == [
        ["0.35", "3.5", "", ""],
        ["", "", "", "0.25"],
        ["0.4", "4", "0.4", ""],
    ]
    assert lines[2].split(",")[1] == "1.5"


@needs_node
def test_hours_stay_in_their_order_when_the_clock_goes_back() -> None:
    rows = [{"at": f"2026-10-25T02:00:00+0{offset}:00"} for offset in (2, 1)]
    fluids = [{"name": "G", "unit": "m³", "rows": [], "energies": [], "costs": []}]
    assert js(f"math.rows({json.dumps({'rows': rows, 'fluids': fluids})})") == rows


@needs_node
def test_a_change_needs_something_to_compare_with() -> None:
    assert js("[[110, 100], [1, 0], [null, 5], [0, 5]].map(each => math.change(...each))") == [10, None, None, -100]


@needs_node
def test_each_source_has_the_buttons_that_its_case_needs() -> None:
    cases = [
        {"used": True, "confidence": "sure"},
        {"used": False, "confidence": "sure"},
        {"used": True, "confidence": "check"},
        {"used": False, "confidence": "check"},
        {"used": False, "confidence": "duplicate"},
        {"used": False, "confidence": "sure", "decided": "ignored"},
        {"used": True, "confidence": "sure", "quarantined": 12.5},
    ]
    roles = (FOLDER / "roles.js").read_text(encoding="utf-8")
    words = f"(eval({json.dumps(roles)}), {json.dumps(cases)}.map(each => window.jeenergieHouse.roles.decisions(each)"
    assert js(f"{words}.map(([word]) => word)))") == [
        ["ignored"],
        ["added"],
        ["confirmed", "ignored"],
        ["ignored", "added"],
        ["ignored", "added"],
        ["none"],
        ["accepted"],
    ]


DRAW = """
const made = (tag) => ({ tag, attributes: {}, children: [], setAttribute(key, value) { this.attributes[key] = value; },
  append(...all) { this.children.push(...all); }, replaceChildren(...all) { this.children = all; } });
const document = { createElement: made, createElementNS: (_space, tag) => made(tag) };
const window = { jeenergieHouse: {} };
process.argv.slice(1).forEach((path) => eval(require('fs').readFileSync(path, 'utf8')));
const drawn = (data, width) => {
  const box = { ...made('div'), clientWidth: width };
  window.jeenergieHouse.flow.draw(box, { colors: {}, language: 'fr-FR', ...data }, NOW, width < 300);
  const nodes = [], lines = [], walk = (each) => {
    if (each.attributes.class?.startsWith('jhNode')) nodes.push(each);
    if (each.attributes.class === 'jhLine') lines.push(Number(each.attributes['stroke-width']));
    each.children.forEach(walk);
  };
  walk(box.children[0]);
  return { lines, box: box.children[0].attributes.viewBox.split(' ').map(Number), nodes: nodes.map((each) => [
    ...each.attributes.transform.match(/-?[\\d.]+/g).map(Number),
    Number(each.children.find((child) => child.tag === 'circle').attributes.r),
    each.children.filter((child) => child.tag === 'text').map((child) => child.textContent)]) };
};
"""


def drawn(data: dict[str, Any], width: int) -> Any:
    """What is drawn: {box: the part that is seen, nodes: [[x, y, radius, texts]], lines: their widths}."""
    code = DRAW.replace("NOW", str(NOW)) + f"console.log(JSON.stringify(drawn({json.dumps(data)}, {width})));"
    files = [str(FOLDER / f"{name}.js") for name in ("math", "elements", "flow")]
    done = subprocess.run([str(NODE), "-e", code, *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
def test_a_line_is_drawn_as_wide_as_its_power() -> None:
    powers = {"gridPower": 1000, "solarPower": 4000, "batteryPower": 0, "power": 5000}
    values = {name: figure(power) for name, power in powers.items()}
    found = drawn({"values": values, "has": ["grid.power", "solar.power", "battery.power"], "devices": []}, 900)
    narrow, wide = sorted(found["lines"])
    assert (wide - 2) / (narrow - 2) == pytest.approx(4, rel=0.05)


@needs_node
@pytest.mark.parametrize("width", [240, 390, 900])
def test_what_the_house_does_not_have_takes_no_place(width: int) -> None:
    values = {"gridPower": figure(2275), "power": figure(2275), "solarPower": figure(0), "batteryPower": figure(0)}
    alone = drawn({"values": values, "has": ["grid.power"], "devices": []}, width)
    whole = drawn({"values": values, "has": ["grid.power", "solar.power", "battery.power"], "devices": []}, width)
    assert alone["box"][3] < 0.55 * whole["box"][3]
    for found in (alone, whole):
        left, top, wide, high = found["box"]
        for x, y, radius, _ in found["nodes"]:
            assert left <= x - radius
            assert x + radius <= left + wide
            assert top <= y - radius
            assert y + radius <= top + high


@needs_node
@pytest.mark.parametrize(("width", "count"), [(900, 9), (900, 5), (390, 9)])
def test_the_name_of_a_device_is_not_on_the_next_one(width: int, count: int) -> None:
    devices = [{"id": str(n), "name": f"Chauffe-eau {n}", "kind": "load", **figure(50 + n)} for n in range(count)]
    devices[0]["value"] = ""  # its name has a line more, that it is not known
    found = drawn({"values": {"gridPower": figure(3000), "power": figure(3000)}, "has": [], "devices": devices}, width)
    small = [each for each in found["nodes"] if each[2] < 40]
    assert len(small) == (5 if width > 500 else 3)
    for number, (x, y, radius, texts) in enumerate(small):
        for other in small[:number]:
            lines = max(len(texts), len(other[3])) - 1  # beside the value in the ring
            assert abs(x - other[0]) >= 100 or abs(y - other[1]) >= 2 * radius + 14 * lines
    assert any("Autres}} (" in text for each in small for text in each[3]) == (count > 5)


def scripts_of(page: Path) -> list[Path]:
    """What a page loads, in its order."""
    listed = re.search(r"\[('ask', .*?)\]", page.read_text(encoding="utf-8"))
    assert listed, page
    return [FOLDER / f"{name}.js" for name in re.findall(r"'([^']+)'", listed[1])]


def test_the_script_is_small() -> None:
    scripts = scripts_of(BODY)
    assert len(scripts) > 4
    assert sum(path.stat().st_size for path in scripts) < MOST_BYTES


@pytest.mark.parametrize("page", LISTS, ids=lambda page: page.name)
def test_a_page_has_what_its_scripts_use_before_them(page: Path) -> None:
    there: set[str] = set()
    for script in scripts_of(page):
        text = script.read_text(encoding="utf-8")
        there |= set(re.findall(r"^  house\.(\w+) = ", text, re.M))
        used = set(re.findall(r"(?<![.\w])house\.(\w+)\b(?! = )", text))
        assert used <= there, f"{page.name}: {script.name} lacks {sorted(used - there)}"


def test_elements_are_made_in_one_place() -> None:
    makers = [
        path.name for path in sorted(FOLDER.glob("*.js")) if "createElementNS" in path.read_text(encoding="utf-8")
    ]
    assert makers == ["elements.js"]


@needs_node
@pytest.mark.parametrize(("least", "most"), [(0, "math.LEAST_KWH"), (0, 0.4), (0.3, 1.9), (12, 30), (0, 4121)])
def test_the_lines_behind_the_bars_are_told_apart(least: float, most: Any) -> None:
    found = js(f"math.levels({least}, {most}).map(each => math.text(Math.abs(each), 'kWh', 'fr-FR'))")
    levels = js(f"math.levels({least}, {most})")
    assert 3 <= len(found) <= 8
    assert [each for each, level in zip(found, levels) if level == 0] == ["0\u00a0kWh"]
    positive = [each for each, level in zip(found, levels) if level >= 0]
    assert len(set(positive)) == len(positive)
