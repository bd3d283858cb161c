"""Announces services by mDNS on the loopback interface with the library zeroconf, in a process of its own.

    python -m tests.support.advertiser SERVICE INSTANCE ADDRESS PORT KEY=VALUE...

Prints "announced", and says goodbye to the network when its standard input ends. `Advertiser` is that process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from zeroconf import IPVersion, ServiceInfo, Zeroconf

ROOT = Path(__file__).resolve().parents[2]


class Advertiser:
    """One announced service; a context manager that has been announced when it is entered."""

    def __init__(self, service: str, instance: str, address: str, port: int, properties: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", "tests.support.advertiser", service, instance, address, str(port)]
        self._command += [f"{key}={value}" for key, value in properties.items()]

    def __enter__(self) -> Advertiser:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "announced\n"
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()


def main(service: str, instance: str, address: str, port: str, *properties: str) -> None:
    """Announces until the end of standard input."""
    network = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    info = ServiceInfo(
        service,
        f"{instance}.{service}",
        port=int(port),
        properties=dict(each.partition("=")[::2] for each in properties),
        server=f"{instance}.local.",
        parsed_addresses=[address],
    )
    network.register_service(info, cooperating_responders=True)
    print("announced", flush=True)
    sys.stdin.read()
    network.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
