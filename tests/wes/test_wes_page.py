"""Hostile and damaged pages, odd values, and the file that we generate."""

from __future__ import annotations

import re
from typing import Any, Optional

import pytest
from jeenergied.devices.base import VendorError
from jeenergied.devices.wes import cgx, client, mapping
from jeenergied.devices.wes.cgx_page import CgxPage, Truncated, parse
from jeenergied.devices.wes.changed_facts import ChangedFacts
from jeenergied.devices.wes.client import Wes
from jeenergied.devices.wes.mapping import OURS, Origin, number
from jeenergied.devices.wes.plausibility import PlausibilityCheck

from simulators.wes import templates
from simulators.wes.codes import values as firmware_values
from simulators.wes.life import furnished
from simulators.wes.render import render
from simulators.wes.server import ENTITIES
from tests.wes.rig import CATALOGUE, connection, item

MADE = {"PTECRAW", "PERIODE", "COULEUR", "COULEUR_DEMAIN"}
"""Facts that are made of the texts of others."""
BODY = b"".join(render(furnished(), cgx.content(cgx.OWN_FILE)))


def with_value(tag: str, value: str) -> CgxPage:
    body = re.sub(f"<{tag}>[^<]*</{tag}>".encode(), f"<{tag}>{value}</{tag}>".encode(), BODY, count=1)
    return parse(body, "x")


def tic(origin: Origin = OURS, **texts: str) -> dict[str, Any]:
    base = {"ADCO": "031976543210", "PTEC": "H. Pleine BLEU"}
    return mapping.facts("teleinfo", {**base, **texts}, origin)


# Pages that are the same again.


def test_a_page_that_has_not_moved_is_parsed_and_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = BODY.replace(b"<firmware>V0.84A16<", b"<firmware>V0.84A17<")
    bodies = [BODY, BODY, moved, BODY, BODY]
    parsed: list[bytes] = []

    def counted(body: bytes, path: str) -> CgxPage:
        parsed.append(body)
        return parse(body, path)

    wes = Wes({"host": "wes.example", "user": "admin", "password": "wes"})
    monkeypatch.setattr(client, "parse", counted)
    monkeypatch.setattr(wes, "get", lambda path: bodies.pop(0))
    pages = [wes.page("x") for _ in range(5)]
    assert parsed == [BODY, moved, BODY]
    assert [each.firmware for each in pages] == ["V0.84A16", "V0.84A16", "V0.84A17", "V0.84A16", "V0.84A16"]


def test_a_page_that_has_not_moved_has_no_news_but_for_new_equipment_and_for_doubts() -> None:
    facts = ChangedFacts(CATALOGUE, PlausibilityCheck())
    facts.adopt(connection({}, [item("relais", 1)]))
    page = parse(BODY, "x")

    def changed(seconds: float) -> list[str]:
        return [each.equipment.id for each in facts.read(page, OURS, 1e9 + seconds)]

    assert changed(0) == ["relais1"]
    assert changed(1) == []
    facts.adopt(connection({}, [item("relais", 1), item("compteur", 1), item("teleinfo", 1, {"tarification": "EJP"})]))
    assert changed(2) == ["relais1", "compteur1", "teleinfo1"]
    assert changed(3) == ["teleinfo1"], "the contract that differs has to last"
    facts.look_again()
    assert changed(4) == ["relais1", "compteur1", "teleinfo1"]


# The file that we generate.


def test_every_directive_is_one_that_the_firmware_knows_and_fits_its_buffer() -> None:
    box = furnished()
    for name in (cgx.OWN_FILE, cgx.NAMES_FILE):
        content = cgx.content(name)
        assert content.isascii()
        assert content.endswith(b"\n.\n")
        for line in content.decode().splitlines():
            assert line[:2] in ("t ", "c ") or line == "."
            assert len(line) <= 120
            if line.startswith("c ") and not line.startswith("c WRo"):
                width = 5 if line[2:].startswith("lSE") else 3 if line[2:].startswith(("la", "Vv")) else 4
                assert firmware_values(box, line[2 : 2 + width].rstrip(" ")) is not None, line
                assert line[2 + width :].startswith("<"), line


def test_our_page_holds_every_source_of_the_catalogue() -> None:
    page = parse(BODY, "x")
    for kind in CATALOGUE.data["equipment"]:
        for row in CATALOGUE.all_rows(kind):
            if row.source and row.data["type"] == "info" and row.source not in MADE:
                section, end = mapping.place(kind, "1")
                assert row.source + end in page.section(section), (kind, row.logical_id)


def test_the_simulator_speaks_the_language_of_the_official_file() -> None:
    import hashlib

    content = templates.official()
    assert (len(content), hashlib.md5(content).hexdigest()) == (12249, "e5e34419ea08c27a0151855e36eb5e3c")


def test_no_directive_prints_nonsense() -> None:
    for template in (cgx.content(cgx.OWN_FILE), cgx.content(cgx.NAMES_FILE), templates.standard()):
        assert b"-2147352576" not in b"".join(render(furnished(), template))


def test_versions_are_compared_as_numbers() -> None:
    assert cgx.older("1.0.5", "2.0.0")
    assert cgx.older("1.9", "1.10")
    assert cgx.older(None, "1")
    assert cgx.older("nonsense", "1")
    assert not cgx.older("2.0.0", "2.0.0")
    assert not cgx.older("2.1", "2.0.0")


def test_the_part_of_a_firmware_after_the_dot_is_a_fraction() -> None:
    ordered = ["", "V0.61D", "V0.82C3", "V0.84A9", "V0.84A10", "V0.84A16", "V0.84B1", "V0.9a1", "V0.9b05", "V1.0"]
    assert sorted(ordered, key=cgx.firmware) == ordered
    assert cgx.supported("V0.9b05")
    assert not cgx.supported("V0.84A9")


# Whole or nothing.


def test_a_page_cut_anywhere_gives_nothing() -> None:
    for end in [*range(0, len(BODY) - 8, 97), len(BODY.rstrip()) - 1]:
        with pytest.raises(VendorError):
            parse(BODY[:end], "x")
    with pytest.raises(Truncated):
        parse(BODY[: len(BODY) // 2], "x")


def test_entities_and_document_types_are_refused_unread() -> None:
    bare = re.sub(rb"^<\?xml[^>]*\?>\s*", b"", BODY)
    with pytest.raises(VendorError):
        parse(ENTITIES + bare, "x")
    external = b'<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + bare.replace(b"V0.84", b"&x;")
    with pytest.raises(VendorError) as told:
        parse(external, "x")
    assert "root:" not in str(told.value)


def test_no_place_and_no_encoding_hides_a_document_type() -> None:
    bare = re.sub(rb"^<\?xml[^>]*\?>\s*", b"", BODY)
    nasty = b'<!DOCTYPE data [<!ENTITY x "injected">]>'
    for body in (
        b"<!--" + b"x" * 5000 + b"-->" + nasty + bare,
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE data [+ADwAIQ-ENTITY x "y">]>' + bare,
        (nasty + bare).decode().encode("utf-16"),
    ):
        with pytest.raises(VendorError):
            parse(body, "x")


@pytest.mark.parametrize("nasty", [b"T\xe9l\xe9info", b"Pompe & ballon", b"a\x01b", "Été".encode()])
def test_bytes_that_are_no_xml_are_mended_without_changing_a_value(nasty: bytes) -> None:
    page = parse(BODY.replace(b"</firmware>", b"</firmware><nom>" + nasty + b"</nom>"), "x")
    assert page.section("tic1") == parse(BODY, "x").section("tic1")


def test_a_page_broken_in_another_way_is_discarded() -> None:
    with pytest.raises(VendorError):
        parse(BODY.replace(b"<PAP>1840</PAP>", b"<PAP>18<0</PAP>"), "x")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"<html><body>x</body></html>", b"<!DOCTYPE html><p>", b"<data></data>", b"<a><b/></a>", b"\xff" * 50],
)
def test_what_is_no_page_of_a_wes_is_refused_with_its_beginning(body: bytes) -> None:
    with pytest.raises(VendorError, match="vérifiez l'adresse"):
        parse(body, "data.cgx")


# Values.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012345678", 12345678), ("-3.1", -3.1), ("842.311", 842.311), ("338.25 l", 338.25), ("1.98 m3", 1.98),
        ("0.000 ND", 0), ("0,75", 0.75), ("12,345 kWh", 12.345),
        ("1,2,3", None), ("1.234,5", None), ("", None), (None, None), ("ND", None),
        ("Pas Dispo", None), ("nan", None), ("inf", None),
        ("1e400", None), ("9" * 400, None), ("12abc", None), ("1.2.3", None), ("12 34", None), ("0x10", None),
        ("١٢", None),
    ],
)  # fmt: skip
def test_a_number_is_one_or_nothing(text: Optional[str], value: Optional[float]) -> None:
    assert number(text) == value


def test_a_lost_meter_link_has_no_values() -> None:
    assert mapping.facts("teleinfo", {"ADCO": "Pas Dispo", "PTEC": "TIC NDERR.", "PAP": "0", "BASE": "000000000"}) == {}
    assert tic(PTEC="TIC NDERR.", PAP="0") == {}
    assert mapping.facts("teleinfo", {"PAP": "12"}) == {}


def test_a_voltage_of_zero_is_one_that_is_not_measured() -> None:
    assert "TENSION1" not in tic(TENSION1="0")
    assert tic(TENSION1="233", IINST1="0") | {} == {**tic(TENSION1="233"), "IINST1": 0}


def test_a_meter_number_keeps_its_leading_zero() -> None:
    assert tic()["ADCO"] == "031976543210"


def test_a_producer_flag_of_0_means_no_injection() -> None:
    facts = tic(PRODUCTEUR="000000000", INJECTION="000000000", PAPIJ="0")
    assert facts["PRODUCTEUR"] == 0
    assert not {"INJECTION", "PAPIJ"} & set(facts)


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("texts", [{"INJECTION": "007654321", "PAPIJ": "0"}, {"INJECTION": "0", "PAPIJ": "5"}])
def test_an_injection_above_0_counts_whatever_producteur_says(flag: bool, texts: dict[str, str]) -> None:
    facts = tic(Origin(flag=flag), PRODUCTEUR="000000000", **texts)
    assert facts["PRODUCTEUR"] == 1
    assert facts["PAPIJ"] == int(texts["PAPIJ"])
    assert facts.get("INJECTION") == (int(texts["INJECTION"]) or (0 if flag else None))


def test_on_the_standard_page_producteur_is_an_index_that_proves_production() -> None:
    facts = tic(Origin(flag=False), PRODUCTEUR="000004821", INJECTION="000000000", PAPIJ="0")
    assert (facts["PRODUCTEUR"], facts["PAPIJ"], "INJECTION" in facts) == (1, 0, False)
    assert "PRODUCTEUR" not in tic(Origin(flag=False), PRODUCTEUR="000000000", INJECTION="000000000", PAPIJ="0")


@pytest.mark.parametrize("shown", ["-1.000", "99999999.000", "nan", "inf"])
def test_an_absurd_injection_index_is_not_published(shown: str) -> None:
    assert "INJECT" not in mapping.facts("pince", {"INJECT": shown})


def test_real_power_needs_the_9_v_supply() -> None:
    assert "WATT" not in mapping.facts("pince", {"WATT": "0", "V": "0"})
    assert mapping.facts("pince", {"WATT": "0", "V": "234"})["WATT"] == 0
    assert mapping.facts("pince", {"WATT": "905", "V": "0"})["WATT"] == 905


def test_unchanged_equipment_is_not_handed_out_again() -> None:
    reader = ChangedFacts(CATALOGUE, PlausibilityCheck())
    reader.adopt(connection({"host": "x"}, [item("sonde", 1), item("relais", 1)]))

    def read(page: CgxPage) -> dict[str, dict[str, Any]]:
        return {each.equipment.id: each.facts for each in reader.read(page, OURS, 0.0)}

    assert set(read(parse(BODY, "x"))) == {"sonde1", "relais1"}
    assert read(parse(BODY, "x")) == {}
    assert read(with_value("SONDE1", "20.0")) == {"sonde1": {"SONDE": 20.0}}
    reader.look_again()
    assert read(with_value("SONDE1", "20.0")) == {"sonde1": {}, "relais1": {}}
    reader.publish_all()
    assert read(with_value("SONDE1", "20.0")) == {"sonde1": {"SONDE": 20.0}, "relais1": {"RELAIS": "ON"}}
    assert read(with_value("SONDE1", "")) == {"sonde1": {"SONDE": None}}
