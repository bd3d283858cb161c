"""Keeps one stream open per account: opens it, subscribes, detects its end, and reopens it with backoff."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Protocol

from ...base import AuthenticationFailed, Context, DeviceError, RateLimited, Unreachable
from ...common.endpoints import Endpoints
from ..account import STREAM, Account
from ..client import NotThere, TokenRefused
from .stream import Record, Stream

_LOG = logging.getLogger(__name__)

BACKOFF_S = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
OPEN_TIMEOUT_S = 20.0
MAX_SILENCE_S = 35.0
"""Seconds without a record after which the stream is closed: the server pings every 15 s, and SignalR's own clients
close after 30 s (Microsoft's documentation of HubConnection, read on 30 November 2026)."""
PING_PERIOD_S = 10.0
SUBSCRIPTION_TIMEOUT_S = 15.0
STEADY_AFTER_S = 300.0
"""Seconds after which a stream counts as stable: the backoff starts again."""
TICK_PERIOD_S = 10.0
HOUR_S = 3600.0


class Listener(Protocol):
    """Receives the stream's records, in the stream's own thread: must not block."""

    def invoked(self, target: str, arguments: Any) -> None: ...

    def subscribed(self, serial: str, error: str | None) -> None:
        """Called when the hub has answered a subscription; `error`: its reason if refused, else None."""
        ...


class StreamSession:
    """The stream of one account. `tick` runs in the connection's thread and raises errors for the user."""

    def __init__(self, account: Account, context: Context, listener: Listener, wake: Callable[[], None]) -> None:
        self.live = False
        self.down_since: float | None = context.clock.monotonic()
        self._account = account
        self._context = context
        self._clock = context.clock
        self._endpoints = Endpoints(context.memory, context.clock)
        self._listener = listener
        self._wake = wake
        self._lock = threading.RLock()
        self._stream: Stream | None = None
        self._failure: DeviceError | None = None
        self._failures = 0
        self._not_before = 0.0
        self._begun = self._heard = self._pinged = 0.0
        self._lived = 0.0
        self._doubted: str | None = None
        self._serials: tuple[str, ...] = ()
        self._asked: dict[str, float] = {}
        self._pending: dict[str, str] = {}
        self._number = 0
        self._attentive = 0
        self._attention = threading.Event()

    @contextmanager
    def attention(self) -> Iterator[None]:
        """Context manager: meanwhile every record is read at once, since an action waits for an answer."""
        with self._lock:
            self._attentive += 1
            self._attention.set()
        try:
            yield
        finally:
            with self._lock:
                self._attentive -= 1
                if not self._attentive:
                    self._attention.clear()

    def want(self, serials: Sequence[str]) -> None:
        """Sets the chargers to be subscribed."""
        with self._lock:
            gone = [each for each in self._asked if each not in serials]
            self._serials = tuple(serials)
            for serial in gone:
                del self._asked[serial]
                if self.live and self._stream is not None:
                    self._stream.unsubscribe(serial, self._next_number())
        self._subscribe()

    def again(self, serial: str) -> None:
        """Repeats the subscription of a charger."""
        with self._lock:
            self._asked.pop(serial, None)
        self._subscribe()

    def tick(self) -> None:
        """Does what is due. Raises DeviceError, with `retry`, after a failure."""
        with self._lock:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise self._failed(self._account.heed(failure, STREAM))
        now = self._clock.monotonic()
        stream = self._stream
        if stream is None:
            if now >= self._not_before:
                self._connect()
        elif not self.live and now - self._begun > OPEN_TIMEOUT_S:
            self.drop(Unreachable("Le flux Easee ne s'ouvre pas : pas de réponse"))
        elif now - self._heard > MAX_SILENCE_S:
            silence = Unreachable("Le flux Easee ne répond plus")
            silence.silent_s = now - self._heard
            self.drop(silence)
        elif self.live:
            if now - self._pinged >= PING_PERIOD_S:
                self._pinged = now
                stream.ping()
            self._subscribe()
            self._overdue(now)

    def due(self) -> float:
        """Seconds until `tick` has something to do."""
        now = self._clock.monotonic()
        if self._stream is None:
            return max(0.0, self._not_before - now)
        if not self.live:
            return max(0.1, self._begun + OPEN_TIMEOUT_S - now + 0.1)
        return max(0.1, min(self._pinged + PING_PERIOD_S, self._heard + MAX_SILENCE_S + 0.1) - now)

    def drop(self, error: DeviceError) -> None:
        """Closes the stream and raises `error`, as after any other failure."""
        raise self._failed(error)

    def close(self) -> None:
        """Closes the stream for good, a quiet period included."""
        with self._lock:
            self._attentive += 1
            self._attention.set()
        self._release()

    def alive(self) -> bool:
        """True if the stream is open and the server has sent a record recently."""
        return self.live and self._clock.monotonic() - self._heard <= MAX_SILENCE_S

    @property
    def age(self) -> float:
        """Seconds since the present stream was started."""
        return self._clock.monotonic() - self._begun

    # Opening and closing.

    def _connect(self) -> None:
        if self._doubted is not None:
            doubted, self._doubted = self._doubted, None
            try:
                self._account.tokens.renew(doubted)
            except DeviceError as error:
                raise self._failed(error) from error
        self._context.count("streamTries")
        try:
            url, cookies, token = self._account.negotiate()
        except NotThere as error:
            raise self._failed(self._gone()) from error
        except DeviceError as error:
            raise self._failed(error) from error
        stream = Stream(url, token, cookies, self._opened, self._received, self._ended, self._rest)
        with self._lock:
            self._stream, self.live = stream, False
            self._begun = self._heard = self._pinged = self._clock.monotonic()
            self._asked.clear()
            self._pending.clear()
        stream.start()

    def _gone(self) -> DeviceError:
        """Returns the error for a vanished stream; after a day reports to the user what still works."""
        if self._endpoints.gone(STREAM, STREAM, [STREAM]):
            self._context.message(
                "warning",
                "Depuis plus d'un jour, le flux en direct d'Easee n'est plus à son adresse : le service a sans doute "
                "changé. Les valeurs sont lues toutes les deux minutes et les commandes continuent ; installez la "
                "prochaine mise à jour du plugin",
            )
        return Unreachable(
            "Le flux en direct d'Easee n'est pas à son adresse, nouvel essai dans une heure", retry=HOUR_S
        )

    def _failed(self, error: DeviceError) -> DeviceError:
        """Records a failure: closes the stream, and sets the time of the next try in the error."""
        now = self._clock.monotonic()
        self._release()
        if self._lived > STEADY_AFTER_S:
            self._failures = 0
        self._lived = 0.0
        if isinstance(error, TokenRefused) and self._failures > 2:
            error = AuthenticationFailed("Easee refuse le jeton du compte à l'ouverture du flux", retry=1800.0)
        pause = error.retry
        if pause is None:
            pause = 3600.0 if isinstance(error, AuthenticationFailed) else self._backoff()
        elif not isinstance(error, (RateLimited, AuthenticationFailed)):
            pause = max(pause, self._backoff())
        self._failures += 1
        error.retry = pause
        self._not_before = now + pause
        _LOG.debug("stream: %s; next try in %.1f s", error, pause)
        return error

    def _backoff(self) -> float:
        return BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.2)

    def _release(self) -> None:
        with self._lock:
            stream, self._stream = self._stream, None
            self._went_down()
        if stream is not None:
            stream.close()

    def _went_down(self) -> None:
        now = self._clock.monotonic()
        if self.live:
            self._lived = now - self._begun
        if self.down_since is None:
            self.down_since = now
        self.live = False

    # Called by the stream's thread.

    def _opened(self, stream: Stream) -> None:
        with self._lock:
            if stream is not self._stream:
                return
            self.live, self.down_since = True, None
            self._heard = self._pinged = self._clock.monotonic()
            self._context.count("streamsOpened")
        self._account.opened()
        self._endpoints.answered(STREAM, STREAM)
        self._subscribe()
        self._wake()

    def _ended(self, stream: Stream, error: DeviceError) -> None:
        with self._lock:
            if stream is not self._stream:
                return
            self._stream, self._failure = None, error
            self._went_down()
            if isinstance(error, TokenRefused):
                self._doubted = stream.token
        self._context.count("streamsEnded")
        self._wake()

    def _received(self, stream: Stream, record: Record) -> None:
        if stream is not self._stream:
            return
        self._heard = self._clock.monotonic()
        kind = record.get("type")
        if kind == 1:
            self._listener.invoked(str(record.get("target")), record.get("arguments"))
        elif kind == 3:
            with self._lock:
                serial = self._pending.pop(str(record.get("invocationId")), None)
            if serial is not None:
                error = record.get("error")
                self._listener.subscribed(serial, str(error)[:200] if error else None)
        elif kind != 6:
            self._context.count("recordsUnknown")

    def _rest(self) -> None:
        """While nothing could leave, observations gather in the socket: twenty wake-ups cost more than five."""
        pause = self._context.quiet_period()
        if pause > 0:
            self._attention.wait(pause)

    # Subscriptions.

    def _next_number(self) -> str:
        self._number += 1
        return str(self._number)

    def _subscribe(self) -> None:
        with self._lock:
            stream = self._stream
            if stream is None or not self.live:
                return
            for serial in self._serials:
                if serial not in self._asked:
                    number = self._next_number()
                    self._asked[serial] = self._clock.monotonic()
                    self._pending[number] = serial
                    stream.subscribe(serial, number)

    def _overdue(self, now: float) -> None:
        """Treats an unanswered subscription as accepted: only data matters."""
        with self._lock:
            late = [(n, s) for n, s in self._pending.items() if now - self._asked.get(s, now) > SUBSCRIPTION_TIMEOUT_S]
            for number, _ in late:
                del self._pending[number]
        for _, serial in late:
            self._listener.subscribed(serial, None)
