"""helloWatt: its pages, its daily figures as they go into Jeedom's history, and the public source of Tempo colours."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import requests
from jeenergied.devices.base import Connection
from jeenergied.devices.hellowatt import mapping
from jeenergied.devices.hellowatt.device import Device

from simulators.hellowatt import Home
from simulators.hellowatt.pages import login_page
from tests.hellowatt.harness import at
from tests.support.fuzz import CONTRACT, Endpoint, Seen, Witness, canned_session, equipment, is_sum
from tests.support.mutations import Answer, answer_of, parsed
from tests.support.recorded import answers

NOW = at("2026-02-01 12:00")
FIRST, DAYS = date(2026, 1, 1), 31
ID = "502113"
TEMPO = {"dateJour": "2026-02-01", "codeJour": 2, "periode": "2025-2026"}
OPEN_DATA = {
    "values": {f"2026-02-0{n}{end}": value for n in (1, 2) for end, value in (("", "RED"), ("-fallback", "false"))}
}
COOKIE = {"set-cookie": "sessionid=abcdef; Path=/", "content-type": "application/json"}
ANSWERS = {"location": "/login/redirect/"}


def home(tempo: bool = True) -> Home:
    tariffs = ((date(2000, 1, 1), "tempo"), (date(2026, 1, 20), "hphc")) if tempo else ((date(2000, 1, 1), "base"),)
    return Home(int(ID), "99000000000417", "99000000000888", tariffs=tariffs, solar=True)


def series(energy: str, tempo: bool = True) -> dict[str, Any]:
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    return {"values": [home(tempo).row(energy, day, NOW, FIRST) for day in days], "next": None}


def recorded(name: str) -> list[Answer]:
    found = [json.dumps(each) for each in answers("hellowatt", name)]
    return [Answer(text.replace("2026-08-", "2026-01-").encode()) for text in found]


def account(key: str) -> list[Answer]:
    contents = answers("hellowatt", "account.json")
    return [answer_of(each) for content in contents for name, each in content.items() if name.endswith(key)]


class World:
    """An account with a home, signed in, whose site gives one answer to one kind of question."""

    def __init__(self, part: str, answer: Answer, signed_in: bool = True) -> None:
        self.part, self.answer = part, answer
        self.posts = 0
        self.context = Witness(CONTRACT.catalogues["hellowatt"], NOW)
        members = tuple(equipment("hellowatt", kind, ID) for kind in ("electricity", "gas"))
        config = {
            "user": "a@b",
            "password": "c",
            "siteUrl": "https://site",
            "tempoUrl": "https://tempo",
            "rteUrl": "https://rte",
        }
        connection = self.context.adopt(Connection("1", "hellowatt", "helloWatt", config, {}, members))
        context: Any = self.context
        self.device = Device(connection, context)
        self.device._session.login.owner._mark = "mark"  # else each case would spend its time on a password's hash
        if signed_in:
            cookies = {"sessionid": "x", "csrftoken": "y"}
            self.context.memory.put("session", {"of": "mark", "data": cookies, "obtained": NOW - 86400.0})
        self.device._site._session = canned_session(self._reply)
        for source in self.device._tempo._services:
            source._session = canned_session(self._reply)

    def _reply(self, request: requests.PreparedRequest) -> Answer:
        path = str(request.url)
        self.posts += request.method == "POST"
        if self.part in f"{request.method} {path}":
            return self.answer
        if "login" in path and request.method == "POST":
            return answer_of(ANSWERS, **COOKIE)
        if "login" in path:
            return Answer(login_page("t" * 64).encode(), 200, {"set-cookie": "csrftoken=abc; Path=/"})
        for key, content in (
            ("contracts", home().contracts()),
            ("sge_measures", series("electricity")),
            ("adict_measures", series("gas")),
            ("homes", [home().described()]),
        ):
            if key in path:
                return answer_of(content)
        return answer_of(OPEN_DATA if "tempoLight" in path else TEMPO)

    @property
    def refusal(self) -> str:
        """Why the site has refused the last login, '' if it has not."""
        return next((each["reason"] for each in self.context.memory.get("sessionRefusals", {}).values()), "")

    def collect(self, *kinds: str) -> Seen:
        wanted = [each for each in self.device.connection.equipment if each.type in kinds]
        self.device._collect(wanted)
        return self.context.seen

    def homes(self) -> Seen:
        found = self.device.discover()
        return Seen(texts=[each.name for each in found] + [each.key for each in found])

    def contracts(self) -> Seen:
        self.device._account.contracts(ID)
        for each in self.device.connection.equipment:
            self.device._publication.publish(each)
        return self.context.seen

    def colours(self) -> Seen:
        self.device._tempo.ask()
        return Seen(texts=list(self.device._tempo.facts().values()))

    def log_in(self, asked: bool = False) -> Seen:
        self.device._session.login.current(asked)
        return Seen(texts=sorted(self.device._site.cookies()))


def explain(answer: Answer, seen: Seen) -> Iterable[str]:
    """A day's figure is one of its row's or a sum of some of them; a month's and a year's are the sums of days."""
    content = parsed(answer.body)
    content = parsed(content.encode("utf-8", "replace")) if isinstance(content, str) else content
    listed = content
    if isinstance(content, dict):
        listed = next((content[key] for key in ("values", "results", "data") if isinstance(content.get(key), list)), [])
    rows: dict[str, list[list[float]]] = {}
    for row in listed if isinstance(listed, list) else []:
        day = mapping.local_day(row.get("datetime")) if isinstance(row, dict) else None
        if day is not None:
            rows.setdefault(day.isoformat(), []).append(_figures(row))
    sums: dict[tuple[str, str, str], list[float]] = {}
    for number, (row, moment, value) in enumerate(seen.points):
        period, _, fact = str(row.source).partition(".")
        if period != "day":
            continue
        for longer, length in (("month", 7), ("year", 4)):
            sums.setdefault((longer, fact, moment[:length]), []).append(value)
        looked_at = number % 5 == len(seen.points) % 5 and fact != "tempoCode"
        if looked_at and not any(is_sum(value, figures) for figures in rows.get(moment[:10], [])):
            yield f"{row.logical_id} on {moment[:10]}: {value!r} is no sum of its row"
    for row, moment, value in seen.points:
        period, _, fact = str(row.source).partition(".")
        days = sums.get((period, fact, moment[: {"month": 7, "year": 4}.get(period, 0)]))
        if period != "day" and days is not None and abs(math.fsum(days) - value) > 0.02 * len(days) + abs(value) * 1e-6:
            yield f"{row.logical_id} at {moment}: {value!r}, its days make {math.fsum(days)!r}"


def _figures(row: Any) -> list[float]:
    parts = [part for value in row.values() for part in (value.values() if isinstance(value, dict) else [value])]
    found = [mapping.number(part) for part in parts]
    return [float(each) for each in found if each is not None]


def endpoints() -> list[Endpoint]:
    def made(energy: str) -> list[Answer]:
        return [answer_of(series(energy)), answer_of(series(energy, False))]

    page = Answer(login_page("t" * 64).encode(), 200, {"set-cookie": "csrftoken=abc; Path=/"})
    verdicts = [answer_of(ANSWERS, **COOKIE), answer_of({"form": {"errors": ["refusé"], "fields": {}}}, **COOKIE)]
    homes = [answer_of([home().described()]), *account("/api/homes")]
    contracts = [answer_of(home().contracts()), *account("/contracts")]
    electricity = [*made("electricity"), *recorded("elec_conso_daily_2026-08.json")]
    electricity += recorded("elec_conso_daily_2026-01_tempo.json")
    gas = [*made("gas"), *recorded("gas_conso_daily_2026-08.json")]
    return [
        Endpoint(
            "hellowatt",
            "login, form",
            [page],
            lambda answer: World("GET https://site/accounts", answer, False).log_in(),
        ),
        Endpoint(
            "hellowatt",
            "login, answer",
            verdicts[:1],
            lambda answer: World("POST https://site/accounts", answer, False).log_in(),
        ),
        Endpoint("hellowatt", "homes", homes, lambda answer: World("/api/homes", answer).homes()),
        Endpoint("hellowatt", "contracts", contracts, lambda answer: World("contracts", answer).contracts()),
        Endpoint(
            "hellowatt",
            "conso_daily, electricity",
            electricity,
            lambda answer: World("sge_measures", answer).collect("electricity"),
            explain,
        ),
        Endpoint(
            "hellowatt",
            "conso_daily, gas",
            gas,
            lambda answer: World("adict_measures", answer).collect("gas"),
            explain,
        ),
        Endpoint("hellowatt", "jourTempo", [answer_of(TEMPO)], lambda answer: World("jourTempo", answer).colours()),
        Endpoint("hellowatt", "tempoLight", [answer_of(OPEN_DATA)], lambda answer: World("tempo", answer).colours()),
    ]
