"""Maps the gateway's answers about inverters to facts; no input or output, no clock.

Facts of an inverter: `power`, `maxPower` W, `meanPower` W (of its last interval), `reported` Unix time, `known` Unix
time at which its power was known, `asleep` (true) if it has not reported for so long that it produces nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .mapping import Facts, entries, number, put

REPORT_MAX_AGE_S = 1800.0
"""Seconds after its last report at which an inverter is asleep: at night its last power may stay above zero."""
MAX_AHEAD_S = 86_400.0
"""Seconds by which a report may be ahead of the gateway's clock; beyond that its date is invalid."""
MAX_INVERTER_DAY_WH = 24_000.0
"""Wh: highest possible energy of one inverter in a day."""
SLOW_REPORT_MAX_AGE_S = 7200.0
"""The same for an inverter that reports every half hour at most (a setting at Enphase)."""


class Rhythms:
    """Learns how often each inverter reports: every 5 to 15 min, or hourly if set so at Enphase."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._shortest: dict[str, float] = {}

    def max_age_s(self, serial: str, reported: float) -> float:
        """Returns how many seconds a report of this inverter is valid."""
        interval = reported - self._last.get(serial, reported)
        if interval > 0:
            self._shortest[serial] = min(interval, self._shortest.get(serial, interval))
        self._last[serial] = reported
        return SLOW_REPORT_MAX_AGE_S if self._shortest.get(serial, 0.0) > REPORT_MAX_AGE_S else REPORT_MAX_AGE_S


def inverters(answer: Any, now: float, rhythms: Rhythms) -> dict[str, Facts]:
    """Facts of /api/v1/production/inverters by serial number, without AC batteries (devType 11).

    `now`: Unix time by the gateway's clock.
    """
    found: dict[str, Facts] = {}
    for entry in entries(answer):
        serial = entry.get("serialNumber")
        if not isinstance(serial, str) or not serial or entry.get("devType", 1) != 1:
            continue
        facts: Facts = {}
        power, reported = number(entry, "lastReportWatts"), number(entry, "lastReportDate")
        if reported is not None and 0 < reported < now + MAX_AHEAD_S:
            facts["reported"] = reported
            max_age_s = rhythms.max_age_s(serial, reported)
            facts["known"] = reported
            if now - reported > max_age_s:
                # It is asleep, and has been since its next report was due.
                facts["known"], facts["asleep"] = reported + max_age_s, True
        elif reported is not None:
            found[serial] = {}  # listed, but has never reported
            continue
        put(facts, "meanPower", power)
        put(facts, "power", 0.0 if "asleep" in facts and power is not None else power)
        put(facts, "maxPower", number(entry, "maxReportWatts"))
        found[serial] = facts
    return found


def inverter_peaks(answer: Any) -> list[float]:
    """Highest power in W that each inverter of /api/v1/production/inverters has ever reported."""
    peaks = (number(entry, "maxReportWatts") for entry in entries(answer) if entry.get("devType", 1) == 1)
    return [peak for peak in peaks if peak is not None]


def day_energies(answer: Any, midnight: float) -> dict[str, float] | None:
    """Today's energy in Wh by serial number, of /ivp/pdm/device_data; None if the list is truncated or invalid.

    `midnight`: Unix time, by the gateway's clock, at which the day began. An inverter that has not reported since
    still has yesterday's figure, so that its energy is 0.
    """
    if not isinstance(answer, Mapping):
        return None
    count, limit = number(answer, "deviceCount"), number(answer, "deviceDataLimit")
    if count is None or (limit is not None and count >= limit):
        return None
    found: dict[str, float] = {}
    for entry in answer.values():
        if not isinstance(entry, Mapping) or entry.get("devName") != "pcu" or entry.get("active") is not True:
            continue  # other devices, and inverters that were replaced
        serial, channels = entry.get("sn"), entries(entry.get("channels"))
        hours = channels[0].get("wattHours") if channels else None
        last = channels[0].get("lastReading") if channels else None
        today = number(hours, "today") if isinstance(hours, Mapping) else None
        ended = number(last, "endDate") if isinstance(last, Mapping) else None
        if isinstance(serial, str) and serial and today is not None and 0 <= today <= MAX_INVERTER_DAY_WH:
            found[serial] = today if ended is not None and ended >= midnight else 0.0
    return found
