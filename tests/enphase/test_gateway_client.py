"""What each answer of the gateway's local API means: one request, one answer, one error or its data.

The certificate, time limits and connections are tested over real sockets (`test_certificate.py`, `test_polling.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Optional

import pytest
import requests
import responses
from jeenergied.devices.base import AuthenticationFailed, Unreachable, VendorError
from jeenergied.devices.enphase.gateway.client import REFUSED_RETRY_S, EndpointRefused, Gateway

URL = "https://192.0.2.7:443"
PATH, CHECK, INFO = "/production.json", "/auth/check_jwt", "/info"
PLATE = (
    "<envoy_info><time>1795953600</time><device><sn>122300000001</sn><software>D8.3.1598</software></device>"
    "</envoy_info>"
)


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway("192.0.2.7", 443)
    made.pin("0" * 64)
    made.use_token("the-token")
    yield made
    made.close()


def answer(service: responses.RequestsMock, status: int, body: Any = "", path: str = PATH, **headers: str) -> None:
    """The next answer; a body that is no text is JSON."""
    content = body if isinstance(body, (str, Exception)) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    service.add("GET", URL + path, content, status=status, headers=names)


@pytest.mark.parametrize(
    ("status", "body", "kind", "retry", "words"),
    [
        (204, "", Unreachable, None, "démarre"),
        (301, "", EndpointRefused, None, "n'offre pas"),
        (302, "", EndpointRefused, None, "n'offre pas"),
        (400, "", Unreachable, None, "pour le moment"),
        (403, "", EndpointRefused, None, "ou pas pour ce compte"),
        (404, "<html>Not Found</html>", EndpointRefused, None, "son firmware ne l'a pas"),
        (405, "", EndpointRefused, None, "n'offre pas"),
        (408, "", Unreachable, None, "pour le moment"),
        (409, "", Unreachable, None, "pour le moment"),
        (410, "", EndpointRefused, None, "n'offre pas"),
        (418, "", Unreachable, None, "pour le moment"),
        (429, "", Unreachable, None, "surchargée"),
        (500, "", Unreachable, None, "surchargée"),
        (502, "<html>Bad Gateway</html>", Unreachable, None, "surchargée"),
        (503, "Resource busy, please retry after 30 seconds", Unreachable, 30.0, "surchargée"),
        (504, "", Unreachable, None, "surchargée"),
        (200, "", VendorError, None, "forme lisible"),
        (200, "<html>Welcome</html>", VendorError, None, "forme lisible"),
        (200, '{"production": [', VendorError, None, "forme lisible"),
        (0, requests.ConnectionError("reset"), Unreachable, None, "ne répond pas"),
        (0, requests.ReadTimeout("late"), Unreachable, None, "no answer within 15 s"),
    ],
)
def test_each_answer_without_data_has_its_error(
    service: responses.RequestsMock,
    gateway: Gateway,
    status: int,
    body: Any,
    kind: type,
    retry: Optional[float],
    words: str,
) -> None:
    answer(service, status, body)
    with pytest.raises(kind, match=words) as raised:
        gateway.get(PATH)
    assert (type(raised.value), raised.value.retry) == (kind, retry)
    assert "the-token" not in str(raised.value)
    assert PATH not in str(raised.value)


@pytest.mark.parametrize("body", [{"production": []}, [], {}, 0, None])
def test_any_json_is_handed_on(service: responses.RequestsMock, gateway: Gateway, body: Any) -> None:
    answer(service, 200, body)
    assert gateway.get(PATH) == body
    assert service.calls[0].request.headers["Authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("check", "after", "kind"),
    [
        ((401, ""), None, AuthenticationFailed),
        ((403, ""), None, AuthenticationFailed),
        ((200, "Valid token."), (401, ""), EndpointRefused),
        ((200, "Valid token."), (503, ""), Unreachable),
        ((500, ""), None, Unreachable),
        ((302, ""), None, Unreachable),
        ((0, requests.ReadTimeout("late")), None, Unreachable),
    ],
)
def test_a_refusal_is_the_token_s_only_if_its_check_says_so(
    service: responses.RequestsMock, gateway: Gateway, check: Any, after: Any, kind: type
) -> None:
    answer(service, 401)
    answer(service, *check, path=CHECK)
    if after is not None:
        answer(service, *after)
    with pytest.raises(kind) as raised:
        gateway.get(PATH)
    assert type(raised.value) is kind
    assert raised.value.retry == {AuthenticationFailed: REFUSED_RETRY_S, Unreachable: raised.value.retry}.get(kind)
    assert len(service.calls) == (2 if after is None else 3)


def test_a_session_that_was_lost_is_opened_again(service: responses.RequestsMock, gateway: Gateway) -> None:
    answer(service, 401)
    answer(service, 200, "Valid token.", CHECK, Set_Cookie="sessionId=new; path=/; secure")
    answer(service, 200, {"production": []})
    assert gateway.get(PATH) == {"production": []}
    assert service.calls[2].request.headers["Cookie"] == "sessionId=new"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, "", Unreachable),
        (503, "", Unreachable),
        (404, "", VendorError),
        (401, "", VendorError),
        (301, "", VendorError),
        (200, "", VendorError),
        (200, "<html><body>Router</body></html>", VendorError),
        (200, "<envoy_info><device></device></envoy_info>", VendorError),
        (200, "<!DOCTYPE x [<!ENTITY a 'b'>]>" + PLATE, VendorError),
        (200, PLATE[:-5], VendorError),
        (200, '{"sn": "122300000001"}', VendorError),
        (0, requests.ConnectionError("reset"), Unreachable),
    ],
)
def test_what_is_no_gateway_is_told_apart_from_one_that_is_busy(
    service: responses.RequestsMock, gateway: Gateway, status: int, body: Any, kind: type
) -> None:
    answer(service, status, body, INFO)
    with pytest.raises(kind) as raised:
        gateway.info()
    assert type(raised.value) is kind


def test_a_gateway_says_who_it_is_without_being_shown_the_token(
    service: responses.RequestsMock, gateway: Gateway
) -> None:
    answer(service, 200, PLATE, INFO)
    assert gateway.info() == {"sn": "122300000001", "software": "D8.3.1598", "imeter": "", "time": "1795953600"}
    assert "Authorization" not in service.calls[0].request.headers
