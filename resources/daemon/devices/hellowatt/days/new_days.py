"""Reports an equipment whose new days no longer arrive, once, with the site's own explanation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ...base import Context, Equipment, Moment, NoData
from .. import mapping

DAY_S = 86400.0


class NewDays:
    """Decides by the age of the newest day. The limit is the catalogue's silence of the equipment type.

    Reports a day before the core would, since the site's own explanation is known here; persisted.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def note(self, equipment: Equipment, says: str) -> None:
        """Records an answer for this equipment. `says`: the site's sentence on missing data, or ''."""
        state = self._state(equipment)
        self._keep(equipment, {"since": state.get("since", self._context.clock.time()), "says": says})

    def stopped(self, equipment: Equipment, newest: date | None) -> bool:
        """True if the newest day (None: there never was one) is too old."""
        catalogue = self._context.catalogue
        after: float = catalogue.data["silences"][catalogue.silence(equipment.type)]["after"]
        since = self._state(equipment).get("since")
        if newest is not None:
            since = datetime.combine(newest, datetime.min.time(), mapping.PARIS).timestamp()
        return since is not None and self._context.clock.time() - float(since) > after - DAY_S

    def tell(self, equipment: Equipment, newest: date | None) -> None:
        """Reports that the equipment is without data, or has data again; each once."""
        if not self.stopped(equipment, newest):
            self._context.report_equipment_error(equipment.id, None)
            return
        says = str(self._state(equipment).get("says") or "")
        if newest is None:
            error = NoData(_NEVER_IN_WORDS if says else _NEVER, says=says)
        else:
            error = NoData(_ENDED_IN_WORDS if says else _ENDED, day=Moment(newest), says=says)
        self._context.report_equipment_error(equipment.id, error)

    def _state(self, equipment: Equipment) -> dict[str, Any]:
        return dict(self._context.memory.get(f"newDays.{equipment.type}.{equipment.key}") or {})

    def _keep(self, equipment: Equipment, state: dict[str, Any]) -> None:
        if state != self._state(equipment):
            self._context.memory.keep(f"newDays.{equipment.type}.{equipment.key}", state)


_ENDED = (
    "Aucun jour nouveau depuis le {day}. Regardez la page mes-donnees du site helloWatt : l'accès au compteur y est "
    "peut-être à donner de nouveau (consentement expiré, autre fournisseur, autre compteur)."
)
_ENDED_IN_WORDS = (
    "Aucun jour nouveau depuis le {day}. helloWatt dit : « {says} ». Regardez la page mes-donnees du site : l'accès au "
    "compteur y est peut-être à donner de nouveau (consentement expiré, autre fournisseur, autre compteur)."
)
_NEVER = (
    "helloWatt n'a encore donné aucun jour. Regardez la page mes-donnees du site : l'accès au compteur y est peut-être "
    "à donner."
)
_NEVER_IN_WORDS = (
    "helloWatt n'a encore donné aucun jour et dit : « {says} ». Regardez la page mes-donnees du site : l'accès au "
    "compteur y est peut-être à donner."
)
