"""The TCP server that receives messages and answers them."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable

import pytest

from jeedom_bridge import listener as module
from jeedom_bridge.listener import MAX_MESSAGE_BYTES, MAX_PEERS, CommandError, Listener
from tests.support.client import KEY, Peer, ask, message
from tests.support.waiting import PATIENCE_S, until

Start = Callable[..., int]


def echo(command: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answers with what was asked; some commands fail."""
    if command == "refuse":
        raise CommandError("refused", "not today")
    if command == "explode":
        raise RuntimeError("unexpected")
    if command == "nan":
        return {"value": float("nan")}
    return {"cmd": command, "x": fields.get("x")}


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Listener] = []

    def begin(handler: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = echo, host: str = "127.0.0.1") -> int:
        listener = Listener(host, 0, KEY, handler)
        listener.bind()
        listener.start()
        running.append(listener)
        return listener.port

    yield begin
    for each in running:
        each.stop()


def raw(port: int, data: bytes, half_close: bool = True) -> list[dict[str, Any]]:
    """Sends bytes and returns every answer until the end."""
    with Peer(port) as peer:
        peer.send(data)
        if half_close:
            peer.socket.shutdown(socket.SHUT_WR)
        return list(iter(peer.read, None))


def until_cut(peer: socket.socket, data: bytes, pause: float = 0.0) -> float:
    """Sends the same again and again; the seconds until the other side has cut the connection."""
    begun = time.monotonic()
    while time.monotonic() - begun < 10:
        try:
            peer.sendall(data)
        except OSError:
            return time.monotonic() - begun
        time.sleep(pause)
    raise AssertionError("never cut")


class TestMessages:
    def test_a_message_gets_its_answer(self, start: Start) -> None:
        assert ask(start(), "hello", x=5) == {"id": None, "ok": True, "result": {"cmd": "hello", "x": 5}}

    def test_php_writes_and_closes_without_a_newline(self, start: Start) -> None:
        assert [each["result"]["x"] for each in raw(start(), message("hello", x=1)[:-1])] == [1]

    def test_several_messages_are_answered_in_order(self, start: Start) -> None:
        data = b"".join(message("hello", x=number, id=number) for number in range(100))
        assert [(each["id"], each["result"]["x"]) for each in raw(start(), data)] == [(n, n) for n in range(100)]

    def test_the_last_one_may_lack_its_newline(self, start: Start) -> None:
        data = message("hello", x=1) + b"\r\n\n  \n" + message("hello", x=2)[:-1]
        assert [each["result"]["x"] for each in raw(start(), data)] == [1, 2]

    def test_a_message_may_come_in_pieces(self, start: Start) -> None:
        data = message("hello", x="é" * 10)
        with Peer(start()) as peer:
            for place in range(0, len(data), 7):
                peer.send(data[place : place + 7])
            answer = peer.read()
            assert answer is not None
            assert answer["result"]["x"] == "é" * 10

    def test_a_connection_stays_open_between_messages(self, start: Start) -> None:
        with Peer(start()) as peer:
            for number in range(5):
                assert peer.ask("hello", x=number)["result"]["x"] == number

    def test_nothing_but_blanks_is_no_message(self, start: Start) -> None:
        assert raw(start(), b"\n \n\t\r\n") == []
        assert raw(start(), b"") == []

    def test_a_peer_that_goes_without_reading_harms_nothing(self, start: Start) -> None:
        port = start()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as peer:
                peer.sendall(message("hello", x="y" * 10000) * 20)
        assert ask(port, "hello")["ok"]

    @pytest.mark.parametrize("identifier", ["a", "", 5, -1, 0, 10**300, "\ud800"])
    def test_the_id_is_echoed(self, start: Start, identifier: Any) -> None:
        assert ask(start(), "hello", id=identifier)["id"] == identifier

    @pytest.mark.parametrize("identifier", [None, True, False, 1.5, [1], {"a": 1}])
    def test_what_cannot_be_an_id_is_answered_with_none(self, start: Start, identifier: Any) -> None:
        answer = ask(start(), "hello", id=identifier)
        assert answer["ok"]
        assert answer["id"] is None

    def test_ipv6_loopback(self, start: Start) -> None:
        try:
            port = start(host="::1")
        except OSError:
            pytest.skip("no IPv6 here")
        with socket.create_connection(("::1", port)) as peer:
            peer.sendall(message("hello"))
            assert json.loads(peer.recv(1000))["ok"]


class TestRefusals:
    def codes(self, port: int, data: bytes) -> list[str]:
        return [each["error"]["code"] for each in raw(port, data)]

    @pytest.mark.parametrize("key", ["", "wrong", KEY + "x", KEY[:-1], None, 5, ["x"], "\ud800", "clé", True])
    def test_a_wrong_key_is_unauthorized(self, start: Start, key: Any) -> None:
        answer = ask(start(), "hello", key=key, id=3)
        assert (answer["id"], answer["ok"], answer["error"]["code"]) == (3, False, "unauthorized")

    def test_no_key_is_unauthorized(self, start: Start) -> None:
        assert self.codes(start(), b'{"cmd": "hello"}') == ["unauthorized"]

    def test_the_handler_never_sees_a_wrong_key(self, start: Start) -> None:
        seen: list[str] = []

        def handler(command: str, _fields: Mapping[str, Any]) -> Mapping[str, Any]:
            seen.append(command)
            return {}

        port = start(handler)
        ask(port, "a", key="wrong")
        ask(port, "b")
        assert seen == ["b"]

    def test_the_key_is_compared_in_constant_time(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[tuple[bytes, bytes]] = []
        real = module.hmac.compare_digest
        monkeypatch.setattr(module.hmac, "compare_digest", lambda a, b: (compared.append((a, b)), real(a, b))[1])
        port = start()
        for key in (KEY, "wrong", "", None):
            ask(port, "hello", key=key)  # type: ignore[arg-type]
        assert compared == [(given, KEY.encode()) for given in (KEY.encode(), b"wrong", b"", b"")]

    @pytest.mark.parametrize(
        "data",
        [
            b"hello",
            b"\xff\xfe{}",
            b'{"apikey": "\xe9"}',
            b"[]",
            b"5",
            b"null",
            b'"text"',
            b"{",
            b'{"a": NaN}',
            b'{"a": Infinity}',
            b'{"a": 1,}',
            b'{"a": ' + b"9" * 500 + b"}",
            b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"a": ' + b'{"a":' * 50_000,
            b"\x00" * 100,
        ],
        ids=lambda data: repr(data[:20]),
    )
    def test_what_is_no_message_is_said_to_be_none(self, start: Start, data: bytes) -> None:
        port = start()
        assert self.codes(port, data) == ["invalid_message"]
        # The connection goes on.
        answers = raw(port, data + b"\n" + message("hello"))
        assert [each["ok"] for each in answers] == [False, True]

    @pytest.mark.parametrize("command", [None, 5, ["hello"], {}])
    def test_a_command_is_a_string(self, start: Start, command: Any) -> None:
        assert self.codes(start(), message(command)) == ["invalid_message"]

    def test_a_refusal_of_the_handler_is_its_own(self, start: Start) -> None:
        assert ask(start(), "refuse")["error"] == {"code": "refused", "message": "not today"}

    @pytest.mark.parametrize("command", ["explode", "nan"])
    def test_an_exception_of_the_handler_is_internal_and_logged(self, start: Start, command: str, caplog: Any) -> None:
        with Peer(start()) as peer:
            answer = peer.ask(command, id=1)
            assert (answer["id"], answer["error"]["code"]) == (1, "internal")
            assert peer.ask("hello")["ok"]
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

    def test_a_number_beyond_reason_is_answered_at_once(self, start: Start) -> None:
        port = start()
        for digits in (b"9" * 1_000_000, b"-" + b"9" * 1_000_000, b"0." + b"9" * 1_000_000, b"1e" + b"9" * 100_000):
            begun = time.process_time()
            raw(port, b'{"a": ' + digits + b"}")
            assert time.process_time() - begun < 1


class TestLimits:
    def test_a_message_of_a_mebibyte_is_taken(self, start: Start) -> None:
        empty = len(message("hello", x=""))
        full = message("hello", x="y" * (MAX_MESSAGE_BYTES - empty + 1))
        assert len(full) == MAX_MESSAGE_BYTES + 1  # with its newline
        assert [each["ok"] for each in raw(start(), full)] == [True]

    @pytest.mark.parametrize("end", [b"\n", b""])
    def test_a_longer_one_is_refused_and_the_connection_closed(self, start: Start, end: bytes) -> None:
        answers = raw(start(), b"x" * (MAX_MESSAGE_BYTES + 1) + end, half_close=False)
        assert [each["error"]["code"] for each in answers] == ["invalid_message"]

    def test_an_endless_one_is_refused_and_cut(self, start: Start) -> None:
        port = start()
        with Peer(port) as peer:
            assert until_cut(peer.socket, b"x" * 65536) < 5
            assert ask(port, "hello")["ok"]

    def test_silence_closes_a_connection(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_SILENCE_S", 0.2)
        port = start()
        for begun in (b"", b'{"apikey"', message("hello")):
            with Peer(port) as peer:
                peer.send(begun)
                if begun.endswith(b"\n"):
                    assert peer.read()
                at = time.monotonic()
                assert peer.read() is None
                assert 0.1 < time.monotonic() - at < 8

    def test_the_time_in_which_a_message_is_worked_on_is_no_silence(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_SILENCE_S", 0.1)
        release = threading.Event()

        def slow(_command: str, _fields: Mapping[str, Any]) -> Mapping[str, Any]:
            release.wait(5)
            return {"late": True}

        with Peer(start(slow)) as peer:
            peer.send(message("hello"))
            time.sleep(0.3)
            release.set()
            answer = peer.read()
            assert answer is not None
            assert answer["result"] == {"late": True}

    @pytest.mark.parametrize("drop", [b"x", b"\n", b" "])
    def test_a_peer_that_drips_bytes_does_not_keep_its_place(
        self, start: Start, monkeypatch: pytest.MonkeyPatch, drop: bytes
    ) -> None:
        monkeypatch.setattr(module, "MAX_SILENCE_S", 0.5)
        monkeypatch.setattr(module, "MAX_MESSAGE_S", 0.4)
        with Peer(start()) as peer:
            assert until_cut(peer.socket, drop, 0.05) < 2

    def test_the_time_that_messages_take_is_not_counted_for_the_next_one(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_MESSAGE_S", 0.3)
        with Peer(start()) as peer:
            for number in range(10):
                peer.send(b"\n" + message("hello", x=number)[:5])
                time.sleep(0.05)
                peer.send(message("hello", x=number)[5:])
                answer = peer.read()
                assert answer is not None
                assert answer["result"]["x"] == number

    def test_a_peer_that_never_reads_is_given_up(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_SILENCE_S", 0.3)
        port = start()
        before = threading.active_count()
        with socket.create_connection(("127.0.0.1", port)) as peer:
            peer.settimeout(5)
            until_cut(peer, message("hello", x="y" * 60_000))
        until(lambda: threading.active_count() <= before)

    def test_idle_strangers_do_not_keep_jeedom_out(self, start: Start) -> None:
        port = start()
        strangers = [Peer(port) for _ in range(2 * MAX_PEERS)]
        try:
            with Peer(port) as jeedom:
                for _ in range(MAX_PEERS):
                    assert jeedom.ask("status")["ok"]
                    strangers.append(Peer(port))  # one more cannot push out who has shown the key
                assert jeedom.ask("status")["ok"]
        finally:
            for each in strangers:
                each.close()

    def test_64_connections_with_the_key_are_served_and_a_65th_is_closed(self, start: Start) -> None:
        port = start()
        peers = [Peer(port) for _ in range(MAX_PEERS)]
        try:
            assert all(peer.ask("hello")["ok"] for peer in peers)
            with Peer(port) as more:
                assert more.read() is None
            peers.pop().close()
            until(lambda: _answers(port))
        finally:
            for peer in peers:
                peer.close()

    def test_a_silent_peer_does_not_hold_up_another(self, start: Start) -> None:
        release = threading.Event()

        def handler(command: str, _fields: Mapping[str, Any]) -> Mapping[str, Any]:
            if command == "slow":
                release.wait(10)
            return {}

        port = start(handler)
        with Peer(port) as silent, Peer(port) as half, Peer(port) as slow:
            half.send(b'{"apikey": "')
            slow.send(message("slow"))
            assert ask(port, "quick")["ok"]
            assert not release.is_set()
            release.set()
            assert slow.read()
            assert silent.ask("quick")["ok"]

    def test_a_port_in_use_is_an_error(self, start: Start) -> None:
        with pytest.raises(OSError, match=r"[Aa]ddress"):
            Listener("127.0.0.1", start(), KEY, echo).bind()


class TestStop:
    def test_the_port_is_free_and_every_thread_gone(self) -> None:
        before = threading.active_count()
        listener = Listener("127.0.0.1", 0, KEY, echo)
        listener.bind()
        port = listener.port
        listener.start()
        with Peer(port) as idle:
            assert idle.ask("hello")["ok"]
            listener.stop()
            assert idle.read() is None
        with pytest.raises(OSError):  # noqa: PT011
            Peer(port)
        until(lambda: threading.active_count() <= before)
        again = Listener("127.0.0.1", port, KEY, echo)
        again.bind()
        again.start()
        assert ask(port, "hello")["ok"]
        again.stop()

    def test_an_answer_under_way_is_finished(self) -> None:
        entered, release = threading.Event(), threading.Event()

        def slow(_command: str, _fields: Mapping[str, Any]) -> Mapping[str, Any]:
            entered.set()
            release.wait(5)
            return {"done": True}

        listener = Listener("127.0.0.1", 0, KEY, slow)
        listener.bind()
        listener.start()
        with Peer(listener.port) as peer:
            peer.send(message("hello"))
            assert entered.wait(5)
            listener.stop()
            release.set()
            answer = peer.read()
            assert answer is not None
            assert answer["result"] == {"done": True}


def _answers(port: int) -> bool:
    try:
        return bool(ask(port, "hello")["ok"])
    except (OSError, AssertionError):
        return False


def test_a_message_is_answered_in_milliseconds(start: Start) -> None:
    with Peer(start()) as peer:
        peer.ask("hello")
        taken = []
        for _ in range(200):
            begun = time.perf_counter()
            peer.ask("hello")
            taken.append(time.perf_counter() - begun)
    assert sorted(taken)[100] < 0.005


def test_an_answer_under_way_has_left_when_the_end_returns() -> None:
    ended, gone = threading.Event(), threading.Event()

    def slow(command: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        ended.set()
        gone.wait(0.2)  # nobody sets it: the answer comes when the port is closed already
        return {}

    listener = Listener("127.0.0.1", 0, KEY, slow)
    listener.bind()
    listener.start()
    with Peer(listener.port) as peer:
        peer.send(message("shutdown"))
        assert ended.wait(PATIENCE_S)
        listener.stop()
        peer.socket.setblocking(False)  # the answer is here, or it was not sent
        assert json.loads(peer.socket.recv(4096))["ok"] is True
