"""`python -m simulators.enphase`: a gateway, from a recorded folder or with the built-in day."""

from __future__ import annotations

import argparse
import json
import threading
import time
from datetime import datetime
from pathlib import Path

from simulators.clock import Clock, SimulatedClock
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway, Source
from simulators.enphase.meters import Fitted
from simulators.enphase.plant import Plant
from simulators.enphase.recorded import RecordedSource
from simulators.enphase.storage import Storage
from simulators.program import serve_until_told
from simulators.server import Request, Response


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.enphase", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--key", type=Path, help="PEM file of the token key, created when missing")
    parser.add_argument("--clock-offset", type=float, default=0.0, help="seconds that its clock is ahead")
    parser.add_argument("--certificate-days", type=float, default=365.0)
    parser.add_argument("--realistic-delays", action="store_true")
    parser.add_argument("--log", type=Path, help="one line of JSON per request")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--folder", type=Path, help="recorded answers")
    source.add_argument("--day", action="store_true", help="the built-in day (default)")
    parser.add_argument("--moving", action="store_true", help="recorded: values change at each request")
    parser.add_argument("--current", action="store_true", help="recorded: times are brought up to date")
    parser.add_argument("--speed", type=float, default=1.0, help="day: seconds per real second")
    parser.add_argument("--start", help="day: ISO 8601 time to begin at (default: now)")
    parser.add_argument("--hour", type=float, help="day: hour that sun and house begin with (default: the clock's)")
    parser.add_argument("--sky-speed", type=float, default=1.0, help="day: how fast sun and house go on from there")
    parser.add_argument("--serial", default="122300000001")
    parser.add_argument("--firmware", default="D8.2.4382")
    parser.add_argument("--phases", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--inverters", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timezone", default="Europe/Paris")
    parser.add_argument("--storage", action="store_true", help="day: with an IQ battery")
    parser.add_argument("--standard", action="store_true", help="day: a gateway without meters")
    parser.add_argument("--total-ct", action="store_true", help="day: consumption measured on the loads only")
    return parser.parse_args()


def keep_log(gateway: EnphaseGateway, path: Path) -> None:
    """Writes what was asked, for benchmarks; `peer` is the number of TLS connections so far."""
    answer = gateway.server.answer
    lock = threading.Lock()

    def logged(request: Request) -> Response:
        began = time.time()
        response = answer(request)
        line = {"t": began, "end": time.time(), "path": request.target, "status": response.status}
        line.update(bytes=len(response.body), peer=gateway.tls_connections)
        with lock, path.open("a") as log:
            log.write(json.dumps(line) + "\n")
        return response

    gateway.server.answer = logged


def source_of(options: argparse.Namespace, clock: Clock) -> Source:
    """Returns the source of answers chosen on the command line."""
    if options.folder:
        return RecordedSource(options.folder, current=options.current, moving=options.moving)
    plant = Plant(
        clock,
        seed=options.seed,
        phases=options.phases,
        inverters=options.inverters,
        storage=Storage() if options.storage else None,
        timezone=options.timezone,
        hour=options.hour,
        sky_speed=options.sky_speed,
    )
    fitted = Fitted(consumption="total-consumption" if options.total_ct else "net-consumption", storage=options.storage)
    return DaySource(
        plant,
        serial=options.serial,
        firmware=options.firmware,
        fitted=fitted,
        metered=not options.standard,
    )


def main() -> None:
    """Serve until SIGTERM."""
    options = parsed()
    clock: Clock = time.time
    if options.speed != 1.0 or options.start:
        epoch = datetime.fromisoformat(options.start).timestamp() if options.start else None
        clock = SimulatedClock(epoch, options.speed)
    with EnphaseGateway(
        source_of(options, clock),
        key=EntrezKey.of_file(options.key) if options.key else EntrezKey(),
        clock=clock,
        clock_offset=options.clock_offset,
        port=options.port,
        control_port=options.control_port,
        certificate_days=options.certificate_days,
        realistic_delays=options.realistic_delays,
    ) as gateway:
        if options.log:
            keep_log(gateway, options.log)
        serve_until_told(
            {"name": "enphase", "url": gateway.url, "control": gateway.control_url, "serial": gateway.serial}
        )


if __name__ == "__main__":
    main()
