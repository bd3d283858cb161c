"""The facts of helloWatt: names and units. `mapping.py` makes those of a day, `publication.py` adds the others.

`<period>` is `day`, or `month` or `year` for a sum that stands at the first day of its period.
"""

from __future__ import annotations

from ..common.facts import Fact, written_out

_TARIFFS = (
    "",
    ".hp",
    ".hc",
    *(f".tempo.{color}.{part}" for color in ("blue", "white", "red") for part in ("hp", "hc")),
)

ENERGY = written_out(
    {
        "<period>.kwh<tariff>": Fact("kWh", "consumption, in all or under one tariff"),
        "<period>.euros<tariff>": Fact("EUR", "cost, in all or under one tariff"),
        "<period>.energyEuros": Fact("EUR", "cost without subscription"),
        "<period>.subscription": Fact("EUR", "subscription"),
        "<period>.co2": Fact("kgCO₂", "emissions"),
        "<period>.injection": Fact("kWh", "energy given to the grid"),
        "<period>.injectionEuros": Fact("EUR", "value of that energy"),
        "<period>.solar": Fact("kWh", "solar energy used by the home itself"),
        "<period>.solarEuros": Fact("EUR", "value of that energy"),
        "<period>.tempoCode": Fact("", "colour of the day: 1 blue, 2 white, 3 red"),
        "week.kwh": Fact("kWh", "consumption of the last seven known days"),
        "lastDay": Fact("", "newest known day, ISO 8601"),
        "collected": Fact("", "local time of the last round"),
        "delay": Fact("d", "mean days between a day and its arrival"),
        "status": Fact("", "`ok`, or the mark of an error"),
        "contract.provider": Fact("", "provider of the contract in force"),
        "contract.offer": Fact("", "its offer"),
        "contract.power": Fact("kVA", "its subscribed power"),
        "tempo.now": Fact("", "Tempo colour in force"),
        "tempo.today": Fact("", "Tempo colour of today"),
        "tempo.tomorrow": Fact("", "Tempo colour of tomorrow"),
    },
    {"<period>": ("day", "month", "year"), "<tariff>": _TARIFFS},
)
FACTS = {"": {}, "electricity": ENERGY, "gas": ENERGY}
"""By equipment type; '' is the connection."""
