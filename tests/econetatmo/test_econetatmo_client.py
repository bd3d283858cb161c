"""What each answer of Netatmo means: one request to the token endpoint or for data, one error or result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Optional
from urllib.parse import parse_qs

import pytest
import requests
import responses
from jeenergied.devices.base import RateLimited, Unreachable, VendorError
from jeenergied.devices.econetatmo.client import (
    Answer,
    AnswerLost,
    ArgumentRefused,
    CredentialRefused,
    Grant,
    GrantRefused,
    MethodGone,
    ModuleGone,
    Overloaded,
    ScopeRefused,
    Service,
    TokenRefused,
)

API = "https://api.example"
TOKEN, DATA = f"{API}/oauth2/token", f"{API}/api/getmeasure"
NOW = 1_795_953_600.0  # Sun, 29 Nov 2026 12:00:00 GMT
PAIR = {"access_token": "a|b", "refresh_token": "c|d", "expires_in": 10800, "scope": ["read_magellan"]}


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def answer(service: responses.RequestsMock, url: str, status: int, body: Any, retry_after: str = "") -> Service:
    """The service, whose next answer this is; a body that is no text is JSON."""
    text = body if isinstance(body, (str, Exception)) else json.dumps(body)
    service.add("POST", url, text, status=status, headers={"Retry-After": retry_after} if retry_after else {})
    return Service(API, lambda: NOW)


def error(code: int, message: str = "told") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def refused(kind: str) -> dict[str, Any]:
    return {"error": kind}


@pytest.mark.parametrize(
    ("status", "body", "wait", "kind", "retry"),
    [
        (400, refused("invalid_grant"), "", GrantRefused, None),
        (400, error(30), "", GrantRefused, None),
        (400, refused("invalid_client"), "", CredentialRefused, None),
        (400, refused("unauthorized_client"), "", CredentialRefused, None),
        (401, error(2, "Invalid access token"), "", CredentialRefused, None),
        (403, refused("too_many_connections"), "", RateLimited, None),
        (429, "", "", RateLimited, None),
        (429, "", "90", RateLimited, 90.0),
        (429, "", "Sun, 29 Nov 2026 12:05:00 GMT", RateLimited, 300.0),
        (429, "", "86400", RateLimited, 4 * 3600.0),
        (200, {}, "", AnswerLost, None),
        (200, [1], "", AnswerLost, None),
        (200, "<html></html>", "", AnswerLost, None),
        (200, {**PAIR, "refresh_token": ""}, "", AnswerLost, None),
        (200, {**PAIR, "access_token": "a\nb"}, "", AnswerLost, None),
        (200, {"error": 7}, "", AnswerLost, None),
        (204, "", "", Unreachable, None),
        (301, "", "", Unreachable, None),
        (400, "", "", Unreachable, None),
        (401, "", "", Unreachable, None),
        (403, "<html></html>", "", Unreachable, None),
        (404, "", "", Unreachable, None),
        (408, "", "", Unreachable, None),
        (500, refused("invalid_request"), "", Unreachable, None),
        (502, "<html></html>", "", Unreachable, None),
        (503, "", "", Unreachable, None),
        (504, "", "", Unreachable, None),
        (0, requests.ConnectTimeout("late"), "", Unreachable, None),
        (0, requests.ReadTimeout("late"), "", AnswerLost, None),
    ],
)
def test_each_refusal_of_tokens_has_its_error(
    service: responses.RequestsMock, status: int, body: Any, wait: str, kind: type, retry: Optional[float]
) -> None:
    asked = answer(service, TOKEN, status, body, wait)
    with pytest.raises(kind) as raised:
        asked.token({"grant_type": "refresh_token", "refresh_token": "secret-word"})
    assert type(raised.value) is kind
    assert raised.value.retry == retry
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "lifetime"),
    [
        ({"expires_in": 10800}, 10800.0),
        ({"expires_in": None, "expire_in": 7200}, 10800.0),
        ({"expires_in": "7200"}, 7200.0),
        ({"expires_in": "soon"}, 10800.0),
        ({"expires_in": -5}, 1.0),
        ({"expires_in": 1e12}, 30 * 86400.0),
    ],
)
def test_a_grant_lives_as_long_as_is_told(
    service: responses.RequestsMock, told: dict[str, Any], lifetime: float
) -> None:
    asked = answer(service, TOKEN, 200, {**PAIR, **told})
    assert asked.token({"grant_type": "refresh_token", "refresh_token": "c|c"}) == Grant("a|b", "c|d", lifetime)
    request = service.calls[0].request
    assert parse_qs(str(request.body)) == {"grant_type": ["refresh_token"], "refresh_token": ["c|c"]}
    assert request.url == TOKEN


@pytest.mark.parametrize(
    ("status", "body", "wait", "kind", "retry"),
    [
        (403, error(1), "", TokenRefused, None),
        (403, error(2), "", TokenRefused, None),
        (403, error(3), "", TokenRefused, None),
        (200, error(3), "", TokenRefused, None),
        (403, error(5), "", CredentialRefused, None),
        (400, error(22), "", CredentialRefused, None),
        (400, error(23), "", CredentialRefused, None),
        (403, error(13), "", ScopeRefused, None),
        (404, error(9), "", ModuleGone, None),
        (400, error(10), "", ArgumentRefused, None),
        (400, error(21), "", ArgumentRefused, None),
        (400, error(25), "", ArgumentRefused, None),
        (429, error(11), "", Overloaded, None),
        (503, error(11), "600", Overloaded, None),
        (403, error(26), "", RateLimited, None),
        (429, error(26), "1800", RateLimited, 1800.0),
        (429, "", "99999", RateLimited, 4 * 3600.0),
        (429, error(8), "", RateLimited, None),
        (500, error(27), "", VendorError, None),
        (200, {"error": "text"}, "", VendorError, None),
        (400, {"error": {"code": "9"}}, "", VendorError, None),
        (500, "", "", Unreachable, None),
        (502, "<html></html>", "", Unreachable, None),
        (408, "", "", Unreachable, None),
        (425, "", "", Unreachable, None),
        (503, "", "", Unreachable, None),
        (504, "", "", Unreachable, None),
        (204, "", "", VendorError, None),
        (301, "", "", VendorError, None),
        (302, "", "", VendorError, None),
        (400, "", "", VendorError, None),
        (401, "", "", VendorError, None),
        (403, "<html>Forbidden</html>", "", VendorError, None),
        (409, "", "", VendorError, None),
        (418, "", "", VendorError, None),
        (404, "", "", MethodGone, None),
        (405, "", "", MethodGone, None),
        (410, "", "", MethodGone, None),
        (200, "", "", VendorError, None),
        (200, "garbage", "", VendorError, None),
        (200, [1], "", VendorError, None),
        (200, {"status": "ok"}, "", VendorError, None),
        (200, {"body": None}, "", VendorError, None),
        (0, requests.ConnectionError("reset"), "", Unreachable, None),
        (0, requests.ReadTimeout("late"), "", Unreachable, None),
    ],
)
def test_each_refusal_of_data_has_its_error(
    service: responses.RequestsMock, status: int, body: Any, wait: str, kind: type, retry: Optional[float]
) -> None:
    asked = answer(service, DATA, status, body, wait)
    with pytest.raises(kind) as raised:
        asked.ask("getmeasure", "secret-word", {"device_id": "x"})
    assert type(raised.value) is kind
    assert raised.value.retry == retry
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "moment"), [(NOW, NOW), (None, None), (True, None), ("x", None), (3, None), (1e12, None)]
)
def test_data_come_with_the_time_of_the_server(
    service: responses.RequestsMock, told: Any, moment: Optional[float]
) -> None:
    asked = answer(service, DATA, 200, {"status": "ok", "time_server": told, "body": []})
    assert asked.ask("getmeasure", "a|b", {"device_id": "x"}) == Answer([], moment)
    request = service.calls[0].request
    assert (request.url, request.body) == (DATA, "device_id=x")
    assert request.headers["Authorization"] == "Bearer a|b"
