"""All five systems as simulators, with secrets that are found again wherever they turn up, and set up in a Jeedom."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

from jeedom_host import Jeedom

from simulators.demo.systems import _TICKED
from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.model import Ecometer, Home
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt.__main__ import example_homes
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer

WORDS = {
    "enphase": "Mot-Enphase-7391",
    "easee": "Mot-Easee-7392",
    "wes": "Mot-Wes-7393",
    "wesftp": "Mot-WesFtp-7394",
    "hellowatt": "Mot-HelloWatt-7395",
}


@dataclass
class Vendors:
    """Which settings each system's connection has; which of them no one may see."""

    configs: dict[str, dict[str, Any]]
    given: Callable[[], list[str]]
    faults: dict[str, Callable[..., Any]]
    """How each simulator is asked for a fault."""
    connections: dict[str, str] = field(default_factory=dict)

    def secrets(self) -> list[str]:
        """What the user typed, and what the vendors gave since."""
        return [*WORDS.values(), *self.given()]


@contextmanager
def vendors() -> Iterator[Vendors]:
    """The simulators; nothing is in Jeedom yet."""
    with ExitStack() as stack:
        key = EntrezKey()
        gateway = stack.enter_context(EnphaseGateway(DaySource(Plant(time.time, inverters=3, hour=12)), key=key))
        enlighten = stack.enter_context(
            EnlightenCloud(key, [Account("secret@example.org", WORDS["enphase"], (gateway.serial,))])
        )
        easee = stack.enter_context(
            EaseeCloud([EaseeAccount("secret@example.org", WORDS["easee"], ("EH000001",))], life=False)
        )
        box = furnished()
        account, ftp = ("admin", WORDS["wes"]), ("adminftp", WORDS["wesftp"])
        wes = stack.enter_context(WesServer(box, life=Life(box, time.time), account=account, ftp_account=ftp))
        house = Home("64b0aa11bb22cc33dd44ee55", ecometers=[Ecometer("00:04:74:aa:bb:cc", lines={0: "Total"})])
        netatmo = stack.enter_context(NetatmoCloud([house]))
        customer = Customer("secret@example.org", WORDS["hellowatt"], example_homes(1))
        site = stack.enter_context(HelloWattSite([customer]))
        tempo = stack.enter_context(TempoService())
        user = "secret@example.org"
        authority = netatmo.authority
        refresh = authority.generate().refresh
        configs: dict[str, dict[str, Any]] = {
            "enphase": {
                "host": "127.0.0.1",
                "port": gateway.port,
                "tokenMode": "auto",
                "pollInterval": 2,
                "user": user,
            },
            "easee": {"apiUrl": easee.url, "streamUrl": easee.stream_url, "user": user, "password": WORDS["easee"]},
            "wes": {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": WORDS["wes"]},
            "econetatmo": {"clientId": authority.client_id, "refreshToken": refresh, "apiUrl": netatmo.url},
            "hellowatt": {
                "siteUrl": site.url,
                "tempoUrl": tempo.url,
                "rteUrl": "",
                "user": user,
                "password": WORDS["hellowatt"],
            },
        }
        configs["enphase"].update(
            password=WORDS["enphase"], tokenMode="auto", loginUrl=enlighten.url, tokenUrl=enlighten.url
        )
        configs["wes"].update(ftpUser="adminftp", ftpPassword=WORDS["wesftp"], ftpPort=wes.ftp.port, pollInterval=2)
        configs["econetatmo"]["clientSecret"] = authority.client_secret

        def given() -> list[str]:
            session = list(site.logins.secrets)
            return [authority.client_secret, *authority.issued, *easee.accounts.issued, *enlighten.tokens, *session]

        systems = {"enphase": gateway, "easee": easee, "wes": wes, "econetatmo": netatmo, "hellowatt": site}
        yield Vendors(configs, given, {backend: each.faults.add for backend, each in systems.items()})


def connect(jeedom: Jeedom, systems: Vendors) -> None:
    """Sets all of them up as a user does, and enables them."""
    for backend, config in systems.configs.items():
        connection = jeedom.own("addConnection", backend=backend, name=f"Secrets {backend}")["id"]
        systems.connections[backend] = connection
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
    ticked = [{"type": kind, "key": key, "name": name, "config": own} for kind, key, name, own in _TICKED[:4]]
    jeedom.own("createDiscovered", connection=systems.connections["wes"], equipment=ticked)
    charger = [{"type": "charger", "key": "EH000001", "name": "Borne", "config": {}}]
    jeedom.own("createDiscovered", connection=systems.connections["easee"], equipment=charger)


def disconnect(jeedom: Jeedom, systems: Vendors) -> None:
    """Removes them again, equipment first: some connections are not removed while they have any."""
    for connection in systems.connections.values():
        jeedom.php(
            """
            foreach (jeenergie::byType('jeenergie') as $each) {
                if ($each->getConfiguration('connection') == $argv[1]) { $each->remove(); }
            }
            $connection = jeenergie::byId($argv[1]);
            if (is_object($connection)) { $connection->remove(); }
            """,
            connection,
        )
