"""Jeedom's log format, masking of secrets, noise, levels."""

from __future__ import annotations

import base64
import io
import json
import logging
import random
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from jeedom_bridge.logs import LEVELS, MASK, NOTICE, Logs, Masker

OWN = logging.getLogger("own.part")
FOREIGN = logging.getLogger("urllib3.connectionpool")
PASSWORD = "S3cr&t/p@ss=w+rd é%"
TOKEN = "tokvalue-0123456789abcdef"


class Capture:
    """A set-up log and what it wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.masker = Masker()
        self.logs = Logs(self.masker, ("own",), self.stream)
        self.logs.set("debug")

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.fixture
def log(root_logger: logging.Logger) -> Iterator[Capture]:
    capture = Capture()
    yield capture
    capture.logs.close()


class TestFormat:
    @pytest.mark.parametrize(
        ("level", "name"),
        [(10, "DEBUG"), (20, "INFO"), (25, "NOTICE"), (30, "WARNING"), (40, "ERROR"), (50, "CRITICAL")],
    )
    def test_a_line_is_as_jeedom_writes_it(self, log: Capture, level: int, name: str) -> None:
        OWN.log(level, "hello %s", "world")
        assert re.fullmatch(rf"\[\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\]\[{name}\] hello world\n", log.text)

    def test_an_exception_comes_with_its_traceback(self, log: Capture) -> None:
        try:
            raise ValueError("reason")
        except ValueError:
            OWN.exception("failed")
        assert "failed\nTraceback" in log.text
        assert "ValueError: reason" in log.text

    def test_a_faulty_call_does_not_cost_the_line(self, log: Capture, capsys: Any) -> None:
        logging.getLogger().handlers[1:] = []  # pytest's own insists on calls without fault
        OWN.info("%d values of %s", "no number")
        FOREIGN.warning("%s", object.__new__(Unprintable))
        assert "%d values" in log.text
        assert len(log.lines) == 2
        assert capsys.readouterr().err == ""

    def test_a_character_that_the_file_cannot_hold_does_not_cost_the_line(self, root_logger: logging.Logger) -> None:
        raw = io.BytesIO()
        logs = Logs(Masker(), ("own",), io.TextIOWrapper(raw, encoding="ascii"))
        logs.set("info")
        OWN.info("température \ud800 \U0001f600")
        logs.close()
        assert b"temp\\xe9rature \\ud800 \\U0001f600" in raw.getvalue()

    def test_warnings_of_python_are_lines_too(self, log: Capture) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old ways", stacklevel=1)
        assert "old ways" in log.text

    def test_a_log_that_cannot_be_written_stops_nobody_and_shows_nothing(
        self, root_logger: logging.Logger, capsys: Any
    ) -> None:
        """Python would print the message and its arguments, unmasked, on standard error."""

        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(28, "No space left on device")

        logs = Logs(Masker(), ("own",), Full())
        logs.set("info")
        OWN.info("password %s", TOKEN)
        logs.close()
        assert capsys.readouterr().err == ""


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class TestLevels:
    def test_every_level_of_jeedom_can_be_set_and_read(self, log: Capture) -> None:
        for name in LEVELS:
            log.logs.set(name)
            assert log.logs.level == name
        with pytest.raises(KeyError):
            log.logs.set("loud")

    def test_a_level_takes_effect_at_once(self, log: Capture) -> None:
        log.logs.set("error")
        OWN.warning("one")
        log.logs.set("notice")
        OWN.info("two")
        OWN.log(NOTICE, "three")
        log.logs.set("none")
        OWN.critical("four")
        assert [line.rpartition(" ")[2] for line in log.lines] == ["three"]

    def test_noise_of_others_shows_only_with_extended_debug(self, log: Capture) -> None:
        FOREIGN.debug("Starting new HTTP connection")
        FOREIGN.info("noise")
        FOREIGN.warning("trouble")
        OWN.debug("mine")
        assert [line.rpartition("] ")[2] for line in log.lines] == ["trouble", "mine"]
        log.logs.set(extended=True)
        FOREIGN.debug("details")
        log.logs.set(extended=False)
        FOREIGN.debug("noise")
        assert "details" in log.text
        assert "noise" not in log.text

    def test_a_name_that_only_begins_like_ours_is_another(self, log: Capture) -> None:
        logging.getLogger("owner").info("noise")
        assert log.text == ""


def forms(value: str) -> dict[str, str]:
    """A secret as it can stand in a text."""
    raw = value.encode()
    return {
        "plain": value,
        "url": quote(value, safe=""),
        "url path": quote(value),
        "url form": quote_plus(value),
        "url lower": re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
        "urlencode": urlencode({"x": value}),
        "twice url": quote(quote(value, safe=""), safe=""),
        "json": json.dumps({"x": value}),
        "json utf-8": json.dumps({"x": value}, ensure_ascii=False),
        "json php": json.dumps({"x": value}).replace("/", "\\/"),
        "json in json": json.dumps(json.dumps({"x": value})),
        "python": repr({"x": value}),
        "bytes": repr(raw),
        "nested": repr([{"a": ({"b": value},)}]),
        "html": value.replace("&", "&amp;"),
        "base64": base64.b64encode(raw).decode(),
        "base64 url": base64.urlsafe_b64encode(raw).decode(),
        "base64 after 1": base64.b64encode(b"u" + raw).decode(),
        "base64 after 2": base64.b64encode(b"us" + raw + b"!").decode(),
        "base64 user": base64.b64encode(b"user:" + raw).decode(),
        "base64 json": base64.b64encode(json.dumps({"x": value}, ensure_ascii=False).encode()).decode(),
        "traceback": f"ValueError: bad {value}\n  in line {value}!",
    }


def traces(value: str) -> list[str]:
    """Pieces that would give a secret away: itself, decoded or not."""
    return [form for form in forms(value).values() if form]


class TestMasking:
    @pytest.mark.parametrize("form", list(forms(PASSWORD)))
    @pytest.mark.parametrize(
        "secret", [PASSWORD, TOKEN, "correct horse", "пароль-секрет", "quo\"te\\back's", "12345678"]
    )
    def test_a_registered_secret_is_masked_in_every_form(self, secret: str, form: str) -> None:
        masker = Masker()
        masker.register(secret)
        text = forms(secret)[form]
        masked = masker.mask(f"before {text} after")
        assert MASK in masked
        assert secret not in masked
        core = text if not form.startswith("base64") else text.rstrip("=")[4:-4]
        assert core not in masked
        assert masked.startswith("before ")
        assert masked.endswith(" after")

    def test_the_mask_says_nothing_of_the_length(self) -> None:
        masker = Masker()
        masker.register("a" * 100)
        assert masker.mask("a" * 100) == MASK == "********"

    def test_a_secret_within_a_secret(self) -> None:
        masker = Masker()
        masker.register("password1", "longer-password1-longer")
        assert masker.mask("longer-password1-longer") == MASK

    def test_secrets_are_masked_in_message_arguments_exceptions_and_stacks(self, log: Capture) -> None:
        log.masker.register(TOKEN)
        OWN.info("message " + TOKEN)
        OWN.info("%s %r %s", TOKEN, TOKEN, {"deep": [TOKEN]})
        OWN.info("%s%s", TOKEN[:7], TOKEN[7:])
        OWN.info("%(name)s", {"name": TOKEN})
        OWN.info("here", stack_info=True)
        try:
            try:
                raise KeyError(TOKEN)
            except KeyError as error:
                raise RuntimeError(f"while {TOKEN}") from error
        except RuntimeError:
            OWN.exception("failed with %s", TOKEN)
        FOREIGN.warning("GET /?token=%s", TOKEN)
        assert log.text.count(MASK) >= 9
        assert TOKEN not in log.text

    def test_an_exception_that_nobody_caught_is_masked_too(self, log: Capture, capsys: Any) -> None:
        log.masker.register(TOKEN)

        def fail() -> None:
            raise RuntimeError(f"lost with {TOKEN}")

        thread = threading.Thread(target=fail, name="lost")
        thread.start()
        thread.join()
        try:
            fail()
        except RuntimeError:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        assert capsys.readouterr().err == ""
        assert log.text.count(f"lost with {MASK}") == 2
        assert TOKEN not in log.text

    def test_a_short_secret_is_masked_only_where_something_names_it(self) -> None:
        masker = Masker()
        masker.register("wes")
        assert masker.mask("the wes answers, wes=1, /wes/") == "the wes answers, wes=1, /wes/"
        for text in ("password=wes", "'password': 'wes'", '"password": "wes"', "user: wes", "http://u:wes@host/"):
            assert "wes" not in masker.mask(text).replace("/wes", ""), text

    def test_none_blanks_and_booleans_are_no_secrets(self) -> None:
        masker = Masker()
        masker.register(None, "", "   ", True, False)
        assert masker.mask("None True False    ") == "None True False    "

    def test_numbers_are_secrets(self) -> None:
        masker = Masker()
        masker.register(1234567890)
        assert masker.mask("meter 1234567890") == f"meter {MASK}"

    def test_unsecure_shows_everything(self, log: Capture) -> None:
        log.masker.register(TOKEN)
        log.logs.set(unsecure=True)
        OWN.info("password=%s", TOKEN)
        assert f"password={TOKEN}" in log.text
        log.logs.set(unsecure=False)
        OWN.info("again %s", TOKEN)
        assert log.text.count(TOKEN) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer {s}",
            "authorization: bearer {s}",
            "{{'Authorization': 'Bearer {s}'}}",
            "Authorization: Basic {s}",
            "Cookie: sessionid={s}; csrftoken={s}",
            "{{'Set-Cookie': 'sid={s}; Path=/'}}",
            "password={s}&x=1",
            "/login?user[password]={s}&commit=1",
            "user%5Bpassword%5D={s}&x",
            '{{"password": "{s}"}}',
            '{{"refresh_token":"{s}","expires":5}}',
            '{{\\"access_token\\": \\"{s}\\"}}',
            "{{'client_secret': '{s}'}}",
            "https://user:{s}@example.org/x",
            "motdepasse={s}",
            "api_key: {s}",
            "apikey={s}",
            "csrfmiddlewaretoken={s}",
            "token = {s}",
            "<password>{s}</password>",
            "password%3D{s}%26",
        ],
    )
    def test_what_nobody_registered_is_known_by_its_place(self, text: str) -> None:
        secret = "Zk29xQpL77"
        masked = Masker().mask(text.format(s=secret))
        assert secret not in masked
        assert MASK in masked

    def test_a_jwt_is_known_by_its_look(self) -> None:
        head = base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"JWT"}').decode().rstrip("=")
        body = base64.urlsafe_b64encode(b'{"aud":"122300000001","iss":"Entrez"}').decode().rstrip("=")
        assert Masker().mask(f"got {head}.{body}.c2lnbmF0dXJl here") == f"got {MASK} here"

    def test_a_known_secret_within_a_jwt_does_not_hide_it(self) -> None:
        head = base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"JWT"}').decode().rstrip("=")
        body = base64.urlsafe_b64encode(b'{"aud":"122300000001","iss":"Entrez"}').decode().rstrip("=")
        masker = Masker()
        masker.register("122300000001")
        assert masker.mask(f"got {head}.{body}.c2lnbmF0dXJl here") == f"got {MASK} here"

    def test_what_is_no_secret_stays_readable(self) -> None:
        for text in (
            "the password is refused",
            "token expires in 5 days",
            "GET /production.json?details=1 200",
            "https://127.0.0.1:443/info",
            "revision=12&state=online",
        ):
            assert Masker().mask(text) == text

    def test_renewed_tokens_are_forgotten_after_many_and_settings_never(self) -> None:
        masker = Masker()
        masker.register("lasting-secret")
        for number in range(2 * Masker.MAX_RENEWED):
            masker.register_renewed(f"renewed-token-{number:04}")
        assert masker.mask("lasting-secret") == MASK
        assert masker.mask(f"renewed-token-{2 * Masker.MAX_RENEWED - 1:04}") == MASK
        assert masker.mask("renewed-token-0000") == "renewed-token-0000"

    def test_a_token_that_is_used_again_is_not_the_oldest(self) -> None:
        masker = Masker()
        masker.register_renewed("used-every-hour")
        for number in range(2 * Masker.MAX_RENEWED):
            masker.register_renewed(f"renewed-token-{number:04}")
            masker.register_renewed("used-every-hour")
        assert masker.mask("used-every-hour") == MASK

    def test_registering_the_secrets_of_a_hundred_connections_takes_no_time(self) -> None:
        masker = Masker()
        begun = time.thread_time()
        for number in range(100):
            masker.register(f"user{number}@example.org", f"password-of-{number}", f"token-{number:050}")
            masker.register(*(f"{serial:012}" for serial in range(number * 20, number * 20 + 20)))
        assert time.thread_time() - begun < 1.5

    @pytest.mark.parametrize(
        "text",
        [
            "a" * 200_000,
            "a-" * 100_000,
            "token" * 40_000,
            "token-" * 33_000,
            "token=" * 33_000,
            "password: " * 20_000,
            "eyJ" * 66_000,
            "eyJaaaaaa." * 20_000,
            "://" * 66_000,
            "bearer " * 28_000,
            "'" * 200_000,
            'token"' * 33_000,
            'token":"' * 25_000,
            "cookie: '" * 22_000,
            "%20" * 66_000,
            '\\"' * 100_000,
            "x" + " " * 200_000 + "x",
            "token" + " " * 200_000 + "x",
            "x@" * 100_000,
        ],
        ids=lambda text: text[:10],
    )
    def test_no_text_makes_masking_slow(self, text: str) -> None:
        """A log line holds the whole process: a text made for it must not take seconds."""
        masker = Masker()
        masker.register("wes", "pin1", "long-enough-secret")
        begun = time.process_time()
        masker.mask(text)
        assert time.process_time() - begun < 1.0

    def test_registering_from_many_threads(self) -> None:
        masker = Masker()
        threads = [
            threading.Thread(target=lambda n=n: [masker.register(f"secret-{n}-{i:03}") for i in range(30)])
            for n in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for n in range(8):
            assert masker.mask(f"secret-{n}-029") == MASK


def test_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    masker = Masker()
    masker.register("alpha-beta-gamma", "gamma-delta-epsilon-zeta")
    assert masker.mask("<alpha-beta-gamma-delta-epsilon-zeta>") == f"<{MASK}>"
    assert masker.mask("<alpha-beta-gamma><gamma-delta-epsilon-zeta>") == f"<{MASK}><{MASK}>"


def test_whether_a_pattern_is_looked_for_changes_no_line() -> None:
    """An ASCII line is searched for words first, any other for the patterns themselves."""
    parts = (
        "PassWord mot_de_passe MOTDEPASSE pwd Secret access_token apiKey api-key session_id SessionId set-cookie csrf"
    )
    words = [*parts.split(), "credentials", "Bearer", "basic", "http://u:p@h/", "<token>", "name"]
    masker = Masker()
    dice = random.Random(3)
    for _ in range(3000):
        line = "".join(f"{dice.choice(words)}{dice.choice(JOINTS)}{dice.choice(VALUES)} " for _ in range(2))
        assert masker.mask(line) == masker.mask(f"é {line}")[2:], line


JOINTS = ("=", ": ", '": "', "%3D", " ", "=>", "'] = '", "</token>")
VALUES = ("hunter2-hunter2", "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln", "x", '"quoted value"', "a b c")
