"""The self-consumption stages of a connection: which surplus each looks at, and what its switching does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..base import Connection, Context, Equipment
from .stages import Stage, StageSettings

_LOG = logging.getLogger(__name__)

LATEST = 15.0
"""Seconds in which Jeedom must run the command at least, however short the period of the readings."""
LATEST_OF_ALL = 300.0


class SelfConsumption:
    """Steps every stage with each set of fresh powers, and publishes its state."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("stages")
        self._kept: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
        self._stages: dict[str, tuple[Equipment, StageSettings | None, Stage]] = {}
        self._told: set[str] = set()

    def adopt(self, connection: Connection) -> None:
        """Takes the stages that Jeedom has; one that was disabled or removed begins anew, switched off."""
        stages = {}
        for equipment in connection.of_type("stage"):
            settings = StageSettings.parse(equipment.config)
            known = self._stages.get(equipment.id)
            stage = known[2] if known else Stage.restore(self._kept.get(equipment.id))
            stages[equipment.id] = (equipment, settings, stage)
            if settings is not None:
                self._told.discard(equipment.id)
            elif equipment.id not in self._told:
                self._told.add(equipment.id)
                self._context.message("warning", _WRONG, name=equipment.name or equipment.key)
        gone = set(self._kept) - set(stages)
        self._stages = stages
        if gone:
            self._keep()

    def step(self, facts: Mapping[str, Any], period: float) -> None:
        """Takes fresh facts; data older than three periods must not come here."""
        now = self._context.clock.time()
        patience = 3 * period
        for equipment, settings, stage in self._stages.values():
            net = None if settings is None else facts.get(f"net{settings.phase}.power")
            if settings is None or net is None:
                continue
            surplus = 0.0 - float(net)
            if stage.step(settings, surplus, now, patience):
                self._switched(equipment, stage, surplus, patience)
            self._context.publish(equipment.id, {"on": stage.on, "surplus": surplus})

    def _switched(self, equipment: Equipment, stage: Stage, surplus: float, patience: float) -> None:
        # Kept first: after a crash in between, a command that ran twice does no harm, one that is forgotten may.
        self._keep()
        name = "onCommand" if stage.on else "offCommand"
        _LOG.info("%s: switched %s at a surplus of %.0f W", equipment.name, "on" if stage.on else "off", surplus)
        self._context.trigger(equipment.id, name, round(surplus), min(max(LATEST, patience), LATEST_OF_ALL))

    def _keep(self) -> None:
        self._kept = {identifier: stage.state() for identifier, (_, _, stage) in self._stages.items()}
        self._context.memory.keep("stages", self._kept)


_WRONG = (
    "Autoconsommation « {name} » : le surplus de déclenchement doit être plus grand que celui d'arrêt, rien ne sera "
    "déclenché avant"
)
