"""HTTP as a WES, a proxy before it, or something hostile at its address may speak it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Callable

import pytest
from jeenergied.devices.wes.http_get import Limits, get

from jeedom_bridge.http import HttpError

LIMITS = Limits(1.0, 1.0, 2.0, 20_000)
Talk = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], int]]:
    """Starts a server that does as it is told with one connection; returns its port."""
    listeners = []

    def start(talk: Talk) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            try:
                peer, _ = listener.accept()
                with peer:
                    peer.recv(65536)
                    talk(peer)
            except OSError:
                return  # the client has gone, or the test has ended

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def answer(data: bytes) -> Talk:
    return lambda peer: peer.sendall(data)


def ask(port: int, limits: Limits = LIMITS) -> tuple[int, bytes]:
    return get("127.0.0.1", port, "data.cgx", "", limits)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nServer: Keil-EWEB/2.1\r\nConnection: close\r\n\r\n<data/>",
        b"HTTP/1.0 200\r\n\r\n<data/>",
        b"HTTP/1.1 200 OK\nContent-type: text/xml\n\n<data/>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<data/>and more",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<da\r\n4;x=y\r\nta/>\r\n0\r\n\r\n",
    ],
)
def test_a_body_ends_at_its_length_its_last_chunk_or_the_close(serve: Callable[[Talk], int], data: bytes) -> None:
    assert ask(serve(answer(data))) == (200, b"<data/>")


def test_a_known_length_does_not_wait_for_the_close(serve: Callable[[Talk], int]) -> None:
    release = threading.Event()

    def talk(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno")
        release.wait(10)

    assert ask(serve(talk)) == (401, b"no")
    release.set()


def test_a_reset_instead_of_a_close_keeps_what_had_arrived(serve: Callable[[Talk], int]) -> None:
    def talk(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n<data/>")
        time.sleep(0.1)  # so that the bytes are read before the reset throws them away
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert ask(serve(talk)) == (200, b"<data/>")


def test_a_header_in_drops_meets_the_limit_of_the_whole(serve: Callable[[Talk], int]) -> None:
    def talk(peer: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
            peer.sendall(bytes([byte]))
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(HttpError) as told:
        ask(serve(talk), Limits(1.0, 1.0, 0.4, 1000))
    assert told.value.kind == "timeout"
    assert time.monotonic() - began < 15


def test_silence_meets_the_limit_of_a_wait(serve: Callable[[Talk], int]) -> None:
    release = threading.Event()
    with pytest.raises(HttpError) as told:
        ask(serve(lambda peer: release.wait(5) and None), Limits(1.0, 0.2, 5.0, 1000))
    release.set()
    assert (told.value.kind, str(told.value)) == ("timeout", "nothing within 0.2 s")


@pytest.mark.parametrize("data", [b"", b"220 ftp ready\r\n\r\n", b"\x16\x03\x01\x00\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_what_is_no_http_is_an_error(serve: Callable[[Talk], int], data: bytes) -> None:
    with pytest.raises(HttpError) as told:
        ask(serve(answer(data)))
    assert told.value.kind == "protocol"


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 30_000, b"X: y\r\n" * 5000])
def test_too_much_is_an_error(serve: Callable[[Talk], int], data: bytes) -> None:
    with pytest.raises(HttpError) as told:
        ask(serve(answer(data)))
    assert told.value.kind == "size"


def test_nobody_there_and_no_such_name_are_told_apart_from_the_rest() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for host in ("127.0.0.1", "nowhere.invalid"):
        with pytest.raises(HttpError) as told:
            get(host, port, "", "", LIMITS)
        assert told.value.kind == "connect"
