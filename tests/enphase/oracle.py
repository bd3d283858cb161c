"""What Jeedom must get of a gateway's answers: the rules of the specification, straight from the JSON.

Written without a look at the daemon's mapping, to be compared with it. `Docs` are the parsed answers by file name
of the recordings; one that is missing was not answered. A rule that meets a field that is no number has no value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Optional

Docs = Mapping[str, Any]
Values = dict[str, float]
Number = Optional[float]

MEASURED = ("activePower", "actEnergyDlvd", "actEnergyRcvd", "voltage")
KINDS = ("production", "net-consumption", "total-consumption")


def number(part: Any, key: str) -> Number:
    """A field that is a usable number."""
    value = part.get(key) if isinstance(part, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e15 and math.isfinite(value) else None


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class Oracle:
    """`tri`: whether the installation has three phases in Jeedom."""

    def __init__(self, docs: Docs, tri: bool) -> None:
        self.docs = docs
        self.tri = tri
        self.out: Values = {}
        self.read = False
        self.meters = {
            str(row.get("measurementType")): row
            for row in reversed(rows(docs.get("ivp_meters")))  # the first of each kind
            if row.get("state") == "enabled"
            and is_int(row.get("eid"))
            and row.get("measurementType") in KINDS
            and row.get("meteringStatus") != "not-metering"
        }

    def phases(self, kind: str) -> int:
        """How many phases a meter uses; 0: not told."""
        count = self.meters.get(kind, {}).get("phaseCount")
        return count if is_int(count) and 1 <= count <= 3 else 0

    def wired(self, kind: str) -> int:
        """The same; net and total are of one place, whichever of them has the transformer."""
        if kind == "production" or self.phases(kind):
            return self.phases(kind)
        return max(self.phases("net-consumption"), self.phases("total-consumption"))

    def put(self, name: str, value: Number) -> None:
        if value is not None and (self.tri or not name[-1].isdigit()):
            self.out[name] = value

    def combined(self) -> Values:
        """Every command of the gateway."""
        readings = {row["eid"]: row for row in rows(self.docs.get("ivp_meters_readings")) if is_int(row.get("eid"))}
        usable = {kind: readings.get(meter["eid"]) for kind, meter in self.meters.items()}
        if any(loaded(reading, *MEASURED) for reading in usable.values()):
            self.metered(usable)
        elif any(usable.values()):
            pass  # all zero: the gateway has just started
        elif not self.from_page():
            self.unmetered()
        return self.out

    # ---- meters

    def metered(self, usable: Mapping[str, Any]) -> None:
        self.read = True
        power: dict[str, dict[str, Number]] = {}
        volts: dict[str, dict[str, Number]] = {}
        for kind, reading in usable.items():
            if not loaded(reading, *MEASURED):
                continue
            parts = {"": reading}
            if self.phases(kind) == 1:
                parts["1"] = reading
            else:
                wired = {0x10 + n: str(n) for n in range(1, self.phases(kind) + 1)}
                for channel in rows(reading.get("channels")):
                    eid = channel.get("eid")
                    if is_int(eid) and (eid & 0xFF) in wired:
                        parts[wired[eid & 0xFF]] = channel
            power[kind] = {n: number(part, "activePower") for n, part in parts.items()}
            volts[kind] = {n: self.volts(kind, n, number(part, "voltage")) for n, part in parts.items()}
            for n, part in parts.items():
                self.indexes(kind, n, part)
        self.voltages(volts)
        self.powers(power)
        self.lifetimes()
        if "production" not in self.meters:
            self.unmetered()
            net, production = self.out.get("CwattsNowNet"), self.out.get("PwattsNow")
            if net is not None and production is not None and "CwattsNow" not in self.out:
                self.put("CwattsNow", net + production)

    def indexes(self, kind: str, n: str, part: Any) -> None:
        delivered, received = number(part, "actEnergyDlvd"), number(part, "actEnergyRcvd")
        if kind == "net-consumption":
            # Zeros may be a meter that has just started: they are not shown within minutes.
            self.put(f"indexcumulimport{n}", delivered or None)
            self.put(f"indexcumulexport{n}", received or None)
        else:
            self.put(f"{'P' if kind == 'production' else 'C'}wattHoursLifetime{n}", delivered or None)

    def volts(self, kind: str, n: str, volts: Number, used: int = 0) -> Number:
        """A phase's voltage, or the mean of the phases that a meter adds up."""
        share = 1 if n else (self.wired(kind) or used)
        return volts / share if volts is not None and share else None

    def voltages(self, volts: Mapping[str, Mapping[str, Number]]) -> None:
        """Measured at the entry of the house where there is a meter, else at the panels."""
        for n in ("", "1", "2", "3"):
            found = [volts.get(kind, {}).get(n) for kind in ("net-consumption", "total-consumption", "production")]
            self.put(f"tension{n}", next((each for each in found if each is not None), None))

    def powers(self, power: Mapping[str, Mapping[str, Number]]) -> None:
        """The third power follows from two; a phase without panels produces nothing."""
        for n in ("", "1", "2", "3"):
            produced = power.get("production", {}).get(n)
            self.put(f"PwattsNow{n}", produced)
            if n and produced is None and 0 < self.phases("production") < int(n) and "production" in power:
                produced = 0.0
            net = power.get("net-consumption", {}).get(n)
            total = power.get("total-consumption", {}).get(n)
            if net is not None and total is None and produced is not None:
                total = net + produced
            elif total is not None and net is None and produced is not None:
                net = total - produced
            self.put(f"CwattsNow{n}", total)
            self.put(f"CwattsNowNet{n}", net)
            if net is not None:
                self.put(f"Import{n}", max(0.0, net))
                self.put(f"Export{n}", max(0.0, -net))

    # ---- production.json

    def entry(self, kind: str) -> Any:
        page = self.docs.get("production.json")
        listed = rows(page.get("production")) + rows(page.get("consumption")) if isinstance(page, dict) else []
        for row in listed:
            if row.get("type") == "eim" and row.get("measurementType") == kind and number(row, "activeCount"):
                return row if loaded(row, "wNow", "whLifetime", "rmsVoltage") else None
        return None

    def lines(self, kind: str, entry: Any) -> dict[str, Any]:
        """The aggregate under '' and the phases in use."""
        known = self.wired(kind)
        listed = {
            str(n): line
            for n, line in enumerate((entry["lines"] if isinstance(entry.get("lines"), list) else [])[:3], 1)
            if loaded(line, "wNow", "whLifetime", "rmsVoltage") and (not known or n <= known)
        }
        if not listed and known == 1:
            listed = {"1": entry}
        return {"": entry, **listed}

    def lifetimes(self) -> None:
        """Totals that only this page has; what the readings have is fresher."""
        entries = {kind: self.lines(kind, self.entry(kind)) for kind in KINDS if self.entry(kind)}
        for n in ("", "1", "2", "3"):
            total = number(entries.get("total-consumption", {}).get(n), "whLifetime") or None
            net = number(entries.get("net-consumption", {}).get(n), "whLifetime") or None
            produced = number(entries.get("production", {}).get(n), "whLifetime")
            if total is not None and total == net and produced:
                total += produced
            if f"CwattHoursLifetime{n}" not in self.out:
                self.put(f"CwattHoursLifetime{n}", total)
            self.put(f"CwattHoursLifetimeNet{n}", net)
            if f"PwattHoursLifetime{n}" not in self.out and ("production" in self.meters or not self.read):
                self.put(f"PwattHoursLifetime{n}", produced or None)

    def from_page(self) -> bool:
        """Everything from production.json, where readings are missing."""
        entries = {kind: self.lines(kind, self.entry(kind)) for kind in KINDS if self.entry(kind)}
        if not entries:
            return False
        self.lifetimes()
        power: dict[str, dict[str, Number]] = {}
        volts: dict[str, dict[str, Number]] = {}
        for kind, parts in entries.items():
            power[kind] = {n: number(part, "wNow") for n, part in parts.items()}
            volts[kind] = {n: self.volts(kind, n, number(p, "rmsVoltage"), len(parts) - 1) for n, p in parts.items()}
        self.voltages(volts)
        for n in power.get("total-consumption", {}):
            total, net = power["total-consumption"][n], power.get("net-consumption", {}).get(n)
            produced = power.get("production", {}).get(n)
            if total is not None and total == net and produced:
                power["total-consumption"][n] = total + produced
        self.powers(power)
        return True

    # ---- no meters

    def unmetered(self) -> None:
        """Production without transformers: the summary, or what the inverters say where it does not move."""
        version = tuple(int(part) for part in re.findall(r"\d+", str(self.docs.get("software", ""))))
        summary = self.docs.get("api_v1_production")
        moves = any(number(summary, f"wattHours{span}") for span in ("Today", "SevenDays", "Lifetime"))
        if moves and not (self.docs.get("imeter") == "true" and version >= (8, 2, 4264)):
            watts, lifetime = number(summary, "wattsNow"), number(summary, "wattHoursLifetime") or None
            self.put("PwattsNow", watts)
            self.put("PwattHoursLifetime", lifetime)
            if watts is not None or lifetime is not None:
                return
        page = self.docs.get("production.json")
        for row in rows(page.get("production")) if isinstance(page, dict) else []:
            if row.get("type") == "inverters" and number(row, "activeCount") and loaded(row, "wNow", "whLifetime"):
                self.put("PwattsNow", number(row, "wNow"))
                self.put("PwattHoursLifetime", number(row, "whLifetime") or None)

    # ---- inverters

    def inverters(self, now: float) -> dict[str, Values]:
        """Every inverter by serial number; `now` is the gateway's clock."""
        found: dict[str, Values] = {}
        for row in rows(self.docs.get("api_v1_production_inverters")):
            serial = row.get("serialNumber")
            if not isinstance(serial, str) or not serial or row.get("devType", 1) != 1:
                continue
            values: Values = {}
            watts, most, seen = (number(row, key) for key in ("lastReportWatts", "maxReportWatts", "lastReportDate"))
            if seen is not None and not now - 3 * 86_400 <= seen <= now + 86_400:
                found[serial] = {}  # silent for days, or for ever
                continue
            if watts is not None:
                values["Watt"] = 0.0 if seen is not None and now - seen > 1800 else watts
            if most is not None:
                values["maxWatt"] = most
            found[serial] = values
        return found


def loaded(part: Any, *keys: str) -> bool:
    """Whether a gateway that has just started has data yet: then not everything is zero."""
    return any(number(part, key) for key in keys)
