"""Somebody in the house's network answers in place of a WES, which speaks plain HTTP, with markup as a value.

Jeedom's widgets put values into the page as they are: it ran as script in the administrator's browser.
"""

from __future__ import annotations

import sys

from jeedom_bridge.contract import Contract
from simulators.wes.box import Tic
from simulators.wes.server import WesServer
from tests.security.attacks.target import Checkout, Succeeded, configure, tried
from tests.support.callback_server import CallbackServer

SCRIPT = "<img src=x onerror=alert(1)>"
ESCAPED = SCRIPT.replace("<", "&lt;").replace(">", "&gt;")
"""As it stands in the page, which is XML."""


def attack(checkout: Checkout) -> None:
    """Raises Succeeded if a value reaches Jeedom with markup in it."""
    rows = Contract(checkout.root / "core" / "contract").catalogues["wes"].all_rows("teleinfo")
    commands = {row.logical_id: {} for row in rows if row.data["subType"] == "string"}
    with WesServer() as wes, CallbackServer() as jeedom:
        wes.box.tics[0] = Tic("031976543210", ESCAPED, 45, ESCAPED, 1840, 0, [8, 2, 3, 4], [233, 234, 235])
        config = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "wes", "pollInterval": 5}
        settings = {"tarification": "BBRH", "ticMeasure": "consumption"}
        equipment = [
            {"id": "11", "type": "teleinfo", "key": "1", "name": "TIC", "config": settings, "commands": commands}
        ]
        wire = {"id": "1", "backend": "wes", "name": "WES", "config": config, "commands": {"state": {}}}
        with checkout.daemon(jeedom.url) as port:
            configure(port, {**wire, "equipment": equipment})
            jeedom.wait_for(lambda: "onerror" in _texts(jeedom), 30)
            if SCRIPT in _texts(jeedom):
                raise Succeeded(f"Jeedom was sent {SCRIPT!r} as a value")


def _texts(jeedom: CallbackServer) -> str:
    values = [value for event in jeedom.of("values") for value in event["values"].values()]
    return "\n".join(value for value in values if isinstance(value, str))


if __name__ == "__main__":
    sys.exit(tried(attack))
