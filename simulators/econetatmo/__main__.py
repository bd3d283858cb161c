"""`python -m simulators.econetatmo`: one account with a home and an ecometer of six lines."""

from __future__ import annotations

import argparse

from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.homes import FOREIGN
from simulators.econetatmo.model import CONTRACTS, Ecometer, Home
from simulators.program import serve_until_told

NAMES = ("Chauffage", "Chauffe-eau", "Prises", "Cuisine", "Véhicule", "Total")


def house(contract: str = "peak_and_off_peak") -> Home:
    """A home with an ecometer and other modules."""
    ecometer = Ecometer("00:04:74:aa:bb:cc", lines=dict(enumerate(NAMES)))
    return Home("64b0aa11bb22cc33dd44ee55", ecometers=[ecometer], contracts=[(0.0, contract)], foreign=FOREIGN)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.econetatmo", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--contract", choices=CONTRACTS, default="peak_and_off_peak")
    parser.add_argument("--token-lifetime", type=float, default=10800.0)
    options = parser.parse_args()
    with NetatmoCloud(
        [house(options.contract)],
        port=options.port,
        control_port=options.control_port,
        lifetime=options.token_lifetime,
    ) as cloud:
        serve_until_told(
            {
                "name": "netatmo",
                "url": cloud.url,
                "control": cloud.control_url,
                "clientId": cloud.authority.client_id,
                "clientSecret": cloud.authority.client_secret,
                "refreshToken": cloud.authority.generate().refresh,
            }
        )


if __name__ == "__main__":
    main()
