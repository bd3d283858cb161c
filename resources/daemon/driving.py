"""Joins the house's pilot, which knows no wire, to its connection: actions in and out, equipment found, journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Callable
from zoneinfo import ZoneInfo

from jeedom_bridge.contract import finite
from jeedom_bridge.store.errors import StoreError
from jeedom_bridge.worker import Job

from .actions import Action, Actions, Order
from .devices.base import Connection, Context, Device, Equipment, Found, Refused
from .energy.balance import Charge
from .energy.control.outlook import World, outlook
from .energy.control.pilot import Given, Pilot
from .energy.control.settings import EVERY_DAY, FREE, HouseLimits, LoadConfig, PointSettings, time_of_day
from .energy.control.tariffs import Ahead
from .energy.device import House
from .energy.money.costs import Costs
from .energy.ports import Attempt, Kept, Publishes, Reading, Sentence, Value

POINT, LOAD = "chargePoint", "load"
CAR_LEVEL = "carLevel"
"""The setting of a charge point that names a command with its car's charge state."""
MODE_BUTTONS = {
    "modeOff": "off",
    "modeSolar": "solar",
    "modeSolarMin": "solarMin",
    "modeEconomic": "economic",
    "modeNow": "now",
    "modeFree": FREE,
}
STEP_SOON_S = 0.05
NEWEST = 20
"""Decisions that the page of a charge point shows without being asked for all of them."""
COMMAND_LIFETIME_S = 3600.0
"""An order to start that reaches Jeedom later than so is not carried out; one to stop is, however late."""


class _Attempt:
    """An action as the pilot sees it."""

    def __init__(self, action: Action, wake: Callable[[], None]) -> None:
        self._action = action
        action.when_over(lambda _outcome: wake())

    @property
    def over(self) -> bool:
        return self._action.over

    @property
    def done(self) -> bool:
        return self._action.outcome().done

    @property
    def failure(self) -> str:
        return self._action.outcome().message

    @property
    def retry_s(self) -> float | None:
        return self._action.outcome().retry_s


class Driving:
    """The pilot of a house that runs. Only in the thread of its connection, but for `wake`.

    `want(load, state, lifetime)` has Jeedom run a command that a load's settings choose; `wake` calls for a step soon.
    """

    def __init__(
        self,
        house: House,
        actions: Callable[[], Actions | None],
        kept: Kept,
        told: Publishes,
        zone: tzinfo,
        publish: Callable[[str, Mapping[str, Value | None], float], None],
        want: Callable[[str, str, float | None], None],
        wake: Callable[[], None],
    ) -> None:
        self._house = house
        self._costs = Costs(house.charge_between)
        self._actions = actions
        self._told = told
        self._zone = zone
        self._want = want
        self._wake = wake
        self.pilot = Pilot(kept, self, told, Ahead(house.contract), zone, publish)

    # The way out, as the pilot asks for it.

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Attempt:
        """See Acts."""
        actions = self._actions()
        if actions is None:
            raise RuntimeError("the daemon's actions are not there yet")
        return _Attempt(actions.begin(Order.by_capability(equipment, capability, value)), self._wake)

    def want(self, load: str, state: str) -> None:
        """See Acts."""
        self._want(load, state, COMMAND_LIFETIME_S if state == "onCommand" else None)

    def hurry(self, equipment: str, period_s: float) -> None:
        """See Acts."""
        actions = self._actions()
        if actions is not None:
            self._house.paces.hurry(equipment)
            actions.hurry(equipment, period_s)

    # What Jeedom has.

    def adopt(self, equipment: tuple[Equipment, ...], config: Mapping[str, Any]) -> None:
        """Takes the charge points, the loads and the settings of the house."""
        limits = HouseLimits(
            finite(config.get("fuse")) or None,
            config.get("batteryOrder") != "car",
            str(config.get("sharing") or "order"),
            str(config.get("shedding") or "order"),
        )
        points = [point_of(each) for each in equipment if each.type == POINT]
        loads = [load_of(each) for each in equipment if each.type == LOAD]
        self.pilot.adopt(points, loads, limits)

    def step(
        self,
        readings: list[Reading],
        gaps: Mapping[str, float],
        levels: Mapping[str, tuple[float, float]],
        passed: Mapping[str, Sequence[tuple[int, float]]],
        now: float,
        monotonic: float,
    ) -> None:
        """A sample. `gaps`, `levels`, `passed`: see Given."""
        contract = self._house.contract
        kva = contract.wishes.kva or contract.subscribed_kva
        given = Given(self._house.roles, 1000 * kva if kva else None, self._charge, gaps, levels, passed)
        self.pilot.step(readings, given, now, monotonic)

    def _charge(self, charger: str, now: float) -> Charge | None:
        try:
            return self._house.charge_cost(charger, now)
        except StoreError:
            return None

    # What the user does.

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any], now: float, monotonic: float) -> bool:
        """Carries out an action of a charge point or a load. Raises Refused."""
        pilot, done = self.pilot, False
        if command == "setMode":
            mode = str(options.get("select", ""))
            done = pilot.choose(equipment.id, mode, now, monotonic)
        elif command in MODE_BUTTONS:
            done = pilot.choose(equipment.id, MODE_BUTTONS[command], now, monotonic)
        elif command == "release":
            done = pilot.release(equipment.id)
        elif command == "setGoalEnergy":
            kwh = finite(options.get("slider"))
            done = kwh is not None and pilot.goal(equipment.id, kwh=kwh)
        elif command == "setGoalLevel":
            percent = finite(options.get("slider"))
            done = percent is not None and pilot.goal(equipment.id, percent=percent)
        elif command == "setGoalTime":
            done = pilot.goal(equipment.id, hour=str(options.get("message") or options.get("title") or ""))
        if not done:
            given = next((str(value) for value in options.values()), "")[:64]
            raise Refused("Valeur incorrecte : {value}", value=given)
        self._wake()
        return True

    def outlook(self, equipment: str, now: float, monotonic: float) -> dict[str, Any]:
        """What the page of a charge point shows. Raises Refused if there is none, and StoreError."""
        point, house = self.pilot.points.get(equipment), self._house
        if point is None:
            raise Refused("Cette borne n'est pas pilotée : relancez la recherche sur la page de la maison.")
        charger, sessions = point.settings.charger, house.sessions
        world = World(
            house.live,
            house.ledger.book,
            house.contract,
            self._zone,
            sessions.last(charger),
            sessions.begun(charger) is not None,
            lambda begin, end: self._costs.between(charger, begin, end, now),
        )
        found = outlook(point, world, now, monotonic)
        found["now"]["why"] = self._text(point.why(self._zone))
        advice = point.goal.advice
        found["goal"]["advice"] = None if advice is None else self._text(advice)
        return found

    def _text(self, said: str) -> str:
        """A sentence in the user's language."""
        return self._told.translate(said.template, **said.values) if isinstance(said, Sentence) else said

    def journal(self, since: float, limit: int, equipment: str = "") -> list[dict[str, Any]]:
        """The newest decisions, in the user's language; of one equipment, or of all of them."""
        found = []
        for each in self.pilot.journal.entries(since, limit, equipment):
            values = each.get("values")
            try:
                why = self._told.translate(each["why"], **values) if isinstance(values, dict) else each["why"]
            except (LookupError, ValueError, AttributeError):  # what was kept is spoilt: as it stands
                why = each["why"]
            found.append({**{name: value for name, value in each.items() if name != "values"}, "why": why})
        return found

    def stop(self, now: float, monotonic: float) -> None:
        """Keeps what is to be kept; nothing is switched."""
        self.pilot.stop(now, monotonic)


class DrivingDevice(Device):
    """What the house's device does for charge points and loads."""

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        self.driving: Driving | None = None
        self._job: Job | None = None

    def drive(self, house: House, told: Publishes, actions: Callable[[], Actions | None]) -> None:
        """Begins; nothing is driven before the first step."""
        context = self.context
        self.driving = Driving(
            house,
            actions,
            context.memory,
            told,
            ZoneInfo(context.timezone),
            context.publish,
            lambda load, state, lifetime: context.want(load, state, lifetime=lifetime),
            lambda: self._job.run_in(STEP_SOON_S) if self._job is not None else None,
        )

    def adopt_driven(self) -> None:
        """Takes what Jeedom has now."""
        if self.driving is not None:
            self.driving.adopt(self.connection.equipment, self.connection.config)

    def step_driven(
        self,
        readings: Iterable[Reading],
        gaps: Mapping[str, float],
        levels: Mapping[str, tuple[float, float]],
        passed: Mapping[str, Sequence[tuple[int, float]]],
    ) -> None:
        """A sample. `gaps`, `levels`, `passed`: see Given."""
        if self.driving is not None:
            clock = self.context.clock
            self.driving.step(list(readings), gaps, levels, passed, clock.time(), clock.monotonic())

    def stop_driving(self) -> None:
        """Keeps what is to be kept; nothing is switched."""
        driving, self.driving = self.driving, None
        if driving is not None:
            driving.stop(self.context.clock.time(), self.context.clock.monotonic())

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> bool:
        if self.driving is None:
            raise Refused("La maison n'est pas active.")
        clock = self.context.clock
        return self.driving.act(equipment, command, options, clock.time(), clock.monotonic())

    def outlook(self, equipment: str) -> dict[str, Any]:
        """For the socket's `outlook`: a charge point with its newest decisions. In this connection's own thread."""
        if self.driving is None:
            raise Refused("La maison n'est pas active.")
        clock = self.context.clock
        found = self.driving.outlook(equipment, clock.time(), clock.monotonic())
        return {**found, "journal": self.journal("", NEWEST, equipment)}

    def journal(self, since: str, limit: int, equipment: str = "") -> list[dict[str, Any]]:
        """For the socket's `journal`: entries after `since` (ISO 8601, "" for all). In this connection's own thread.

        `equipment`: of one, "" for all.
        """
        if self.driving is None:
            return []
        zone = ZoneInfo(self.context.timezone)
        try:
            begin = datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp() if since else 0.0
        except ValueError:
            begin = 0.0
        entries = self.driving.journal(begin, limit, equipment)
        return [{**each, "at": datetime.fromtimestamp(each["at"], zone).isoformat()} for each in entries]


def drivable(
    actions: Actions | None, equipment: Iterable[str], name_of: Callable[[str], str], translate: Callable[..., str]
) -> list[Found]:
    """The chargers and relays that the house can drive; relays are not taken without being chosen."""
    result = []
    for each in sorted(equipment):
        able = actions.capabilities(each) if actions is not None else {}
        name = translate("Pilotage {name}", name=name_of(each))
        if "charger.current" in able:
            result.append(Found(POINT, each, name))
        if {"load.on", "load.off"} <= set(able):
            result.append(Found(LOAD, each, name, active=False))
    return result


def point_of(each: Equipment) -> PointSettings:
    """What the user has set of a charge point."""
    config = each.config
    days = config.get("goalDays")
    chosen = tuple(int(day) for day in days if str(day).isdigit()) if isinstance(days, (list, tuple)) else EVERY_DAY
    phases, most = str(config.get("phases") or ""), finite(config.get("maxCurrent"))
    share = finite(config.get("mostGrid"))
    capacity = finite(config.get("carCapacity")) if config.get(CAR_LEVEL) else None
    return PointSettings(
        each.id,
        each.key,
        each.name,
        _number(config, "rank", 1),
        int(phases) if phases in ("1", "3") else 0,
        int(_number(config, "onPhase", 1)),
        int(most) if most else None,
        chosen,
        config.get("redPeak") is True,
        str(config.get("circuit") or "").strip().casefold(),
        finite(config.get("circuitCurrent")),
        None if share is None else share / 100,
        config.get("guard") is True,
        capacity or 0.0,
        config.get("phaseSwitching") is True,
    )


def load_of(each: Equipment) -> LoadConfig:
    """What the user has set of a load."""
    config = each.config
    return LoadConfig(
        each.id,
        "" if config.get("onCommand") or config.get("offCommand") else each.key,
        each.name,
        _number(config, "power", 2000),
        _number(config, "rank", 50),
        str(config.get("start") or "economic"),
        60 * _number(config, "leastOn", 15),
        60 * _number(config, "leastOff", 10),
        60 * _number(config, "leastPerDay", 0),
        60 * _number(config, "mostPerDay", 1440),
        time_of_day(str(config.get("by") or "")) or (6, 0),
        config.get("critical") is True,
        finite(config.get("startAbove")),
        finite(config.get("stopBelow")),
    )


def _number(config: Mapping[str, Any], key: str, default: float) -> float:
    number = finite(config.get(key))
    return default if number is None else number
