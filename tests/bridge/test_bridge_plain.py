"""Texts from outside: no markup for pages, no forged lines for logs."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jeedom_bridge.contract import Row
from jeedom_bridge.logs import Logs, Masker
from jeedom_bridge.plain import MAX_VALUE_CHARS, one_line, plain


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("<img src=x onerror=alert(1)>", "‹img src=x onerror=alert(1)›"),
        ("HP\x00 \x1b[31mBLEU\x9b", "HP [31mBLEU"),
        ("two\r\nlines\u2028three", "two  lines three"),
        ("\u202eevil\u2066", "evil"),
        ("Été & co \"12 °C\" 'ok' — 1\u00a0000 €", "Été & co \"12 °C\" 'ok' — 1\u00a0000 €"),
        ("\ud800x", "x"),
    ],
)
def test_a_text_from_outside_is_disarmed(given_text: str, expected: str) -> None:
    assert plain(given_text) == expected


@given(st.text())
def test_whatever_comes_is_short_and_harmless(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= MAX_VALUE_CHARS
    assert not set(shown) & set("<>\n\r\0\x1b")
    assert plain(shown) == shown


def test_a_value_of_a_device_is_disarmed_on_its_way_to_jeedom() -> None:
    row = Row("PTEC", {"subType": "string"})
    assert row.value("<svg onload=x>") == "‹svg onload=x›"
    assert len(row.value("x" * 300_000)) == MAX_VALUE_CHARS


@pytest.mark.parametrize("text", ["one\n[2026-01-01 00:00:00][ERROR] forged", "red \x1b[31m", "back\rspace"])
def test_a_message_is_one_line_of_the_log(root_logger: logging.Logger, text: str) -> None:
    stream = io.StringIO()
    logs = Logs(Masker(), ("t",), stream)
    try:
        logs.set("info")
        logging.getLogger("t").error("the vendor says: %s", text)
    finally:
        logs.close()
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert written.startswith("[")
    assert not set(written[:-1]) & set("\n\r\x1b")


def test_a_line_keeps_its_letters() -> None:
    assert one_line("Été à 1\u00a0000 € — œuf") == "Été à 1\u00a0000 € — œuf"


class TestShortSecrets:
    def test_a_short_password_is_masked_wherever_it_stands_alone(self) -> None:
        masker = Masker()
        masker.register("hunt7er")
        assert masker.mask("login hunt7er refused") == "login ******** refused"
        assert masker.mask('{"echo": "hunt7er"}') == '{"echo": "********"}'
        assert masker.mask("password=hunt7er") == "password=********"
        assert masker.mask("mode: hunt7er") == "mode: ********"

    def test_it_is_no_part_of_a_longer_word(self) -> None:
        masker = Masker()
        masker.register("data")
        assert masker.mask("database, mydata2") == "database, mydata2"

    def test_one_of_three_letters_is_masked_after_a_key_only(self) -> None:
        masker = Masker()
        masker.register("wes")
        assert masker.mask("the wes at 1.2.3.4, password: wes") == "the wes at 1.2.3.4, password: ********"
