"""The self-consumption stages of a connection: which surplus each looks at, and what its switching does.

A stage decides; that its load is then on or off is a level, which the core asks Jeedom for until it is proved.
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
"""Jeedom has this long at least to run a command for "on", however short the period of the readings."""
MAX_LIFETIME_S = 300.0
PERIODS_TO_STALE = 3
"""So many periods without a reading are needed before data counts as missing."""
START_GRACE_S = 60.0
"""After a start, however old the data is: the first reading is under way."""
WATCH_PERIOD_S = 10.0
PERSIST_PERIOD_S = 60.0
"""Seconds between two writings of when the newest data came, while something is on."""


@dataclass
class _Load:
    equipment: Equipment
    settings: StageSettings | None
    stage: Stage
    data_at: float
    """Monotonic time of the newest data."""


class SurplusSwitch:
    """Steps every stage with each set of fresh powers, switches off without them, and publishes what is so."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("stages")
        self._kept: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
        self._kept_at = self._started = context.clock.monotonic()
        self._loads: dict[str, _Load] = {}
        self._told: set[str] = set()

    def adopt(self, connection: Connection) -> None:
        """Takes the stages that Jeedom has.

        One that was disabled or removed begins anew, switched off: nothing is run while it is away, and its load is
        switched off when it comes back.
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
            self._keep()

    def step(self, facts: Mapping[str, Any], period: float) -> None:
        """Takes fresh facts; data older than three periods must not come here."""
        clock = self._context.clock
        patience = PERIODS_TO_STALE * period
        for load in self._loads.values():
            net = None if load.settings is None else facts.get(f"net{load.settings.phase}.power")
            if load.settings is None or net is None:
                continue
            load.data_at = clock.monotonic()
            surplus = 0.0 - float(net)
            if load.stage.step(load.settings, surplus, clock.time(), patience):
                _LOG.info("%s: %s at a surplus of %.0f W", load.equipment.name, _word(load.stage.on), surplus)
                self._switch(load, round(surplus), patience)
            self._context.publish(load.equipment.id, {**self._state(load), "surplus": surplus})
        on = any(load.stage.on for load in self._loads.values())
        if on and clock.monotonic() - self._kept_at >= PERSIST_PERIOD_S:
            self._keep()

    def watch(self, period: float) -> None:
        """Switches off what has been on without data for too long; to be called whatever the gateway does."""
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
        """Jeedom has run the command of a stage."""
        load = self._loads.get(equipment)
        if load is not None:
            self._context.publish(equipment, self._state(load))

    def _reconcile(self, load: _Load) -> None:
        """Makes the level what the stage says: it was on when it was disabled, or a crash came between the two."""
        identifier, stage = load.equipment.id, load.stage
        wanted = self._context.level(identifier).wanted
        if wanted != (ON if stage.on else OFF) and (wanted or stage.on):
            self._ask(load, None, 0.0)
        if load.settings is not None or wanted:
            self._context.publish(identifier, self._state(load))

    def _switch(self, load: _Load, surplus: int | None, patience: float) -> None:
        # Kept first: a command that runs twice after a crash does no harm, one that is forgotten may.
        self._keep()
        self._ask(load, surplus, patience)

    def _ask(self, load: _Load, surplus: int | None, patience: float) -> None:
        if load.stage.on:
            lifetime = min(max(MIN_LIFETIME_S, patience), MAX_LIFETIME_S)
            self._context.want(load.equipment.id, ON, surplus, lifetime)
        else:
            self._context.want(load.equipment.id, OFF, surplus)

    def _state(self, load: _Load) -> dict[str, Any]:
        """What is proved, and in words what is under way."""
        level = self._context.level(load.equipment.id)
        word = _word(level.wanted == ON) if level.wanted else "never"
        if level.pending:
            word += " wanted"
        elif load.stage.starved and not load.stage.on:
            word += " without data"
        return {"on": level.proved == ON, "command": word}

    def _restored(self, stage: Stage) -> float:
        clock = self._context.clock
        # A clock that was stepped back makes nothing older or younger than a start does.
        return clock.monotonic() - (max(0.0, clock.time() - stage.seen) if stage.seen else 0.0)

    def _keep(self) -> None:
        self._kept_at = self._context.clock.monotonic()
        self._kept = {identifier: load.stage.state() for identifier, load in self._loads.items()}
        self._context.memory.keep("stages", self._kept)


def _word(on: bool) -> str:
    return "on" if on else "off"


_WRONG = (
    "Autoconsommation « {name} » : le surplus de déclenchement doit être plus grand que celui d'arrêt, rien ne sera "
    "déclenché tant que ce n'est pas corrigé"
)
