"""`python -m simulators.hellowatt`: the site with one account of two homes, and the services of Tempo colours."""

from __future__ import annotations

import argparse
import os
from datetime import date, timedelta

from simulators.hellowatt.homes import Home
from simulators.hellowatt.login import Customer
from simulators.hellowatt.site import HelloWattSite
from simulators.hellowatt.tempo import RteService, TempoService
from simulators.program import serve_until_told


def example_homes(years: int = 3) -> list[Home]:
    """A house with solar panels and gas, and a flat on Tempo."""
    today = date.today()
    since = today - timedelta(days=365 * years)
    middle = (today - timedelta(days=200)).replace(day=16)
    house = Home(502113, "99000000000417", "99000000000888", since, solar=True)
    house.tariffs = ((date(2000, 1, 1), "base"), (middle, "hphc"))
    flat = Home(502114, "99000000001562", None, since, ((date(2000, 1, 1), "tempo"),))
    return [house, flat]


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.hellowatt", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--tempo-port", type=int, default=0)
    parser.add_argument("--rte-port", type=int, default=0)
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--email", default="camille.martin@example.org")
    parser.add_argument("--password-env", default="HELLOWATT_PASSWORD", help="environment variable (else an example)")
    options = parser.parse_args()
    password = os.environ.get(options.password_env, "Synthetique-2026!")
    customer = Customer(options.email, password, example_homes(options.years))
    site = HelloWattSite([customer], port=options.port, control_port=options.control_port)
    with site, TempoService(port=options.tempo_port) as tempo, RteService(port=options.rte_port) as rte:
        told = {"name": "hellowatt", "url": site.url, "control": site.control.url, "tempo": tempo.url, "rte": rte.url}
        serve_until_told(told)


if __name__ == "__main__":
    main()
