"""`python -m simulators.easee`: the cloud with one account."""

from __future__ import annotations

import argparse
import os

from simulators.clock import SimulatedClock
from simulators.easee.accounts import Account
from simulators.easee.cloud import EaseeCloud
from simulators.program import serve_until_told


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.easee", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hub-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--user", default="demo@example.org")
    parser.add_argument("--password-env", default="EASEE_PASSWORD", help="environment variable (else 'demo-easee')")
    parser.add_argument("--serial", action="append", help="charger of the account; may be repeated")
    parser.add_argument("--equalizer", action="append", help="Equalizer of the account; may be repeated")
    parser.add_argument("--plugged", action="store_true", help="a car charges at each of them")
    parser.add_argument("--token-lifetime", type=float, default=3600.0, help="seconds")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    options = parser.parse_args()
    password = os.environ.get(options.password_env, "demo-easee")
    account = Account(options.user, password, tuple(options.serial or ["EH000001"]), tuple(options.equalizer or ()))
    with EaseeCloud(
        [account],
        clock=SimulatedClock(speed=options.speed),
        port=options.port,
        hub_port=options.hub_port,
        control_port=options.control_port,
        token_lifetime=options.token_lifetime,
    ) as cloud:
        if options.plugged:
            for charger in cloud.chargers.values():
                charger.plug()
        serve_until_told({"name": "easee", "url": cloud.url, "stream": cloud.stream_url, "control": cloud.control_url})


if __name__ == "__main__":
    main()
