"""A goal that cannot be met in time: one message says what is missing, by when and what helps, one when it is over.

Pure. What the user knows is kept in the state of the charge point, so that a restart neither repeats nor forgets it.
Energies in kWh, moments in Unix time, `monotonic` in seconds of a clock that never steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo

from ..ports import Sentence
from ..sharing.words import clock_time, figure
from ..surplus import Lasting
from .settings import PointState

SURE_AFTER_S = 120.0
"""A risk, or its end, that has not lasted for so long is not worth a message."""
NEGLIGIBLE_KWH = 0.1
MISSED_WITHIN_S = 600.0
"""No message says that a goal was missed whose hour has passed for longer than so while nobody looked."""
ABSENT, UNREACHABLE, REFUSED, TAKEN, NO_DEMAND, LIMITED, CONSENT, TIME = (
    "absent", "unreachable", "refused", "takenOver", "noDemand", "limited", "consent", "time",
)  # fmt: skip
ADVICE = {
    ABSENT: Sentence("Branchez la voiture."),
    UNREACHABLE: Sentence("La borne est injoignable : vérifiez sa connexion."),
    REFUSED: Sentence("La borne n'obéit pas : vérifiez son état sur la page du plugin."),
    TAKEN: Sentence("La borne est reprise en main : cliquez sur Rendre la main."),
    NO_DEMAND: Sentence("La voiture ne demande rien : vérifiez sa programmation et sa limite de charge."),
    LIMITED: Sentence("La puissance de la maison ne suffit pas : arrêtez d'autres appareils, ou choisissez plus tard."),
    CONSENT: Sentence("Permettez les heures de pointe dans les réglages de la borne, ou choisissez plus tard."),
    TIME: Sentence("Choisissez une heure plus tardive, ou moins d'énergie."),
}


@dataclass(frozen=True)
class Wanted:
    """The goal: kWh in all, or % of the car's battery, by a moment. `charged`: kWh or % so far."""

    kwh: float
    percent: float
    by: float
    charged: float


@dataclass
class Risk:
    """Of one charge point. `notices`: (level, sentence), to be sent."""

    state: PointState
    notices: list[tuple[str, Sentence]] = field(default_factory=list)
    _there: Lasting = field(default_factory=Lasting)
    _gone: Lasting = field(default_factory=Lasting)

    def look(
        self, wanted: Wanted, missing: float, cause: str, done: bool, monotonic: float, name: str, zone: tzinfo
    ) -> None:
        """Takes what will be missing, and why; `done`: the goal is met."""
        there = not done and missing > NEGLIGIBLE_KWH
        lasted, over = self._there.update(monotonic, there), self._gone.update(monotonic, not there)
        state, hour = self.state, clock_time(wanted.by, zone)
        if state.risk == ABSENT and cause != ABSENT and there:
            state.risk = cause  # the car has come, too late: it will be said that the goal was missed
        if not state.risk and there and lasted >= SURE_AFTER_S:
            state.risk = cause
            values = {"name": name, "missing": figure(missing), "hour": hour, "advice": ADVICE[cause]}
            self._notify(
                "warning",
                wanted,
                "L'objectif de « {name} » est à risque : il manquera {missing} kWh sur {kwh} kWh à {hour}. {advice}",
                "L'objectif de « {name} » est à risque : il manquera {missing} kWh pour {percent} % à {hour}. {advice}",
                **values,
            )
        elif state.risk and done:
            self.forget()
            self._notify(
                "info",
                wanted,
                "L'objectif de « {name} » est atteint : {kwh} kWh avant {hour}",
                "L'objectif de « {name} » est atteint : {percent} % avant {hour}",
                name=name,
                hour=hour,
            )
        elif state.risk and not there and over >= SURE_AFTER_S and cause != ABSENT:
            self.forget()
            self._notify(
                "info",
                wanted,
                "L'objectif de « {name} » peut de nouveau être atteint : {kwh} kWh à {hour}",
                "L'objectif de « {name} » peut de nouveau être atteint : {percent} % à {hour}",
                name=name,
                hour=hour,
            )

    def passed(self, wanted: Wanted, now: float, done: bool, name: str, zone: tzinfo) -> None:
        """The hour of the goal is over. A car that stays away is worth one message, whatever hours pass."""
        if self.state.risk in ("", ABSENT):
            return
        self.forget()
        if not done and 0 <= now - wanted.by <= MISSED_WITHIN_S:
            values = {"name": name, "hour": clock_time(wanted.by, zone), "charged": figure(wanted.charged)}
            self._notify(
                "warning",
                wanted,
                "L'objectif de « {name} » n'a pas été atteint à {hour} : {charged} kWh sur {kwh} kWh",
                "L'objectif de « {name} » n'a pas été atteint à {hour} : {charged} % sur {percent} %",
                **values,
            )

    def forget(self) -> None:
        """Nothing is at risk: the goal is another one, or nobody wants it now."""
        self.state.risk = ""
        self._there.clear()
        self._gone.clear()

    def _notify(self, level: str, wanted: Wanted, begins: str, share: str, **values: object) -> None:
        if wanted.percent > 0:
            self.notices.append((level, Sentence(share, percent=figure(wanted.percent), **values)))
        else:
            self.notices.append((level, Sentence(begins, kwh=figure(wanted.kwh), **values)))
