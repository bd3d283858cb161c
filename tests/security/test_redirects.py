"""A service that sends its caller to another host: no request follows, so no token, cookie or password does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import pytest
from jeenergied.devices.base import DeviceError
from jeenergied.devices.easee.client import Cloud
from jeenergied.devices.easee.streaming.stream import Stream
from jeenergied.devices.econetatmo.client import Service
from jeenergied.devices.enphase.gateway.client import cloud_session
from jeenergied.devices.enphase.tokens import token
from jeenergied.devices.hellowatt.colors.services import ColorService, OpenData
from jeenergied.devices.hellowatt.colors.tempo import Tempo
from jeenergied.devices.hellowatt.site.client import Site
from jeenergied.devices.hellowatt.site.login import Login
from test_certificates import Budget as Unlimited
from test_certificates import Context

from simulators.server import LoopbackServer, Request, Response
from tests.support.waiting import until

SECRET = "secret-word-of-the-test"


class Budget(Unlimited):
    """Nor does it refuse."""

    def check(self) -> None:
        """Always."""

    def check_login(self, _asked_for: bool) -> None:
        """As often as one likes."""

    def note_login(self, _asked_for: bool) -> None:
        """Not counted."""


class Elsewhere:
    """Another host, that would take anything, and the address that the service gives."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.status, self.location = 302, ""

    def take(self, request: Request) -> Response:
        """Whatever comes."""
        self.heard.append(request)
        return Response.of_json({"access_token": "x", "homes": []})

    def send_away(self, request: Request) -> Response:
        """What the service answers to all."""
        cookie = ("Set-Cookie", f"csrftoken={SECRET}; Path=/")
        return Response(self.status, b"", headers=[("Location", self.location), cookie])


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture(params=[301, 302, 303, 307, 308])
def service(request: pytest.FixtureRequest, elsewhere: Elsewhere) -> Iterator[LoopbackServer]:
    """Sends everybody away, by another name and port."""
    with LoopbackServer(elsewhere.take) as other, LoopbackServer(elsewhere.send_away) as running:
        elsewhere.status = request.param
        elsewhere.location = f"http://localhost:{other.port}/take"
        yield running


def site(url: str) -> Site:
    """With a session of before."""
    made = Site(url, Context(), Budget())  # type: ignore[arg-type]
    made.use_cookies({"sessionid": SECRET, "csrftoken": SECRET})
    return made


CALLS: dict[str, Callable[[str], Any]] = {
    "easee login": lambda url: Cloud(url, url).login("me", SECRET),
    "easee data": lambda url: Cloud(url, url).call("GET", "/api/chargers", SECRET),
    "easee command": lambda url: Cloud(url, url).call("POST", "/api/chargers/EH1/commands/stop_charging", SECRET),
    "easee negotiation": lambda url: Cloud(url, f"{url}/hub").negotiate(SECRET),
    "netatmo token": lambda url: Service(url).token({"refresh_token": SECRET}),
    "netatmo data": lambda url: Service(url).ask("homesdata", SECRET, {}),
    "enlighten": lambda url: token.obtain(cloud_session(), url, url, "me", SECRET, "1"),
    "hellowatt login": lambda url: Login(site(url), Context(), "me", SECRET).current(),  # type: ignore[arg-type]
    "hellowatt credentials": lambda url: (
        Login(site(url), Context(), "me", SECRET)._post(SECRET),  # type: ignore[arg-type]
        _refused(),
    ),
    "hellowatt data": lambda url: site(url).homes(),
    "hellowatt day": lambda url: site(url).contracts("1"),
}


def _refused() -> None:
    raise DeviceError("the answer is looked at by somebody else")


@pytest.mark.parametrize("call", CALLS)
def test_no_request_follows(service: LoopbackServer, elsewhere: Elsewhere, call: str) -> None:
    with pytest.raises(DeviceError):
        CALLS[call](service.url)
    # helloWatt's token comes with any answer of the site itself; the form goes there, and nowhere else.
    assert len(service.requests) == (2 if call == "hellowatt login" else 1)
    assert elsewhere.heard == []


@pytest.mark.parametrize(
    "told", ["//{other}/api/homes/", "{own}.{other}/api/homes/", "http://{own}@{other}/api/homes/"]
)
@pytest.mark.parametrize("service", [302], indirect=True)
def test_a_slash_is_followed_on_the_same_host_only(service: LoopbackServer, elsewhere: Elsewhere, told: str) -> None:
    own, other = service.url[len("http://") :], elsewhere.location[len("http://") : -len("/take")]
    elsewhere.location = told.format(own=own, other=other)
    with pytest.raises(DeviceError):
        site(service.url).homes()
    assert elsewhere.heard == []


def _colors(url: str) -> None:
    """Asks both sources of Tempo colours there."""
    context: Any = Context()
    Tempo(context, [ColorService(context, url), OpenData(context, url)]).ask()


def test_nor_do_the_colours(service: LoopbackServer, elsewhere: Elsewhere) -> None:
    _colors(service.url)
    assert elsewhere.heard == []


def test_nor_does_the_stream(service: LoopbackServer, elsewhere: Elsewhere) -> None:
    ended: list[DeviceError] = []
    opened: list[object] = []
    elsewhere.location = "ws" + elsewhere.location[len("http") :]
    url = f"ws{service.url[4:]}/hub"
    stream = Stream(url, SECRET, "affinity=1", opened.append, lambda *_: None, lambda _, error: ended.append(error))
    stream.start()
    until(lambda: ended, 10)
    assert opened == []
    assert elsewhere.heard == []
