"""`python -m simulators.demo --python PYTHON`: everything on free loopback ports, until Ctrl-C or, with --check, until
values of every equipment have arrived, the house balances and its car follows the sun (exit code 0), or not (1)."""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Optional

from simulators.demo.systems import SYSTEMS, Scene
from simulators.enphase.plant import Plant
from simulators.house.truth import Steady, Together
from simulators.jeedom.standin import JeedomStandIn


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_daemon(
    python: str, jeedom: JeedomStandIn, folder: Path, log_level: str, more: Optional[dict[str, str]] = None
) -> subprocess.Popen[bytes]:
    """The real daemon, as Jeedom starts it: the api key in the environment, the log in a file."""
    log = (folder / "jeenergie_daemon.log").open("ab")
    arguments = [python, "-m", "jeenergied", "--loglevel", log_level, "--callback", jeedom.callback_url]
    arguments += ["--pid", str(folder / "deamon.pid"), "--datadir", str(folder / "data")]
    arguments += ["--socketport", str(jeedom.daemon_port)]
    environment = {**os.environ, "JEEDOM_APIKEY": jeedom.apikey, **(more or {})}
    return subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=str(folder))


def missing(jeedom: JeedomStandIn) -> list[str]:
    """Names of what has no value yet: connections without equipment, equipment without a value."""
    names = []
    for connection in jeedom.database.connections():
        children = jeedom.database.children(connection["id"])
        if not children:
            names.append(connection["name"])
        names += [child["name"] for child in children if not jeedom.values(child["id"])]
    return names


def report(jeedom: JeedomStandIn) -> None:
    """What arrived, one line per equipment."""
    for connection in jeedom.database.connections():
        print(f"{connection['name']} ({connection['backend']}): {jeedom.state(connection['id']) or 'no state yet'}")
        for child in jeedom.database.children(connection["id"]):
            values = jeedom.values(child["id"])
            shown = ", ".join(f"{name}={value}" for name, value in list(values.items())[:6])
            more = f" and {len(values) - 6} more" if len(values) > 6 else ""
            print(f"  {child['name']}: {shown or 'nothing'}{more}")


def check(jeedom: JeedomStandIn, daemon: subprocess.Popen[bytes], limit: float) -> bool:
    """Waits until every equipment has a value; says what arrived."""
    began = time.monotonic()
    while missing(jeedom) and daemon.poll() is None and time.monotonic() - began < limit:
        time.sleep(0.1)
    report(jeedom)
    left = missing(jeedom)
    if left:
        print(f"FAILED: after {limit:.0f} s nothing has arrived of: {', '.join(left)}")
    else:
        print(f"OK: values of every equipment within {time.monotonic() - began:.1f} s")
    return not left


DYNAMIC_LIMIT = 48
"""The observation that tells a charger's dynamic limit (A)."""
HOUSE = {"solarPower": 1, "gridPower": 1, "batteryPower": 1, "housePower": -1}
"""P + G + B - H = 0, with the grid positive when it gives (I - E) and the battery when it discharges (D - C)."""
WINDOW_S = 6.0


def means(begin: dict[str, float], end: dict[str, float]) -> dict[str, float]:
    """The mean powers (W) between two truths of the simulated house, by the names that Jeedom shows them under."""
    hours = (end["to"] - begin["to"]) / 3600
    grown = {name: (value - begin[name]) / hours for name, value in end.items()}
    return {
        "solarPower": grown["produced"],
        "gridPower": grown["imported"] - grown["exported"],
        "batteryPower": grown["discharged"] - grown["charged"],
        "housePower": grown["consumed"],
    }


def check_house(jeedom: JeedomStandIn, scene: Scene) -> bool:
    """Whether P + I + D = H + E + C holds in what Jeedom shows, and is what the simulated house really did."""
    home = next(
        child["id"]
        for connection in jeedom.database.connections()
        for child in jeedom.database.children(connection["id"])
        if child["type"] == "home"
    )
    plant = scene.plant
    assert isinstance(plant, Plant)
    began, samples, begin = time.monotonic(), [], plant.truth()
    while time.monotonic() - began < WINDOW_S:
        time.sleep(0.25)
        values = jeedom.values(home)
        if all(isinstance(values.get(name), (int, float)) for name in HOUSE):
            samples.append({name: float(values[name]) for name in HOUSE})
    end = plant.truth()
    if not samples:
        print("FAILED: the house shows no powers")
        return False
    shown = {name: sum(each[name] for each in samples) / len(samples) for name in HOUSE}
    true = means(begin, end)
    rest = abs(sum(sign * shown[name] for name, sign in HOUSE.items()))
    # Sun and clouds go through the day many times as fast as the clock, and values have cadences.
    off = {name: shown[name] - true[name] for name in HOUSE}
    wrong = {name: round(by) for name, by in off.items() if abs(by) > max(150.0, 0.15 * abs(true[name]))}
    powers = ", ".join(f"{name} {value:.0f} W" for name, value in shown.items())
    print(f"house: {powers}; P + I + D - H - E - C = {rest:.0f} W")
    if rest > 60 or wrong:
        print(f"FAILED: the house does not balance, or is not what the meters counted: {wrong}")
        return False
    print("OK: the house balances and is what the simulated meters counted")
    return True


QUIET_W, RESERVE_W = 400.0, 50.0
"""What the house draws beside its car while that is watched; what the rules leave to the grid."""
SUNS_W = (4500.0, 2600.0)
FOLLOWS_WITHIN_S = 40.0
"""To raise takes 20 s of enough sun, to lower 10 s of too little; then the charger's own proof."""


def calm(scene: Scene) -> None:
    """A house and a sun that stay as they are, so that what the car must do is known."""
    plant = scene.plant
    assert isinstance(plant, Plant)
    assert isinstance(plant.house, Together)
    plant.house.own = Steady([QUIET_W])
    plant.set({"production": SUNS_W[0]})


def check_charging(jeedom: JeedomStandIn, scene: Scene) -> bool:
    """Whether the current of the car follows the sun, up and down, now that the user has chosen it."""
    plant, car = scene.plant, scene.cars[0]
    assert isinstance(plant, Plant)
    for sun in SUNS_W:
        plant.set({"production": sun})
        wanted = math.floor((sun - QUIET_W - RESERVE_W) / plant.volts[0])
        began = time.monotonic()
        while abs(float(car.get(DYNAMIC_LIMIT)) - wanted) > 1 and time.monotonic() - began < FOLLOWS_WITHIN_S:
            time.sleep(0.2)
        limit, why = float(car.get(DYNAMIC_LIMIT)), jeedom.value(scene.point, "reason")
        print(f"car: {limit:.0f} A with {sun:.0f} W of sun after {time.monotonic() - began:.0f} s ({why})")
        if abs(limit - wanted) > 1:
            print(f"FAILED: the car does not follow the sun: {wanted} A were expected")
            for entry in jeedom.ask("journal", limit=10)["entries"]:
                print(f"  {entry}")
            return False
    print("OK: the current of the car follows the sun")
    return True


def charge_from_the_sun(jeedom: JeedomStandIn, scene: Scene, limit: float) -> None:
    """Chooses the mode for who only watches, once the house is there."""
    began = time.monotonic()
    while jeedom.value(scene.point, "mode") is None and time.monotonic() - began < limit:
        time.sleep(0.2)
    if jeedom.value(scene.point, "mode") is not None:
        jeedom.action(scene.point, "setMode", select="solar")


def stop(daemon: subprocess.Popen[bytes]) -> None:
    """Ends the daemon in order; by force when it does not."""
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def main() -> int:
    """Runs the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulators.demo", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the daemon")
    parser.add_argument("--check", action="store_true", help="no page: print what arrived and end")
    parser.add_argument("--speed", type=float, default=20.0, help="how fast the sun moves")
    parser.add_argument("--port", type=int, default=0, help="of the page (default: a free one)")
    parser.add_argument("--loglevel", default="info")
    options = parser.parse_args()
    # An orderly end on SIGTERM too: the context managers below must run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jeenergie-demo-")))
        jeedom = stack.enter_context(JeedomStandIn(port=options.port))
        scene = Scene()
        for system in SYSTEMS:
            system(stack, jeedom, options.speed, scene)
        jeedom.daemon_port = free_port()
        daemon = start_daemon(options.python, jeedom, folder, options.loglevel)
        stack.callback(stop, daemon)
        if options.check:
            calm(scene)
            if not check(jeedom, daemon, 20.0):
                return 1
            jeedom.action(scene.point, "setMode", select="solar")  # nothing is raised before 20 s have been seen
            return 0 if check_house(jeedom, scene) and check_charging(jeedom, scene) else 1
        print(f"\n  Jeenergie: {jeedom.url}/\n\n  log: {folder}/jeenergie_daemon.log — Ctrl-C ends it\n", flush=True)
        charge_from_the_sun(jeedom, scene, 30.0)
        try:
            return daemon.wait()
        except KeyboardInterrupt:
            print("stopping ...")
            return 0


if __name__ == "__main__":
    sys.exit(main())
