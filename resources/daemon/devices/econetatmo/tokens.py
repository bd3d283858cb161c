"""The token pair: every renewal voids both former tokens, so the new pair is durable before it is used.

A pair belongs to the token that the user pasted (its hash names it): a newly pasted one begins a new line of
pairs and so wins over the stored one, and pasting the same one again goes on with its newest successor.

A data call does not show the client secret, only a renewal does: with another secret than the one that won the pair
it is renewed at once, so that a mistyped secret is refused by the test of the form and not three hours later.

It does not derive from `common/tokens.py`, whose question is how seldom a login may happen: here there is none. Only
the user can begin a line of pairs; a renewal whose answer was lost may have voided both tokens, and a marker that is
durable before the request says so after a kill; the access token is used to its end while renewals fail. The book of
refusals is the common one.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from jeedom_bridge.store import StoreError
from jeedom_bridge.worker import Backoff

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, Unreachable, VendorError
from ..common.refusals import Policy, Refusal, Refusals, Scope
from .budget import Budget
from .client import SCOPE, AnswerLost, CredentialRefused, Grant, GrantRefused, Service

_LOG = logging.getLogger(__name__)

MARGIN = 1800.0
"""Seconds before its end that an access token is renewed: time for the first four tries below."""
CREDENTIAL = Policy(waits_s=(60.0, 300.0, 900.0, 3600.0), tell_after=5)
"""A pair, an application or a scope that was good is refused for passing reasons, in some periods several times a day
(netatmo-api-python #82, #93: the same credentials were accepted half an hour later). The fifth is reported."""
RENEWAL = Policy(waits_s=(300.0, 900.0, 3600.0))
"""While the token endpoint asks to wait; data calls go on with the access token there is. And between renewals for
access tokens that the service refuses although it has just given them: each renewal is a small risk."""
KEPT_LINES = 4

_LOCKS: dict[str, tuple[threading.Lock, threading.Lock]] = {}
_LOCKS_GUARD = threading.Lock()
# A test of a form runs beside the connection that is saved, with the same tokens: one renewal at a time, and one
# data call, since the service refuses those that overlap.


class NotNow(Unreachable):
    """A credential that was good before is refused; it is tried again, and the user need not know yet."""


class NotDurable(DeviceError):
    """The new tokens cannot be written to the disk."""

    code = "internal"


@dataclass(frozen=True)
class Pair:
    """`expires` and `obtained` are Unix time; `access` is empty for a refresh token that was only pasted."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: float = 0.0
    obtained: float = 0.0

    def left(self, now: float) -> float:
        """Seconds that the access token is still good for."""
        return self.expires - now if self.access else 0.0

    def margin(self) -> float:
        """When it should be renewed, in seconds before its end."""
        return min(MARGIN, (self.expires - self.obtained) / 4)


class TokenKeeper:
    """The pair in use. Thread-safe; every method raises DeviceError. `turn` is held during a data call."""

    def __init__(self, config: Mapping[str, Any], context: Context, service: Service, budget: Budget) -> None:
        self._client = str(config.get("clientId", ""))
        self._secret = str(config.get("clientSecret", "")).strip()
        self._redirect = str(config.get("redirectUri", ""))
        self._given = str(config.get("refreshToken", "")).strip()
        self._pasted = pasted_token(self._given)
        self._context = context
        self._service = service
        self._budget = budget
        self._backoff = Backoff(30.0, 600.0)
        self._not_before = 0.0
        self._durable = ""
        self._dead = ""
        self._told: dict[str, AuthenticationFailed] = {}
        self._at_once = False
        # A pair that ended is tried again when the user pastes or authorizes anew; a start is no reason.
        # A pair of one service is not sent to another.
        origin = str(config.get("apiUrl", ""))
        elsewhere = "" if origin == context.catalogue.settings({}).get("apiUrl") else f"\n{origin}"
        line = hashlib.sha256(f"{self._client}\n{self._pasted}{elsewhere}".encode()).hexdigest()[:16]
        self._key = f"tokens:{line}"
        self._secret_mark = hashlib.sha256(f"{self._client}\n{self._secret}".encode()).hexdigest()[:16]
        policies = {Scope.CREDENTIAL: CREDENTIAL, Scope.REQUEST: RENEWAL}
        self._refusals = Refusals(context.memory, context.clock, policies)
        with _LOCKS_GUARD:
            self._lock, self.turn = _LOCKS.setdefault(line, (threading.Lock(), threading.Lock()))
        context.mask(self._given, self._pasted)

    def current(self) -> str:
        """An access token that should be good, renewed in time."""
        with self._lock:
            pair = self._load()
            self._check("scope")
            self._check("refused")
            now = self._context.clock.time()
            left = 0.0 if pair.access == self._dead else pair.left(now)
            asked, own = self._at_once, self._won_by_this_secret()
            if (own and left > pair.margin()) or (left > 0 and self._renewal_waits(own)):
                return pair.access
            try:
                return self._renew(pair).access
            except NotDurable:
                raise
            except DeviceError as error:
                if left <= 0 or (not own and (asked or isinstance(error, AuthenticationFailed))):
                    raise
                _LOG.warning("the token could not be renewed (%s), the present one is good for %.0f s", error, left)
                return pair.access

    def replaced(self, refused: str) -> str:
        """Another access token than the one that was just refused."""
        with self._lock:
            pair = self._load()
            if pair.access and pair.access != refused:
                return pair.access  # renewed meanwhile
            fresh = pair.access and 0 <= self._context.clock.time() - pair.obtained < 300
            if fresh or self._refusals.wait_s(Scope.REQUEST, self._place("access")):
                raise VendorError("Netatmo refuse un accès qu'il vient de donner, nouvel essai automatique")
            self._dead = refused
            self._refusals.note(Scope.REQUEST, self._place("access"), "access")
            return self._renew(pair).access

    def proved(self) -> None:
        """A data call went through: the account, its application and the token's scope are good."""
        with self._lock:
            self._at_once = False
            for what in ("scope", "refused"):
                self._refusals.over(Scope.CREDENTIAL, self._place(what))
            self._refusals.over(Scope.REQUEST, self._place("access"))
            kept = self._kept()
            if kept.get("access") and not kept.get("good"):
                self._context.memory.keep(self._key, {**kept, "good": 1})

    def refused(self, error: CredentialRefused) -> DeviceError:
        """A data call was refused for what the account or its token may do. Returns what to raise."""
        with self._lock:
            return self._noted(error, error.reason)

    def try_again(self) -> None:
        """The user asks for it: what was refused before is tried once more, whatever the pause."""
        with self._lock:
            self._at_once = True

    def authorize(self, code: str) -> None:
        """Exchanges an authorization code for a pair, which takes the place of the stored one."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect, "scope": SCOPE}
        with self._lock:
            self._put(self._kept())
            self._context.mask(code)
            self._accept(self._request(form))
            for what in ("grant", "scope", "refused"):
                self._refusals.over(Scope.CREDENTIAL, self._place(what))

    def settle(self, timeout: float) -> None:
        """Waits for a renewal under way: its answer must not be lost because the daemon stops."""
        if self._lock.acquire(timeout=timeout):
            self._lock.release()

    # What is stored.

    def _kept(self) -> dict[str, Any]:
        kept = self._context.memory.get(self._key)
        if kept is None:
            kept = self._context.draft_memory.get(self._key)
            if isinstance(kept, dict):
                self._put(kept)
                self._context.draft_memory.delete(self._key)
        return kept if isinstance(kept, dict) else {}

    def _load(self) -> Pair:
        if not self._client or not self._secret:
            raise AuthenticationFailed("Indiquez le client ID et le client secret de votre application Netatmo")
        kept = self._kept()
        pair = _stored_pair(kept)
        if pair is None:
            if self._given and not self._pasted:
                raise AuthenticationFailed(
                    "Ce qui est collé n'est pas un refresh token : il a la forme de 24 lettres et chiffres, une barre "
                    "« | », puis 32 lettres et chiffres. Copiez celui de la ligne « Refresh Token » de "
                    "https://dev.netatmo.com/apps/"
                )
            if not self._pasted:
                raise AuthenticationFailed(
                    "Aucun jeton : collez un refresh token généré sur https://dev.netatmo.com/apps/, ou utilisez "
                    "« Obtenir le lien d'autorisation »"
                )
            return Pair("", self._pasted)
        self._context.mask(pair.access, pair.refresh)
        if self._durable != pair.refresh:
            self._put(kept)  # a write that failed before is made good before the pair is used
            self._durable = pair.refresh
        return pair

    def _put(self, kept: dict[str, Any]) -> None:
        try:
            self._context.memory.put(self._key, kept)
        except StoreError as error:
            raise NotDurable(
                "Les jetons de Netatmo ne peuvent pas être enregistrés ({error}) : vérifiez l'espace disque et les "
                "droits du dossier data du plugin",
                error=error,
            ) from error

    def _remember_line(self) -> None:
        """Lines of tokens that were replaced long ago are erased."""
        lines = self._context.memory.get("lines")
        lines = lines if isinstance(lines, list) else []
        if not lines or lines[-1] != self._key:
            lines = [each for each in lines if each != self._key]
            for old in lines[:-KEPT_LINES]:
                self._context.memory.delete(str(old))
            self._context.memory.keep("lines", [*lines[-KEPT_LINES:], self._key])

    # Renewing.

    def _renew(self, pair: Pair) -> Pair:
        self._check("grant")
        rest = self._refusals.wait_s(Scope.REQUEST, self._place("renewal"))
        if rest and not self._at_once:
            raise self._not_now(rest)
        kept = self._kept()
        # Tries the disk before a token is used up, and tells a next life that an answer may have been lost.
        self._put({**kept, **_described(pair), "lost": 1})
        try:
            fresh = self._accept(self._request({"grant_type": "refresh_token", "refresh_token": pair.refresh}))
        except CredentialRefused as error:
            self._put({**kept, **_described(pair)})
            grant = isinstance(error, GrantRefused)
            raise self._noted(self._refusal(bool(kept.get("lost"))) if grant else error, "grant") from error
        except (AnswerLost, NotDurable):
            self._later()
            raise
        except RateLimited as error:
            self._put({**kept, **_described(pair)})
            self._refusals.note(Scope.REQUEST, self._place("renewal"), "throttled", error.retry)
            raise self._not_now(self._refusals.wait_s(Scope.REQUEST, self._place("renewal"))) from error
        except DeviceError:
            self._later()
            self._put({**kept, **_described(pair)})
            raise
        for scope, what in ((Scope.CREDENTIAL, "grant"), (Scope.REQUEST, "renewal")):
            self._refusals.over(scope, self._place(what))
        _LOG.info("the tokens were renewed")
        self._context.count("renewals")
        return fresh

    # What was refused.

    def _place(self, what: str) -> str:
        """A grant is refused to one secret: a test of a mistyped one leaves the saved connection alone."""
        return f"{self._key} {what}" + (f" {self._secret_mark}" if what == "grant" else "")

    def _won_by_this_secret(self) -> bool:
        return self._kept().get("secret") == self._secret_mark

    def _renewal_waits(self, own: bool) -> bool:
        """Whether a renewal has to wait; a refusal of a secret that never won a token is an error instead."""
        if self._at_once:
            return False
        waits = [
            self._refusals.wait_s(Scope.REQUEST, self._place("renewal")),
            self._not_before - self._context.clock.monotonic(),
        ]
        if own:
            waits.append(self._refusals.wait_s(Scope.CREDENTIAL, self._place("grant")))
        return max(waits) > 0

    def _check(self, what: str) -> None:
        """Raises what a refusal that stands means, unless its pause is over or the user wants a real try."""
        refusal = self._refusals.standing(Scope.CREDENTIAL, self._place(what))
        rest = self._refusals.wait_s(Scope.CREDENTIAL, self._place(what))
        if refusal is not None and rest and not self._at_once:
            raise self._meant(refusal, rest, self._told.get(what) or self._words(what))

    def _noted(self, error: AuthenticationFailed, what: str) -> DeviceError:
        self._at_once = False
        self._told[what] = error
        place = self._place(what)
        refusal = self._refusals.note(Scope.CREDENTIAL, place, what)
        _LOG.info("Netatmo refuses the credentials (%s, %d times in a row)", what, refusal.count)
        return self._meant(refusal, self._refusals.wait_s(Scope.CREDENTIAL, place), error)

    def _meant(self, refusal: Refusal, rest: float, error: AuthenticationFailed) -> DeviceError:
        """An error for the user once a refusal has lasted, or if these credentials have never been good."""
        if self._proven(refusal.reason) and refusal.count < CREDENTIAL.tell_after:
            return self._not_now(rest)
        return type(error)(error.template, retry=rest, **error.values)

    def _proven(self, what: str) -> bool:
        kept = self._kept()
        if what == "grant":
            return bool(kept.get("access")) and self._won_by_this_secret()
        return bool(kept.get("good"))

    def _not_now(self, rest: float) -> NotNow:
        at = datetime.fromtimestamp(self._context.clock.time() + rest, ZoneInfo(self._context.timezone))
        return NotNow(
            "Netatmo refuse l'accès pour le moment : nouvel essai automatique à {time}, rien n'est à faire",
            retry=rest,
            time=f"{at:%H:%M}",
        )

    def _words(self, what: str) -> AuthenticationFailed:
        """What to say of a refusal of before a restart."""
        if what == "grant":
            return self._refusal(bool(self._kept().get("lost")))
        return AuthenticationFailed(
            "Netatmo refuse l'accès de ce compte : vérifiez votre application et l'autorisation read_magellan sur "
            "https://dev.netatmo.com/apps/"
        )

    def _later(self) -> None:
        self._at_once = False
        self._not_before = self._context.clock.monotonic() + self._backoff.next()

    def _request(self, form: dict[str, str]) -> Grant:
        self._budget.take("user")
        return self._service.token({**form, "client_id": self._client, "client_secret": self._secret})

    def _accept(self, grant: Grant) -> Pair:
        self._context.mask(grant.access, grant.refresh)
        now = self._context.clock.time()
        fresh = Pair(grant.access, grant.refresh, now + grant.lifetime, now)
        good = self._kept().get("good")
        self._put({**_described(fresh), "secret": self._secret_mark, **({"good": 1} if good else {})})
        self._at_once = False
        self._durable = fresh.refresh
        self._remember_line()
        self._backoff.reset()
        self._not_before = 0.0
        return fresh

    def _refusal(self, lost: bool) -> AuthenticationFailed:
        if lost:
            return AuthenticationFailed(
                "L'accès à Netatmo est perdu : la réponse à un renouvellement des jetons n'est jamais arrivée et "
                "Netatmo n'accepte plus l'ancien. Générez un nouveau refresh token sur https://dev.netatmo.com/apps/ "
                "(autorisation read_magellan) et collez-le dans la connexion."
            )
        return AuthenticationFailed(
            "Netatmo refuse le refresh token : l'accès a été révoqué, ou un autre programme utilise le même jeton, ou "
            "il avait déjà servi. Générez-en un nouveau sur https://dev.netatmo.com/apps/ (autorisation "
            "read_magellan) et collez-le dans la connexion."
        )


_TOKEN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{24}\|[0-9A-Fa-f]{32}(?![0-9A-Za-z])")


def pasted_token(text: str) -> str:
    """The refresh token in what the user pasted, by its form; '' if there is none.

    Around it may stand anything: quotes, its title, both lines of the page, the service's whole answer. `|` may be
    written as in an address. Of several tokens it is the one after the word "refresh", else the last.
    """
    plain = re.sub(r"\s*\|\s*", "|", unquote(text[:4000]))
    found = list(_TOKEN.finditer(plain))
    if not found:  # a line may have been broken within it
        plain = "".join(plain.split())
        found = list(_TOKEN.finditer(plain))
    named = [each for each in found if "refresh" in plain[: each.start()].lower().rpartition("access")[2]]
    chosen = named or found
    return chosen[0 if named else -1].group() if chosen else ""


def _described(pair: Pair) -> dict[str, Any]:
    return {"access": pair.access, "refresh": pair.refresh, "expires": pair.expires, "obtained": pair.obtained}


def _stored_pair(kept: Mapping[str, Any]) -> Pair | None:
    try:
        pair = Pair(str(kept["access"]), str(kept["refresh"]), float(kept["expires"]), float(kept["obtained"]))
    except (KeyError, TypeError, ValueError):
        return None
    return pair if pair.refresh else None
