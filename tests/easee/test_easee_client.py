"""What each answer of Easee's REST service means: one request, one answer, one error or result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Optional

import pytest
import requests
import responses
from jeenergied.devices.base import AuthenticationFailed, Refused, Unreachable, VendorError
from jeenergied.devices.easee.client import Blocked, Cloud, Forbidden, NotThere, TokenRefused, Tokens

API, HUB = "https://api.example", "https://stream.example/hub"
LOGIN, REFRESH, PATH = "/api/accounts/login", "/api/accounts/refresh_token", "/api/chargers"
PAIR = {"accessToken": "access", "refreshToken": "refresh", "expiresIn": 3600, "tokenType": "Bearer"}
OWN_403 = {"errorCode": 100, "title": "Access denied"}
SUNDAY = {"Date": "Sun, 29 Nov 2026 12:00:00 GMT"}


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def answer(service: responses.RequestsMock, path: str, status: int, body: Any = "", **headers: str) -> None:
    """The next answer of the service; a body that is no text is JSON."""
    text = body if isinstance(body, (str, Exception)) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("POST" if "accounts" in path else "GET", API + path, text, status=status, headers=names)


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "retry"),
    [
        (401, {"errorCode": 201}, {}, TokenRefused, None),
        (403, OWN_403, {}, Refused, None),
        (403, "", {}, Forbidden, None),
        (403, "<html><h1>403 Forbidden</h1></html>", {}, Forbidden, None),
        (403, {"message": "Forbidden"}, {}, Forbidden, None),
        (403, "<p>Your IP address has been blocked for 24 hours</p>", {}, Blocked, 86400.0),
        (403, {"title": "Too many requests"}, {}, Blocked, 300.0),
        (302, "", {"Location": "https://easee.example/too-many-requests"}, Blocked, 300.0),
        (302, "", {"Location": "https://easee.example/login"}, VendorError, None),
        (308, "", {"Location": f"{API}/api/v2/chargers"}, VendorError, None),
        (429, "", {}, Blocked, 300.0),
        (429, "", {"Retry_After": "77"}, Blocked, 77.0),
        (429, "", {"Retry_After": "Sun, 29 Nov 2026 12:02:00 GMT", **SUNDAY}, Blocked, 120.0),
        (429, "", {"Retry_After": "soon"}, Blocked, 300.0),
        (404, {"errorCode": 101}, {}, NotThere, None),
        (405, "", {}, NotThere, None),
        (410, "", {}, NotThere, None),
        (400, {"errorCode": 7}, {}, Refused, None),
        (408, "", {}, Refused, None),
        (409, {"title": "Conflict"}, {}, Refused, None),
        (418, "", {}, Refused, None),
        (425, "", {}, Refused, None),
        (500, "", {}, Unreachable, None),
        (502, "<html>Bad Gateway</html>", {}, Unreachable, None),
        (503, "", {}, Unreachable, None),
        (503, "", {"Retry_After": "30"}, Unreachable, 30.0),
        (504, "", {"Retry_After": "soon"}, Unreachable, None),
        (0, requests.ConnectionError("refused"), {}, Unreachable, None),
        (0, requests.ReadTimeout("late"), {}, Unreachable, None),
    ],
)
def test_each_status_of_a_call_has_its_error(
    service: responses.RequestsMock,
    status: int,
    body: Any,
    headers: dict[str, str],
    error: type,
    retry: Optional[float],
) -> None:
    answer(service, PATH, status, body, **headers)
    with pytest.raises(error) as raised:
        Cloud(API, HUB).call("GET", PATH, "the-token")
    assert type(raised.value) is error
    assert raised.value.retry == retry
    assert "the-token" not in str(raised.value)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_success_is_handed_on_and_its_date_told(service: responses.RequestsMock, status: int) -> None:
    dates: list[Optional[str]] = []
    answer(service, PATH, status, "" if status == 204 else [{"id": "EH000001"}], **SUNDAY)
    found = Cloud(API, HUB, dates.append).call("GET", PATH, "the-token")
    assert (found.status, dates) == (status, [SUNDAY["Date"]])
    assert service.calls[0].request.headers["Authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("user", "status", "body", "error", "words"),
    [
        ("a@b.example", 400, {"errorCode": 727}, AuthenticationFailed, "confirmée"),
        ("a@b.example", 400, {"errorCode": 100}, AuthenticationFailed, "mot de passe"),
        ("a@b.example", 401, "", AuthenticationFailed, "application Easee"),
        ("+33600000000", 401, "", AuthenticationFailed, "adresse e-mail du compte comme identifiant"),
        ("+33600000000", 500, "", VendorError, "adresse e-mail du compte"),
        ("a@b.example", 500, "", Unreachable, "indisponible"),
        ("a@b.example", 400, "<html>Bad Request</html>", Refused, "n.accepte pas cette demande"),
        ("a@b.example", 429, "", Blocked, "trop"),
        ("a@b.example", 200, "<html></html>", VendorError, "inattendue"),
        ("a@b.example", 200, [PAIR], VendorError, "inattendue"),
        ("a@b.example", 200, {**PAIR, "accessToken": None}, VendorError, "pas de jeton"),
        ("a@b.example", 200, {**PAIR, "accessToken": "two\nlines"}, VendorError, "pas de jeton"),
    ],
)
def test_each_answer_to_a_login_has_its_error(
    service: responses.RequestsMock, user: str, status: int, body: Any, error: type, words: str
) -> None:
    answer(service, LOGIN, status, body)
    with pytest.raises(error, match=words) as raised:
        Cloud(API, HUB).login(user, "the-password")
    assert type(raised.value) is error
    assert json.loads(service.calls[0].request.body or b"") == {"userName": user, "password": "the-password"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, TokenRefused),
        (401, TokenRefused),
        (404, TokenRefused),
        (403, Forbidden),
        (429, Blocked),
        (503, Unreachable),
    ],
)
def test_each_refusal_to_renew_has_its_error(service: responses.RequestsMock, status: int, error: type) -> None:
    answer(service, REFRESH, status)
    with pytest.raises(error) as raised:
        Cloud(API, HUB).refresh("access", "refresh")
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("told", "lifetime"),
    [(3600, 3600.0), (86400.5, 86400.5), (None, 3600.0), (True, 3600.0), ("9", 3600.0), (0, 3600.0), (1e9, 3600.0)],
)
@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_a_pair_of_tokens_lives_as_long_as_is_told(
    service: responses.RequestsMock, path: str, told: Any, lifetime: float
) -> None:
    answer(service, path, 200, {**PAIR, "expiresIn": told})
    cloud = Cloud(API, HUB)
    found = cloud.login("a@b.example", "x") if path == LOGIN else cloud.refresh("old", "older")
    assert found == Tokens("access", "refresh", lifetime)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"error": "no hub"}, VendorError),
        (200, {"connectionToken": ""}, VendorError),
        (200, {"url": "http://stream.example/hub"}, VendorError),
        (200, {"url": "https://elsewhere.example/hub"}, VendorError),
        (200, "garbage", VendorError),
        (401, "", TokenRefused),
        (403, "", Forbidden),
        (429, "", Blocked),
        (503, "", Unreachable),
    ],
)
def test_each_refusal_to_open_the_stream_has_its_error(
    service: responses.RequestsMock, status: int, body: Any, error: type
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    service.add("POST", f"{HUB}/negotiate", text, status=status)
    with pytest.raises(error) as raised:
        Cloud(API, HUB).negotiate("the-token")
    assert type(raised.value) is error


def test_the_stream_may_be_elsewhere_with_a_token_of_its_own(service: responses.RequestsMock) -> None:
    moved = {"url": "https://other.example/hub?x=1", "accessToken": "other"}
    opened = {"connectionToken": "a b", "connectionId": "c"}
    service.add("POST", f"{HUB}/negotiate", json=moved, headers={"Set-Cookie": "affinity=one; Path=/"})
    service.add("POST", "https://other.example/hub/negotiate", json=opened, headers={"Set-Cookie": "affinity=two"})
    found = Cloud(API, HUB).negotiate("the-token")
    assert found == ("wss://other.example/hub?x=1&id=a%20b", "affinity=two", "other")
    sent = [call.request.headers["Authorization"] for call in service.calls]
    assert sent == ["Bearer the-token", "Bearer other"]
