"""`python -m simulators.enlighten`: the login and token services with one account."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.program import serve_until_told


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulators.enlighten", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--key", type=Path, help="PEM file of the signing key, created when missing")
    parser.add_argument("--email", default="demo@example.org")
    parser.add_argument("--password-env", default="ENLIGHTEN_PASSWORD", help="environment variable (else 'demo')")
    parser.add_argument("--serial", action="append", help="gateway of the account; may be repeated")
    parser.add_argument("--role", choices=("owner", "installer"), default="owner")
    parser.add_argument("--token-lifetime", type=float, help="seconds; the role decides otherwise")
    options = parser.parse_args()
    account = Account(
        options.email,
        os.environ.get(options.password_env, "demo"),
        tuple(options.serial or ["122300000001"]),
        options.role,
    )
    with EnlightenCloud(
        EntrezKey.of_file(options.key) if options.key else EntrezKey(),
        [account],
        port=options.port,
        control_port=options.control_port,
        token_lifetime=options.token_lifetime,
    ) as cloud:
        serve_until_told({"name": "enlighten", "url": cloud.url, "control": cloud.control_url})


if __name__ == "__main__":
    main()
