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
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt.__main__ import example_homes
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


def hellowatt(stack: ExitStack, jeedom: JeedomStandIn, speed: float) -> None:
    """An account with a house (solar panels, gas) and a flat on Tempo, with a year of data."""
    customer = Customer("demo@example.org", "Soleil-et-nuages-1", example_homes(1))
    site = stack.enter_context(HelloWattSite([customer]))
    tempo = stack.enter_context(TempoService())
    config = {"user": customer.email, "password": customer.password, "siteUrl": site.url, "tempoUrl": tempo.url}
    jeedom.add_connection("hellowatt", config, "Compte helloWatt")


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


SYSTEMS: tuple[System, ...] = (enphase, easee, hellowatt)
