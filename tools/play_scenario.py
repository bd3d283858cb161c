"""Plays a scenario file on the rules of the house and prints, as JSON lines, what they decide.

    python tools/play_scenario.py FILE

A file with "rows" (energies by interval) gives the balance of the period. The format is described in docs/testing.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jeenergied.energy.balance import Balance, Energies, Row  # noqa: E402  # found through the environment's own link
from jeenergied.energy.tariff import Tariff  # noqa: E402

CO2 = 21.7
"""g/kWh of French electricity, unless the file says otherwise: RTE, 2024 (analysesetdonnees.rte-france.com)."""


def balance(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """The balance of a scenario's rows: rates as fractions, money in €, energies in kWh, co2 in g."""
    house = scenario.get("house", {})
    zone = ZoneInfo(scenario.get("timezone", "Europe/Paris"))
    tariff = Tariff.parse(house["tariff"], zone)
    rows = []
    for row in scenario["rows"]:
        at = datetime.fromisoformat(row["at"])
        moment = (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
        price = tariff.price(moment)
        if price is None:
            raise SystemExit(f"{row['at']}: the price of this moment is not known")
        columns = ("import", "export", "solar", "charge", "discharge")
        energies = Energies(*(float(row.get(name, 0)) for name in columns))
        rows.append(Row(energies, price, float(house.get("resale", 0)), float(house.get("co2", CO2))))
    total = Balance.of(rows, subscription=float(house.get("subscription", 0)))
    return {
        "selfConsumption": total.self_consumption,
        "autonomy": total.autonomy,
        "cost": total.cost,
        "revenue": total.revenue,
        "net": total.net,
        "withoutSolar": total.without_solar,
        "savings": total.savings,
        "co2": total.co2,
        "flows": vars(total.flows),
        "tank": {"content": total.tank.content, "solarShare": total.tank.solar_share},
    }


def main(arguments: list[str]) -> int:
    """Plays one file; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    scenario = json.loads(Path(arguments[0]).read_text("utf-8"))
    if "rows" not in scenario:
        print("this file has no rows: only balances can be played so far", file=sys.stderr)
        return 2
    print(json.dumps({"balance": _rounded(balance(scenario))}, ensure_ascii=False))
    return 0


def _rounded(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _rounded(value) for name, value in part.items()}
    return round(part, 6) if isinstance(part, float) else part


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
