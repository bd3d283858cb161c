"""The facts of an Easee charger, with units: observations by their source, and those that `mapping.py` derives."""

from __future__ import annotations

from ..common.facts import Fact

CHARGER = {
    "22|circuitMaxCurrentP1": Fact("A", "highest current of the circuit"),
    "30|lockCablePermanently": Fact("", "whether the cable stays locked"),
    "31|isEnabled": Fact("", "whether the charger is enabled"),
    "38|phaseMode": Fact("", "phase mode"),
    "47|maxChargerCurrent": Fact("A", "highest current of the charger"),
    "48|dynamicChargerCurrent": Fact("A", "dynamic limit of the charger"),
    "96|reasonForNoCurrent": Fact("", "why no current is offered"),
    "102|smartCharging": Fact("", "whether smart charging is on"),
    "103|cableLocked": Fact("", "whether the cable is locked"),
    "114|outputCurrent": Fact("A", "current offered to the car"),
    "119|errorCode": Fact("", "error code"),
    "120|totalPower|live": Fact("kW", "power; 0 unless charging"),
    "121|sessionEnergy": Fact("kWh", "energy of the present session"),
    "124|lifetimeEnergy": Fact("kWh", "energy since commissioning"),
    "141|chargerRAT": Fact("", "true if connected by Wi-Fi"),
    "150|tempMax": Fact("°C", "highest temperature"),
    "183|inCurrentT3|live": Fact("A", "current of terminal 3; 0 unless charging"),
    "184|inCurrentT4|live": Fact("A", "current of terminal 4; 0 unless charging"),
    "185|inCurrentT5|live": Fact("A", "current of terminal 5; 0 unless charging"),
    "194|inVoltageT2T3": Fact("V", "voltage between terminals 2 and 3"),
    "195|inVoltageT2T4": Fact("V", "voltage between terminals 2 and 4"),
    "196|inVoltageT2T5": Fact("V", "voltage between terminals 2 and 5"),
    "219|fatalErrorCode": Fact("", "code of a fatal error"),
    "status": Fact("", "operation mode; 0 while away"),
    "plugged": Fact("", "whether a car is plugged in"),
    "paused": Fact("", "whether charging is paused"),
    "cableState": Fact("", "1 locked, plus 2 if it stays locked"),
    "wifiSignal": Fact("dBm", "Wi-Fi signal; 0 without Wi-Fi"),
    "cellSignal": Fact("dBm", "mobile signal; 0 with Wi-Fi"),
    "online": Fact("", "false while away"),
    "error": Fact("", "whether there is an error"),
    "circuitLimit": Fact("A", "dynamic limit of the circuit: the lowest of the phases in use"),
}
EQUALIZER = {
    "31|currentL1": Fact("A", "current of phase 1; negative with some meters while it is fed"),
    "32|currentL2": Fact("A", "current of phase 2"),
    "33|currentL3": Fact("A", "current of phase 3"),
    "34|voltageNL1": Fact("V", "voltage between neutral and phase 1"),
    "35|voltageNL2": Fact("V", "voltage between neutral and phase 2"),
    "36|voltageNL3": Fact("V", "voltage between neutral and phase 3"),
    "37|voltageL1L2": Fact("V", "voltage between phases 1 and 2"),
    "38|voltageL1L3": Fact("V", "voltage between phases 1 and 3"),
    "39|voltageL2L3": Fact("V", "voltage between phases 2 and 3"),
    "40|activePowerImport": Fact("kW", "power drawn; 0 while power is fed"),
    "41|activePowerExport": Fact("kW", "power fed; 0 while power is drawn"),
    "44|maxPowerImport": Fact("kW", "highest power that the house may draw"),
    "45|cumulativeActivePowerImport": Fact("kWh", "energy drawn, hourly"),
    "46|cumulativeActivePowerExport": Fact("kWh", "energy fed, hourly"),
    "87|availableCurrentL1": Fact("A", "current left for charging on phase 1"),
    "88|availableCurrentL2": Fact("A", "current left for charging on phase 2"),
    "89|availableCurrentL3": Fact("A", "current left for charging on phase 3"),
    "gridPower": Fact("kW", "power drawn, negative while fed"),
    "maxAllocatedCurrent": Fact("A", "highest current that the house may draw, of its configuration"),
    "online": Fact("", "false while away"),
}
FACTS = {"": {}, "charger": CHARGER, "equalizer": EQUALIZER}
"""By equipment type; '' is the connection."""
