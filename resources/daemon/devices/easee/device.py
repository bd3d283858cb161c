"""One Easee account: schedules its jobs, receives its stream, and carries out actions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from jeedom_bridge.contract import Row

from ..base import Connection, Context, DeviceError, Equipment, Found, Identity, Refused, Unreachable, VendorError
from ..base import Device as Base
from . import mapping
from .account import Account
from .actions import ACTIONS, amperes
from .control import Control
from .equalizer import Equalizer
from .fleet import CHARGER, EQUALIZER, Fleet
from .product import Product
from .rest_reader import RestReader
from .streaming.stall_detector import StallDetector
from .streaming.stream_session import TICK_PERIOD_S, StreamSession

_LOG = logging.getLogger(__name__)

STATE_READ_PERIOD_S = 120.0
"""Shortest time between two automatic requests of one charger's values, in seconds."""
FALLBACK_AFTER_S = 120.0
CONFIRM_PERIOD_S = 60.0
REPLAY_SETTLED_S = 3.0
"""Seconds after the first record of a subscription within which its replay is complete."""
UNANSWERED_TO_GIVE_UP = 2
"""Consecutive unanswered chargers after which the whole service counts as down."""


class Device(Base):
    """One account with its chargers and Equalizers, which share one stream."""

    grace = 45.0  # streams are cut now and then, and back within seconds
    acts_aside = True

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        self._clock = context.clock
        self._account = Account(connection.config, context)
        self._rows: dict[str, Row] = {row.logical_id: row for row in context.catalogue.all_rows("charger")}
        self._fleet = Fleet(context, self._account.time)
        self._lock = self._fleet.lock
        self._reader = RestReader(self._account, context)
        self._session = StreamSession(self._account, context, self, self._wake)
        self._stalls = StallDetector()
        self._control = Control(self._account, self._reader, context, self._lock, self._read_quietly)
        self._to_read: dict[str, None] = {}
        self._read_at: dict[str, float] = {}
        self._job: Any = None
        self._woken = False
        self._wake_lock = threading.Lock()
        self._fresh_at = 0.0

    # Called by the core.

    def start(self) -> None:
        self._account.cloud  # noqa: B018  # raises Refused at once if the URL is not valid
        self._adopt()
        if self._job is None:
            self._job = self.context.every("stream", TICK_PERIOD_S, self._tick)
            self.context.every("state", STATE_READ_PERIOD_S, self._fall_back, first=STATE_READ_PERIOD_S)

    def stop(self) -> None:
        self._session.close()
        self._account.close()
        self._fleet.keep()

    def changed(self) -> None:
        self._adopt()
        self._wake()

    def refresh(self) -> None:
        self._account.ask_anyway()
        failure = self._read_all(self._fleet.all(), asked=True)
        if failure is None:
            return
        if isinstance(failure, (Refused, VendorError)) and self._session.alive() and not self._missing_any():
            return  # the stream will send the values instead
        raise failure

    def test(self) -> Identity:
        self._account.login()
        found = self._reader.products()
        chargers = [each.key for each in found if each.type != EQUALIZER]
        equalizers = len(found) - len(chargers)
        text = self.context.translate("Connecté à Easee : {n:chargeur|chargeurs} sur ce compte", n=len(chargers))
        if equalizers:
            text = self.context.translate(
                "Connecté à Easee : {n:chargeur|chargeurs} et {m:Equalizer|Equalizers} sur ce compte",
                n=len(chargers),
                m=equalizers,
            )
        return Identity({"chargers": len(chargers), "equalizers": equalizers, "serials": chargers}, text)

    def discover(self) -> list[Found]:
        self._account.ask_anyway()
        return self._reader.products()

    def _adopt(self) -> None:
        self._session.want(self._fleet.adopt(self.connection))

    # The connection's own thread.

    def _wake(self) -> None:
        with self._wake_lock:
            self._woken = True
            if self._job is not None:
                self._job.run_in(0.0)

    def _tick(self) -> None:
        with self._wake_lock:
            self._woken = False
        self._account.tokens.keep_fresh()
        self._account.show_budget()
        self._session.tick()
        pause = min(TICK_PERIOD_S, self._session.due())
        if self._session.live:
            if not self._fleet.all():
                self.context.online()
            self._read_waiting()
            self._look()
            self._keep_fresh()
            if self._judge():
                pause = min(pause, 1.0)
        with self._wake_lock:
            if not self._woken:
                self._job.run_in(pause)

    def _read_waiting(self) -> None:
        """Requests the values after each subscription: not every firmware sends all of them by the stream."""
        while self._to_read and not self.context.stopping and self._session.live:
            with self._lock:
                serial = next(iter(self._to_read), None)
                if serial is None:
                    return
                del self._to_read[serial]
                product = self._fleet.get(serial)
            if product is not None and self._clock.monotonic() - self._read_at.get(serial, -1e9) >= STATE_READ_PERIOD_S:
                self._read_quietly(product)

    def _judge(self) -> bool:
        """Decides which products are silent, while the stream is alive; True if some are still undecided."""
        now, left = self._clock.monotonic(), False
        for product in self._fleet.all():
            first = product.first_heard
            settled = first is not None and now - max(first, self._stalls.since(product.serial)) >= REPLAY_SETTLED_S
            self._fleet.judge(product, settled and self._session.alive())
            left = left or (first is not None and not product.judged)
        return left

    def _look(self) -> None:
        """Requests the values of a quiet product, and reconnects if the stream is stalled."""
        with self._lock:
            now = self._clock.monotonic()
            product = self._stalls.to_look_at(self._fleet.all(), now)
        if product is not None and self._stalls.is_absent(product.serial):
            with self._lock:
                self._stalls.absent(product.serial, now)
            if not self._lacks(product):
                self._session.again(product.serial)
        elif product is not None:
            differs = self._read_quietly(product)
            with self._lock:
                heard = self._stalls.answered(product)
                if not self._stalls.is_absent(product.serial):
                    self._stalls.looked(product, bool(differs), self._clock.monotonic())
            if differs is None and heard:
                self._session.again(product.serial)  # the replay has values that no request returns
        with self._lock:
            stalled = self._stalls.stalled(self._fleet.all(), self._clock.monotonic())
        if stalled is None:
            return
        serial, reconnect = stalled
        self.context.count("stalls")
        if not reconnect:
            _LOG.info("%s: the stream brings nothing of product %s: asking for it anew", self.connection.name, serial)
            self._session.again(serial)
        else:
            _LOG.warning(
                "%s: the stream is open but brings nothing more of product %s: reconnecting",
                self.connection.name,
                serial,
            )
            self._stalls.clear()
            self._session.drop(Unreachable("Le flux Easee est ouvert mais ne transmet plus rien : reconnexion"))

    def _keep_fresh(self) -> None:
        """Confirms unchanged values while the stream is alive."""
        now = self._clock.monotonic()
        if now - self._fresh_at < CONFIRM_PERIOD_S or not self._session.alive() or self._stalls.pending():
            return
        self._fresh_at = now
        self._fleet.confirm_lasting()

    def _fall_back(self) -> None:
        """Requests the values of products that have had no stream for some minutes."""
        since, chosen = self._session.down_since, self._fleet.all()
        if since is None:  # the stream may refuse products whose requests are answered
            chosen = [e for e in chosen if self._stalls.is_absent(e.serial) and not self._fleet.is_missing(e)]
        elif self._clock.monotonic() - since < FALLBACK_AFTER_S:
            return
        failure = self._read_all(chosen)
        if failure is not None:
            _LOG.debug("reading without a stream: %s", failure)

    # Reading by requests.

    def _read_all(self, chosen: list[Product], asked: bool = False) -> DeviceError | None:
        """Requests the values of several products, also after one failed; returns the first failure, or None."""
        failure: DeviceError | None = None
        silent = 0
        for product in chosen:
            if self.context.stopping or silent >= UNANSWERED_TO_GIVE_UP:
                break
            if not asked and not self._reader.may_read(product.serial):
                continue
            try:
                self._read(product)
                silent = 0
            except (Refused, VendorError) as error:
                failure, silent = failure or error, 0
                self._session.again(product.serial)
            except Unreachable as error:
                failure, silent = failure or error, silent + 1
            except DeviceError as error:
                return error  # concerns the account or the address
        return failure

    def _read(self, product: Product) -> bool:
        """Requests and publishes a product's values; True if the stream should have sent some of them."""
        asked = self._clock.monotonic()
        self._read_at[product.serial] = asked
        try:
            serials = [each.serial for each in self._fleet.all()]
            found = self._reader.observations(product.serial, serials, self._fleet.ids(product))
        except Refused:
            # A refused path does not prove that the product is missing: the account's list does.
            if self._lacks(product):
                self._missing(product, "not among the products of the account")
            raise
        if isinstance(product, Equalizer):
            amps = self._reader.allowed_current(product.serial)
            if amps is not None:
                self._fleet.tell(product, {"maxAllocatedCurrent": amps})
        return self._fleet.take(product, found, asked)

    def _read_quietly(self, product: Product) -> bool | None:
        """Like `_read`, for background jobs: returns None on failure, which is only logged."""
        if not self._reader.may_read(product.serial):
            return None
        try:
            return self._read(product)
        except DeviceError as error:
            _LOG.debug("values of product %s: %s", product.serial, error)
            return None

    def _missing(self, product: Product, reason: str) -> None:
        _LOG.debug("product %s: %s", product.serial, reason)
        with self._lock:
            self._stalls.absent(product.serial, self._clock.monotonic())
        self._fleet.missing(product)

    def _lacks(self, product: Product) -> bool:
        return self._reader.lacks(product.serial, EQUALIZER if isinstance(product, Equalizer) else CHARGER)

    def _missing_any(self) -> bool:
        return any(self._fleet.is_missing(product) for product in self._fleet.all())

    # Called by the stream's thread.

    def invoked(self, target: str, arguments: Any) -> None:
        """Implements stream_session.Listener."""
        if target in ("ProductUpdate", "ChargerUpdate"):
            for record in mapping.observations(arguments):
                if self._fleet.observe(record):
                    self._control.confirmations.news()
        elif target == "CommandResponse":
            for response in mapping.command_responses(arguments):
                self._control.confirmations.note(response)
        else:
            self.context.count("recordsUnknown")

    def subscribed(self, serial: str, error: str | None) -> None:
        """Implements stream_session.Listener."""
        with self._lock:
            product = self._fleet.get(serial)
            if product is None:
                return
            self._stalls.subscribed(serial, self._clock.monotonic())
            self._to_read[serial] = None
            if error is not None:
                self._missing(product, error)
        if error is None:
            self.context.online()
        self._wake()

    # Actions, in threads of their own.

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> bool | None:
        action = ACTIONS.get(command)
        charger = self._fleet.charger(equipment.key.strip())
        if action is None or charger is None:
            return super().act(equipment, command, options)
        amps = amperes(self._rows[command], options)
        with self._session.attention():
            proved = self._control.act(charger, command, action, amps)
        if not self._session.live:
            self._read_quietly(charger)
        return proved
