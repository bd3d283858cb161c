"""JSON that a peer has sent is read in one place, which nothing can hold up."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.http import Response, retry_after
from jeedom_bridge.json_reader import MAX_DEPTH, loads

ROOT = Path(__file__).resolve().parents[2]
OWN_FILES = {"json_reader.py", "catalogue.py", "store.py", "database.py", "house.py", "texts.py", "cgx.py", "tariff.py"}
"""Who reads JSON otherwise: what this program or its package has written."""


@pytest.fixture
def no_limit_of_digits() -> Iterator[None]:
    """As in Python 3.9 before 3.9.14, which converts any number of digits."""
    usual = sys.get_int_max_str_digits() if hasattr(sys, "get_int_max_str_digits") else None
    if usual is not None:
        sys.set_int_max_str_digits(0)
    yield
    if usual is not None:
        sys.set_int_max_str_digits(usual)


@pytest.mark.parametrize(
    "text", ["1", "-0.5", '"é"', "[]", "{}", '{"a": [1, {"b": null}], "c": 1e308, "d": true}', "[1.5E-400]"]
)
def test_json_is_read(text: str) -> None:
    assert loads(text) == loads(text.encode()) == loads(text.encode("utf-16")) == json.loads(text)


@pytest.mark.parametrize(
    "number",
    ["9" * 1_000_000, "-" + "9" * 1_000_000, "0." + "9" * 1_000_000, "1e999", "-1e999", "1" + "0" * 399 + ".0"],
    ids=["long", "long negative", "long fraction", "huge", "huge negative", "huge without exponent"],
)
@pytest.mark.usefixtures("no_limit_of_digits")
def test_a_number_beyond_reason_is_refused_at_once(number: str) -> None:
    begun = time.thread_time()
    with pytest.raises(ValueError, match="a number"):
        loads(f'{{"a": [{number}]}}')
    assert time.thread_time() - begun < 0.5


@pytest.mark.parametrize("digits", ["9" * 199, "9" * 200, "9" * 308, "9" * 309, "9" * 390])
@pytest.mark.parametrize("end", ["", ".5", "e9", "e99", "e+99", "E099", "e100", "E+308", "e-999", "e-0999"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_whoever_reads_a_number_it_is_within_what_a_float_holds(digits: str, end: str, encoding: str) -> None:
    number = f"-{digits}{end}"
    right = float(number) if end else int(number)
    text = f'{{"é": [{number}, "1e999"]}}'
    if not end or math.isfinite(right):
        assert loads(text) == loads(text.encode(encoding)) == {"é": [right, "1e999"]}
        return
    for each in (text, text.encode(encoding)):
        with pytest.raises(ValueError, match="a number"):
            loads(each)


def test_a_page_of_numbers_is_not_read_number_by_number() -> None:
    page = [{"watts": n + 0.25, "wh": 10**9 + n, "since": -1.5e-7, "text": "a5e1"} for n in range(300)]
    calls: list[str] = []
    body = json.dumps(page).encode()
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        value = loads(body)
    finally:
        sys.setprofile(None)
    assert value == page
    assert len(calls) < 20


def test_brackets_within_a_text_nest_nothing() -> None:
    for value in ("[{" * 500, ["[{" * 500], {"a": "[" * 500}):
        assert loads(json.dumps(value)) == value


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_what_python_alone_takes_for_a_number_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        loads(f"[{name}]")


@pytest.mark.parametrize("pair", ["[]", '{"a":}'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 200_000])
def test_what_is_nested_too_deeply_is_refused(pair: str, depth: int) -> None:
    with pytest.raises(ValueError, match="nested"):
        loads(pair[:-1] * depth + "1" + pair[-1] * depth)


def test_what_is_nested_within_the_limit_is_read() -> None:
    value: Any = loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"{'a': 1}", b"\xed\xa0\x80", b"<html>"])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Response(200, {}, body).json()


def test_a_large_answer_costs_little_more_than_to_parse_it() -> None:
    import json

    text = json.dumps([{"n": number, "values": [number] * 5, "name": "x"} for number in range(20_000)])
    begun = time.thread_time()
    json.loads(text)
    plain = time.thread_time() - begun
    begun = time.thread_time()
    loads(text)
    assert time.thread_time() - begun < 20 * plain + 0.5


def test_nobody_else_reads_what_a_peer_has_sent() -> None:
    """A second reader would be one without limits."""
    readers = set()
    for path in [*(ROOT / "jeedom_bridge").rglob("*.py"), *(ROOT / "resources" / "daemon").rglob("*.py")]:
        if re.search(r"json\.loads?\(|JSONDecoder", path.read_text(encoding="utf-8")):
            readers.add(path.name)
    assert readers <= OWN_FILES


NOW = 1_764_000_000.0  # 2025-11-24T16:00:00Z


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999", 86400.0),
        ("9" * 5000, 86400.0),
        ("Mon, 24 Nov 2025 16:01:40 GMT", 100.0),
        ("Mon, 24 Nov 2025 17:01:40 +0100", 100.0),
        ("Mon, 24 Nov 2025 16:01:40 -0000", 100.0),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0.0),
        ("Mon, 24 Nov 2036 16:01:40 GMT", 86400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 99 Nov 2025 16:01:40 GMT", None),
        ("Mon, 24 Nov 999999999 16:01:40 GMT", None),
    ],
)
def test_how_long_a_peer_asks_to_wait(header: str, seconds: Any) -> None:
    assert retry_after({"retry-after": header}, NOW) == seconds


def test_the_wait_has_a_limit_of_the_callers_own() -> None:
    assert retry_after({"retry-after": "500"}, NOW, most=60.0) == 60.0
    assert retry_after({}, NOW) is None
