"""An endpoint that only actions use, gone for everybody, is reported once as the vendor's change."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import Mock

import pytest
from jeenergied.devices.easee.actions import ACTIONS
from jeenergied.devices.easee.client import NotThere
from jeenergied.devices.easee.control import Control

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.http import Response


class KeptInMemory:
    """A connection's memory without a store."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def keep(self, key: str, value: Any) -> None:
        self._values[key] = value


@pytest.mark.parametrize("name", ["cable_lock", "start_charging", "smartCharging_ON"])
def test_an_action_gone_for_a_day_is_reported_once_and_no_longer_blamed_on_the_charger(name: str) -> None:
    clock, context, account = ManualClock(), Mock(), Mock()
    context.clock, context.memory = clock, KeptInMemory()
    action = ACTIONS[name]
    control = Control(account, Mock(), context, threading.RLock(), lambda charger: None)

    def press(serial: str) -> Any:
        return control._send(f"/api/chargers/{serial}", action, None)

    account.call.side_effect = NotThere("not there")
    with pytest.raises(NotThere, match="not there"):
        press("EH1")
    clock.advance(86000)
    with pytest.raises(NotThere, match="not there"):
        press("EH2")
    assert not context.message.called
    clock.advance(1000)
    for serial in ("EH1", "EH2"):
        with pytest.raises(NotThere, match="n'offre plus"):
            press(serial)
    assert context.message.call_count == 1
    account.call.side_effect = None
    account.call.return_value = Response(200, {}, b"[]")
    press("EH2")
    account.call.side_effect = NotThere("not there")
    with pytest.raises(NotThere, match="not there"):
        press("EH1")
    assert context.message.call_count == 1
