"""The FTP server of a WES: few commands, one directory, plain, passive; it can misbehave.

Faults (`FtpServer.fault`): `off` (nobody listens), `account` (530 for everybody), `busy` (421), `data` (nobody answers
on the data port), `full` (552 once the card holds `value` bytes more), `cut` (reset after `value` bytes of a file, the
half file stays; with `cut_only`, of the file of that name), `silent` (no answer to STOR), `norename` (502 for RNFR).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Any, Callable, Optional

from simulators.server import HOST


class FtpServer:
    """Serves `files` (names in capitals); `accounts` are user: password. Off until `start`."""

    def __init__(self, files: dict[str, bytes], accounts: dict[str, str], port: int = 0) -> None:
        self.files = files
        self.accounts = accounts
        self.port = port
        self.sessions = 0
        self.open_sessions = 0
        self.max_sessions = 2
        self.commands: list[str] = []
        self.faults: dict[str, Any] = {}
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._listener: Optional[socket.socket] = None

    def start(self) -> None:
        """Listens, on the same port as before."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        listener.listen(8)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="wes ftp", daemon=True).start()

    def stop(self) -> None:
        """Closes the port."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def fault(self, kind: str, value: Any = None) -> None:
        """Puts a fault in force; `off` closes the port."""
        self.faults[kind] = value
        if kind == "off":
            self.stop()

    def clear(self) -> None:
        """Ends all faults."""
        off = self.faults.pop("off", self) is not self
        self.faults.clear()
        if off:
            self.start()

    def close(self) -> None:
        """Stops for good."""
        self.closing.set()
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(peer,), name="wes ftp session", daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with self.lock:
            self.sessions += 1
            self.open_sessions += 1
            many = self.open_sessions > self.max_sessions
        try:
            with peer:
                if many or "busy" in self.faults:
                    peer.sendall(b"421 Too many users\r\n")
                else:
                    _Session(self, peer).run()
        except OSError:
            return  # the client has gone
        finally:
            with self.lock:
                self.open_sessions -= 1


class _Session:
    def __init__(self, server: FtpServer, peer: socket.socket) -> None:
        self.server = server
        self.peer = peer
        self.user = ""
        self.signed_in = False
        self.passive: Optional[socket.socket] = None
        self.renaming = ""
        self.done = False

    def run(self) -> None:
        self.peer.settimeout(60)
        self.say("220 Keil FTP service")
        lines = self.peer.makefile("r", encoding="latin-1", newline="\r\n")
        try:
            while not self.done:
                line = lines.readline(512)
                if not line:
                    return
                verb, _, argument = line.strip().partition(" ")
                verb = verb.upper()
                self.server.commands.append(verb if verb == "PASS" else line.strip())
                self._do(verb, argument)
        finally:
            if self.passive is not None:
                self.passive.close()

    def say(self, line: str) -> None:
        self.peer.sendall(line.encode("latin-1") + b"\r\n")

    def _do(self, verb: str, argument: str) -> None:
        free: dict[str, Callable[[str], None]] = {"USER": self._user, "PASS": self._pass, "QUIT": self._quit}
        signed: dict[str, Callable[[str], None]] = {
            "SYST": lambda _: self.say("215 UNIX"), "NOOP": lambda _: self.say("200 Ok"),
            "PWD": lambda _: self.say('257 "/"'), "CWD": lambda _: self.say("250 Ok"),
            "CDUP": lambda _: self.say("250 Ok"), "TYPE": lambda _: self.say("200 Type set"),
            "HELP": lambda _: self.say("214 Help"), "PASV": self._pasv, "STOR": self._stor, "RETR": self._retr,
            "LIST": self._list, "NLST": self._list, "DELE": self._dele, "RNFR": self._rnfr, "RNTO": self._rnto,
            "SIZE": self._size, "MDTM": lambda _: self.say("213 20250314154200"),
        }  # fmt: skip
        if verb in free:
            free[verb](argument)
        elif not self.signed_in:
            self.say("530 Not logged in")
        elif verb in signed:
            signed[verb](argument)
        else:
            self.say("502 Command not implemented")

    def _user(self, name: str) -> None:
        self.user = name
        self.say("331 Password required")

    def _pass(self, password: str) -> None:
        good = self.server.accounts.get(self.user) == password and "account" not in self.server.faults
        self.signed_in = good
        self.say("230 User logged in" if good else "530 Login incorrect")

    def _quit(self, _: str) -> None:
        self.say("221 Goodbye")
        self.done = True

    def _pasv(self, _: str) -> None:
        if self.passive is not None:
            self.passive.close()
        self.passive = socket.socket()
        self.passive.bind((HOST, 0))
        if "data" not in self.server.faults:
            self.passive.listen(1)
        high, low = divmod(self.passive.getsockname()[1], 256)
        # An address that only the WES knows: clients behind NAT must not use it.
        self.say(f"227 Entering Passive Mode (10,11,12,13,{high},{low})")

    def _data(self) -> socket.socket:
        assert self.passive is not None
        self.passive.settimeout(5)
        connection, _ = self.passive.accept()
        connection.settimeout(5)
        return connection

    def _stor(self, argument: str) -> None:
        if self.passive is None:
            self.say("503 Bad sequence of commands")
            return
        if "silent" in self.server.faults:
            self.server.closing.wait(60)
            return
        name = _name(argument)
        room = self.server.faults.get("full")
        if room == 0:
            self.say("550 Requested action not taken")
            return
        self.say("150 Opening data connection")
        data = b""
        with self._data() as connection:
            while chunk := connection.recv(256):
                data += chunk
                cut = self.server.faults.get("cut")
                meant = self.server.faults.get("cut_only", name) == name
                if meant and cut is not None and len(data) >= cut:
                    self.server.files[name] = data[:cut]
                    _reset(connection)
                    _reset(self.peer)
                    self.done = True
                    return
                self.server.files[name] = data  # a GET may see half a file
        if room is not None and len(data) > room:
            self.server.files[name] = data[:room]
            self.say("552 Exceeded storage allocation")
            return
        self.server.files[name] = data
        self.say("226 Transfer complete")

    def _retr(self, argument: str) -> None:
        self._give(self.server.files.get(_name(argument)))

    def _list(self, _: str) -> None:
        self._give("".join(f"{name}\r\n" for name in sorted(self.server.files)).encode())

    def _give(self, data: Optional[bytes]) -> None:
        if data is None or self.passive is None:
            self.say("550 File not found")
            return
        self.say("150 Opening data connection")
        with self._data() as connection:
            connection.sendall(data)
        self.say("226 Transfer complete")

    def _dele(self, argument: str) -> None:
        found = self.server.files.pop(_name(argument), None)
        self.say("250 Deleted" if found is not None else "550 File not found")

    def _rnfr(self, argument: str) -> None:
        if "norename" in self.server.faults:
            self.say("502 Command not implemented")
        elif _name(argument) in self.server.files:
            self.renaming = _name(argument)
            self.say("350 Pending further information")
        else:
            self.say("550 File not found")

    def _rnto(self, argument: str) -> None:
        name = _name(argument)
        if not self.renaming:
            self.say("503 Bad sequence of commands")
        elif name in self.server.files:
            self.say("553 File exists")
        else:
            self.server.files[name] = self.server.files.pop(self.renaming)
            self.renaming = ""
            self.say("250 Renamed")

    def _size(self, argument: str) -> None:
        found = self.server.files.get(_name(argument))
        self.say(f"213 {len(found)}" if found is not None else "550 File not found")


def _name(argument: str) -> str:
    return argument.strip().strip("/").upper()


def _reset(sock: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
