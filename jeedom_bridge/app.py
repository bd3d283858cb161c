"""A Jeedom daemon by three hooks: derive from `App`, override `on_start`, `on_message` and `on_stop`, call `main`.

Command line, log, pid file, locks, socket, callback, signals, exit codes and an orderly end are done here.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, ClassVar

from .addresses import Addresses, Proof
from .callback import Callback
from .clock import Clock, SystemClock
from .listener import Listener
from .logs import LEVELS, LogFile, Logs, Masker
from .options import DEFAULT_PORT, KEY_VARIABLE, Options, UsageError
from .outbox import Outbox
from .process import AlreadyRunning, FolderLock, PidFile, on_stop_signals
from .worker import Job, Worker

_LOG = logging.getLogger(__name__)

STOPPED, FAILED, UNUSABLE, TAKEN = 0, 1, 2, 3
"""Exit codes: ended as asked; failed while running; unusable options or folder; port or pid file taken."""
LAST_CALLBACK_S = 2.0
"""How long the last values may take to reach Jeedom."""
FAILED_JOB_RETRY_S = 60.0


class App:
    """One running daemon. `self.outbox` takes what is for Jeedom; `run` returns once `stop` was called."""

    plugin: ClassVar[str] = "plugin"
    """The plugin's id in Jeedom."""
    default_port: ClassVar[int] = DEFAULT_PORT
    """Where the daemon listens unless the command line says otherwise."""
    own_loggers: ClassVar[tuple[str, ...]] = ("__main__", "jeedom_bridge")
    """Loggers whose lines are the daemon's own; those of others show from WARNING on."""
    watch_s: ClassVar[float] = 60.0
    """Seconds between two calls of `watch`."""

    def __init__(
        self, options: Options, logs: Logs, clock: Clock | None = None, home: FolderLock | None = None
    ) -> None:
        """`home`: the lock on the data folder. Derived classes may raise OSError if something there is unusable."""
        self.options = options
        self.logs = logs
        self.clock = clock or SystemClock()
        self.outbox = Outbox(self.clock)
        logs.masker.register(options.apikey)
        addresses = Addresses(options.callback, self.clock, options.alternatives, _proof(options))
        self.callback = Callback(
            self.outbox, addresses, options.apikey, options.plugin, self.clock, options.cycle, self.on_acknowledged
        )
        self.listener = Listener(options.sockethost, options.socketport, options.apikey, self._answer)
        self._home = home
        self._worker: Worker | None = None
        self._stop = threading.Event()

    # The hooks.

    def on_start(self) -> None:
        """Prepares what runs until the end; neither socket nor callback work yet. Exceptions end the daemon."""

    def on_message(self, command: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answers one authenticated message, in a thread of its peer. Raises CommandError to refuse it."""
        raise NotImplementedError

    def on_stop(self) -> None:
        """Ends what `on_start` has begun, within a second; what it still tells Jeedom is sent."""

    # More, for those who need it.

    def on_acknowledged(self, answer: Mapping[str, Any]) -> None:
        """Takes Jeedom's answer to a callback; here: its log level. In the callback's thread."""
        level = answer.get("log")
        if isinstance(level, str) and level in LEVELS and level != self.logs.level:
            self.logs.set(level)
            _LOG.info("log level: %s", level)

    def watch(self) -> None:
        """Called every `watch_s` seconds in the main thread; here: stops when the data folder is gone."""
        if self._home is not None and not self._home.is_there():
            self.stop("its data folder is gone")

    def every(self, seconds: float, job: Callable[[], None]) -> Job:
        """Runs `job` now and then every so many seconds, in one thread for all jobs; a failure is logged."""
        if self._worker is None:
            self._worker = Worker("jobs", self.clock, _job_failed)
            self._worker.start()
        return self._worker.every(getattr(job, "__name__", "job"), seconds, job)

    # Its life.

    def bind(self) -> None:
        """Takes the port. Raises OSError."""
        self.listener.bind()

    @property
    def port(self) -> int:
        """The port in use."""
        return self.listener.port

    def stop(self, reason: str) -> None:
        """Asks for the end; returns at once."""
        if not self._stop.is_set():
            _LOG.info("stopping (%s)", reason)
            self._stop.set()

    def run(self) -> None:
        """Works until `stop`, then ends in order, within about five seconds."""
        self.on_start()
        self.callback.start()
        self.listener.start()
        while not self._stop.wait(self.watch_s):
            self.watch()
        self.listener.stop()
        if self._worker is not None:
            self._worker.stop()
        self.on_stop()
        self.outbox.close()
        self.callback.stop(LAST_CALLBACK_S)

    def _answer(self, command: str, message: Mapping[str, Any]) -> dict[str, Any]:
        return self.on_message(command, message)

    @classmethod
    def main(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Runs the daemon with the arguments after the program's name; returns its exit code."""
        try:
            return cls._run(arguments, environment)
        finally:
            # Python ends with a code of its own when a full disk leaves something unwritten.
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    @classmethod
    def _run(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        masker = Masker()
        logs = Logs(masker, cls.own_loggers)
        logs.set("info")
        masker.register(environment.get(KEY_VARIABLE), *_keys(arguments))
        try:
            options = Options.parse(arguments, environment, cls.plugin, cls.default_port)
            masker.register(options.apikey)
            logs.set(options.loglevel, options.extendeddebug, options.unsecurelog)
            pid = PidFile(options.pid)
            if options.logfile is not None:
                logs.write_to(_log_file(options.logfile))
            _usable(options.datadir)
            _usable(options.pid.parent)
        except UsageError as error:
            return _fail(UNUSABLE, masker.mask(str(error)))
        except OSError as error:
            return _fail(UNUSABLE, f"a directory cannot be written: {error}")
        home = FolderLock(options.datadir)
        try:
            home.acquire()
            pid.acquire()
        except AlreadyRunning as error:
            return _fail(TAKEN, str(error))
        except OSError as error:
            return _fail(UNUSABLE, f"the pid file cannot be written: {error}")
        try:
            return cls._serve(options, logs, home)
        finally:
            pid.release()
            home.release()

    @classmethod
    def _serve(cls, options: Options, logs: Logs, home: FolderLock) -> int:
        try:
            app = cls(options, logs, home=home)
            try:
                app.bind()
            except OSError as error:
                return _fail(TAKEN, f"port {options.socketport} cannot be used, is it taken? {error.strerror}")
            on_stop_signals(app.stop)
            app.run()
            return STOPPED
        except Exception as error:
            _LOG.exception("the daemon failed")
            return _fail(FAILED, f"{type(error).__name__}: {error}")


def _keys(arguments: Sequence[str]) -> list[str]:
    """What may be an api key on the command line: to be masked before anything of it is parsed."""
    after = [value for name, value in zip(arguments, arguments[1:]) if name == "--apikey"]
    return after + [each[9:] for each in arguments if each.startswith("--apikey=")]


def _log_file(path: Path) -> LogFile:
    try:
        return LogFile(path)
    except OSError as error:
        raise UsageError(f"the log cannot be written: {error}") from error


def _proof(options: Options) -> Proof | None:
    """What shows another address to be this Jeedom's; a full disk only takes that away."""
    try:
        return Proof(options.datadir / "proof.key", options.plugin)
    except OSError as error:
        _LOG.error("other addresses of Jeedom cannot be tried: %s", error)
        return None


def _usable(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / ".writable"
    probe.touch()
    probe.unlink()


def _job_failed(job: Job, error: Exception) -> float | None:
    _LOG.error("%s failed", job.name, exc_info=error)
    return min(job.period, FAILED_JOB_RETRY_S)


def _fail(code: int, text: str) -> int:
    """One line in the log and the same on standard error, where PHP reads why the start failed."""
    _LOG.critical("%s", text)
    with suppress(OSError):  # a full disk, which may be why
        print(" ".join(text.split()), file=sys.stderr)
    return code
