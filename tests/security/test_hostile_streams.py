"""A websocket server that sends without end: the stream is cut before the memory is full."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Callable

import pytest
from jeenergied.devices.base import DeviceError
from jeenergied.devices.easee.streaming.stream import Stream

from simulators.easee.websocket import CLOSE, PING, TEXT, accept_key, frame
from tests.support.memory import forget_peak, peak_mib
from tests.support.waiting import until

MEGABYTE = b"x" * (1 << 20)
MOST_MIB = 16
"""What the limit of 2 MiB costs at most: twice while it is joined, and what the allocator keeps."""
UPGRADE = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n"
)

Feed = Iterable[bytes]


class HostileServer:
    """Takes one client and sends it what `feed` brings until it goes; `head` is the answer to the upgrade."""

    def __init__(self, feed: Callable[[], Feed], head: str) -> None:
        self.sent = 0
        self.gone = threading.Event()
        self._feed, self._head = feed, head
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/hub"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()
        self.gone.set()
        self._thread.join(30)

    def _serve(self) -> None:
        peer, _ = self._listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with closing(peer):
            try:
                asked = peer.recv(65536).decode()
                key = re.findall(r"(?i)sec-websocket-key: *(\S+)", asked)[0]
                peer.sendall(self._head.format(accept_key(key)).encode())
                threading.Thread(target=self._drain, args=(peer,), daemon=True).start()
                for data in self._feed():
                    peer.sendall(data)
                    self.sent += len(data)
                    if self.gone.is_set():
                        return
                self.gone.wait(10)
            except OSError:
                self.gone.set()  # the client had enough

    def _drain(self, peer: socket.socket) -> None:
        try:
            while peer.recv(65536):
                pass
        except OSError:
            return


Played = tuple[HostileServer, list[DeviceError], list[object]]


@pytest.fixture
def play() -> Iterator[Callable[..., Played]]:
    """Opens a stream to a hostile server and waits for its end: the server, the ends told, the records received."""
    made: list[tuple[HostileServer, Stream]] = []

    def run(feed: Callable[[], Feed], head: str = UPGRADE, wait_s: float = 20.0) -> Played:
        ended: list[DeviceError] = []
        records: list[object] = []
        server = HostileServer(feed, head)
        stream = Stream(
            server.url, "token", "", lambda _: None, lambda _, each: records.append(each), lambda _, e: ended.append(e)
        )
        made.append((server, stream))
        stream.start()
        until(lambda: ended, wait_s, "the end of the stream")
        return server, ended, records

    yield run
    for server, stream in made:
        stream.close()
        server.close()


def one_frame(announced: int) -> Feed:
    yield struct.pack("!BBQ", 0x80 | TEXT, 127, announced)
    while True:
        yield MEGABYTE


def fragments(size: int) -> Feed:
    yield frame(TEXT, b"x" * size, final=False)
    together = frame(0, b"x" * size, final=False) * max(1, 65536 // (size + 2))
    while True:
        yield together


def fragments_among_pings() -> Feed:
    yield frame(TEXT, b"{", final=False)
    while True:
        yield frame(0, b"x" * 30_000, final=False) + frame(PING, b"alive")


def single_bytes() -> Feed:
    """Each in a segment of its own, so that each is read alone."""
    yield struct.pack("!BBQ", 0x80 | TEXT, 127, 1 << 40)
    while True:
        yield b"xx"


ENDLESS: dict[str, Callable[[], Feed]] = {
    "a frame announced as 2^40 bytes": lambda: one_frame(1 << 40),
    "a frame announced as 2^63 - 1 bytes": lambda: one_frame((1 << 63) - 1),
    "a ping of 2^40 bytes": lambda: iter([struct.pack("!BBQ", 0x80 | PING, 127, 1 << 40), *[MEGABYTE] * 400]),
    "fragments of 60 kB": lambda: fragments(60_000),
    "fragments of 1 byte": lambda: fragments(1),
    "fragments of nothing": lambda: fragments(0),
    "fragments with pings between": fragments_among_pings,
}


@pytest.mark.parametrize("feed", ENDLESS)
def test_a_message_without_an_end_is_cut_before_the_memory_is_full(play: Callable[..., Played], feed: str) -> None:
    before = forget_peak()
    server, ended, records = play(ENDLESS[feed])
    assert ["plus de 2048 ko" in str(each) for each in ended] == [True]
    assert records == []
    assert peak_mib() - before < MOST_MIB
    until(server.gone.is_set, 5, "the connection's end")
    assert server.sent < 12 << 20  # with what the kernel holds in between


def test_bytes_that_come_one_by_one_count_for_what_they_cost(play: Callable[..., Played]) -> None:
    before = forget_peak()
    _, ended, _ = play(single_bytes, wait_s=60)
    assert len(ended) == 1
    assert peak_mib() - before < MOST_MIB


HEADS: dict[str, str] = {
    "a line without an end": "HTTP/1.1 101 Switching Protocols\r\nX: ",
    "a refusal of 2^40 bytes": f"HTTP/1.1 503 Unavailable\r\nContent-Length: {1 << 40}\r\n\r\n",
    "a redirect without an end": "HTTP/1.1 302 Found\r\nX: ",
}


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_to_the_upgrade_without_an_end_is_cut(play: Callable[..., Played], head: str) -> None:
    before = forget_peak()
    _, ended, _ = play(lambda: iter([MEGABYTE] * 400), head=HEADS[head])
    assert len(ended) == 1
    assert peak_mib() - before < MOST_MIB


def test_lines_of_a_head_without_an_end_are_cut(play: Callable[..., Played]) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(50_000))
    _, ended, _ = play(lambda: iter([lines] * 400), head="HTTP/1.1 101 Switching Protocols\r\n")
    assert len(ended) == 1


def test_a_stream_that_lives_on_pings_and_large_whole_messages_goes_on(play: Callable[..., Played]) -> None:
    ping = frame(PING, b"x" * 120) * 100
    record = b'{"type":6,"pad":"' + b"y" * 900_000 + b'"}\x1e'
    half = len(record) // 2
    split = frame(TEXT, record[:half], final=False) + ping + frame(0, record[half:])

    def feed() -> Feed:
        yield frame(TEXT, b"{}\x1e")
        for _ in range(250):
            yield ping  # 3 MB of them before the first message
        for _ in range(5):
            yield split
        yield frame(CLOSE, b"\x03\xe8")

    _, ended, records = play(feed)
    assert [str(each) for each in ended] == ["Easee a fermé le flux sans prévenir"]
    assert len(records) == 5
