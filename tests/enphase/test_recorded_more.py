"""Every recorded gateway with all options: what is no plain power or index has the value that the answers hold too."""

from __future__ import annotations

import json

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway, RecordedSource

from .harness import RECORDED, TYPES, commands_of
from .oracle_more import More

if not RECORDED.is_dir():
    pytest.skip("no recorded answers here", allow_module_level=True)

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


def test_measured_days_of_inverters_are_the_gateway_s_own():
    from jeenergied.devices.enphase.mapping import day_energies

    answer = json.loads((RECORDED / "8.2.4345_with_device_data" / "ivp_pdm_device_data").read_text())
    found = day_energies(answer, 0.0)
    assert found["122344043197"] == 1239
    units = [each for each in answer.values() if isinstance(each, dict)]
    assert len(found) == sum(each["devName"] == "pcu" and each["active"] for each in units)
    assert set(day_energies(answer, 4e9).values()) == {0.0}
