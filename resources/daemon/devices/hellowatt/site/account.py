"""Homes of the account, their energies and contracts: requested rarely and persisted."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Callable, TypeVar

from ...base import Context, DeviceError, Found, Moment, Refused
from .. import mapping
from .client import LOGGED_PATHS, Site
from .errors import STOPPING_ERRORS, LayoutChanged, Missing, NoGas, NoHome, SiteDown
from .session import Session

_LOG = logging.getLogger(__name__)

WEEK_S = 7 * 86400.0
HOMES_MAX_AGE_S = 900.0
"""Seconds for which a list of homes is reused by test, discovery and first round."""
MAX_ODD_LINES = 10
"""Highest number of log lines about odd figures of one answer."""
KEPT_ODD = 300
GLANCE_DAYS = 20
"""Days requested to see whether there is data."""
T = TypeVar("T")


class Account:
    """Homes, energies and contracts of the account."""

    def __init__(self, context: Context, site: Site, session: Session) -> None:
        self.site = site
        self.session = session
        self._context = context
        self.hide_meters()

    def today(self) -> date:
        """The date in Paris."""
        return datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS).date()

    def ask(self, question: Callable[[], T], endpoint: str) -> T:
        """Runs `question` with a session, renewed if lost. Raises LayoutChanged if a part of the answer is missing."""
        try:
            return self.session.with_session(question, endpoint)
        except mapping.Unexpected as error:
            _LOG.warning("the answer to %s has no %s", endpoint, error)
            raise LayoutChanged(str(error)) from error
        finally:
            self.session.keep()

    # Homes.

    def homes(self, age: float = HOMES_MAX_AGE_S) -> list[mapping.Home]:
        """Returns the homes, at most `age` seconds old. Raises NoHome or another DeviceError."""
        kept = self._context.memory.get("homes") or {}
        old = self._context.clock.time() - float(kept.get("at", 0.0))
        if kept.get("of") == self.session.mark and 0 <= old < age:
            return [mapping.Home(*each) for each in kept["homes"]]
        found, says = self.ask(self._list_homes, LOGGED_PATHS["homes"])
        if not found:
            text = _NO_HOME_IN_WORDS if says else _NO_HOME
            raise NoHome(text, retry=86400.0, says=says)
        rows = [[home.id, home.pdl, home.pce] for home in found]
        entry = {"of": self.session.mark, "at": self._context.clock.time(), "homes": rows}
        self._context.memory.keep("homes", entry)
        self.hide_meters()
        return found

    def _list_homes(self) -> tuple[list[mapping.Home], str]:
        answer = self.site.homes()
        return mapping.homes(answer), mapping.said(answer)[1]

    def hide_meters(self) -> None:
        """Masks meter numbers in logs."""
        for each in (self._context.memory.get("homes") or {}).get("homes", []):
            self._context.mask(*(part for part in each[1:] if part))

    # Data.

    def daily(self, energy: str, home: str, first: date, last: date, known: bool) -> mapping.Series:
        """Returns the days of one energy. `known`: the home has it; else an error 500 raises NoGas."""

        def question() -> mapping.Series:
            if energy == "gas" and not known:
                try:
                    answer = self.site.daily(energy, home, first, last, ())
                except SiteDown as error:
                    if error.values.get("status") == 500:
                        raise NoGas("Ce logement n'a pas de gaz sur helloWatt") from error
                    raise
            else:
                answer = self.site.daily(energy, home, first, last)
            return mapping.series(answer, first, last, mapping.MAX_DAY_KWH[energy])

        found = self.ask(question, LOGGED_PATHS[energy])
        self._log_odd(energy, home, found.odd)
        return found

    def _log_odd(self, energy: str, home: str, odd: Collection[str]) -> None:
        """Logs each refused or corrected figure once, however often its day is read again."""
        name = f"odd.{energy}.{home}"
        told = list(self._context.memory.get(name) or [])
        news = sorted(set(odd) - set(told))
        for each in news[:MAX_ODD_LINES]:
            _LOG.warning("%s: figure refused or corrected: %s", energy, each)
        if news:
            self._context.memory.keep(name, [*told, *news][-KEPT_ODD:])

    def glance(self, energy: str, home: str) -> mapping.Series | None:
        """Returns the last GLANCE_DAYS days; None if the home does not have that energy."""
        last = self.today() - timedelta(days=1)
        try:
            return self.daily(energy, home, last - timedelta(days=GLANCE_DAYS), last, False)
        except (NoGas, Missing):
            return None

    def newest_day(self, homes: list[mapping.Home]) -> str:
        """Returns the newest day that the site shows, as text. Raises Refused if there is none."""
        asked = [("electricity", home.id) for home in homes if home.pdl]
        asked += [("gas", home.id) for home in homes if home.pce]
        if not asked:
            raise Refused(
                "Connexion réussie, mais aucun compteur (Linky ou Gazpar) n'est rattaché à ce compte helloWatt"
            )
        for energy, home in asked[:3]:
            found = self.glance(energy, home)
            if found is not None and (found.days or found.ongoing):
                return Moment(max(found.days)) if found.days else "…"
        raise Refused(
            "Connexion réussie, mais aucune donnée n'est visible sur ce compte helloWatt : vérifiez la page "
            "mes-donnees du site"
        )

    # Discovery.

    def discover(self) -> list[Found]:
        """Returns one equipment per home and energy, also if one home fails."""
        found = []
        for home in self.homes():
            self.contracts(home.id)
            if home.pdl:
                found.append(self._found("electricity", home, home.pdl))
            if home.pce or self._has_gas(home):
                found.append(self._found("gas", home, home.pce))
            if not home.pdl and not home.pce:
                _LOG.warning("a home of the account has no meter of electricity")
        return found

    def _found(self, energy: str, home: mapping.Home, meter: str) -> Found:
        translate = self._context.translate
        name = translate("Électricité") if energy == "electricity" else translate("Gaz")
        end = f"…{meter[-3:]}" if len(meter) > 3 else translate("logement …{end}", end=home.id[-3:])
        return Found(energy, home.id, f"{name} {end}")

    def _has_gas(self, home: mapping.Home) -> bool:
        if self.contract(home.id, "gas"):
            return True
        kept = self._context.memory.get(f"noGas.{home.id}", 0.0)
        if 0 <= self._context.clock.time() - float(kept) < WEEK_S:
            return False
        try:
            seen = self.glance("gas", home.id)
        except STOPPING_ERRORS:
            raise
        except DeviceError as error:
            _LOG.info("whether there is gas is not known yet: %s", error)
            return False
        if seen is not None and seen.days:
            return True
        self._context.memory.keep(f"noGas.{home.id}", self._context.clock.time())
        return False

    # Contracts.

    def contracts(self, home: str, age: float = WEEK_S) -> None:
        """Updates the contracts of a home if older than `age` seconds."""
        key = f"contracts.{home}"
        kept = self._context.memory.get(key) or {}
        if 0 <= self._context.clock.time() - float(kept.get("at", 0.0)) < age:
            return
        rows = kept.get("rows")
        try:
            answer = self.ask(lambda: self.site.contracts(home), LOGGED_PATHS["contracts"])
            told = {energy: mapping.contract(answer, energy) for energy in ("electricity", "gas")}
            rows = [{**each, "of": energy} for energy, each in told.items() if each]
        except STOPPING_ERRORS:
            raise
        except DeviceError as error:
            _LOG.info("the contracts are not known: %s", error)
        self._context.memory.keep(key, {"at": self._context.clock.time(), "rows": rows})

    def contract(self, home: str, energy: str) -> dict[str, Any]:
        """Returns a persisted contract; sends no request."""
        rows = (self._context.memory.get(f"contracts.{home}") or {}).get("rows") or []
        return next((each for each in rows if each.get("of") == energy), {})


_NO_HOME = "Aucun logement sur ce compte helloWatt : complétez-le sur le site"
_NO_HOME_IN_WORDS = (
    "helloWatt ne montre aucun logement de ce compte et dit : « {says} ». Regardez la page mes-donnees du site."
)
