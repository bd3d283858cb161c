"""Every recorded gateway and every twin, played over TLS to a connection: its values are those of the answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock
from simulators import twins
from simulators.enphase import EnphaseGateway, RecordedSource
from tests.support.recorded import GATEWAYS, gateways

from .harness import READINGS, RECORDED, TYPES, commands_of
from .oracle import Docs, Oracle

FOLDERS = gateways()
OTHERS_READINGS = ("7.6.175_with_cts_3phase",)
"""Recordings whose readings were taken at another gateway (ORIGIN.md): played without them."""
ROUNDED = {
    row.logical_id: 0.5 * 10 ** -row.data["precision"]
    for kind in ("combined", "inverter")
    for row in TYPES.all_rows(kind)
    if "precision" in row.data
}
"""How far rounding may take a value, by command."""


def docs_of(folder: Path) -> Docs:
    """The parsed answers of a folder, and what `info` says."""
    docs: dict[str, Any] = {}
    for path in folder.iterdir():
        if not path.name.endswith("_log.json") and path.name != "info":
            try:
                docs[path.name] = json.loads(path.read_text())
            except ValueError:
                continue  # a page of HTML, as the gateway gave it
    if "production.json_details_1" in docs:
        docs["production.json"] = docs["production.json_details_1"]
    if folder.name in OTHERS_READINGS:
        del docs["ivp_meters_readings"]
    info = (folder / "info").read_text()
    for tag in ("software", "imeter", "time"):
        docs[tag] = re.findall(rf"<{tag}>([^<]*)</{tag}>", info)[0]
    return docs


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request) -> Path:
    return request.param


@pytest.fixture
def played(folder, opened):
    """The gateway of a folder, at the moment it was recorded, and its clock."""
    clock = ManualClock(float(docs_of(folder)["time"]))
    gateway = opened(EnphaseGateway(RecordedSource(folder), clock=clock.time))
    if folder.name in OTHERS_READINGS:
        gateway.fault("status", READINGS, 404)
    return gateway, clock


def check(values: dict[str, Any], wanted: dict[str, float]) -> None:
    assert set(values) == set(wanted)
    for name, value in wanted.items():
        assert values[name] == pytest.approx(value, abs=ROUNDED[name] + 1e-9), name


@pytest.mark.parametrize("phases", ["mono", "tri"])
def test_every_command_has_the_value_that_the_answers_hold(folder, played, bench, phases, caplog):
    docs = docs_of(folder)
    wanted = Oracle(docs, phases == "tri").inverters(float(docs["time"]))
    gateway, clock = played
    running = bench(gateway, clock=clock, inverters=tuple(wanted), phases=phases).start()
    check(running.values(), Oracle(docs, phases == "tri").combined())
    assert running.values()  # no gateway is without any
    for serial, values in wanted.items():
        check(running.inverter(serial), values)
    assert {"online"} <= set(running.states) <= {"connecting", "online"}
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    assert gateway.max_in_flight == 1


def test_what_jeedom_may_create_is_what_has_a_value(folder, played, bench):
    gateway, clock = played
    running = bench(gateway, clock=clock, commands={}, phases="tri").start()
    offered = [name for event in running.of("available") for name in event["commands"]]
    known = commands_of("combined")
    assert sorted(name for name in offered if name in known) == sorted(Oracle(docs_of(folder), True).combined())
    assert running.values() == {}


def test_every_inverter_is_offered_and_no_battery(folder, played, bench):
    gateway, clock = played
    found = bench(gateway, clock=clock).start().ask("discover")["equipment"]
    assert found[0]["type"] == "combined"
    assert found[0]["key"] == gateway.serial
    units = json.loads((folder / "api_v1_production_inverters").read_text())
    batteries = {unit["serialNumber"] for unit in units if unit["devType"] == 11}
    panels = {unit["serialNumber"] for unit in units} - batteries
    assert {each["key"] for each in found if each["type"] == "inverter"} == panels
    assert len(found) == 1 + len(panels)
    if GATEWAYS.get(folder.name, folder.name) == "ac-battery":
        assert len(batteries) == 3


def test_figures_of_the_twins_told_in_words():
    """The oracle itself, against figures read by eye."""
    three = Oracle(docs_of(twins.gateway("three-phase")), True).combined()
    assert three["PwattsNow"] == -4.387
    assert three["CwattsNowNet2"] == three["Import2"] == 83.508
    assert three["CwattHoursLifetime3"] == 563843.238
    assert three["tension"] == pytest.approx(703.245 / 3)
    assert three["tension3"] == 234.796
    assert three["indexcumulimport1"] - three["indexcumulexport1"] == pytest.approx(1100130.751)
    split = Oracle(docs_of(twins.gateway("collar")), True).combined()
    assert split["indexcumulexport2"] == 5470.079
    assert split["CwattsNow"] == 2435.351
    assert "PwattsNow3" not in split
    standard = Oracle(docs_of(twins.gateway("standard")), False).combined()
    assert standard == {"PwattsNow": 3778, "PwattHoursLifetime": 4040602}
    one = Oracle(docs_of(twins.gateway("metered")), False).combined()
    assert one["indexcumulimport"] == 3139242.904
    assert one["Export"] == 30.368


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded answers here")
def test_figures_told_in_words():
    """The oracle itself, against figures read by eye from the recordings."""
    three = Oracle(docs_of(RECORDED / "7.6.175_with_cts_3phase"), True).combined()
    assert three["PwattsNow"] == -6.481
    assert three["CwattsNowNet2"] == three["Import2"] == 123.364
    assert three["CwattHoursLifetime3"] == 832954.471
    assert three["tension"] == pytest.approx(712.862 / 3)
    assert three["tension3"] == 238.007
    assert "indexcumulimport" not in three
    split = Oracle(docs_of(RECORDED / "8.3.1598_collar"), True).combined()
    assert split["indexcumulexport2"] == 8447.253
    assert split["CwattsNow"] == 3760.828
    assert "PwattsNow3" not in split
    standard = Oracle(docs_of(RECORDED / "7.6.175_standard"), False).combined()
    assert standard == {"PwattsNow": 5740, "PwattHoursLifetime": 6139406}
    without = Oracle(docs_of(RECORDED / "8.2.4264_metered_noct"), True).combined()
    assert without == {"PwattsNow": 5521, "PwattHoursLifetime": 32465106}
    one = Oracle(docs_of(RECORDED / "7.6.175_with_cts"), False).combined()
    assert one["indexcumulimport"] == 3738205.282
    assert one["Export"] == 36.162
    assert one["CwattHoursLifetimeNet"] == 1961512.786
    assert len(commands_of("combined")) == 11 * 4
