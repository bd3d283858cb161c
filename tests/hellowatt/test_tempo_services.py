"""What each answer of the services for Tempo colours means: one request, one answer, a colour or why there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Optional

import pytest
import requests
import responses
from jeenergied.devices.hellowatt.colors.services import ColorService, NotTold, OpenData, TempoService

from tests.support.fuzz import CONTRACT, Witness

from .harness import at

URL = "https://tempo.example"
DAY = date(2026, 3, 11)
ADDRESSES = {ColorService: f"{URL}/api/jourTempo/2026-03-11", OpenData: f"{URL}/cms/open_data/v1/tempoLight"}
COLORS = {
    ColorService: {"dateJour": "2026-03-11", "codeJour": 3},
    OpenData: {"values": {"2026-03-11": "RED", "2026-03-12": "BLUE", "2026-03-12-fallback": "true"}},
}


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture(params=[ColorService, OpenData])
def source(request: pytest.FixtureRequest) -> TempoService:
    context: Any = Witness(CONTRACT.catalogues["hellowatt"], at("2026-03-10 12:00"))
    made: TempoService = request.param(context, URL)
    return made


def answer(service: responses.RequestsMock, source: TempoService, status: int, body: Any, **headers: str) -> None:
    content = body if isinstance(body, (str, Exception)) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("GET", ADDRESSES[type(source)], content, status=status, headers=names)


@pytest.mark.parametrize(
    ("status", "body", "headers", "why", "wait"),
    [
        (204, "", {}, "status 204", None),
        (301, "", {"Location": "https://elsewhere.example/"}, "to another service", None),
        (302, "", {"Location": "/login"}, "to another service", None),
        (400, "", {}, "status 400", None),
        (401, "", {}, "status 401", None),
        (403, "", {}, "status 403", None),
        (404, "", {}, "status 404", None),
        (408, "", {}, "status 408", None),
        (410, "", {}, "status 410", None),
        (418, "", {}, "status 418", None),
        (429, "", {}, "status 429", None),
        (429, "", {"Retry_After": "90"}, "status 429", 90.0),
        (429, "", {"Retry_After": "Tue, 10 Mar 2026 11:10:00 GMT"}, "status 429", 600.0),
        (500, "", {}, "status 500", None),
        (502, "<html>Bad Gateway</html>", {}, "status 502", None),
        (503, "", {"Retry_After": "30"}, "status 503", 30.0),
        (504, "", {}, "status 504", None),
        (200, "", {}, "no JSON", None),
        (200, "<html>Bonjour</html>", {}, "no JSON", None),
        (200, '{"values": {', {}, "no JSON", None),
        (200, " " * 70_000, {}, "more than 64 kB", None),
        (0, requests.ReadTimeout("late"), {}, "no answer within 20 s", None),
        (0, requests.ConnectionError("reset"), {}, "ConnectionError", None),
    ],
)
def test_each_answer_without_data_says_why(
    service: responses.RequestsMock,
    source: TempoService,
    status: int,
    body: Any,
    headers: dict[str, str],
    why: str,
    wait: Optional[float],
) -> None:
    answer(service, source, status, body, **headers)
    with pytest.raises(NotTold, match=why) as raised:
        source.ask([DAY])
    assert raised.value.wait_s == wait
    assert len(service.calls) == 1


def test_a_colour_is_read(service: responses.RequestsMock, source: TempoService) -> None:
    answer(service, source, 200, COLORS[type(source)])
    assert source.ask([DAY]) == {DAY: 3}


@pytest.mark.parametrize("body", [[], {}, None, 3, {"dateJour": "2026-03-10", "codeJour": 3}, {"values": []}])
def test_other_json_holds_no_colour(service: responses.RequestsMock, source: TempoService, body: Any) -> None:
    answer(service, source, 200, body)
    assert source.ask([DAY]) == {}
