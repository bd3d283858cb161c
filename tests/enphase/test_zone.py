"""Jeedom's time zone can change while a connection runs: from then on all of it has the new midnights and hours."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from jeenergied.devices.enphase.ct_orientation import CtOrientation
from jeenergied.devices.enphase.inverters import Inverters

from jeedom_bridge.clock import ManualClock

from .pure import CATALOGUE

SERIAL = "122300000101"
NIGHT_IN_PARIS = datetime(2026, 6, 10, 22, 30, tzinfo=ZoneInfo("Europe/Paris")).timestamp()  # 16:30 in Montréal


class Memory(dict[str, Any]):
    """What is kept."""

    def keep(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def context(zone: str) -> Any:
    made = SimpleNamespace(timezone=zone, memory=Memory(), published={}, messages=[])
    made.clock, made.catalogue = ManualClock(NIGHT_IN_PARIS), CATALOGUE
    made.publish = lambda equipment, facts, at=None: made.published.setdefault(equipment, {}).update(facts)
    made.message = lambda level, template, **values: made.messages.append(template)
    return made


def connection() -> Any:
    inverter = SimpleNamespace(id="20", key=SERIAL, name="Toit", config={})
    return SimpleNamespace(of_type=lambda kind: [inverter] if kind == "inverter" else [])


def page(now: float) -> list[dict[str, Any]]:
    return [
        {
            "serialNumber": SERIAL,
            "lastReportDate": int(now),
            "devType": 1,
            "lastReportWatts": 260,
            "maxReportWatts": 300,
        }
    ]


def test_inverters_show_the_hour_of_the_new_zone() -> None:
    here = context("Europe/Paris")
    roof = Inverters(here)
    roof.adopt(connection())
    roof.read(page(NIGHT_IN_PARIS), NIGHT_IN_PARIS)
    assert here.published["20"]["lastReport"] == "2026-06-10 22:30:00"
    here.timezone = "America/Montreal"
    roof.read(page(NIGHT_IN_PARIS + 300), NIGHT_IN_PARIS + 300)
    assert here.published["20"]["lastReport"] == "2026-06-10 16:35:00"


def test_the_report_of_the_evening_is_made_in_the_evening_of_the_new_zone() -> None:
    here = context("Europe/Paris")
    roof = Inverters(here)
    roof.adopt(connection())
    here.timezone = "America/Montreal"
    roof.read(page(NIGHT_IN_PARIS), NIGHT_IN_PARIS)
    roof.report(NIGHT_IN_PARIS)
    assert "inverters" not in here.memory
    later = NIGHT_IN_PARIS + 6 * 3600
    roof.read(page(later), later)
    roof.report(later)
    assert here.memory["inverters"]["reported"] == "2026-06-10"


def test_daylight_is_that_of_the_new_zone() -> None:
    """Production below zero counts by day only: half past two at night in Paris is half past noon in Auckland."""
    here = context("Europe/Paris")
    wiring = CtOrientation(here)
    here.timezone = "Pacific/Auckland"
    noon = NIGHT_IN_PARIS + 4 * 3600
    for second in range(0, 700, 20):
        wiring.look({"production.power": -300.0}, noon + second)
    assert len(here.messages) == 1
