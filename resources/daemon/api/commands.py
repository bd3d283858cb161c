"""The socket's commands: what each asks of the supervisor, and how long it may take."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any, Callable
from zoneinfo import ZoneInfo

from jeedom_bridge.clock import moment
from jeedom_bridge.contract import Contract, ContractError
from jeedom_bridge.listener import CommandError
from jeedom_bridge.logs import Logs
from jeedom_bridge.plain import MAX_SENTENCE_CHARS, plain
from jeedom_bridge.store import StoreError

from .. import __version__
from ..actions import REFRESH, Actions, Order, Result
from ..connections.services import Services
from ..connections.supervisor import Supervisor
from ..devices.base import Device, DeviceError
from ..house_hub import HouseHub, RunningHouse
from .limits import LIMITS
from .reach import Reach

if TYPE_CHECKING:
    from ..nearby.finder import Finder

_LOG = logging.getLogger(__name__)

Message = Mapping[str, Any]


class Commands:
    """Answers messages; `handle` is what the listener calls, from many threads."""

    def __init__(
        self,
        contract: Contract,
        services: Services,
        supervisor: Supervisor,
        actions: Actions,
        logs: Logs,
        on_message: Callable[[], None],
        on_shutdown: Callable[[], None],
        reach: Reach | None = None,
        house: HouseHub | None = None,
        finder: Callable[[], Finder] | None = None,
    ) -> None:
        """`on_message` is called before a message is carried out; without `reach`, Jeedom's addresses stay.

        Without `finder`, nothing is found on the local network.
        """
        self._hub = house
        self._contract = contract
        self._services = services
        self._supervisor = supervisor
        self._actions = actions
        self._reach = reach
        self._finder = finder
        self._logs = logs
        self._on_message = on_message
        self._on_shutdown = on_shutdown
        self._started = services.clock.time()
        self._since = services.clock.monotonic()
        self._damage = services.store.damage
        self._handlers: dict[str, Callable[[Message], dict[str, Any]]] = {
            "configure": self._configure,
            "forget": self._forget,
            "test": self._test,
            "discover": self._discover,
            "refresh": self._refresh,
            "action": self._action,
            "run": self._run,
            "log": self._log,
            "nearby": self._nearby,
            "status": self._status,
            "diagnostics": self._diagnostics,
            "backup": self._backup,
            "readings": self._readings,
            "past": self._past,
            "house": self._house,
            "balance": self._balance,
            "journal": self._journal,
            "outlook": self._outlook,
            "shutdown": self._shutdown,
        }

    def handle(self, command: str, message: Message) -> dict[str, Any]:
        """Carries out one authenticated message. Raises CommandError."""
        self._on_message()
        handler = self._handlers.get(command)
        if handler is None:
            raise CommandError("unknown_command", self._services.texts("Commande inconnue : {cmd}", cmd=command[:64]))
        try:
            self._contract.validate("socket", message, command)
        except ContractError as error:
            raise CommandError("invalid_message", f"{command}: {error}") from error
        language = message.get("language")
        if isinstance(language, str) and language:
            self._services.texts.language = language
        self._hide(command, message)
        if command != "status":
            _LOG.debug("socket: %s %s", command, {k: v for k, v in message.items() if k not in ("apikey", "cmd")})
        try:
            answer: dict[str, Any] = _disarmed(handler(message))
            return answer
        except CommandError:
            raise
        except Exception as error:
            _LOG.exception("the command %s failed", command)
            # The answer is shown to the user and may end in another log.
            text = self._services.outgoing(f"{type(error).__name__}: {error}")
            raise CommandError("internal", text) from error

    def _hide(self, command: str, message: Message) -> None:
        """Registers the secrets of a message before anything of it can reach a log.

        Only what belongs to the command is looked at: the schema has not seen the rest.
        """
        definitions = message["connections"] if command == "configure" else []
        if command in ("test", "discover", "run") and isinstance(message["connection"], dict):
            definitions = [message["connection"]]
        for definition in definitions:
            catalogue = self._contract.catalogues.get(str(definition["backend"]))
            if catalogue is not None:
                self._services.masker.register(*catalogue.confidential(dict(definition["config"] or {})))
                for each in definition.get("equipment") or []:
                    values = catalogue.confidential(dict(each.get("config") or {}), each["type"])
                    self._services.masker.register(*values)
        if command == "run":
            self._hide_options(message)

    def _hide_options(self, message: Message) -> None:
        options = dict(message.get("options") or {})
        for catalogue in self._contract.catalogues.values():
            for operation in catalogue.data["connection"]["operations"]:
                if operation["key"] == message["operation"]:
                    hidden = [f["key"] for f in operation["fields"] if f["type"] == "secret" or f.get("private")]
                    self._services.masker.register(*(options.get(key) for key in hidden))

    # Commands that wait for nobody.

    def _configure(self, message: Message) -> dict[str, Any]:
        settings = message.get("settings") or {}
        if settings.get("language"):
            self._services.texts.language = str(settings["language"])
        self._report_damage()
        if settings.get("timezone"):
            self._adopt_timezone(str(settings["timezone"]))
        if settings.get("callback") and self._reach is not None:
            self._reach.adopt(settings["callback"])
        result = self._supervisor.configure(message["revision"], message["connections"])
        if any(result[kind] for kind in ("started", "updated", "stopped")):
            _LOG.info("configuration %s: %s", message["revision"], {k: v for k, v in result.items() if v})
        return result

    def _report_damage(self) -> None:
        """Once, and only now: before the first desired state nobody knows the user's language."""
        damage, self._damage = self._damage, None
        if damage is not None:
            text = self._services.outgoing(self._services.texts.damage(damage))
            self._services.outbox.event({"event": "message", "level": "error", "text": text})

    def _adopt_timezone(self, name: str) -> None:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            _LOG.error("unknown time zone %.64r: %s stays in force", name, self._services.texts.timezone)
        else:
            self._services.texts.timezone = name

    def _forget(self, message: Message) -> dict[str, Any]:
        if self._hub is not None:
            self._hub.forget(message["connection"])
        try:
            self._supervisor.forget(message["connection"])
        except StoreError as error:
            raise CommandError("internal", self._services.texts.mistake(error)) from error
        return {}

    def _readings(self, message: Message) -> dict[str, Any]:
        if self._hub is not None:
            self._hub.take(message["values"], self._services.clock.time())
        return {}

    def _past(self, message: Message) -> dict[str, Any]:
        if self._hub is not None:
            self._hub.take_past(message)
        return {}

    def _house(self, _message: Message) -> dict[str, Any]:
        return self._ask_house(lambda device: {"roles": device.roles(), "now": device.now()}, "house")

    def _balance(self, message: Message) -> dict[str, Any]:
        first, last, per = message.get("from"), message.get("to"), message["per"]
        return self._ask_house(lambda device: device.balance(first, last, per), "balance")

    def _journal(self, message: Message) -> dict[str, Any]:
        since, limit = message.get("since") or "", int(message.get("limit", 100))
        equipment = message.get("equipment") or ""
        return self._ask_house(lambda device: {"entries": device.journal(since, limit, equipment)}, "house")

    def _outlook(self, message: Message) -> dict[str, Any]:
        equipment = message["equipment"]
        return self._ask_house(lambda device: device.outlook(equipment), "outlook")

    def _ask_house(self, question: Callable[[RunningHouse], dict[str, Any]], command: str) -> dict[str, Any]:
        device = self._hub.running if self._hub is not None else None
        if device is None:
            text = self._services.texts("La maison n'est pas active : activez-la sur la page du plugin.")
            raise CommandError("unknown_connection", text)
        runner = self._supervisor.running(device.connection.id)
        answer: dict[str, Any] = self._wait(runner.call(lambda: question(device)), command)
        return answer

    def _backup(self, _message: Message) -> dict[str, Any]:
        try:
            self._services.store.back_up()
            device = self._hub.running if self._hub is not None else None
            if device is not None:
                self._wait(self._supervisor.running(device.connection.id).call(device.back_up), "house")
        except StoreError as error:
            raise CommandError("internal", self._services.texts.mistake(error)) from error
        return {}

    def _log(self, message: Message) -> dict[str, Any]:
        self._logs.set(message.get("level"), message.get("extendedDebug"), message.get("unsecure"))
        return {}

    def _status(self, _message: Message) -> dict[str, Any]:
        reach = self._reach.status() if self._reach is not None else {}
        return {
            "version": __version__,
            "uptime": round(self._services.clock.monotonic() - self._since, 1),
            "started": moment(self._started),
            "outbox": len(self._services.outbox),
            "callbackError": reach.get("error"),
            "callback": reach,
            "connections": self._supervisor.status(),
        }

    def _diagnostics(self, message: Message) -> dict[str, Any]:
        # Only here: with what it needs of the standard library it is half a MiB that few daemons ever use.
        from .diagnostics import report

        runners = self._supervisor.all()
        return {"report": report(self._services, self._contract.catalogues, runners, self._status(message))}

    def _shutdown(self, _message: Message) -> dict[str, Any]:
        self._on_shutdown()
        return {}

    # Commands that ask a vendor.

    def _test(self, message: Message) -> dict[str, Any]:
        identity = self._ask(message, lambda device: device.test(), "test")
        return {"identity": dict(identity.data), "text": identity.text}

    def _discover(self, message: Message) -> dict[str, Any]:
        found = self._ask(message, lambda device: device.discover(), "discover")
        return {"equipment": [{**vars(each), "config": dict(each.config)} for each in found]}

    def _nearby(self, message: Message) -> dict[str, Any]:
        found = self._finder().search(message.get("backend")) if self._finder is not None else []
        return {"found": [{**vars(each), "config": dict(each.config)} for each in found]}

    def _run(self, message: Message) -> dict[str, Any]:
        operation, options = message["operation"], dict(message.get("options") or {})
        return {"text": self._ask(message, lambda device: device.run(operation, options), "run")}

    def _ask(self, message: Message, question: Callable[[Device], Any], command: str) -> Any:
        """Asks the running device, or one made for the occasion from the form's settings."""
        asked = message["connection"]
        if isinstance(asked, str):
            runner = self._supervisor.running(asked)
        else:
            connection = self._supervisor.parse(asked)
            found = self._supervisor.matching(connection)
            if found is None:
                temporary, future = self._supervisor.ask_temporary(connection, question)
                try:
                    return self._wait(future, command)
                finally:
                    temporary.stop()
            runner = found
        device = runner.device
        answer = self._wait(runner.call(lambda: question(device)), command)
        if command in ("test", "run"):
            runner.credentials_accepted()
        return answer

    def _refresh(self, message: Message) -> dict[str, Any]:
        if "equipment" not in message:
            self._supervisor.running(message["connection"])  # else the error would speak of an equipment
        asked = message["equipment"] if "equipment" in message else message["connection"]
        return self._act(Order.by_command(asked, REFRESH), "refresh")

    def _action(self, message: Message) -> dict[str, Any]:
        order = Order.by_command(message["equipment"], message["command"], message.get("options"))
        return self._act(order, "refresh" if order.command == REFRESH else "action")

    def _act(self, order: Order, command: str) -> dict[str, Any]:
        outcome = self._actions.act(order, LIMITS[command])
        if not outcome.done:
            raise CommandError(outcome.code, outcome.message)
        reading = command == "refresh" and outcome.result is not Result.PROVED
        return {"accepted": True} if reading else {}

    def _wait(self, future: Future[Any], command: str) -> Any:
        try:
            return future.result(LIMITS[command])
        except DeviceError as error:
            text = self._services.texts(error.template, **error.values)
            raise CommandError(error.code, self._services.outgoing(text)) from error
        except FutureTimeout:
            future.cancel()
            text = self._services.texts("Pas de réponse en {seconds} s", seconds=int(LIMITS[command]))
            raise CommandError("timeout", text) from None
        except CancelledError:
            text = self._services.texts("La connexion vient d'être arrêtée")
            raise CommandError("unknown_connection", text) from None
        except StoreError as error:
            raise CommandError("internal", self._services.texts.mistake(error)) from error


def _disarmed(part: Any) -> Any:
    """An answer whose texts may come from a vendor: names found, identities, what an operation has to tell."""
    if isinstance(part, str):
        return plain(part, MAX_SENTENCE_CHARS)
    if isinstance(part, Mapping):
        return {key: _disarmed(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_disarmed(each) for each in part]
    return part
