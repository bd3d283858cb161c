"""Phases through the whole chain, on real sockets: gateway, cloud, hub, daemon, Jeedom, on one clock that runs fast."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.energy.charged_home import ChargedHome

pytestmark = pytest.mark.slow
WATTS = 7000.0


def flows(home: ChargedHome) -> int:
    """Phases that carry a current."""
    return sum(home.charger.get(183 + phase) > 1 for phase in range(3))


def test_a_charge_begins_on_one_phase_and_takes_three_with_the_sun(tmp_path: Path) -> None:
    with ExitStack() as stack:
        option = {"phaseSwitching": True, "maxCurrent": 16}
        home = ChargedHome(stack, tmp_path, phases=3, point=option)
        home.within(60, lambda: home.shown("mode"))
        home.choose("solar")  # without sun its limit becomes 0, and its circuit one phase
        home.within(600, lambda: home.limit == 0 and home.charger.get(112) == 0)
        home.sun(WATTS)
        home.within(600, lambda: flows(home) == 1)
        home.within(1200, lambda: flows(home) == 3)
        home.within(60, lambda: (home.shown("phases"), home.shown("status")) == (3, "En charge"))
        assert "sur 12" in home.shown("phaseSwitching")
        bodies = [body for _, name, body in home.cloud.commands if name == "dynamicCurrent"]
        assert {"phase2": 0, "phase3": 0, "timeToLive": 5}.items() <= bodies[0].items()
        assert "timeToLive" not in bodies[-1]
        settings = [field for _, name, body in home.cloud.commands if name == "settings" for field in body]
        assert set(settings) == {"dynamicChargerCurrent"}
        assert home.jeedom.complaints == []
