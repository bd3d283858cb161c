"""The same with all options: what is no plain power or index has the value that the answers hold too."""

from __future__ import annotations

import json

import pytest
from jeenergied.devices.enphase.values.inverter_answers import day_energies

from jeedom_bridge.clock import ManualClock
from simulators import twins
from simulators.enphase import EnphaseGateway, RecordedSource

from .harness import RECORDED, TYPES, commands_of
from .oracle_more import More
from .test_recorded import FOLDERS, OTHERS_READINGS, check, docs_of

FLAGS = next(field for field in TYPES.fields() if field["key"] == "options")["choices"]


@pytest.mark.parametrize("phases", ["mono", "tri"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_options_batteries_and_the_first_day_are_as_the_answers_say(folder, phases, opened, bench):
    docs = docs_of(folder)
    clock = ManualClock(float(docs["time"]))
    gateway = opened(EnphaseGateway(RecordedSource(folder), clock=clock.time))
    if folder.name in OTHERS_READINGS:
        gateway.fault("status", "/ivp/meters/readings", 404)
    basic = commands_of("combined")
    others = {name: {} for name in commands_of("combined", every=True) if name not in basic and name != "refresh"}
    running = bench(gateway, clock=clock, commands=others, phases=phases, options=list(FLAGS)).start()
    wanted = More(docs, phases == "tri").everything()
    assert wanted
    check(running.values(), wanted)


def test_figures_of_the_twins_told_in_words():
    """The oracle itself, against figures read by eye."""
    acb = More(docs_of(twins.gateway("ac-battery")), False).everything()
    assert (acb["batperc"], acb["batmax"], acb["ENC_pourcent"]) == (33, 7220, 37)
    assert acb["batnow"] == pytest.approx(173 + 70.028)
    collar = More(docs_of(twins.gateway("collar")), True).everything()
    assert collar["CpwrFactorNet"] == pytest.approx(2435.351 / 2502.218)
    assert "PvahLifetime" not in collar
    standard = More(docs_of(twins.gateway("standard")), False).everything()
    assert standard == {"PwattHoursToday": 23997, "PwattHoursSevenDays": 124857, "onduleurs": 24}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded answers here")
def test_figures_told_in_words():
    """The oracle itself, against figures read by eye."""
    acb = More(docs_of(RECORDED / "8.2.4382_ACB"), False).everything()
    assert (acb["batnow"], acb["batperc"], acb["batmax"], acb["ENC_pourcent"]) == (365, 39, 7220, 54)
    assert acb["batwh"] == 2820
    collar = More(docs_of(RECORDED / "8.3.1598_collar"), True).everything()
    assert collar["batnow"] == pytest.approx(-1297.667)
    assert collar["CpwrFactorNet"] == pytest.approx(3760.828 / 3864.088)
    assert "PvahLifetime" not in collar
    assert collar["PwattHoursToday"] == 0
    three = More(docs_of(RECORDED / "7.6.175_with_cts_3phase"), True).everything()
    assert three["CvarhLagLifetime"] > 0
    standard = More(docs_of(RECORDED / "7.6.175_standard"), False).everything()
    assert standard == {"PwattHoursToday": 36462, "PwattHoursSevenDays": 189712, "onduleurs": 24}


@pytest.mark.parametrize("folder", [each for each in FOLDERS if (each / "ivp_pdm_device_data").is_file()])
def test_measured_days_of_inverters_are_the_gateway_s_own(folder):
    answer = json.loads((folder / "ivp_pdm_device_data").read_text())
    found = day_energies(answer, 0.0)
    units = [each for each in answer.values() if isinstance(each, dict)]
    known = {each["sn"]: each["channels"][0]["wattHours"]["today"] for each in units}
    assert found == {serial: known[serial] for serial in found}
    assert len(found) == sum(each["devName"] == "pcu" and each["active"] for each in units) > 0
    assert set(day_energies(answer, 4e9).values()) == {0.0}
