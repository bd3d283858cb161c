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
FACTS = {"": {}, "charger": CHARGER}
"""By equipment type; '' is the connection."""
