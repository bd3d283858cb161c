"""Where Jeedom takes the callback: the configured address, and this machine's own web server when that one fails.

The api key goes to the configured host, or to a server of this machine that is proven to be this very Jeedom:

- An address that redirects from http to https is followed on the same host only.
- Another address is tried only if it is loopback, if the program that listens there belongs to root or to the daemon's
  own user, and if it answers a challenge with a key that lies in a file which only Jeedom and the daemon can read.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from .clock import Clock
from .http import Address, Response, is_loopback
from .http.errors import ConnectFailed, HttpError

_LOG = logging.getLogger(__name__)

API = "/core/api/jeeApi.php"
"""Path of Jeedom's interface below its base address."""
LOOK_AFTER_S = 10.0
"""Seconds for which the configured address must have failed before another one is looked for."""
LOOK_EVERY_S = 15.0
"""Seconds between two searches."""
_PROOF_LIMITS = {"connect": 3.0, "read": 5.0, "deadline": 6.0, "max_bytes": 4096}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_READ, _QUOTED = 2000, 160
"""Characters of an answer that are searched, and that are quoted."""
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Trouble:
    """Why values do not reach Jeedom.

    `code`: `connect`, `timeout`, `tls`, `protocol`, `size` (no usable answer), `status` (an HTTP error), `redirect`
    (to another host: `detail` names it), `stranger` (what answers is not this Jeedom), `jeedom` (Jeedom answers with
    an error, `detail` quotes it). `url` is the address without an account.
    """

    url: str
    code: str
    error: HttpError

    def __str__(self) -> str:
        return f"{self.url}: {self.error}"


class Proof:
    """Tells whether an address leads to the Jeedom that shares a file with this daemon.

    The page of `plugin` answers the HMAC-SHA256 of a challenge under the key in the file; neither the key nor the
    api key is sent.
    """

    PAGE = "/plugins/{plugin}/core/ajax/{plugin}Proof.ajax.php?challenge={challenge}"

    def __init__(self, file: Path, plugin: str) -> None:
        """Makes the file anew, mode 0600: a backup may have taken the former one along.

        Where that fails (a full disk), nothing is proven until it can be made.
        """
        self._file = file
        self._plugin = plugin
        self._is_made = self._make()

    def _make(self) -> bool:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                self._file.unlink()
            except FileNotFoundError:
                pass
            with os.fdopen(os.open(self._file, flags, 0o600), "w", encoding="ascii") as made:
                made.write(secrets.token_hex(32))
        except OSError as error:
            _LOG.warning("%s cannot be made, only Jeedom's configured address is used: %s", self._file, error)
            return False
        return True

    def __call__(self, url: str) -> str | None:
        """The callback address that is proven to be this Jeedom's: `url`, or what it redirects to; None otherwise."""
        self._is_made = self._is_made or self._make()
        if not self._is_made:
            return None
        for _ in range(2):
            base = url[: -len(API)] if url.endswith(API) else url
            challenge = secrets.token_hex(16)
            page = base + self.PAGE.format(plugin=self._plugin, challenge=challenge)
            try:
                answer = Address(page, {}).request("GET", None, **_PROOF_LIMITS)  # type: ignore[arg-type]
                key = self._file.read_bytes().strip()
            except (HttpError, ValueError, OSError) as error:
                _LOG.debug("%s is not proven to be this Jeedom: %s", shown(url), error)
                return None
            secured = upgraded(page, answer)
            if secured is None:
                wanted = hmac.new(key, challenge.encode("ascii"), hashlib.sha256).hexdigest()
                found = answer.status == 200 and hmac.compare_digest(answer.body.strip(), wanted.encode("ascii"))
                return url if found and key else None
            url = secured[: secured.index("/plugins/")] + API if "/plugins/" in secured else secured
        return None


class Addresses:
    """Chooses the address of the next callback; `post` and `failed` are called by one thread, the rest by any."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        others: Sequence[str] = (),
        proof: Callable[[str], str | None] | None = None,
        is_trusted: Callable[[str], bool] | None = None,
    ) -> None:
        """Raises ValueError if an address is not valid. Without a proof the others are never used."""
        self._clock = clock
        self._proof = proof
        self._is_trusted = is_trusted or listens_for_us
        self._lock = threading.Lock()
        self._configured: tuple[str, ...] = ()
        self.trouble: Trouble | None = None
        """Why the last callback failed; None after one that arrived."""
        self.detour: Trouble | None = None
        """Why the configured address is not the one in use; None when it is."""
        self.set([url, *others])

    def set(self, urls: Sequence[str]) -> bool:
        """Takes other addresses, the configured one first; False if they are those in force.

        Raises ValueError if one is not valid, or one of the others is not of this machine.
        """
        if not urls or not all(is_loopback(each) for each in urls[1:]):
            raise ValueError("only loopback addresses may stand beside the configured one")
        address = Address(urls[0], _FORM)
        for each in urls[1:]:
            Address(each, _FORM)
        with self._lock:
            if tuple(urls) == self._configured:
                return False
            self._configured = tuple(urls)
            self._use(urls[0], address)
            self._failing_since: float | None = None
            self._looked = float("-inf")
            self._is_proven = False
            self.detour = None
        return True

    @property
    def configured(self) -> list[str]:
        """The addresses in force, the configured one first, without accounts."""
        return [shown(each) for each in self._configured]

    @property
    def in_use(self) -> str:
        """The address of the next callback, without an account."""
        return shown(self._url)

    def post(self, body: bytes, *, connect: float, read: float, deadline: float, max_bytes: int) -> Response:
        """Posts to the address in use; a redirect from http to https of the same host is followed, once.

        Raises HttpError.
        """
        limits = {"connect": connect, "read": read, "deadline": deadline, "max_bytes": max_bytes}
        with self._lock:
            url, address, on_detour = self._url, self._address, self.detour is not None
        if on_detour and not self._is_trusted(url):
            raise ConnectFailed("another user's program listens there now")
        answer = address.post(body, **limits)  # type: ignore[arg-type]
        secured = upgraded(url, answer)
        if secured is None:
            return answer
        with self._lock:
            if self._url != url:
                return answer  # others were set meanwhile
            self._use(secured, Address(secured, _FORM))
            address = self._address
        _LOG.info("%s redirects to %s: used from now on", shown(url), shown(secured))
        return address.post(body, **limits)  # type: ignore[arg-type]

    def succeeded(self) -> None:
        """Notes that the last callback arrived."""
        self.trouble = None
        self._failing_since = None

    def failed(self, error: HttpError, answer: Response | None = None, may_look: bool = True) -> bool:
        """Notes that the last callback failed. True if another address was found, which may take seconds."""
        now = self._clock.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        with self._lock:
            url, urls, on_detour = self._url, self._configured, self.detour is not None
        due = now - self._looked >= LOOK_EVERY_S and now - self._failing_since >= LOOK_AFTER_S and may_look
        if due and self._proof is not None:
            # Jeedom's own troubles are the same at every address.
            self._is_proven = error.kind != "connect" and self._proof(url) is not None
        self.trouble = Trouble(shown(url), _code(error, answer, self._is_proven), _worded(error, url, answer))
        if url != urls[0] and (answer is None or not self._is_proven):
            self._return(urls)
        if not due:
            return False
        self._looked = now
        return not self._is_proven and not on_detour and self._look(urls)

    def _return(self, urls: tuple[str, ...]) -> None:
        with self._lock:
            if self._configured == urls:
                self._use(urls[0], Address(urls[0], _FORM))
                self.detour, self._is_proven = None, False

    def _look(self, urls: tuple[str, ...]) -> bool:
        for each in urls[1:]:
            found = self._proof(each) if self._proof is not None and self._is_trusted(each) else None
            if found is None or not is_loopback(found) or not self._is_trusted(found):
                continue
            with self._lock:
                if self._configured != urls:
                    return False
                self._use(found, Address(found, _FORM))
                self.detour, self._is_proven = self.trouble, True
            _LOG.warning("%s fails (%s): %s is this Jeedom, too, and used instead", *self._words(urls[0]), shown(found))
            return True
        return False

    def _words(self, url: str) -> tuple[str, str]:
        return shown(url), str(self.trouble.error if self.trouble is not None else "")

    def _use(self, url: str, address: Address) -> None:
        self._url, self._address = url, address


def upgraded(url: str, answer: Response) -> str | None:
    """Where an answer redirects to, if that is the same path of the same host by https instead of http; else None."""
    target = _target(url, answer)
    if target is None:
        return None
    here = urlsplit(url)
    same = (target.hostname, target.path, target.query) == (here.hostname, here.path, here.query)
    if here.scheme != "http" or target.scheme != "https" or not same:
        return None
    account = here.netloc.rpartition("@")[0]
    host = target.netloc.rpartition("@")[2]
    return urlunsplit(("https", f"{account}@{host}" if account else host, here.path, here.query, ""))


def _target(url: str, answer: Response) -> SplitResult | None:
    if answer.status not in _REDIRECTS:
        return None
    try:
        target = urlsplit(urljoin(url, answer.headers.get("location", "")))
        return target if target.port != 0 else None
    except ValueError:
        return None


def _code(error: HttpError, answer: Response | None, is_proven: bool) -> str:
    if answer is None:
        return error.kind
    if answer.status in _REDIRECTS:
        return "redirect"
    if is_proven:
        return "jeedom"
    return "status" if answer.status != 200 else "stranger"


def _worded(error: HttpError, url: str, answer: Response | None) -> HttpError:
    if answer is None:
        return error
    target = _target(url, answer)
    if target is not None:
        return HttpError(shown(target.geturl()))
    if answer.status != 200:
        return error
    plain = re.sub(r"<[^<>]*>", " ", answer.text[:_READ])
    return HttpError(" ".join(plain.split())[:_QUOTED])


def shown(url: str) -> str:
    """An address without the account in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def listens_for_us(url: str, tables: Mapping[str, str] | None = None) -> bool:
    """Whether the program that listens at a loopback address belongs to root or to this process's user.

    `tables` are the texts of /proc/net/tcp and tcp6, for tests.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if tables is None:
        tables = {name: _table(name) for name in ("tcp", "tcp6")}
    local = rf"(?:0100007F|0{{8}}|0{{32}}|0{{24}}01000000|0{{16}}FFFF0{{12}}|0{{16}}FFFF00000100007F):{port:04X}"
    row = re.compile(rf"^\s*\d+: {local} [0-9A-F]+:0000 0A \S+ \S+ \S+ +(\d+)", re.MULTILINE)
    owners = {int(uid) for text in tables.values() for uid in row.findall(text)}
    return bool(owners) and owners <= {0, os.geteuid()}


def _table(name: str) -> str:
    try:
        return Path("/proc/net", name).read_text("ascii", "replace")
    except OSError:
        return ""
