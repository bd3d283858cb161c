"""What else Jeedom must get of a gateway's answers in its first minute: options, batteries, first figures of the day.

Rules of the specification straight from the JSON, as in oracle.py, without a look at the daemon's mapping.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional
from zoneinfo import ZoneInfo

from .oracle import Docs, Number, Oracle, Values, loaded, number, rows

LETTER = {"production": "P", "total-consumption": "C", "net-consumption": "C"}
TAIL = {"production": "", "total-consumption": "", "net-consumption": "Net"}
POWERS = (("apprntPwr", "apparentPower"), ("reactPwr", "reactivePower"), ("rmsCurrent", "current"))
ENERGIES = (("vah", "apparentEnergy"), ("varhLag", "reactEnergyLagg"), ("varhLead", "reactEnergyLead"))


def name_of(what: str, kind: str, n: str) -> str:
    """The logicalId of a measure of one meter."""
    if what == "rmsCurrent" and kind == "net-consumption" and n:
        return f"rmsCurrentNet{n}"
    return f"{LETTER[kind]}{what}{TAIL[kind]}{n}"


class More(Oracle):
    """Every command beyond those of `Oracle`, with all options ticked."""

    def everything(self) -> Values:
        self.combined()
        self.basic = dict(self.out)
        self.out = {}
        if self.read or any(self.entry(kind) for kind in LETTER):
            self.options()
            self.days()
            self.grid_days()
        else:
            self.summary_days()
        self.batteries()
        self.reporting()
        return self.out

    def reporting(self) -> None:
        units = self.docs.get("api_v1_production_inverters")
        if isinstance(units, list):
            ages = [float(self.docs["time"]) - unit["lastReportDate"] for unit in units if unit.get("devType", 1) == 1]
            self.put("onduleurs", float(sum(age <= 1800 for age in ages)))

    # ---- where a measure is read

    def parts(self, kind: str) -> tuple[bool, dict[str, Any]]:
        """Whether a meter is read from the readings, and its parts by phase."""
        meter = self.meters.get(kind)
        if self.read and meter is not None:
            reading = next((r for r in rows(self.docs["ivp_meters_readings"]) if r.get("eid") == meter["eid"]), None)
            if loaded(reading, "activePower", "actEnergyDlvd", "actEnergyRcvd", "voltage"):
                found = {"": reading}
                count = self.phases(kind)
                channels = {c["eid"] & 15: c for c in reading.get("channels", [])}
                for n in range(1, count + 1):
                    found[str(n)] = reading if count == 1 else channels[n]
                return True, found
        entry = self.entry(kind)
        return False, self.lines(kind, entry) if entry else {}

    def options(self) -> None:
        for kind in LETTER:
            readings, parts = self.parts(kind)
            for n, part in parts.items():
                self.measures(kind, n, part, readings)

    def measures(self, kind: str, n: str, part: Any, readings: bool) -> None:
        watts = number(part, "activePower" if readings else "wNow")
        apparent = number(part, "apparentPower" if readings else "apprntPwr")
        for page, reading in POWERS:
            value = number(part, reading if readings else page)
            if value is not None and kind == "net-consumption" and page != "reactPwr":
                value = -abs(value) if watts < 0 else abs(value)
            self.put(name_of(page, kind, n), value)
        factor = number(part, "pwrFactor")
        if factor is not None and not -1 <= factor <= 1:
            factor = watts / abs(apparent) if apparent and abs(watts) <= abs(apparent) else None
        self.put(name_of("pwrFactor", kind, n), factor)
        active = sum(abs(number(part, key) or 0) for key in ("actEnergyDlvd", "actEnergyRcvd", "whLifetime"))
        for page, reading in ENERGIES:
            value = number(part, reading if readings else f"{page}Lifetime")
            if page == "vah" and value is not None and value < 0.9 * active:
                continue
            self.put(name_of(f"{page}Lifetime", kind, n), value)
            self.put(name_of(f"{page}Today", kind, n), None if value is None else 0.0)

    # ---- the first day

    @property
    def hours(self) -> float:
        """How long the day has lasted in Paris."""
        now = datetime.fromtimestamp(float(self.docs["time"]), ZoneInfo("Europe/Paris"))
        return now.hour + now.minute / 60

    def told(self, part: Any, today: str, week: str, lifetime: str, produced: bool) -> tuple[float, Optional[float]]:
        """Today's and the week's figure of the gateway, where they can be believed."""
        day, seven, life = number(part, today), number(part, week), number(part, lifetime) or 0.0
        most = self.panels() * 14 if produced else 36_000.0 * 24
        if self.hours < 3 or day is None or not 0 <= day <= life - 1000 or day == seven or day > most:
            return 0.0, None
        least = 0.0 if produced else 1680.0
        sane = seven is not None and least <= seven <= 7 * most and day + seven <= life - 2000  # else the whole life
        return day, seven if sane else None

    def panels(self) -> float:
        """W of all inverters at their best, with a quarter more; some firmware lists a few of them only."""
        units = [row for row in rows(self.docs.get("api_v1_production_inverters")) if row.get("devType", 1) == 1]
        peaks = [peak for peak in (number(unit, "maxReportWatts") for unit in units) if peak]
        return 1.25 * sum(peaks) if peaks else 0.0

    def days(self) -> None:
        for kind in ("production", "total-consumption"):
            entry = self.entry(kind)
            if not entry or (kind == "production" and "production" not in self.meters and self.read):
                continue
            for n, part in self.lines(kind, entry).items():
                if f"PwattHoursLifetime{n}" not in self.basic:
                    continue
                day, week = self.told(part, "whToday", "whLastSevenDays", "whLifetime", kind == "production")
                self.put(f"{LETTER[kind]}wattHoursToday{n}", day)
                self.put(f"{LETTER[kind]}wattHoursSevenDays{n}", week)

    def grid_days(self) -> None:
        for n in ("", "1", "2", "3"):
            imported, exported = (self.basic.get(f"indexcumul{way}{n}") for way in ("import", "export"))
            counted = imported is not None or (not self.read and f"CwattsNowNet{n}" in self.basic)
            if counted:
                self.put(f"cumulimport{n}", 0.0)
                self.put(f"cumulexport{n}", 0.0)
            self.put(f"indexcumulimportanc{n}", imported)
            self.put(f"indexcumulexportanc{n}", exported)
            if f"CwattHoursToday{n}" in self.out and f"PwattHoursToday{n}" in self.out:
                both = self.hours >= 3 and self.out[f"CwattHoursToday{n}"] and self.out[f"PwattHoursToday{n}"]
                net = self.out[f"CwattHoursToday{n}"] - self.out[f"PwattHoursToday{n}"] if both else 0.0
                # What was imported and exported before the first reading nobody knows: all three count from there.
                self.put(f"CwattHoursTodayNet{n}", 0.0 if counted else net)
            total, produced = self.out.get(f"CwattHoursSevenDays{n}"), self.out.get(f"PwattHoursSevenDays{n}")
            if total is not None and produced is not None:
                self.put(f"CwattHoursSevenDaysNet{n}", total - produced)

    def summary_days(self) -> None:
        if "PwattHoursLifetime" not in self.basic:
            return
        summary = self.docs.get("api_v1_production")
        day, week = 0.0, None
        if number(summary, "wattHoursLifetime") == self.basic["PwattHoursLifetime"]:
            day, week = self.told(summary, "wattHoursToday", "wattHoursSevenDays", "wattHoursLifetime", True)
        self.put("PwattHoursToday", day)
        self.put("PwattHoursSevenDays", week)

    # ---- batteries

    def batteries(self) -> None:
        page = self.docs.get("production.json")
        acb = next((r for r in rows(page.get("storage")) if r.get("type") == "acb" and r.get("activeCount")), None)
        control = self.docs.get("ivp_ensemble_secctrl") or {}
        groups = [g for g in rows(self.docs.get("ivp_ensemble_inventory")) if g["type"] == "ENCHARGE" and g["devices"]]
        power: list[float] = []
        if acb:
            power.append(acb["wNow"])
            self.put("batperc", acb["percentFull"])
            self.put("batwh", acb["whNow"])
            self.put("batmax", 100 * acb["whNow"] / acb["percentFull"])
        meters = [m for m in rows(self.docs.get("ivp_meters")) if m["state"] == "enabled"]
        fitted = next((m["eid"] for m in meters if m["measurementType"] == "storage"), None)
        if fitted is not None:
            reading = next(r for r in rows(self.docs["ivp_meters_readings"]) if r["eid"] == fitted)
            power.append(reading["activePower"])
            self.put("batcharge", 0.0)
            self.put("batdecharge", 0.0)
        if groups and control.get("Enc_max_available_capacity"):
            self.put("Enc_max_available_capacity", control["Enc_max_available_capacity"])
            self.put("ENC_agg_avail_energy", control["ENC_agg_avail_energy"])
            self.put("ENC_pourcent", control["ENC_agg_soc"])
            self.put("batperc", control["agg_soc"])
            self.put("batmax", control["Max_energy"])
            self.put("batwh", control["ENC_agg_avail_energy"] + (acb["whNow"] if acb else 0))
            if fitted is None:
                power.append(sum(d["real_power_mw"] for d in self.docs["ivp_ensemble_power"]["devices:"]) / 1000)
        if power:
            self.put("batnow", sum(power))
            if fitted is None:
                self.put("batchargeestim", 0.0)
                self.put("batdechargeestim", 0.0)
            self.put("CwattsNowHouse", self.basic["CwattsNow"] + sum(power))


def storage_of(docs: Docs) -> dict[str, list[float]]:
    """What each battery command may show for answers of any shape: one figure per page that could be its source."""
    page, control = docs.get("production.json"), docs.get("ivp_ensemble_secctrl")
    listed = rows(page.get("storage")) if isinstance(page, dict) else []
    acb = next((row for row in listed if row.get("type") == "acb" and number(row, "activeCount")), None)
    groups = [row for row in rows(docs.get("ivp_ensemble_inventory")) if row.get("type") == "ENCHARGE"]
    units = [unit for group in groups for unit in rows(group.get("devices"))]
    sizes = [(number(unit, "encharge_capacity"), number(unit, "percentFull")) for unit in units]
    whole = sum(size or 0.0 for size, _ in sizes)
    charge = sum((size or 0.0) * (percent or 0.0) / 100 for size, percent in sizes)
    control = control if (units or _fitted(docs)) and isinstance(control, dict) else {}
    energies = [number(control, "ENC_agg_avail_energy"), charge if whole > 0 else None]
    capacities = [number(control, "Enc_max_available_capacity"), whole if whole > 0 else None]
    shares = [number(control, "ENC_agg_soc"), 100 * charge / whole if whole > 0 else None]
    own, share, count = number(acb, "whNow"), number(acb, "percentFull"), number(acb, "activeCount")
    full = 1240 * count if count else None
    found = {"ENC_agg_avail_energy": energies, "Enc_max_available_capacity": capacities, "ENC_pourcent": shares}
    found["batwh"] = [*_sums(energies, own), *_sums(energies, number(control, "ACB_agg_energy"))]
    found["batmax"] = _sums(capacities, full)
    both = [100 * energy / capacity for energy in found["batwh"] for capacity in found["batmax"] if capacity]  # type: ignore[operator]
    found["batperc"] = [number(control, "agg_soc"), *shares, share, *both]
    found["batnow"] = _sums(_battery_powers(docs) if units or _fitted(docs) else [], number(acb, "wNow"))
    found["CwattsNowHouse"] = _sums(found["batnow"], None, Oracle(docs, True).combined().get("CwattsNow"))
    return {name: [each for each in values if each is not None] for name, values in found.items()}


def _fitted(docs: Docs) -> list[Any]:
    """The eids of transformers on the batteries."""
    meters = [row for row in rows(docs.get("ivp_meters")) if row.get("measurementType") == "storage"]
    return [row.get("eid") for row in meters if row.get("state") == "enabled"]


def _battery_powers(docs: Docs) -> list[Number]:
    measured = [row for row in rows(docs.get("ivp_meters_readings")) if row.get("eid") in _fitted(docs)]
    page = docs.get("ivp_ensemble_power")
    page = page if isinstance(page, dict) else {}
    told = [number(row, "real_power_mw") for row in rows(page.get("devices:")) or rows(page.get("devices"))]
    watts = [each for each in told if each is not None]
    return [*(number(row, "activePower") for row in measured), sum(watts) / 1000 if watts else None]


def _sums(ones: list[Number], *others: Number) -> list[Number]:
    """Each alone and with the others added."""
    extra = [each for each in others if each is not None]
    found: list[Number] = [each + sum(extra) for each in ones if each is not None]
    return [*found, *(each for each in ones if each is not None), *extra]
