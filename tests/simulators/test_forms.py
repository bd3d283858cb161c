"""Forms as the standard library reads them."""

from __future__ import annotations

import json
import random
from urllib.parse import parse_qsl, urlencode

import pytest

from simulators.forms import fields

AWKWARD = [
    *(b"", b"a", b"a=", b"=b", b"a=1&a=2", b"&&a=1&", b"a=b=c", b"a+b=c+d%2B", b"%61=%62"),
    *(b"a=%", b"a=%%22", b"a=%2%222", b"a=%zz%3A", b"a=%%41b", b"a=%2", b"a=%2525", b"a=%25%34%31", b"a=%%25"),
    *(b"a=%C3%A9%c3%a9", b"a=%C3", b"a=\xc3\xa9", b"a=%00", b"a=%26%3D%3d%2b"),
]


def as_the_library_does(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


@pytest.mark.parametrize("body", AWKWARD)
def test_awkward_forms(body: bytes) -> None:
    assert fields(body) == as_the_library_does(body)


def test_forms_made_at_random() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        body = bytes(chance.choices(b'%%%%02257bBaAfF=&+"', k=chance.randrange(24)))
        assert fields(body) == as_the_library_does(body), body


def test_a_payload() -> None:
    form = {
        "type": "event",
        "payload": json.dumps({"é 100 % +": ["2026-06-01T12:00:00.000+02:00", 1.5, '"&=\\', "日"]}),
    }
    assert fields(urlencode(form).encode()) == form
