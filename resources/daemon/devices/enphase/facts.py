"""The facts of Enphase by equipment: names, units and signs. The modules of `values/` produce them.

`<meter>` is `production`, `net` or `total`; `<n>` is '' or a phase, `.1` to `.3`. Times are Unix time of the gateway.
"""

from __future__ import annotations

from ..common.facts import Fact, written_out

_PHASES = ("", ".1", ".2", ".3")

GATEWAY = written_out(
    {
        "<meter><n>.power": Fact("W", "power; of the net + imports, - exports"),
        "<meter><n>.lifetimeEnergy": Fact("Wh", "energy since commissioning; of the net import minus export, may fall"),
        "<meter><n>.todayEnergy": Fact("Wh", "energy since local midnight"),
        "<meter><n>.weekEnergy": Fact("Wh", "energy of the seven days before today"),
        "<meter><n>.apparentPower": Fact("VA", "apparent power; of the net signed as its power"),
        "<meter><n>.reactivePower": Fact("var", "reactive power"),
        "<meter><n>.powerFactor": Fact("", "power factor, -1 to 1"),
        "<meter><n>.current": Fact("A", "current; of the net signed as its power"),
        "<meter><n>.apparentEnergy": Fact("VAh", "apparent energy since commissioning"),
        "<meter><n>.lagEnergy": Fact("varh", "inductive reactive energy since commissioning"),
        "<meter><n>.leadEnergy": Fact("varh", "capacitive reactive energy since commissioning"),
        "<meter><n>.apparentToday": Fact("VAh", "apparent energy since local midnight"),
        "<meter><n>.lagToday": Fact("varh", "inductive reactive energy since local midnight"),
        "<meter><n>.leadToday": Fact("varh", "capacitive reactive energy since local midnight"),
        "<meter><n>.toldToday": Fact("Wh", "the gateway's own figure of today, often wrong", internal=True),
        "<meter><n>.toldWeek": Fact("Wh", "the gateway's own figure of the week, often wrong", internal=True),
        "<meter><n>.toldLifetime": Fact("Wh", "the lifetime beside the gateway's own figures", internal=True),
        "net<n>.importPower": Fact("W", "imported power, never negative"),
        "net<n>.exportPower": Fact("W", "exported power, never negative"),
        "net<n>.importIndex": Fact("Wh", "imported energy since commissioning"),
        "net<n>.exportIndex": Fact("Wh", "exported energy since commissioning"),
        "net<n>.importToday": Fact("Wh", "imported energy since local midnight"),
        "net<n>.exportToday": Fact("Wh", "exported energy since local midnight"),
        "net<n>.importAtMidnight": Fact("Wh", "index of imported energy at local midnight"),
        "net<n>.exportAtMidnight": Fact("Wh", "index of exported energy at local midnight"),
        "production<n>.standbyIndex": Fact(
            "Wh", "what the inverters draw at night, since commissioning", internal=True
        ),
        "grid<n>.voltage": Fact("V", "voltage, phase to neutral; without phase the mean"),
        "house.power": Fact("W", "consumption of the house without its batteries"),
        "storage.power": Fact("W", "power of all batteries: + discharges, - charges"),
        "storage.percent": Fact("%", "state of charge of all batteries"),
        "storage.energy": Fact("Wh", "energy in all batteries"),
        "storage.capacity": Fact("Wh", "capacity of all batteries"),
        "storage.iqPercent": Fact("%", "state of charge of the IQ batteries"),
        "storage.iqEnergy": Fact("Wh", "energy in the IQ batteries"),
        "storage.iqCapacity": Fact("Wh", "capacity of the IQ batteries"),
        "storage.chargedToday": Fact("Wh", "energy into the batteries since local midnight, by their transformer"),
        "storage.dischargedToday": Fact("Wh", "energy out of the batteries since local midnight, by their transformer"),
        "storage.chargedEstimateToday": Fact("Wh", "the same, integrated from the batteries' power"),
        "storage.dischargedEstimateToday": Fact("Wh", "the same, integrated from the batteries' power"),
        "storage.meterPower": Fact("W", "power of the batteries' transformer: + discharges", internal=True),
        "storage.chargedIndex": Fact("Wh", "energy into the batteries, by their transformer", internal=True),
        "storage.dischargedIndex": Fact("Wh", "energy out of the batteries, by their transformer", internal=True),
        "acb.power": Fact("W", "power of the AC batteries: + discharges", internal=True),
        "iq.power": Fact("W", "power of the IQ batteries: + discharges", internal=True),
        "<kind>.energy": Fact("Wh", "energy in the batteries of a kind", internal=True),
        "<kind>.capacity": Fact("Wh", "capacity of the batteries of a kind", internal=True),
        "<kind>.percent": Fact("%", "state of charge of the batteries of a kind", internal=True),
        "all.percent": Fact("%", "the gateway's state of charge of all batteries", internal=True),
        "acb.listed": Fact("", "whether the gateway's totals include AC batteries", internal=True),
        "inverters.reporting": Fact("", "number of inverters that report"),
        "time": Fact("s", "time of the meters' measurement", internal=True),
        "production.time": Fact("s", "newest report in the inverters' total", internal=True),
    },
    {"<meter>": ("production", "net", "total"), "<kind>": ("iq", "acb"), "<n>": _PHASES},
)
CONNECTION = {
    "firmware": Fact("", "firmware of the gateway"),
    "tokenDays": Fact("d", "days until the token expires"),
}
INVERTER = {
    "power": Fact("W", "power of the last report; 0 while asleep"),
    "maxPower": Fact("W", "highest power ever reported"),
    "estimatedEnergy": Fact("Wh", "energy since local midnight, integrated from reports"),
    "gatewayEnergy": Fact("Wh", "energy since local midnight, by the gateway"),
    "lastReport": Fact("", "local time of the last report"),
    "meanPower": Fact("W", "mean power of the last interval", internal=True),
    "reported": Fact("s", "time of the last report", internal=True),
    "known": Fact("s", "time at which the power was known", internal=True),
    "asleep": Fact("", "true if it has not reported for so long that it produces nothing", internal=True),
    "listed": Fact("s", "time of the last answer that listed it", internal=True),
}
GROUP = {
    "power": Fact("W", "power of its inverters"),
    "maxPower": Fact("W", "sum of the highest powers ever reported"),
    "energy": Fact("Wh", "energy of its inverters since local midnight"),
    "alarm": Fact("", "whether an inverter was weak or silent at the evening report"),
}
STAGE = {
    "on": Fact("", "whether the load is proved to be on"),
    "command": Fact("", "the command that was requested last, and whether it is pending"),
    "surplus": Fact("W", "surplus that the stage uses: + exports, - imports"),
}
FACTS = {
    "": CONNECTION,
    **dict.fromkeys(("combined", "production", "net", "total", "storage"), GATEWAY),
    "inverter": INVERTER,
    "group": GROUP,
    "stage": STAGE,
}
"""By equipment type; '' is the connection."""
