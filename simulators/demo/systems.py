"""The simulated systems of the demonstration: each is started here and set up in the stand-in Jeedom."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Callable

from simulators.clock import SimulatedClock
from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.homes import FOREIGN
from simulators.econetatmo.model import Ecometer, Home
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.enphase.storage import Storage
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt.__main__ import example_homes
from simulators.house import Truth
from simulators.jeedom.standin import JeedomStandIn
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer


@dataclass
class Scene(Truth):
    """What the systems share: one house, which the gateway and the meters of the WES measure and the cars draw from."""

    charger: str = ""
    """The first charger's id in Jeedom."""
    point: str = ""
    """Of the charge point that drives it."""


System = Callable[[ExitStack, JeedomStandIn, float, Scene], None]


def enphase(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
    """A gateway on a roof with twelve inverters and a battery, from ten in the morning on."""
    key = EntrezKey()
    # The sun has an hour of its own, so that every date the gateway gives is true.
    battery = Storage(energy=2_000.0)
    plant = Plant(time.time, seed=7, inverters=12, storage=battery, timezone="Europe/Paris", hour=10, sky_speed=speed)
    scene.adopt(plant)
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


def hellowatt(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
    """An account with a house (solar panels, gas) and a flat on Tempo, with a year of data."""
    customer = Customer("demo@example.org", "Soleil-et-nuages-1", example_homes(1))
    site = stack.enter_context(HelloWattSite([customer]))
    tempo = stack.enter_context(TempoService())
    config = {
        "user": customer.email,
        "password": customer.password,
        "siteUrl": site.url,
        "tempoUrl": tempo.url,
        "rteUrl": "",
    }
    jeedom.add_connection("hellowatt", config, "Compte helloWatt")


def easee(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
    """Two chargers: a car charges at one of them, the other waits for one."""
    account = EaseeAccount("demo@example.org", "branche-le-soir", ("EH000001", "EH000002"))
    cloud = stack.enter_context(EaseeCloud([account], clock=SimulatedClock()))
    car = cloud.chargers["EH000001"]
    car.phases = 1  # as the house
    car.plug(amps=32.0, battery=30.0)
    car.obey("settings", {"dynamicChargerCurrent": 8.0})
    scene.cars += cloud.chargers.values()
    connection = jeedom.add_connection(
        "easee",
        {"user": account.user, "password": account.password, "apiUrl": cloud.url, "streamUrl": cloud.stream_url},
        "Compte Easee",
    )
    scene.charger = jeedom.add_equipment(connection, "charger", "EH000001", "Garage")
    jeedom.add_equipment(connection, "charger", "EH000002", "Allée")


def wes(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
    """A WES in a garage: two meter links, counters, clamps, probes, a relay card; it sends itself its page."""
    box = furnished()
    life = Life(box, SimulatedClock(), shown=time.time, grid=scene.grid, solar=scene.solar)
    server = stack.enter_context(WesServer(box, life=life, pause=0.2))
    connection = jeedom.add_connection(
        "wes",
        {
            "host": "127.0.0.1",
            "port": server.port,
            "user": "admin",
            "password": "wes",
            "ftpUser": "adminftp",
            "ftpPassword": "wesftp",
            "ftpPort": server.ftp.port,
            "jeedomCgx": True,
            "autoUpdateCgx": True,
            "supply9v": True,
            "screen": True,
            "pollInterval": 1,
        },
        "Garage",
    )
    for kind, key, name, config in _TICKED:
        jeedom.add_equipment(connection, kind, key, name, config)


_TICKED: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("teleinfo", "1", "Linky", {"tarification": "BBRH", "ticMeasure": "consumption", "typetic": "linky"}),
    ("teleinfo", "2", "Production", {"tarification": "BASE", "ticMeasure": "production", "typetic": "linky"}),
    ("compteur", "1", "Eau", {"typecompt": "eau", "comptMeasure": "consumption"}),
    ("compteur", "2", "Pompe à chaleur", {"typecompt": "elec", "comptMeasure": "consumption"}),
    ("pince", "1", "Ballon", {"pinceMeasure": "consumption"}),
    ("pince", "2", "Panneaux", {"pinceMeasure": "production"}),
    ("sonde", "1", "Salon", {"sondeMeasure": "temperature"}),
    ("sonde", "2", "Cave", {"sondeMeasure": "humidity"}),
    ("bouton", "1", "Portail", {}),
    ("relais", "1", "Arrosage", {}),
    ("relais", "103", "Éclairage du jardin", {}),
    ("switch", "2", "Mode vacances", {}),
    ("analogique", "1", "Cuve", {}),
    ("variable", "1", "Consigne", {}),
)


def econetatmo(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
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


def house(stack: ExitStack, jeedom: JeedomStandIn, speed: float, scene: Scene) -> None:
    """The house of them all, which drives the first charger."""
    config = {"resalePrice": 0.04, "subscription": 190, "batteryOrder": "car"}
    connection = jeedom.add_connection("house", config, "Maison")
    jeedom.add_equipment(connection, "home", "home", "Maison")
    scene.point = jeedom.add_equipment(connection, "chargePoint", scene.charger, "Pilotage Garage")


SYSTEMS: tuple[System, ...] = (enphase, easee, wes, econetatmo, hellowatt, house)
