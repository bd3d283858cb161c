"""A man in the middle of the house's network answers in place of an Enphase gateway, and claims a newer firmware.

The certificate that had been pinned was then given up for his own, and the owner's token, good for a year, was sent.
"""

from __future__ import annotations

import sys
import time

from simulators.enphase import EnphaseGateway
from simulators.server import Request, Response
from tests.enphase.harness import house
from tests.security.attacks.target import Checkout, Succeeded, configure, tried
from tests.support.callback_server import CallbackServer

WATCH_S = 25.0
"""Several polls, and the pauses after failures between them."""


def attack(checkout: Checkout) -> None:
    """Raises Succeeded if a request with a credential comes under the stranger's certificate."""
    heard: list[tuple[str, bool]] = []
    with EnphaseGateway(house()) as gateway, CallbackServer() as jeedom:
        plain = gateway.server.answer

        def answer(request: Request) -> Response:
            secret = "Authorization" in request.headers or "Cookie" in request.headers
            heard.append((gateway.certificate.fingerprint, secret))
            return plain(request)

        gateway.server.answer = answer
        config = {"host": "127.0.0.1", "port": gateway.port, "serial": gateway.serial, "pollInterval": 1}
        config |= {"tokenMode": "manual", "token": gateway.token()}
        wire = {"id": "1", "backend": "enphase", "name": "Gateway", "config": config, "commands": {"state": {}}}
        with checkout.daemon(jeedom.url) as port:
            configure(port, {**wire, "equipment": []})
            jeedom.wait_for(lambda: any(each["state"] == "online" for each in jeedom.of("connection")), 30)
            assert any(secret for _, secret in heard)
            gateway.server.suspend()
            jeedom.wait_for(lambda: gateway.server.in_flight == 0, 30)  # what was under way came under the former one
            gateway.source.firmware = "D9.9.9999"
            strange = gateway.renew_certificate()
            gateway.server.resume()
            end = time.monotonic() + WATCH_S
            while time.monotonic() < end:
                if (strange, True) in heard:
                    raise Succeeded("the owner's token was sent under another certificate")
                time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(tried(attack))
