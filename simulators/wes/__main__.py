"""`python -m simulators.wes`: a furnished WES whose values move."""

from __future__ import annotations

import argparse

from simulators.clock import SimulatedClock
from simulators.program import serve_until_told
from simulators.wes.box import Box
from simulators.wes.life import Life, furnished
from simulators.wes.server import Moving, WesServer
from simulators.wes.stir import Stir, full


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.wes", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ftp-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--cards", type=int, default=1, help="1-wire relay cards")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds that a page takes")
    parser.add_argument("--stir", type=float, help="every input carries data, and so much of it moves at each request")
    parser.add_argument("--empty", action="store_true", help="nothing is connected")
    parser.add_argument("--old", action="store_true", help="firmware V0.61D")
    options = parser.parse_args()
    box = Box(options.cards) if options.empty else furnished(options.cards)
    life: Moving = Life(box, SimulatedClock(speed=options.speed))
    if options.stir is not None:
        box = full(options.cards)
        life = Stir(box, options.stir)
    ports = {"port": options.port, "ftp_port": options.ftp_port, "control_port": options.control_port}
    with WesServer(box, life=life, pause=options.pause, **ports) as wes:
        if options.old:
            wes.old_firmware()
        serve_until_told({"port": wes.port, "ftpPort": wes.ftp.port, "control": wes.control.url})


if __name__ == "__main__":
    main()
