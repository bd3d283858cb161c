"""The simulated systems of the demonstration: each is started here and set up in the stand-in Jeedom."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Callable

from simulators.clock import SimulatedClock
from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.enphase.storage import Storage
from simulators.jeedom.standin import JeedomStandIn

System = Callable[[ExitStack, JeedomStandIn, float], None]


def enphase(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """A gateway on a roof with twelve inverters and a battery, from ten in the morning on."""
    key = EntrezKey()
    # The sun has an hour of its own, so that every date the gateway gives is true.
    battery = Storage(energy=2_000.0)
    plant = Plant(time.time, seed=7, inverters=12, storage=battery, timezone="Europe/Paris", hour=10, sky_speed=speed)
    gateway = stack.enter_context(EnphaseGateway(DaySource(plant), key=key))
    account = Account("demo@example.org", "soleil-et-nuages", (gateway.serial,))
    cloud = stack.enter_context(EnlightenCloud(key, [account]))
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


def easee(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """Two chargers: a car charges at one of them, the other waits for one."""
    account = EaseeAccount("demo@example.org", "branche-le-soir", ("EH000001", "EH000002"))
    cloud = stack.enter_context(EaseeCloud([account], clock=SimulatedClock(speed=speed)))
    cloud.chargers["EH000001"].plug(amps=16.0, battery=30.0)
    connection = jeedom.add_connection(
        "easee",
        {"user": account.user, "password": account.password, "apiUrl": cloud.url, "streamUrl": cloud.stream_url},
        "Compte Easee",
    )
    jeedom.add_equipment(connection, "charger", "EH000001", "Garage")
    jeedom.add_equipment(connection, "charger", "EH000002", "Allée")


SYSTEMS: tuple[System, ...] = (enphase, easee)
