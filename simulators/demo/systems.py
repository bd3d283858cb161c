"""The simulated systems of the demonstration: each is started here and set up in the stand-in Jeedom."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Callable

from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.homes import FOREIGN
from simulators.econetatmo.model import Ecometer, Home
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.jeedom.standin import JeedomStandIn

System = Callable[[ExitStack, JeedomStandIn, float], None]


def enphase(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """A gateway on a roof with twelve inverters, from ten in the morning on."""
    key = EntrezKey()
    # The sun has an hour of its own, so that every date the gateway gives is true.
    plant = Plant(time.time, seed=7, phases=1, inverters=12, timezone="Europe/Paris", hour=10, sky_speed=speed)
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


def econetatmo(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """A Netatmo account: a house with an ecometer of five lines, its total and gas, on a peak and off-peak contract."""
    names = ("Chauffage", "Chauffe-eau", "Prises", "Cuisine", "Véhicule", "Total", "Gaz")
    ecometer = Ecometer("00:04:74:aa:bb:cc", lines=dict(enumerate(names)), fluids="fluid")
    contracts = [(0.0, "peak_and_off_peak")]
    house = Home("64b0aa11bb22cc33dd44ee55", ecometers=[ecometer], contracts=contracts, foreign=FOREIGN)
    cloud = stack.enter_context(NetatmoCloud([house]))
    jeedom.add_connection(
        "econetatmo",
        {
            "clientId": cloud.authority.client_id,
            "clientSecret": cloud.authority.client_secret,
            "refreshToken": cloud.authority.generate().refresh,
            "apiUrl": cloud.url,
        },
        "Netatmo",
    )


SYSTEMS: tuple[System, ...] = (enphase, econetatmo)
