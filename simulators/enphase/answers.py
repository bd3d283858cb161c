"""The slow endpoints of the built-in day: identity, inverters, inventory, batteries, home."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulators.enphase.inverters import Inverter
from simulators.enphase.plant import Plant

COMMISSIONED = 1_695_330_323  # epoch s
INFO = """<?xml version='1.0' encoding='UTF-8'?>
<envoy_info>
  <time>{time}</time>
  <device>
    <sn>{serial}</sn>
    <pn>{part}</pn>
    <software>{firmware}</software>
    <euaid>4c8675</euaid>
    <seqnum>0</seqnum>
    <apiver>1</apiver>
    <imeter>{metered}</imeter>
  </device>
  <web-tokens>true</web-tokens>
  <package name='rootfs'>
    <pn>500-00001-r01</pn>
    <version>02.00.00</version>
    <build>1211</build>
  </package>
  <build_info>
    <build_id>simulated</build_id>
    <build_time_gmt>1687460237</build_time_gmt>
  </build_info>
</envoy_info>
"""


def info(serial: str, firmware: str, metered: bool, now: float) -> str:
    """`/info`."""
    part = "800-00654-r08" if metered else "800-00656-r08"
    return INFO.format(time=int(now), serial=serial, part=part, firmware=firmware, metered=str(metered).lower())


def inverters(plant: Plant) -> list[dict[str, Any]]:
    """`/api/v1/production/inverters`: AC batteries are among them, as `devType` 11."""
    batteries = [
        {
            "serialNumber": str(plant.acb.first_serial + n),
            "lastReportDate": int(plant.time),
            "devType": 11,
            "lastReportWatts": round(plant.acb_watts / plant.acb.count),
            "maxReportWatts": 260,
        }
        for n in range(plant.acb.count if plant.acb else 0)
    ]
    return batteries + [
        {
            "serialNumber": unit.serial,
            "lastReportDate": unit.reported_at,
            "devType": 1,
            "lastReportWatts": unit.watts,
            "maxReportWatts": max(unit.most, round(unit.peak * 0.97)),
        }
        for unit in plant.inverters.units
    ]


def device(unit: Inverter, plant: Plant) -> dict[str, Any]:
    """One inverter of `/ivp/pdm/device_data`."""
    eid = 0x61000011 + ((unit.place + 1) << 8)
    silent = plant.time - unit.reported_at > 1_200
    volts = plant.volts[unit.phase]
    last = {
        "eid": eid,
        "interval_type": 0,
        "endDate": unit.reported_at,
        "duration": unit.duration,
        "flags": 0,
        "flags_hex": "0x0000000000000000",
        "joulesProduced": round(unit.produced),
        "acVoltageINmV": round(volts * 1_000),
        "acFrequencyINmHz": 50_000,
        "dcVoltageINmV": 32_400,
        "dcCurrentINmA": round(unit.watts / 32.4 / 0.965 * 1_000),
        "channelTemp": round(12 + 0.09 * unit.watts),
        "pwrConvErrSecs": 0,
        "pwrConvMaxErrCycles": 0,
        "joulesUsed": 0,
        "leadingVArs": 0,
        "laggingVArs": 38,
        "acCurrentInmA": round(unit.watts / volts * 1_000),
        "l1NAcVoltageInmV": 0,
        "l2NAcVoltageInmV": 0,
        "l3NAcVoltageInmV": 0,
        "rssi": 110,
        "issi": 68,
    }
    channel = {
        "chanEid": eid,
        "created": unit.reported_at,
        "wattHours": {
            "today": int(unit.days[0]),
            "yesterday": int(unit.days[1]),
            "week": int(sum(unit.days[1:])),
        },
        "watts": {"now": unit.watts, "nowUsed": 0, "max": unit.most},
        "lastReading": last if unit.reported_at else {},
        "lifetime": {
            "createdTime": COMMISSIONED,
            "duration": int(plant.time) - COMMISSIONED,
            "joulesProduced": int(1_000_000_000 + unit.joules),
        },
    }
    return {"devName": "pcu", "sn": unit.serial, "active": True, "modGone": silent, "channels": [channel]}


def inventory(plant: Plant) -> list[dict[str, Any]]:
    """`/inventory.json`."""
    day = any(register.watts > 0 for register in plant.meters["production"])
    status = ["envoy.global.ok"] if day else ["envoy.cond_flags.pcu_ctrl.dc-pwr-low"]
    units = [
        {
            "part_num": "800-01391-r03",
            "installed": str(COMMISSIONED),
            "serial_num": unit.serial,
            "device_status": status,
            "last_rpt_date": str(unit.reported_at),
            "admin_state": 1,
            "dev_type": 1,
            "created_date": str(COMMISSIONED),
            "img_load_date": str(COMMISSIONED),
            "img_pnum_running": "520-00082-r01-v04.30.32",
            "ptpn": "540-00169-r01-v04.30.12",
            "chaneid": 0x61000011 + ((unit.place + 1) << 8),
            "device_control": [{"gficlearset": False}],
            "producing": day,
            "communicating": plant.time - unit.reported_at < 1_200,
            "provisioned": True,
            "operating": True,
            "phase": f"ph-{'abc'[unit.phase]}",
        }
        for unit in plant.inverters.units
    ]
    return [
        {"type": "PCU", "devices": units},
        {"type": "ACB", "devices": []},
        {"type": "NSRB", "devices": []},
    ]


def ensemble_inventory(plant: Plant) -> list[dict[str, Any]]:
    """`/ivp/ensemble/inventory`: empty without a battery."""
    storage = plant.storage
    if storage is None:
        return []
    battery = {
        "part_num": "830-01760-r37",
        "installed": COMMISSIONED,
        "serial_num": storage.serial,
        "device_status": ["envoy.global.ok", "prop.done"],
        "last_rpt_date": int(storage.silent_since or plant.time),
        "admin_state": 6,
        "admin_state_str": "ENCHG_STATE_READY",
        "created_date": COMMISSIONED,
        "img_load_date": COMMISSIONED,
        "img_pnum_running": "2.6.5973_rel/22.11",
        "bmu_fw_version": "2.1.34",
        "operating": True,
        "communicating": True,
        "sleep_enabled": False,
        "percentFull": round(storage.soc),
        "temperature": 24,
        "maxCellTemp": 26,
        "comm_level_sub_ghz": 4,
        "comm_level_2_4_ghz": 4,
        "led_status": 17,
        "dc_switch_off": False,
        "encharge_rev": 2,
        "encharge_capacity": round(storage.capacity),
    }
    return [{"type": "ENCHARGE", "devices": [battery]}]


def ensemble_power(plant: Plant) -> dict[str, Any]:
    """`/ivp/ensemble/power`: milliwatts, + when discharging; the colon in the key is the gateway's."""
    if plant.storage is None:
        return {"devices:": []}
    watts = sum(register.watts for register in plant.meters["storage"])
    battery = {
        "serial_num": plant.storage.serial,
        "real_power_mw": round(watts * 1_000),
        "apparent_power_mva": round(abs(watts) * 1_000),
        "soc": round(plant.storage.soc),
    }
    return {"devices:": [battery]}


def secondary_control(plant: Plant) -> dict[str, Any]:
    """`/ivp/ensemble/secctrl`: zeros without a battery."""
    bias = {
        f"{name}{phase}": value
        for phase in ("", "_phaseb", "_phasec")
        for name, value in (
            ("freq_bias_hz", 0.0),
            ("voltage_bias_v", 0.0),
            ("freq_bias_hz_q8", 0),
            ("voltage_bias_v_q5", 0),
        )
    }
    storage, acb = plant.storage, plant.acb
    soc = round(storage.soc) if storage else 0
    capacity = round(storage.capacity) if storage else 0
    energy = round(storage.energy) if storage else 0
    beside, beside_capacity = (round(acb.energy), round(acb.capacity)) if acb else (0, 0)
    whole = capacity + beside_capacity
    reserve = round(storage.reserve) if storage else 0
    return {
        "shutdown": False,
        **bias,
        "configured_backup_soc": reserve,
        "adjusted_backup_soc": reserve,
        "agg_soc": round(100 * (energy + beside) / whole) if whole else 0,
        "Max_energy": whole,
        "ENC_agg_soc": soc,
        "ENC_agg_soh": 100 if storage else 0,
        "ENC_agg_backup_energy": round(capacity * reserve / 100),
        "ENC_agg_avail_energy": energy,
        "Enc_commissioned_capacity": capacity,
        "Enc_max_available_capacity": capacity,
        "ACB_agg_soc": round(acb.soc) if acb else 0,
        "ACB_agg_energy": beside,
    }


def acb_storage(plant: Plant) -> dict[str, Any]:
    """The entry of `storage` in `/production.json`."""
    acb = plant.acb
    if acb is None:
        return {"type": "acb", "activeCount": 0, "readingTime": 0, "wNow": 0, "whNow": 0, "state": "idle"}
    watts = round(plant.acb_watts)
    return {
        "type": "acb",
        "activeCount": acb.count,
        "readingTime": int(plant.time),
        "wNow": watts,
        "whNow": round(acb.energy),
        "state": "discharging" if watts > 0 else "charging" if watts < 0 else "idle",
        "percentFull": round(acb.soc),
    }


def ensemble_status(plant: Plant) -> dict[str, Any]:
    """`/ivp/ensemble/status`."""
    serials = {plant.storage.serial: {"device_type": 13}} if plant.storage else {}
    return {
        "inventory": {"serial_nums": serials},
        "counters": {"rest_StatusGet": 20},
        "secctrl": secondary_control(plant),
        "relay": {
            "mains_admin_state": "closed",
            "mains_oper_state": "closed",
            "der1_state": 0,
            "der2_state": 0,
            "Enchg_grid_mode": "grid-tied",
            "Solar_grid_mode": "unknown",
        },
        "profile": {"message": "Obsolete API, please use ivp/arf/profile"},
        "fakeit": {"fake_inventory_mode": False},
    }


def home(plant: Plant, local: datetime) -> dict[str, Any]:
    """`/home`."""
    return {
        "software_build_epoch": 1_687_460_237,
        "timezone": plant.timezone,
        "current_date": local.strftime("%m/%d/%Y"),
        "current_time": local.strftime("%H:%M"),
        "network": {
            "web_comm": True,
            "ever_reported_to_enlighten": True,
            "last_enlighten_report_time": int(plant.time) // 900 * 900,
            "primary_interface": "eth0",
            "interfaces": [{"type": "ethernet", "interface": "eth0", "dhcp": True, "carrier": True}],
        },
        "tariff": "single_rate",
        "comm": {
            "num": len(plant.inverters.units),
            "level": 5,
            "pcu": {"num": len(plant.inverters.units), "level": 5},
            "acb": {"num": 0, "level": 0},
            "nsrb": {"num": 0, "level": 0},
            "esub": {"num": 0, "level": 0},
        },
    }
