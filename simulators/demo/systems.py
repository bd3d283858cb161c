"""The simulated systems of the demonstration: each is started here and set up in the stand-in Jeedom."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from typing import Callable
from zoneinfo import ZoneInfo

from simulators.clock import SimulatedClock
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.jeedom.standin import JeedomStandIn

System = Callable[[ExitStack, JeedomStandIn, float], None]


def enphase(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """A gateway on a roof with twelve inverters, from ten in the morning of a day in June on."""
    zone = ZoneInfo("Europe/Paris")
    morning = datetime.fromtimestamp(time.time(), zone).replace(month=6, hour=10, minute=0, second=0)
    clock = SimulatedClock(morning.timestamp(), speed)
    key = EntrezKey()
    plant = Plant(clock, seed=7, phases=1, inverters=12, timezone="Europe/Paris")
    gateway = stack.enter_context(EnphaseGateway(DaySource(plant), key=key, clock=clock))
    account = Account("demo@example.org", "soleil-et-nuages", (gateway.serial,))
    cloud = stack.enter_context(EnlightenCloud(key, [account], clock=clock))
    jeedom.add_connection(
        "enphase",
        {
            "host": "127.0.0.1",
            "port": gateway.port,
            "tokenMode": "auto",
            "user": account.email,
            "password": account.password,
            "loginUrl": cloud.url,
            "tokenUrl": cloud.url,
            "pollInterval": 1,
        },
        "Toiture",
    )


SYSTEMS: tuple[System, ...] = (enphase,)
