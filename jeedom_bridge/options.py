"""The command line and environment of a Jeedom daemon."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .http import is_loopback
from .logs import LEVELS

DEFAULT_PORT = 34739
KEY_VARIABLE = "JEEDOM_APIKEY"


class UsageError(Exception):
    """Unusable options or an unwritable directory: the daemon ends with code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):  # type: ignore[no-untyped-def]  # argparse declares NoReturn
        raise UsageError(message)


@dataclass(frozen=True)
class Options:
    """What a daemon was started with. `cycle` is in seconds."""

    callback: str
    apikey: str
    pid: Path
    datadir: Path
    plugin: str
    loglevel: str = "info"
    socketport: int = DEFAULT_PORT
    sockethost: str = "127.0.0.1"
    cycle: float = 0.2
    extendeddebug: bool = False
    unsecurelog: bool = False
    alternatives: tuple[str, ...] = ()
    logfile: Path | None = None

    @classmethod
    def parse(
        cls,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        plugin: str,
        port: int = DEFAULT_PORT,
    ) -> Options:
        """Reads arguments (without the program's name) and environment.

        Raises UsageError with one line that says what is wrong. The api key comes from the environment
        variable JEEDOM_APIKEY unless `--apikey` is there: a command line can be read by every local user.
        """
        parser = _Parser(prog=plugin, allow_abbrev=False)
        parser.add_argument("--loglevel", choices=sorted(LEVELS), default="info")
        parser.add_argument("--callback", required=True, type=_url)
        parser.add_argument("--alternative", action="append", default=[], dest="alternatives", type=_local_url)
        parser.add_argument("--plugin", default=plugin)
        parser.add_argument("--socketport", type=_port, default=port)
        parser.add_argument("--sockethost", type=_loopback, default="127.0.0.1")
        parser.add_argument("--pid", required=True, type=Path)
        parser.add_argument("--datadir", required=True, type=Path)
        parser.add_argument("--cycle", type=_cycle, default=0.2)
        parser.add_argument("--extendeddebug", action="store_true")
        parser.add_argument("--unsecurelog", action="store_true")
        parser.add_argument("--logfile", type=Path)
        parser.add_argument("--apikey", default=environment.get(KEY_VARIABLE, ""))
        given = vars(parser.parse_args(list(arguments)))
        options = cls(**{**given, "alternatives": tuple(given["alternatives"])})
        if not options.apikey:
            raise UsageError(f"no api key: set the environment variable {KEY_VARIABLE} or give --apikey")
        return options


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number, an unclosed bracket
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"not an http address: {text!r}")
    return text


def _local_url(text: str) -> str:
    if not is_loopback(_url(text)):
        raise argparse.ArgumentTypeError(f"only an address of this machine may stand beside the callback: {text!r}")
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text[:6]) < 65536:
        raise argparse.ArgumentTypeError(f"not a port (1 to 65535): {text!r}")
    return int(text)


def _cycle(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"not a number of seconds from 0 to 60: {text!r}")
    return seconds


def _loopback(text: str) -> str:
    # Vendor passwords travel over this socket: it never listens beyond this machine.
    host = "127.0.0.1" if text == "localhost" else text
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise argparse.ArgumentTypeError(f"only a loopback address is allowed, not {text!r}")
    return host
