"""What each answer on the way to a token means: Enlighten's login, its token service, and the page beside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Optional
from urllib.parse import parse_qs

import pytest
import requests
import responses
from jeenergied.devices.enphase.gateway.client import cloud_session
from jeenergied.devices.enphase.tokens import token
from jeenergied.devices.enphase.tokens.token_refusals import (
    AccountRefused,
    LoginServiceAway,
    Reason,
    TokenServiceBroken,
    TooManyLogins,
)

LOGIN, TOKENS = "https://login.example", "https://token.example"
SERIAL = "122300000001"
OPENED = {"message": "success", "session_id": "0123456789abcdef", "is_consumer": True}


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


JWT = f"{part({'alg': 'ES256'})}.{part({'aud': SERIAL, 'iat': 1.79e9, 'exp': 1.82e9, 'enphaseUser': 'owner'})}.c2ln"


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def text(body: Any) -> Any:
    return body if isinstance(body, (str, Exception)) else json.dumps(body)


def logged_in(service: responses.RequestsMock, status: int = 200, body: Any = OPENED, **headers: str) -> None:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("POST", f"{LOGIN}/login/login.json", text(body), status=status, headers=names)


def given(service: responses.RequestsMock, status: int = 200, body: Any = JWT, **headers: str) -> None:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("POST", f"{TOKENS}/tokens", text(body), status=status, headers=names)


def beside(service: responses.RequestsMock, status: int = 404, body: Any = "") -> None:
    service.add("GET", f"{LOGIN}/entrez-auth-token", text(body), status=status)


def obtain() -> str:
    return token.obtain(cloud_session(), LOGIN, TOKENS, "a@b.example", "secret-word", SERIAL)


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "reason", "wait"),
    [
        (401, "", {}, AccountRefused, Reason.PASSWORD, None),
        (403, "", {}, AccountRefused, Reason.PASSWORD, None),
        (422, {"message": "Invalid"}, {}, AccountRefused, Reason.PASSWORD, None),
        (200, {"isBlocked": True}, {}, AccountRefused, Reason.BLOCKED, None),
        (200, {"requires_mfa": True}, {}, AccountRefused, Reason.SECOND_FACTOR, None),
        (200, {"session_id": ""}, {}, AccountRefused, Reason.SECOND_FACTOR, None),
        (200, "<html>Too many</html>", {}, TooManyLogins, Reason.WALL, None),
        (200, "  <!DOCTYPE html>", {}, TooManyLogins, Reason.WALL, None),
        (200, "garbage", {}, LoginServiceAway, Reason.AWAY, None),
        (200, [OPENED], {}, LoginServiceAway, Reason.AWAY, None),
        (429, "", {}, TooManyLogins, Reason.TOO_MANY, None),
        (429, "", {"Retry_After": "120"}, TooManyLogins, Reason.TOO_MANY, 120.0),
        (302, "", {"Location": f"{LOGIN}/elsewhere"}, LoginServiceAway, Reason.AWAY, None),
        (404, "", {}, LoginServiceAway, Reason.AWAY, None),
        (500, "", {}, LoginServiceAway, Reason.AWAY, None),
        (503, "", {}, LoginServiceAway, Reason.AWAY, None),
        (0, requests.ConnectionError("reset"), {}, LoginServiceAway, Reason.AWAY, None),
    ],
)
def test_each_answer_to_a_login_has_its_reason(
    service: responses.RequestsMock,
    status: int,
    body: Any,
    headers: dict[str, str],
    kind: type,
    reason: Reason,
    wait: Optional[float],
) -> None:
    logged_in(service, status, body, **headers)
    with pytest.raises(kind) as raised:
        obtain()
    assert (type(raised.value), raised.value.reason, raised.value.wait_s) == (kind, reason, wait)
    assert len(service.calls) == 1
    form = parse_qs(str(service.calls[0].request.body))
    assert form == {"user[email]": ["a@b.example"], "user[password]": ["secret-word"]}
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("first", "second", "kind", "reason"),
    [
        ((403, ""), (403, ""), AccountRefused, Reason.NO_RIGHT),
        ((401, ""), (404, ""), AccountRefused, Reason.NO_RIGHT),
        ((500, ""), (401, ""), AccountRefused, Reason.NO_RIGHT),
        ((500, ""), (404, ""), TokenServiceBroken, Reason.NO_TOKEN),
        ((503, ""), (0, requests.ConnectionError("reset")), TokenServiceBroken, Reason.NO_TOKEN),
        ((200, "garbage"), (200, "<html>Sign in</html>"), TokenServiceBroken, Reason.NO_TOKEN),
        ((200, {"token": "none"}), (302, ""), TokenServiceBroken, Reason.NO_TOKEN),
        ((302, ""), (429, ""), TooManyLogins, Reason.TOO_MANY),
        ((0, requests.ReadTimeout("late")), None, TokenServiceBroken, Reason.NO_TOKEN),
        ((429, ""), None, TooManyLogins, Reason.TOO_MANY),
    ],
)
def test_each_pair_of_answers_without_a_token_has_its_reason(
    service: responses.RequestsMock, first: tuple[int, Any], second: Optional[tuple[int, Any]], kind: type, reason: Any
) -> None:
    logged_in(service)
    given(service, *first)
    if second is not None:
        beside(service, *second)
    with pytest.raises(kind) as raised:
        obtain()
    assert raised.value.reason is reason
    assert len(service.calls) == (2 if second is None else 3)


@pytest.mark.parametrize("body", [JWT, f'"{JWT}"', {"token": JWT}, {"generation_time": 1, "token": JWT}])
def test_a_token_is_found_in_what_the_service_gives(service: responses.RequestsMock, body: Any) -> None:
    logged_in(service)
    given(service, 200, body)
    assert token.Token.parse(obtain()).audience == SERIAL
    asked = json.loads(service.calls[1].request.body or b"")
    assert asked == {"session_id": OPENED["session_id"], "serial_num": SERIAL, "username": "a@b.example"}


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 500, 502])
def test_the_page_for_customers_is_asked_when_the_service_gives_none(
    service: responses.RequestsMock, status: int
) -> None:
    logged_in(service)
    given(service, status, "<html></html>")
    beside(service, 200, {"token": JWT})
    assert token.Token.parse(obtain()).text == JWT
    asked = service.calls[2].request
    assert asked.url == f"{LOGIN}/entrez-auth-token?serial_num={SERIAL}"
    assert asked.headers["Cookie"] == f"_enlighten_4_session={OPENED['session_id']}"
