"""A car charges from the sun through the whole chain: gateway, cloud, hub, daemon and Jeedom, on real sockets.

The daemon is the real process; what the car draws is what the gateway's meter sees. All share a clock that runs twenty
times as fast as the machine's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.energy.charged_home import ChargedHome
from tests.support.client import ask

pytestmark = pytest.mark.slow


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[ChargedHome]:
    with ExitStack() as stack:
        made = ChargedHome(stack, tmp_path)
        made.within(60, lambda: made.shown("mode"))
        yield made
        assert made.jeedom.complaints == []


def test_a_car_follows_the_sun_after_a_mode_was_chosen(chain: ChargedHome) -> None:
    assert chain.shown("mode") == "Sans pilotage"
    chain.stays(60, 32.0)
    chain.charging()
    chain.sun(4200)
    chain.within(120, lambda: chain.limit == 15)
    chain.sun(2500)
    chain.within(120, lambda: 7 <= chain.limit <= 8)
    chain.sun(300)
    chain.within(600, lambda: chain.limit == 0)
    journal = chain.journal()
    assert all(entry["why"] and entry["at"] and entry["decision"] for entry in journal)
    assert {entry["who"] for entry in journal} == {str(chain.point)}
    assert "10 A" in " ".join(entry["decision"] for entry in journal)


def test_neither_a_restart_nor_kill_9_starts_or_stops_it(chain: ChargedHome) -> None:
    chain.charging()
    chain.daemon.kill()
    chain.start_daemon().ready()
    chain.within(120, lambda: chain.jeedom.value(chain.point, "status") == "En charge")
    chain.stays(120, 10.0)
    chain.daemon.stop()
    chain.stays(60, 10.0)
    chain.start_daemon().ready()
    chain.stays(120, 10.0)


def test_the_user_of_the_app_takes_over_and_gives_back(chain: ChargedHome) -> None:
    chain.charging()
    chain.charger.obey("settings", {"dynamicChargerCurrent": 16})
    # One of ours that was on its way overwrites it, as fast as this clock runs: it is put back.
    chain.within(120, lambda: chain.shown("status") == "Reprise en main")
    chain.settles(100, 16.0)
    chain.stays(200, 16.0)
    answer = ask(chain.daemon.port, "action", equipment=str(chain.point), command="release", options={})
    assert answer["ok"], answer
    chain.within(300, lambda: chain.limit == 10)


def test_a_gateway_that_falls_silent_ends_the_charge_and_its_return_begins_it_again(chain: ChargedHome) -> None:
    chain.charging()
    chain.gateway.fault("drop")
    chain.within(600, lambda: chain.limit == 0)
    chain.gateway.clear()
    chain.within(1500, lambda: chain.limit == 10)


def test_a_service_that_is_down_a_jeedom_that_is_away_and_a_clock_that_steps_touch_no_charge(
    chain: ChargedHome,
) -> None:
    chain.charging()
    decided = len(chain.journal())
    for path in ("*", "/negotiate", "/upgrade"):
        chain.cloud.fault("drop", path)
    chain.cloud.hub.end_streams("rst")
    chain.within(600, lambda: chain.shown("status") == "Injoignable")
    chain.stays(120, 10.0)
    chain.cloud.clear()
    chain.within(900, lambda: chain.shown("status") == "En charge")
    chain.stays(60, 10.0)
    chain.jeedom.fault("down")
    chain.stays(120, 10.0)
    chain.jeedom.clear()
    for seconds in (3600.0, -7200.0):
        chain.step_clock(seconds)
        chain.stays(100, 10.0)
    assert chain.shown("status") == "En charge"
    said = [entry["decision"] for entry in chain.journal()[decided:]]
    assert set(said) <= {"unreachable", "10 A × 1"}, said
    chain.choose("solar")
    told = datetime.fromisoformat(chain.journal()[-1]["at"]).timestamp()
    assert abs(told - chain.clock() + 7200.0) < 600, "the daemon has seen the step"
