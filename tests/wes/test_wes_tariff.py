"""Contracts, periods and colours in the words of every link mode."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from jeenergied.devices.wes import cgx, mapping, tariff
from jeenergied.devices.wes.cgx_page import parse

from simulators.clock import SimulatedClock
from simulators.wes.life import Life, furnished
from simulators.wes.render import render


@pytest.mark.parametrize(
    ("text", "period", "colour"),
    [
        ("H. Pleine BLEU", "HP", "bleu"),  # a WES, historic mode
        ("H. Creuse BLANC", "HC", "blanc"),
        ("H. pleine bleu", "HP", "bleu"),
        ("H. Creuses ROUGE", "HC", "rouge"),
        ("H. Pleines", "HP", None),
        ("H. Creuses", "HC", None),
        ("Toutes les Heures", "BASE", None),
        ("HP BLEU", "HP", "bleu"),  # frames of the standard mode
        ("HC  ROUGE", "HC", "rouge"),
        ("  HC BLANC  ", "HC", "blanc"),
        (" HEURE  CREUSE  ", "HC", None),
        (" HEURE  PLEINE  ", "HP", None),
        ("     BASE     ", "BASE", None),
        ("HPJW", "HP", "blanc"),  # frames of the historic mode
        ("HCJB", "HC", "bleu"),
        ("HCJR", "HC", "rouge"),
        ("TH..", "BASE", None),
        ("HN..", "HN", None),
        ("PM..", "PM", None),
        ("EJP POINTE", "PM", None),
        ("HEURE SUPER CREUSE", "HSC", None),
        ("INDEX INACTIF 2", None, None),
        ("INDEX NON CONSO", None, None),
        ("", None, None),
    ],
)
def test_period_and_colour_are_one_whatever_the_words(text: str, period: str | None, colour: str | None) -> None:
    assert (tariff.period(text), tariff.colour(text)) == (period, colour)


@pytest.mark.parametrize(
    ("text", "code"),
    [("HP BLEU", "HPJB"), ("H. Creuses ROUGE", "HCJR"), ("H. pleine bleu", "HPJB"), ("HPJW", "HPJW"), ("HP", "N/A")],
)
def test_the_code_of_a_tempo_period_keeps_its_form(text: str, code: str) -> None:
    assert tariff.stable({"PTEC": text})["PTECRAW"] == code


@pytest.mark.parametrize(
    ("option", "period", "key"),
    [
        ("HC.", "H. Pleines", "HC"), ("HC", "", "HC"), ("BBR(", "", "BBRH"), ("BBR)", "", "BBRH"), ("BASE", "", "BASE"),
        ("EJP", "", "EJP"), ("TH..", "", "BASE"), ("TEMPO", "HP BLEU", "BBRH"), ("H PLEINE/CREUSE", "", "HC"),
        (" HC et Week-End ", "", "HC"), ("HC SEM ET HC WE", "", "HC"), ("H SUPER CREUSES", "", "HC"),
        ("", "HP  BLANC", "BBRH"), ("", "H. Pleines", None), ("PRODUCTEUR", "INDEX NON CONSO", None),
    ],
)  # fmt: skip
def test_the_contract_is_read_from_its_words(option: str, period: str, key: str | None) -> None:
    found = tariff.tariff(option, period)
    assert (found.key if found else None) == key


def facts(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(tariff.indexes(), 0)
    return {**found, "PAP": 1, "DEMAIN": "pas connue !", "PEJP": 0, **more}


def test_only_what_belongs_to_the_contract_in_force_is_left() -> None:
    assert tariff.in_force(facts(H_PLEINE=7), tariff.tariff("HC", ""), "auto") == {
        "PAP": 1,
        "H_PLEINE": 7,
        "H_CREUSE": 0,
    }
    assert set(tariff.in_force(facts(), tariff.tariff("EJP", ""), "EJP")) == {"PAP", "PEJP", "EJPHN", "EJPHPM"}
    weekend = tariff.in_force(facts(HC_WeekEnd=5), tariff.tariff("HC et Week-End", ""), "HC")
    assert weekend == {"PAP": 1, "HC_WeekEnd": 5}


def test_while_the_contract_is_not_known_the_setting_counts() -> None:
    assert tariff.in_force(facts(BASE=5), None, "auto") == {"PAP": 1, "BASE": 5}
    assert tariff.in_force(facts(), None, "HC") == {"PAP": 1, "H_CREUSE": 0, "H_PLEINE": 0}


def test_both_link_modes_give_the_same_period_and_colours_through_a_week() -> None:
    clock = SimulatedClock(datetime(2026, 1, 12, tzinfo=timezone.utc).timestamp(), 0)
    historic, standard = furnished(), furnished()
    standard.tics[0].standard = True
    lives = [Life(historic, clock), Life(standard, clock)]
    seen = set()
    for _ in range(7 * 24):
        clock.advance(3600)
        found = []
        for life in lives:
            life.update()
            page = parse(b"".join(render(life.box, cgx.content(cgx.OWN_FILE))), "x")
            known = mapping.facts("teleinfo", page.section("tic1"))
            found.append([known[name] for name in ("PERIODE", "COULEUR", "COULEUR_DEMAIN", "PTECRAW")])
        assert found[0] == found[1]
        seen.add(tuple(found[0][:3]))
    assert {period for period, _, _ in seen} == {"HC", "HP"}
    assert {colour for _, colour, _ in seen} == {"bleu", "blanc", "rouge"}
    assert {tomorrow for _, _, tomorrow in seen} == {"inconnue", "blanc", "rouge"}
