"""The command line and environment."""

from __future__ import annotations

from typing import Any

import pytest

from jeedom_bridge.options import Options, UsageError

NEEDED = ["--callback", "http://127.0.0.1/core/api/jeeApi.php", "--pid", "/run/x.pid", "--datadir", "/run/data"]


def parse(*arguments: str, **environment: str) -> Options:
    return Options.parse([*NEEDED, *arguments], {"JEEDOM_APIKEY": "key", **environment}, "demo")


def test_what_is_not_given_has_its_default() -> None:
    options = parse()
    assert (options.plugin, options.loglevel, options.socketport, options.sockethost) == (
        "demo",
        "info",
        34739,
        "127.0.0.1",
    )
    assert (options.cycle, options.extendeddebug, options.unsecurelog) == (0.2, False, False)


def test_every_option_is_read() -> None:
    options = parse(
        *("--loglevel", "debug", "--plugin", "other", "--socketport", "5", "--sockethost", "::1", "--cycle", "1.5"),
        *("--extendeddebug", "--unsecurelog", "--apikey", "mine"),
    )
    assert options.apikey == "mine"
    assert (options.plugin, options.loglevel, options.socketport, options.sockethost) == ("other", "debug", 5, "::1")
    assert (options.cycle, options.extendeddebug, options.unsecurelog) == (1.5, True, True)
    assert str(options.pid) == "/run/x.pid"


def test_the_key_comes_from_the_environment_when_the_command_line_has_none() -> None:
    assert parse(JEEDOM_APIKEY="from the environment").apikey == "from the environment"


def test_the_key_of_the_command_line_wins() -> None:
    assert parse("--apikey", "line", JEEDOM_APIKEY="environment").apikey == "line"


@pytest.mark.parametrize("environment", [{}, {"JEEDOM_APIKEY": ""}])
def test_no_key_at_all_is_a_usage_error(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="JEEDOM_APIKEY"):
        Options.parse(NEEDED, environment, "demo")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_loopback_addresses_are_accepted(host: str) -> None:
    assert parse("--sockethost", host).sockethost in ("127.0.0.1", "127.8.9.10", "::1")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", "", "127.0.0.1.example.org"])
def test_anything_but_loopback_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        parse("--sockethost", host)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--socketport", "0"],
        ["--socketport", "65536"],
        ["--socketport", "-1"],
        ["--socketport", "http"],
        ["--socketport", "²"],
        ["--socketport", "1" * 5000],
        ["--cycle", "-1"],
        ["--cycle", "61"],
        ["--cycle", "nan"],
        ["--cycle", "soon"],
        ["--loglevel", "loud"],
        ["--callback", "ftp://127.0.0.1/"],
        ["--callback", "jeeApi.php"],
        ["--callback", "http://[::1/"],
        ["--callback", "http://127.0.0.1:port/"],
        ["--sock", "5"],
        ["--unknown"],
        ["stray"],
    ],
)
def test_what_cannot_be_used_is_one_line(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*arguments)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("missing", ["--callback", "--pid", "--datadir"])
def test_what_has_no_default_is_asked_for(missing: str) -> None:
    place = NEEDED.index(missing)
    with pytest.raises(UsageError, match=missing):
        Options.parse(NEEDED[:place] + NEEDED[place + 2 :], {"JEEDOM_APIKEY": "key"}, "demo")
