"""What each answer of helloWatt's data addresses means: one request, one answer, one error or its data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Optional

import pytest
import requests
import responses
from jeenergied.devices.hellowatt.site.budget import Budget
from jeenergied.devices.hellowatt.site.client import RETRY_PAUSES_S, SessionLost, Site
from jeenergied.devices.hellowatt.site.errors import (
    AccessRefused,
    LayoutChanged,
    Limited,
    LoginUnconfirmed,
    Missing,
    NoAnswer,
    NotAccepted,
    NotJson,
    SiteDown,
)

from simulators.hellowatt.pages import FORBIDDEN, INTERSTITIAL, MAINTENANCE, login_page
from tests.support.fuzz import CONTRACT, Witness

from .harness import at

URL = "https://site.example"
HOMES = f"{URL}/api/homes"
FORM = login_page("t" * 64)
HTML = {"Content-Type": "text/html; charset=utf-8"}


class World:
    """A site's client and the answers that it gets."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.pauses: list[float] = []
        self.context: Any = Witness(CONTRACT.catalogues["hellowatt"], at("2026-03-10 12:00"))
        self.context.pause = lambda seconds: self.pauses.append(seconds) is None
        self.site = Site(URL, self.context, Budget(self.context, 60))

    def answer(self, status: int, body: Any = "", url: str = HOMES, **headers: str) -> None:
        """The next answer; a body that is no text is JSON."""
        content = body if isinstance(body, (str, Exception)) else json.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = names.pop("Content-Type", "application/json")
        self.mock.add("GET", url, content, status=status, headers=names, content_type=kind)

    @property
    def asked(self) -> list[str]:
        return [str(call.request.url) for call in self.mock.calls]

    @property
    def rests(self) -> list[float]:
        """The pauses before another try; those between any two requests are shorter."""
        return [seconds for seconds in self.pauses if seconds > 2]


@pytest.fixture
def world() -> Iterator[World]:
    with responses.RequestsMock() as mock:
        yield World(mock)


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (403, "", {}, AccessRefused),
        (403, INTERSTITIAL, HTML, AccessRefused),
        (403, FORBIDDEN, HTML, AccessRefused),
        (403, {"detail": "Not yours"}, {}, AccessRefused),
        (403, {"detail": "Authentication credentials were not provided."}, {}, LoginUnconfirmed),
        (401, {"detail": "x"}, {}, LoginUnconfirmed),
        (401, "", {}, LoginUnconfirmed),
        (302, "", {"Location": "/accounts/login/?next=/api/homes"}, LoginUnconfirmed),
        (302, "", {"Location": f"{URL}/me-connecter"}, LoginUnconfirmed),
        (200, FORM, HTML, LoginUnconfirmed),
    ],
)
def test_what_may_be_the_end_of_a_session_says_what_else_it_would_be(
    world: World, status: int, body: Any, headers: dict[str, str], kind: type
) -> None:
    world.answer(status, body, **headers)
    with pytest.raises(SessionLost) as raised:
        world.site.homes()
    assert type(raised.value.counts_as) is kind


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (404, "", {}, Missing),
        (400, {"detail": "x"}, {}, NotAccepted),
        (204, "", {}, NotAccepted),
        (405, "", {}, NotAccepted),
        (408, "", {}, NotAccepted),
        (409, "", {}, NotAccepted),
        (410, "", {}, NotAccepted),
        (418, "", {}, NotAccepted),
        (302, "", {"Location": "https://elsewhere.example/"}, LayoutChanged),
        (301, "", {}, LayoutChanged),
        (200, MAINTENANCE, HTML, SiteDown),
        (200, "<p>Bonjour</p>", HTML, NotJson),
        (200, "<p>Bonjour</p>", {}, NotJson),
        (200, "garbage", {}, NotJson),
        (200, "", {}, NotJson),
        (0, requests.ConnectionError("reset"), {}, NoAnswer),
        (0, requests.ReadTimeout("late"), {}, NoAnswer),
    ],
)
def test_each_other_answer_has_its_error(
    world: World, status: int, body: Any, headers: dict[str, str], kind: type
) -> None:
    world.answer(status, body, **headers)
    with pytest.raises(kind) as raised:
        world.site.homes()
    assert type(raised.value) is kind
    assert len(world.asked) == 1


@pytest.mark.parametrize(("body", "data"), [([{"id": 1}], [{"id": 1}]), ('"[{\\"id\\": 1}]"', [{"id": 1}]), ({}, {})])
def test_data_are_taken_as_they_come_or_from_within_a_text(world: World, body: Any, data: Any) -> None:
    world.answer(200, body)
    assert world.site.homes() == data
    headers = world.mock.calls[0].request.headers
    assert headers["Accept"] == "application/json; version=1.54"
    assert headers["X-Requested-With"] == "XMLHttpRequest"


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_of_the_site_is_tried_again_twice(world: World, status: int) -> None:
    for _ in range(3):
        world.answer(status)
    with pytest.raises(SiteDown):
        world.site.homes()
    assert world.rests == list(RETRY_PAUSES_S)


def test_an_error_that_passes_is_none(world: World) -> None:
    world.answer(500)
    world.answer(200, [])
    assert world.site.homes() == []
    assert world.rests == [RETRY_PAUSES_S[0]]


@pytest.mark.parametrize(("header", "retry"), [("", None), ("90", 90.0), ("Tue, 10 Mar 2026 11:10:00 GMT", 600.0)])
def test_a_site_that_is_closed_is_left_alone_as_long_as_it_says(
    world: World, header: str, retry: Optional[float]
) -> None:
    world.answer(503, **({"Retry_After": header} if header else {}))
    with pytest.raises(SiteDown) as raised:
        world.site.homes()
    assert (raised.value.retry, world.rests) == (retry, [])


@pytest.mark.parametrize(
    ("header", "retry"), [("", 3600.0), ("120", 120.0), ("Tue, 10 Mar 2026 11:10:00 GMT", 600.0), ("soon", 3600.0)]
)
def test_too_many_requests_stop_all_others_until_the_time_told(world: World, header: str, retry: float) -> None:
    world.answer(429, **({"Retry_After": header} if header else {}))
    for _ in range(2):
        with pytest.raises(Limited) as raised:
            world.site.homes()
        assert raised.value.retry == pytest.approx(retry)
    assert len(world.asked) == 1


def test_a_slash_that_the_site_adds_is_followed_once_and_remembered(world: World) -> None:
    world.answer(301, Location="/api/homes/")
    for _ in range(2):
        world.answer(200, [], url=f"{HOMES}/")
    assert world.site.homes() == world.site.homes() == []
    assert world.asked == [HOMES, f"{HOMES}/", f"{HOMES}/"]


def test_a_version_that_is_no_longer_known_is_left_out_from_then_on(world: World) -> None:
    world.answer(406)
    for _ in range(2):
        world.answer(200, [])
    assert world.site.homes() == world.site.homes() == []
    assert [call.request.headers["Accept"][16:] for call in world.mock.calls] == ["; version=1.54", "", ""]
    assert world.context.memory["version"] == ""


def test_days_are_asked_for_from_midnight_to_midnight_in_paris(world: World) -> None:
    world.answer(200, [], url=f"{URL}/api/homes/7/sge_measures/conso_daily")
    world.site.daily("electricity", "7", date(2026, 3, 28), date(2026, 3, 29))
    query = world.asked[0].partition("?")[2]
    assert query == "startDate=2026-03-28T00%3A00%3A00%2B01%3A00&endDate=2026-03-30T00%3A00%3A00%2B02%3A00"
