"""The self-consumption stages of a connection: the surplus each one uses, and the load it switches.

A stage decides; the state of its load is a level, which the core requests from Jeedom until it is proved.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Connection, Context, Equipment
from .values.surplus import Stage, StageSettings, off_after

_LOG = logging.getLogger(__name__)

ON, OFF = "onCommand", "offCommand"
"""The settings that hold the commands."""
MIN_LIFETIME_S = 15.0
"""Shortest validity of an "on" command in seconds, however short the period of the readings."""
MAX_LIFETIME_S = 300.0
PERIODS_TO_STALE = 3
"""Periods without a reading after which data counts as stale."""
START_GRACE_S = 60.0
"""Seconds after a start during which old data is accepted: the first reading is under way."""
WATCH_PERIOD_S = 10.0
PERSIST_PERIOD_S = 60.0
"""Period of persisting the time of the newest data while a load is on, in seconds."""


@dataclass
class _Load:
    equipment: Equipment
    settings: StageSettings | None
    stage: Stage
    data_at: float
    """Monotonic time of the newest data."""


class SurplusSwitch:
    """Steps every stage with fresh powers, switches off without them, and publishes the proved state."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("stages")
        self._kept: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
        self._kept_at = self._started = context.clock.monotonic()
        self._loads: dict[str, _Load] = {}
        self._told: set[str] = set()

    def adopt(self, connection: Connection) -> None:
        """Sets the stages that Jeedom has.

        One that was disabled or removed starts again switched off: no command runs while it is away, and its load is
        switched off when it returns.
        """
        loads = {}
        for equipment in connection.of_type("stage"):
            settings = StageSettings.parse(equipment.config)
            known = self._loads.get(equipment.id)
            stage = known.stage if known else Stage.restore(self._kept.get(equipment.id))
            load = _Load(equipment, settings, stage, known.data_at if known else self._restored(stage))
            loads[equipment.id] = load
            if settings is not None:
                self._told.discard(equipment.id)
            elif equipment.id not in self._told:
                self._told.add(equipment.id)
                self._context.message("warning", _WRONG, name=equipment.name or equipment.key)
            self._reconcile(load)
        gone = set(self._kept) - set(loads)
        self._loads = loads
        if gone:
            self._persist()

    def step(self, facts: Mapping[str, Any], period: float) -> None:
        """Steps all stages with fresh facts; the caller excludes data older than three periods."""
        clock = self._context.clock
        max_gap_s = PERIODS_TO_STALE * period
        for load in self._loads.values():
            net = None if load.settings is None else facts.get(f"net{load.settings.phase}.power")
            if load.settings is None or net is None:
                continue
            load.data_at = clock.monotonic()
            surplus = 0.0 - float(net)
            if load.stage.step(load.settings, surplus, clock.time(), max_gap_s):
                _LOG.info("%s: %s at a surplus of %.0f W", load.equipment.name, _word(load.stage.on), surplus)
                self._switch(load, round(surplus), max_gap_s)
            self._context.publish(load.equipment.id, {**self._state(load), "surplus": surplus})
        on = any(load.stage.on for load in self._loads.values())
        if on and clock.monotonic() - self._kept_at >= PERSIST_PERIOD_S:
            self._persist()

    def watch(self, period: float) -> None:
        """Switches off loads that have been on without data for too long; must run even if the gateway is silent."""
        now = self._context.clock.monotonic()
        if now - self._started < START_GRACE_S:
            return
        for load in self._loads.values():
            silence = now - load.data_at
            limit = max(off_after(load.equipment.config), PERIODS_TO_STALE * period)
            if load.stage.on and silence > limit:
                load.stage.give_up(self._context.clock.time())
                _LOG.warning("%s: off, without data for %.0f min", load.equipment.name, silence / 60)
                self._switch(load, None, 0.0)
                self._context.publish(load.equipment.id, self._state(load))

    def switched(self, equipment: str) -> None:
        """Publishes a stage after Jeedom has run its command."""
        load = self._loads.get(equipment)
        if load is not None:
            self._context.publish(equipment, self._state(load))

    def _reconcile(self, load: _Load) -> None:
        """Aligns the level with the stage, after the stage was disabled or a crash came between the two writes."""
        identifier, stage = load.equipment.id, load.stage
        wanted = self._context.level(identifier).wanted
        if wanted != (ON if stage.on else OFF) and (wanted or stage.on):
            self._ask(load, None, 0.0)
        if load.settings is not None or wanted:
            self._context.publish(identifier, self._state(load))

    def _switch(self, load: _Load, surplus: int | None, lifetime_s: float) -> None:
        # Persisted first: a command that runs twice after a crash does no harm, a forgotten one may.
        self._persist()
        self._ask(load, surplus, lifetime_s)

    def _ask(self, load: _Load, surplus: int | None, lifetime_s: float) -> None:
        if load.stage.on:
            lifetime = min(max(MIN_LIFETIME_S, lifetime_s), MAX_LIFETIME_S)
            self._context.want(load.equipment.id, ON, surplus, lifetime)
        else:
            self._context.want(load.equipment.id, OFF, surplus)

    def _state(self, load: _Load) -> dict[str, Any]:
        """Facts of a stage: the proved state, and a word for what is pending."""
        level = self._context.level(load.equipment.id)
        word = _word(level.wanted == ON) if level.wanted else "never"
        if level.pending:
            word += " wanted"
        elif load.stage.starved and not load.stage.on:
            word += " without data"
        return {"on": level.proved == ON, "command": word}

    def _restored(self, stage: Stage) -> float:
        clock = self._context.clock
        # A clock that was stepped back must not change ages.
        return clock.monotonic() - (max(0.0, clock.time() - stage.seen) if stage.seen else 0.0)

    def _persist(self) -> None:
        self._kept_at = self._context.clock.monotonic()
        self._kept = {identifier: load.stage.state() for identifier, load in self._loads.items()}
        self._context.memory.keep("stages", self._kept)


def _word(on: bool) -> str:
    return "on" if on else "off"


_WRONG = (
    "Autoconsommation « {name} » : le surplus de déclenchement doit être plus grand que celui d'arrêt, rien ne sera "
    "déclenché tant que ce n'est pas corrigé"
)
