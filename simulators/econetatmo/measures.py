"""`getmeasure`: the grid counted from the requested begin, labels, columns, both shapes of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from simulators.econetatmo.model import Ecometer, Meter, Model, midnight, noon

STEPS = {"30min": 1800, "1hour": 3600, "3hours": 10800, "1day": 86400}
SUFFIXES = ("", "$0", "$1", "$2")
ELECTRIC = tuple(f"sum_energy_elec{s}" for s in SUFFIXES) + tuple(f"sum_energy_price{s}" for s in SUFFIXES)
METER = tuple(f"sum_energy_buy_from_grid{s}" for s in SUFFIXES)
METER += tuple(f"sum_energy_buy_from_grid_price{s}" for s in SUFFIXES)
FLUID = {"fluid": ("sum_fluid_consumption$0", "sum_fluid_price$0"), "energy": ("sum_energy_elec", "sum_energy_price")}
MAX_SLOTS = 1024
Rows = list[tuple[int, list[Optional[float]]]]


class ApiError(Exception):
    """An error of the data API: `code`, HTTP `status`, `message`."""

    def __init__(self, code: int, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def answer(model: Model, form: Mapping[str, str], now: float) -> Any:
    """The body of a `getmeasure`. Raises ApiError."""
    for name in ("device_id", "type", "scale"):
        if not form.get(name):
            raise ApiError(10, 400, f"Missing {name}")
    rows = slots(model, form, now)
    if form.get("optimize", "true") in ("false", "0"):
        return {str(label): values for label, values in rows} if rows else []
    return series(rows, STEPS[form["scale"]])


def slots(model: Model, form: Mapping[str, str], now: float, trusted: bool = False) -> Rows:
    """The slots asked for, oldest first: (label, one value per type). `trusted`: of any type."""
    module = form.get("module_id", "")
    found = model.find(module)
    if found is None or found[1].device != form["device_id"]:
        raise ApiError(9, 404, "Device not found")
    home, ecometer, index = found
    types, scale = form["type"].split(","), form["scale"]
    if scale not in STEPS:
        raise ApiError(21, 400, "Invalid scale")
    known = types_of(ecometer) if index < 6 else FLUID.get(ecometer.fluids, ())
    if any(each not in known or ("price" in each and not ecometer.prices and not trusted) for each in types):
        raise ApiError(21, 400, "Invalid type")
    places = [_place(index, each) for each in types]
    try:
        begin = int(form.get("date_begin") or midnight(now, home.timezone))
        last = now if form.get("date_end", "last") == "last" else float(form["date_end"])
        limit = min(MAX_SLOTS, int(form.get("limit") or MAX_SLOTS))
    except ValueError:
        raise ApiError(25, 400, "Invalid date") from None
    begin = max(begin, int(now) - 4000 * 86400)
    rows: Rows = []
    upload = model.last_upload(ecometer, now)
    floor = (ecometer.setup or 0) - 86400
    start, number = _start(begin, scale, home.timezone, 0), 0
    while start <= last and start < upload and len(rows) < limit:
        number += 1
        after = _start(begin, scale, home.timezone, number)
        if after > floor:
            sums = model.slot(module, start, after, now)
            if sums is not None:
                label = start if form.get("real_time") == "true" else _label(start, scale, home.timezone)
                rows.append((label, [sums[place] for place in places]))
        start = after
    return rows


def types_of(ecometer: Ecometer) -> tuple[str, ...]:
    """The types of an electric line, or of a meter: energy by tariff, then its price."""
    return METER if isinstance(ecometer, Meter) else ELECTRIC


def _place(index: int, name: str) -> int:
    if index < 6:
        return (METER if name in METER else ELECTRIC).index(name)
    return 5 if "price" in name else 1


def _start(begin: int, scale: str, zone: str, number: int) -> int:
    return midnight(begin, zone, number) if scale == "1day" else begin + number * STEPS[scale]


def _label(start: int, scale: str, zone: str) -> int:
    return noon(start, zone) if scale == "1day" else start + STEPS[scale] // 2


def series(rows: Rows, step: int) -> list[dict[str, Any]]:
    """The optimized shape: a series per run of equal distances, without `step_time` for a single value."""
    result: list[dict[str, Any]] = []
    end = None
    for label, values in rows:
        if end is None or label != end + step:
            result.append({"beg_time": label, "step_time": step, "value": []})
        result[-1]["value"].append(values)
        end = label
    for each in result:
        if len(each["value"]) == 1:
            del each["step_time"]
    return result
