"""The HTTP client that posts the outbox and understands the acknowledgement."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Mapping
from typing import Any, Callable
from urllib.parse import quote_plus, urlencode

from .addresses import Addresses, Trouble
from .clock import Clock, moment
from .http import Response
from .http.errors import BadAnswer, BadStatus, ConnectFailed, HttpError, NoAnswer
from .outbox import MAX_POINTS, Batch, Outbox
from .worker import Backoff

_LOG = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 30.0
"""Seconds that Jeedom has for an answer."""
MAX_REFUSED_PAUSE_S = 5.0
"""Longest pause, in seconds, while nobody listens there: asking again costs a stopped Jeedom nothing."""
MAX_QUIET_S = 0.5
"""Longest quiet period, in seconds: a source has a connection to look after."""
_QUIET_LEAD_S = 0.003
"""Seconds before the end of a pause at which a quiet period ends: what is read then goes along."""
_MAX_ANSWER_BYTES = 1024 * 1024


class Callback:
    """A thread that empties the outbox to Jeedom and never gives up.

    The first change after a pause leaves at once, or after `lead`, for which it waits for what follows from it; while a
    request is under way, and `cycle` seconds after it, changes gather. A failure keeps everything and is tried again
    after growing pauses.
    """

    def __init__(
        self,
        outbox: Outbox,
        address: str | Addresses,
        apikey: str,
        plugin: str,
        clock: Clock,
        cycle: float = 0.2,
        on_acknowledged: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._outbox = outbox
        self._form = urlencode({"type": "event", "plugin": plugin, "apikey": apikey}) + "&payload="
        self._clock = clock
        self._cycle = cycle
        self._on_acknowledged = on_acknowledged
        self._boot = secrets.token_hex(8)
        # A kept connection saves Jeedom nothing, and one that Apache closes meanwhile would look like a failure.
        self.addresses = address if isinstance(address, Addresses) else Addresses(address, clock)
        self._backoff = Backoff(0.5, 60.0)
        self._limit = MAX_POINTS
        self.lead: Callable[[], float] = lambda: 0.0
        """Seconds, asked for with each first change."""
        self._not_before = 0.0
        self._stopping = False
        self._sending = False
        self._steady = False
        self._took = 0.0
        self._seen_rejections: set[str] = set()
        self._failing_since: float | None = None
        self.sent = 0
        self._resting = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="callback", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def error(self) -> str | None:
        """Why the last callback failed, in English; None after one that arrived."""
        return None if self.trouble is None else str(self.trouble.error)

    @property
    def trouble(self) -> Trouble | None:
        """Why the last callback failed, and where; None after one that arrived."""
        return self.addresses.trouble

    @property
    def failing_s(self) -> float:
        """Seconds for which no callback has arrived; 0 when the last one did."""
        since = self._failing_since
        return 0.0 if since is None else max(0.0, self._clock.monotonic() - since)

    def nudge(self) -> None:
        """Jeedom has shown that it is there: do not wait for the end of a pause."""
        if self._backoff.failures:
            self._not_before = 0.0
            self._wake()

    def quiet_period(self) -> float:
        """Seconds during which nothing new can leave, 0 when it would leave at once.

        A source whose values come one by one reads those of a quiet period together: waking up for each costs more than
        the work itself.
        """
        rest = self._not_before - self._clock.monotonic()
        if rest <= 2 * _QUIET_LEAD_S:
            with self._outbox.changed:
                about_to_leave = self._sending or self._outbox.due() == 0
            rest = self._took + self._cycle if about_to_leave else 0.0
        return max(0.0, min(rest, MAX_QUIET_S) - _QUIET_LEAD_S)

    def stop(self, timeout: float) -> None:
        """Sends what waits, once, within `timeout` seconds, and ends."""
        self._stopping = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _wake(self) -> None:
        for condition in (self._outbox.changed, self._resting):
            with condition:
                condition.notify_all()

    def _run(self) -> None:
        ended = False
        while not ended:
            try:
                ended = self._step()
            except Exception:
                # Without this thread the daemon would look well and send nothing for ever.
                _LOG.exception("sending to Jeedom")
                ended = self._stopping
                self._not_before = self._clock.monotonic() + self._backoff.next()

    def _step(self) -> bool:
        """Waits for something to send and sends it; True when it was the last."""
        if self._steady:
            self._rest()  # as values keep coming, without being woken by the first of them
        while not self._stopping:
            with self._outbox.changed:
                due = self._outbox.due()
                pause = self._not_before - self._clock.monotonic()
                if due is not None and max(due, pause) <= 0:
                    break
                if due is None or due > pause:
                    self._steady = False
                    self._clock.wait(self._outbox.changed, due)
                    continue
            self._steady = True
            self._rest()
        if not self._steady and (lead := self.lead()) > 0:
            self._not_before = self._clock.monotonic() + lead
            self._rest()
        last = self._stopping
        begun = self._clock.monotonic()
        self._sending = True
        try:
            batch = self._outbox.take(self._limit, everything=last)
            sent = batch is not None and self._send(batch)
        finally:
            self._sending = False
            self._took = self._clock.monotonic() - begun
        return last and not sent

    def _rest(self) -> None:
        """The pause after a callback: changes gather meanwhile, without waking this thread for each."""
        with self._resting:
            pause = self._not_before - self._clock.monotonic()
            if pause > 0 and not self._stopping:
                self._clock.wait(self._resting, pause)

    def _send(self, batch: Batch) -> bool:
        head = json.dumps({"boot": self._boot, "sequence": batch.sequence, "sentAt": moment(self._clock.time())})
        payload = head[:-1] + ', "events": [' + ", ".join(batch.parts) + "]}"
        answer: Response | None = None
        try:
            body = (self._form + quote_plus(payload)).encode("ascii")
            answer = self.addresses.post(
                body, connect=5.0, read=ANSWER_TIMEOUT_S, deadline=ANSWER_TIMEOUT_S, max_bytes=_MAX_ANSWER_BYTES
            )
            acknowledgement = _acknowledgement(answer)
        except HttpError as error:
            self._failed(batch, error, answer)
            return False
        except Exception as error:
            _LOG.exception("asking Jeedom")
            self._failed(batch, HttpError(type(error).__name__), answer)
            return False
        self._succeeded(batch, acknowledgement)
        return True

    def _failed(self, batch: Batch, error: HttpError, answer: Response | None) -> None:
        # Only a request that has not left is sure not to have been applied.
        self._outbox.failed(batch, unknown=error.sent)
        if isinstance(error, NoAnswer) and error.sent:
            self._limit = max(1, self._limit // 2)
        pause = self._backoff.next()
        if isinstance(error, ConnectFailed):
            pause = min(pause, MAX_REFUSED_PAUSE_S)
        if self.addresses.failed(error, answer, may_look=not self._stopping):
            pause = 0.0
        self._not_before = self._clock.monotonic() + pause
        if self._failing_since is None:
            self._failing_since = self._clock.monotonic()
            _LOG.warning("Jeedom does not take the values (%s): everything is kept, tried again", error)
        else:
            _LOG.debug("Jeedom still does not take the values (%s), next try in %.1f s", error, pause)

    def _succeeded(self, batch: Batch, acknowledgement: Mapping[str, Any]) -> None:
        self._not_before = self._clock.monotonic() + self._cycle
        self._backoff.reset()
        self._limit = min(MAX_POINTS, self._limit * 2)
        self.addresses.succeeded()
        self.sent += 1
        if self._failing_since is not None:
            _LOG.info("Jeedom takes values again, after %.0f s", self._clock.monotonic() - self._failing_since)
            self._failing_since = None
        for part, reason in self._outbox.acknowledged(batch, acknowledgement):
            if reason not in self._seen_rejections:
                if len(self._seen_rejections) > 100:
                    self._seen_rejections.clear()
                self._seen_rejections.add(reason)
                _LOG.error("Jeedom rejected an event (%s): %.300s", reason, part)
        if self._on_acknowledged is not None:
            try:
                self._on_acknowledged(acknowledgement)
            except Exception:
                _LOG.exception("after an acknowledgement")


def _acknowledgement(answer: Response) -> Mapping[str, Any]:
    """Jeedom's core answers a refused key and an exception with status 200 and a sentence: those are failures."""
    if answer.status != 200:
        raise BadStatus(f"status {answer.status}")
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("ok") is not True:
        raise BadAnswer(f"not an acknowledgement: {answer.text[:200]!r}")
    return content
