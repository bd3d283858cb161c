"""Every secret of a connection has an address that it is sent to: when that changes, it is asked for again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CATALOGUES = sorted((Path(__file__).resolve().parents[2] / "core" / "contract" / "catalogue").glob("*.json"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_each_secret_has_its_address(path: Path) -> None:
    fields: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["connection"]["fields"]
    secrets = {each["key"] for each in fields if each["type"] == "secret"}
    addresses = [each for each in fields if "sends" in each]
    assert {key for each in addresses for key in each["sends"]} == secrets
    assert {each["type"] for each in addresses} <= {"text"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_each_address_is_that_of_a_secret_or_of_nothing_secret(path: Path) -> None:
    """An address without `sends` is one where nothing of the account goes, and is named here; some have no account."""
    fields: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["connection"]["fields"]
    addresses = {each["key"] for each in fields if each["key"] == "host" or each["key"].endswith(("Url", "Uri"))}
    public = {"tempoUrl", "rteUrl", "redirectUri"}
    secret = any(each["type"] == "secret" for each in fields)
    assert (addresses - public if secret else set()) == {each["key"] for each in fields if "sends" in each}
