"""Netatmo: tokens, homes, and the measures of lines as they go into Jeedom's history."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

import requests
from jeenergied.devices.base import Connection
from jeenergied.devices.econetatmo import client
from jeenergied.devices.econetatmo.client import Service
from jeenergied.devices.econetatmo.device import Device

from tests.support.fuzz import CONTRACT, Endpoint, Seen, Witness, canned_session, equipment, is_sum
from tests.support.mutations import Answer, answer_of, parsed
from tests.support.recorded import answers

NOW = 1_721_850_000.0
BRIDGE = "00:04:74:aa:bb:cc"
LINE = f"{BRIDGE}#0"
GRANT = {"access_token": "a|b", "refresh_token": "c|d", "expires_in": 10800, "scope": ["read_magellan"]}
HOMES = {
    "status": "ok",
    "time_server": int(NOW),
    "body": {
        "homes": [
            {
                "id": "64b0aa11bb22cc33dd44ee55",
                "name": "Maison",
                "timezone": "Europe/Paris",
                "modules": [
                    {"id": BRIDGE, "type": "NLE", "name": "Compteur", "modules_bridged": [LINE, f"{BRIDGE}#6"]},
                    {"id": LINE, "type": "NLE", "name": "Ligne 1", "bridge": BRIDGE, "setup_date": 1_600_000_000},
                    {"id": f"{BRIDGE}#6", "type": "NLE", "name": "Gaz", "bridge": BRIDGE},
                ],
                "schedules": [{"type": "electricity", "selected": True, "tariff_option": "basic"}],
            }
        ]
    },
}
STATUS = {"status": "ok", "time_server": int(NOW), "body": {"errors": [{"code": 6, "id": BRIDGE}], "home": {"id": "x"}}}


def measures(columns: int, optimised: bool = True) -> dict[str, Any]:
    """`getmeasure` for that many types, in one of its two shapes: one tariff is filled after the other."""
    begin, step = 1_721_772_900, 1800
    rows = [[n * 7.5 + 1 if c == 1 + (n > 20) else None for c in range(columns)] for n in range(40)]
    series = [{"beg_time": begin, "step_time": step, "value": rows[:25]}]
    series += [{"beg_time": begin + 25 * step, "step_time": step, "value": rows[25:]}]
    by_time = {str(begin + n * step): row for n, row in enumerate(rows)}
    return {"status": "ok", "time_server": int(NOW), "body": series if optimised else by_time}


def recorded(*names: str) -> list[Answer]:
    return [answer_of(each) for name in names for each in answers("econetatmo", name)]


class World:
    """An account with one line, whose service gives one answer to one kind of question."""

    def __init__(self, method: str, answer: Answer) -> None:
        self.method, self.answer = method, answer
        self.types = 0
        self.context = Witness(CONTRACT.catalogues["econetatmo"], NOW)
        config = {"apiUrl": "https://api", "historyDays": 2, "pollInterval": 600, "clientId": "i", "clientSecret": "s"}
        settings = {"consumptionType": "electrical", "sourceType": "other"}
        members = (equipment("econetatmo", "line", LINE, settings),)
        connection = self.context.adopt(Connection("1", "econetatmo", "Netatmo", config, {}, members))
        context: Any = self.context
        self.device = Device(connection, context)
        self.device._service._session = canned_session(self._reply)
        keeper = mock.Mock()
        keeper.current.return_value = "token"
        keeper.replaced.return_value = "other"
        keeper.turn = contextlib.nullcontext()
        self.device._api._keeper = keeper

    def _reply(self, request: requests.PreparedRequest) -> Answer:
        asked = str(request.url).rpartition("/")[2]
        if asked == self.method:
            return self.answer
        return answer_of({"homesdata": HOMES, "homestatus": STATUS}.get(asked, measures(3)))

    def poll(self) -> Seen:
        self.device._read_line(self.device.connection.equipment[0], "poll", errors := [])
        self.context.seen.error = errors[-1] if errors else None
        self.device._publish()
        return self.context.seen

    def discover(self) -> Seen:
        found = self.device.discover()
        assert all(each.name and each.key for each in found)
        assert len({each.name.casefold() for each in found}) == len({each.key for each in found})
        return Seen(texts=[each.name for each in found] + [each.key for each in found])

    def reason(self) -> Seen:
        self.device._read_homes("poll")
        return Seen(texts=[self.device._reports._reason(BRIDGE, self.device._homes)])


def explain(answer: Answer, seen: Seen) -> Iterable[str]:
    """A measure is a figure of one slot, or the sum of the figures of its tariffs."""
    content = parsed(answer.body)
    body = content.get("body") if isinstance(content, dict) else None
    rows = list(_rows(body))
    for row, at, value in seen.points:
        if not any(is_sum(value / row.data.get("scale", 1), figures) for figures in rows):
            yield f"{row.logical_id} at {at}: {value!r} is in no slot"


def _rows(body: Any) -> Iterator[list[float]]:
    parts = body if isinstance(body, list) else [body]
    for part in parts:
        content = part if isinstance(part, dict) else {}
        listed = content.get("value")
        for row in [*(listed if isinstance(listed, list) else []), *content.values()]:
            if isinstance(row, list):
                good = [_number(each) for each in row if type(each) in (int, float, str)]
                yield [each for each in good if abs(each) < 1e300]


def _number(value: Any) -> float:
    """A number, also one as text; infinity for what is none."""
    try:
        return float(value.strip().replace(",", ".") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return float("inf")


def grant(answer: Answer) -> Seen:
    service = Service("https://api")
    with mock.patch.object(client, "new_session", return_value=canned_session(lambda request: answer)):
        found = service.token({"grant_type": "refresh_token"})
    assert 1 <= found.lifetime <= 30 * 86400
    requests.Request("GET", "https://x", headers={"Authorization": f"Bearer {found.access}"}).prepare()
    requests.Session().prepare_request(requests.Request("POST", "https://x", data={"refresh_token": found.refresh}))
    json.dumps([found.access, found.refresh])
    return Seen(texts=[found.access, found.refresh])


def types() -> int:
    """How many columns the line's commands ask for."""
    asked: list[str] = []

    def reply(request: requests.PreparedRequest) -> Answer:
        asked.append(str(request.body))
        return answer_of({"error": {"code": 9}})

    world = World("getmeasure", Answer(b""))
    world.device._service._session = canned_session(reply)
    world.poll()
    return asked[0].split("type=")[1].split("&")[0].count("%2C") + 1


def widened(answer: Answer, columns: int) -> Answer:
    """Recorded measures with the columns of a line: the recording is of another type of module."""
    content = json.loads(answer.body)
    for series in content["body"]:
        series["value"] = [(row + [None] * columns)[:columns] for row in series["value"]]
    return answer_of(content)


def endpoints() -> list[Endpoint]:
    columns = types()
    made = [answer_of(measures(columns)), answer_of(measures(columns, False))]
    made += [widened(each, columns) for each in recorded("getmeasure_30min_optimized.json")]
    return [
        Endpoint("econetatmo", "oauth2/token", [answer_of(GRANT)], grant),
        Endpoint(
            "econetatmo",
            "homesdata",
            [answer_of(HOMES), *recorded("homesdata.json", "homesdata_empty.json")],
            lambda answer: World("homesdata", answer).discover(),
        ),
        Endpoint(
            "econetatmo",
            "homestatus",
            [answer_of(STATUS), *recorded("homestatus.json", "homestatus_error_disconnected.json")],
            lambda answer: World("homestatus", answer).reason(),
        ),
        Endpoint(
            "econetatmo",
            "getmeasure",
            made,
            lambda answer: World("getmeasure", answer).poll(),
            explain,
        ),
    ]
