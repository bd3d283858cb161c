"""Lets recorded answers move, for benchmarks: every measured value differs from one request to the next.

Powers, currents and voltages sway; energies only grow. An aggregate moves by the sum of what its phases
move, and total consumption by what net consumption and production move together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any, Optional

TIMES = ("timestamp", "readingTime", "lastReportDate", "last_rpt_date", "endDate", "last_update")
SWAY = (0, 1, 2, 3, 4, 3, 2, 1)  # neighbours differ: no value stays the same twice
SHARES = {"production": 2, "net-consumption": 3, "total-consumption": 5}
EIDS = {0x2A000100: "production", 0x2A000200: "net-consumption"}

SUMMED_POWER = {"wNow", "activePower", "instantaneousDemand"}
OTHER_POWER = {"apprntPwr", "apparentPower", "reactPwr", "reactivePower", "rmsCurrent", "current"}
VOLTS = {"rmsVoltage", "voltage"}
ENERGIES = {
    "actEnergyDlvd",
    "actEnergyRcvd",
    "apparentEnergy",
    "reactEnergyLagg",
    "reactEnergyLead",
    "whLifetime",
    "vahLifetime",
    "varhLeadLifetime",
    "varhLagLifetime",
    "whToday",
    "whLastSevenDays",
    "vahToday",
    "varhLeadToday",
    "varhLagToday",
    "wattHoursToday",
    "wattHoursSevenDays",
    "wattHoursLifetime",
}
WHOLE = {"lastReportWatts", "maxReportWatts", "wattsNow"}
BATTERY = {"agg_soc", "ENC_agg_soc", "ACB_agg_soc", "ENC_agg_avail_energy", "percentFull", "whNow", "soc"}


class Movement:
    """Counts the moving answers and moves each of them one step on."""

    def __init__(self) -> None:
        self.steps = 0
        self._lock = threading.Lock()

    def moved(self, name: str, value: Any) -> Any:
        """A copy of the parsed answer `name`, one step further."""
        with self._lock:
            self.steps += 1
            step = self.steps
        if name.startswith("production"):
            return {kind: [self._entry(entry, step) for entry in entries] for kind, entries in value.items()}
        if name == "ivp_meters_readings":
            return [self._reading(reading, step) for reading in value]
        if name == "api_v1_production_inverters":
            return [_plain(unit, step + place) for place, unit in enumerate(value)]
        if name.startswith(("api_v1_", "ivp_ensemble_")):
            return _walked(value, lambda part: _plain(part, step))
        return value

    def _entry(self, entry: dict[str, Any], step: int) -> dict[str, Any]:
        if not entry.get("activeCount"):
            return entry
        lines = entry.get("lines") or []
        share = SHARES.get(str(entry.get("measurementType")), 1)
        result = _measured(entry, step, share, len(lines) or 1)
        if "lines" in entry:
            result["lines"] = [_measured(line, step, share, 1) for line in lines]
        return result

    def _reading(self, reading: dict[str, Any], step: int) -> dict[str, Any]:
        share = SHARES.get(EIDS.get(reading["eid"], ""), 1)
        channels = reading["channels"]
        used = max(1, sum(channel["voltage"] > 50 for channel in channels))
        result = _measured(reading, step, share, used)
        result["channels"] = [_measured(channel, step, share, 1) for channel in channels]
        return result


def _measured(part: dict[str, Any], step: int, share: int, phases: int) -> dict[str, Any]:
    sway = SWAY[step % len(SWAY)]
    grown = step * 0.12 * share * phases
    result = dict(part)
    if not part.get("rmsVoltage", part.get("voltage", 1)):
        return result  # nothing is connected there
    for key, value in part.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            continue
        if key in SUMMED_POWER:
            result[key] = round(value * (1 + 0.004 * sway) + 1.5 * share * phases * (1 + sway), 3)
        elif key in OTHER_POWER:
            result[key] = round(value * (1 + 0.01 * sway) + 0.05 * phases * (1 + sway), 3)
        elif key in VOLTS:
            result[key] = round(value + 0.4 * phases * sway, 3)
        elif key in ENERGIES:
            result[key] = round(value + grown, 3)
        elif key == "pwrFactor":
            result[key] = round(max(-1.0, min(1.0, value)) * 0.9 + 0.02 * sway, 3)
        elif key == "freq":
            result[key] = round(value + 0.01 * sway, 3)
    return result


def _plain(part: dict[str, Any], step: int) -> dict[str, Any]:
    sway = SWAY[step % len(SWAY)]
    result = dict(part)
    for key, value in part.items():
        if key in WHOLE:
            result[key] = value + 3 * sway
        elif key in ENERGIES:
            result[key] = value + step
        elif key in BATTERY and value:
            result[key] = value - sway if value > 50 else value + sway
        elif key in ("real_power_mw", "apparent_power_mva"):
            result[key] = value + 10_000 * (1 + sway)
    return result


def _walked(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {key: _walked(part, change) for key, part in change(value).items()}
    return [_walked(part, change) for part in value] if isinstance(value, list) else value


def newest(value: Any, names: Collection[str]) -> Optional[int]:
    """The latest of the named times (epoch s) anywhere in a parsed answer."""
    if isinstance(value, dict):
        found = [int(part) for key, part in value.items() if key in names and str(part).isdigit()]
        found += [time for part in value.values() if (time := newest(part, names))]
    elif isinstance(value, list):
        found = [time for part in value if (time := newest(part, names))]
    else:
        found = []
    return max(found, default=0) or None


def shifted(value: Any, names: Collection[str], seconds: int) -> Any:
    """A copy with the named times moved by `seconds`; times of 0 (never) stay."""
    if isinstance(value, dict):
        return {
            key: type(part)(int(part) + seconds)
            if key in names and str(part).isdigit() and int(part)
            else shifted(part, names, seconds)
            for key, part in value.items()
        }
    return [shifted(part, names, seconds) for part in value] if isinstance(value, list) else value
