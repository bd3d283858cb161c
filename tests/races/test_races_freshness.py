"""Data come while the equipment that is watched changes."""

from __future__ import annotations

from typing import Any

from jeenergied.connections.freshness import Freshness
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue

from .conftest import Race

ROUNDS = 150
EMPTY: dict[str, Any] = {"fields": [], "operations": [], "commands": []}
ROW = {"logicalId": "power", "name": "P", "type": "info", "subType": "numeric", "source": "power"}
DATA = {
    "silences": {"own": {"after": 600, "says": "Muet"}},
    "connection": EMPTY,
    "equipment": {"meter": {"silence": "own", "fields": [], "commands": [ROW]}},
}


def test_no_age_is_lost_while_a_desired_state_is_adopted(race: Race) -> None:
    catalogue = Catalogue("x", DATA)
    meter = Equipment("2", "meter", "k", "", {}, {"power": {}})
    for _ in range(ROUNDS):
        clock = ManualClock()
        freshness = Freshness(catalogue, clock)
        freshness.adopt(Connection("1", "x", "", {}, {}, (meter,)))
        freshness.seen("2", ["power"])
        clock.advance(100)
        race(
            lambda freshness=freshness: freshness.seen("2", ["power"]),
            lambda freshness=freshness: freshness.adopt(Connection("1", "x", "", {}, {}, (meter,))),
            freshness.oldest,
        )
        assert freshness.oldest() == ("2", clock.time())
