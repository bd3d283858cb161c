"""`python -m simulators.jeedom`: a stand-in Jeedom for a daemon on this machine, with its page."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from simulators.jeedom.standin import JeedomStandIn
from simulators.program import serve_until_told


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.jeedom", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="callback, page and API")
    parser.add_argument("--control-port", type=int, default=0, help="page and API; open even when 'down'")
    parser.add_argument("--daemon-port", type=int, help="the daemon's socket")
    parser.add_argument("--apikey-env", default="JEEDOM_APIKEY", help="environment variable that holds the key")
    parser.add_argument("--database", type=Path, help="SQLite file (default: in memory)")
    parser.add_argument("--contract", type=Path, help="folder of the catalogues (default: core/contract)")
    parser.add_argument("--connections", type=Path, help="JSON file: [{backend, name, config}, ...] to set up")
    parser.add_argument("--timezone", default="Europe/Paris")
    parser.add_argument("--language", default="fr_FR")
    parser.add_argument("--log-level", default="info")
    options = parser.parse_args()
    with JeedomStandIn(
        apikey=os.environ.get(options.apikey_env, ""),
        daemon_port=options.daemon_port,
        port=options.port,
        control_port=options.control_port,
        database=options.database,
        contract=options.contract,
        timezone=options.timezone,
        language=options.language,
    ) as jeedom:
        jeedom.log_level = options.log_level
        if options.connections and not jeedom.database.connections():
            for each in json.loads(options.connections.read_text("utf-8")):
                jeedom.add_connection(each["backend"], each["config"], each.get("name", ""))
        serve_until_told(
            {
                "name": "jeedom",
                "url": jeedom.url,
                "callback": jeedom.callback_url,
                "control": jeedom.control_url,
            }
        )


if __name__ == "__main__":
    main()
