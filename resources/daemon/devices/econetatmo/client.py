"""Netatmo's HTTP: the token endpoint and the data calls, one request each, and what every answer means.

Tokens and identifiers travel in headers and form bodies only, never in an address.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, NoReturn

from jeedom_bridge.http import HttpError, Response, fetch, new_session, retry_after, sendable

from ..base import AuthenticationFailed, DeviceError, RateLimited, Refused, Unreachable, VendorError, vendor_url

_LOG = logging.getLogger(__name__)

SCOPE = "read_magellan"
_MAX_BYTES = 4 * 1024 * 1024

TOKEN_REFUSED = (1, 2, 3)
UNKNOWN_USER = (5, 22, 23)
GONE = 9
SCOPE_MISSING = 13
ARGUMENT = (10, 21, 25)
OVERLOADED = 11
NO_SUCH_METHOD = 31
TOO_MANY = 26
BAD_REFRESH = 30
LONGEST_WAIT_S = 4 * 3600.0
"""The longest pause that is believed: users have seen blocks of up to three hours."""


class TokenRefused(DeviceError):
    """The access token has ended or was replaced: the caller renews it and asks again."""


class CredentialRefused(AuthenticationFailed):
    """The application, the account, a token or its scope is refused. This passes at times: who has proved good before
    is believed for a while (see `TokenKeeper`)."""

    reason = "refused"


class GrantRefused(CredentialRefused):
    """The refresh token or the code is not (or no longer) accepted."""

    reason = "grant"


class ScopeRefused(CredentialRefused):
    """The token lacks the scope, or the service thinks so."""

    reason = "scope"


class Overloaded(Unreachable):
    """Code 11: a protection of the whole service, which has nothing to do with how much this account asks."""


class AnswerLost(Unreachable):
    """A request to the token endpoint has left and no answer came: the token may have been used up."""


class ArgumentRefused(Refused):
    """This module, type or scale is not for this call."""


class MethodGone(VendorError):
    """The service does not have this call (any more): an error 31, or a page that is not there."""


class ModuleGone(Refused):
    """This module is no longer known to the account."""


@dataclass(frozen=True)
class Grant:
    """What the token endpoint gives; `lifetime` of the access token in seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lifetime: float


@dataclass(frozen=True)
class Answer:
    """The `body` of a data call; `time` is the server's clock, None when it did not tell."""

    body: Any = field(repr=False)
    time: float | None


class Service:
    """The vendor's server. Raises the errors of devices/base.py and those above."""

    def __init__(self, address: str, now: Callable[[], float] = time.time) -> None:
        """`now`: Unix time, for pauses that the service names by their end."""
        self._address = address
        self._now = now
        self._session = new_session()
        self._session.headers["Accept"] = "application/json"

    def close(self) -> None:
        """Ends the kept connection."""
        self._session.close()

    def token(self, form: Mapping[str, str]) -> Grant:
        """One request to the token endpoint."""
        url = f"{vendor_url(self._address)}/oauth2/token"
        try:
            # A connection of its own: a kept one that the server closes meanwhile would look like a lost answer.
            with new_session() as session:
                session.headers["Connection"] = "close"
                answer = fetch(
                    session, "POST", url, connect=15, read=60, deadline=75, max_bytes=_MAX_BYTES, data=dict(form)
                )
        except HttpError as error:
            kind = AnswerLost if error.sent else Unreachable
            raise kind(
                "Le service de connexion de Netatmo ne répond pas ({error}), nouvel essai automatique. Si cela dure, "
                "vérifiez l'accès de Jeedom à Internet.",
                error=error,
            ) from error
        return _grant(answer, self._now())

    def ask(self, method: str, token: str, form: Mapping[str, str]) -> Answer:
        """One data call, such as `getmeasure`."""
        url = f"{vendor_url(self._address)}/api/{method}"
        try:
            answer = fetch(
                self._session,
                "POST",
                url,
                connect=10,
                read=30,
                deadline=60,
                max_bytes=_MAX_BYTES,
                data=dict(form),
                headers={"Authorization": f"Bearer {token}"},
            )
        except HttpError as error:
            _LOG.debug("%s: %s", method, error)
            raise Unreachable(
                "Netatmo ne répond pas ({error}), nouvel essai automatique. Si cela dure, vérifiez l'accès de Jeedom à "
                "Internet.",
                error=error,
            ) from error
        return _data(method, answer, self._now())


def _content(answer: Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _grant(answer: Response, now: float) -> Grant:
    content = _content(answer)
    reason = content.get("error") if isinstance(content, dict) else None
    if reason is not None or answer.status != 200:
        _refuse_grant(answer, reason, now)
    content = content if isinstance(content, dict) else {}
    access, refresh = sendable(content.get("access_token")), sendable(content.get("refresh_token"))
    if not access or not refresh:
        # The server may have made a new pair and spoilt its own answer: as good as lost.
        raise _no_tokens()
    return Grant(access, refresh, _lifetime(content.get("expires_in", content.get("expire_in"))))


def _no_tokens() -> AnswerLost:
    return AnswerLost("Le service de connexion de Netatmo n'a pas donné de jetons, nouvel essai automatique")


def _lifetime(told: Any) -> float:
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return 10800.0
    return min(max(seconds, 1.0), 30 * 86400.0) if math.isfinite(seconds) else 10800.0


def _refuse_grant(answer: Response, reason: Any, now: float) -> NoReturn:
    if isinstance(reason, dict):
        reason = "invalid_grant" if reason.get("code") == BAD_REFRESH else str(reason.get("message", ""))[:60]
    _LOG.debug("oauth2/token: status %d, error %r", answer.status, str(reason)[:60])
    if reason == "too_many_connections" or answer.status == 429:
        raise RateLimited(
            "Netatmo demande d'attendre avant de renouveler l'accès, nouvel essai automatique",
            retry=_wait(answer, now),
        )
    if reason == "invalid_grant":
        raise GrantRefused("Netatmo refuse ce jeton ou ce code : il a déjà servi, il a expiré ou il a été révoqué")
    if reason == "invalid_client":
        raise CredentialRefused(
            "Netatmo ne connaît pas ce client ID ou refuse ce client secret : comparez-les avec la page de votre "
            "application sur https://dev.netatmo.com/apps/"
        )
    if isinstance(reason, str) and answer.status in (200, 400, 401, 403):
        raise CredentialRefused(
            "Netatmo refuse la connexion : vérifiez le client ID, le client secret et que le jeton a "
            "l'autorisation read_magellan",
            reason=reason[:60],
        )
    if answer.status == 200:
        raise _no_tokens()
    raise Unreachable(
        "Le service de connexion de Netatmo est indisponible, nouvel essai automatique",
        status=answer.status,
    )


_METHOD_GONE = "Netatmo ne répond pas à cette demande pour le moment, nouvel essai automatique"


def _data(method: str, answer: Response, now: float) -> Answer:
    content = _content(answer)
    if isinstance(content, dict) and content.get("error") is not None:
        _refuse(method, answer, content["error"], now)
    if answer.status == 429:
        _refuse(method, answer, {"code": TOO_MANY}, now)
    if answer.status >= 500 or answer.status in (408, 425):
        _LOG.debug("%s: status %d", method, answer.status)
        raise Unreachable("Netatmo est indisponible, nouvel essai automatique", status=answer.status)
    if answer.status in (404, 405, 410):
        _LOG.debug("%s: status %d", method, answer.status)
        raise MethodGone(_METHOD_GONE)
    if answer.status != 200 or not isinstance(content, dict) or content.get("body") is None:
        _LOG.debug("%s: status %d, %d bytes", method, answer.status, len(answer.body))
        raise VendorError(
            "Netatmo a donné une réponse inattendue, nouvel essai automatique",
            status=answer.status,
            size=len(answer.body),
        )
    moment = content.get("time_server")
    if isinstance(moment, (int, float)) and not isinstance(moment, bool) and 1e9 < moment < 1e11:
        return Answer(content["body"], float(moment))
    return Answer(content["body"], None)


def _refuse(method: str, answer: Response, error: Any, now: float) -> NoReturn:
    code = error.get("code") if isinstance(error, dict) else None
    told = str(error.get("message", "") if isinstance(error, dict) else error)[:100]
    values: dict[str, Any] = {"code": code, "told": told}
    _LOG.debug("%s: status %d, code %s (%s)", method, answer.status, code, told)
    if code in TOKEN_REFUSED:
        raise TokenRefused("Netatmo refuse le jeton d'accès", code=code)
    if code == OVERLOADED:
        raise Overloaded("Netatmo est surchargé et demande de réessayer", code=code)
    if code == TOO_MANY or answer.status == 429:
        raise RateLimited("La limite de requêtes de Netatmo est atteinte", retry=_wait(answer, now), code=code)
    if code in UNKNOWN_USER:
        raise CredentialRefused(
            "Netatmo ne connaît plus ce compte ou cette application : vérifiez-les sur https://dev.netatmo.com/apps/",
            **values,
        )
    if code == SCOPE_MISSING:
        raise ScopeRefused(
            "Le jeton n'a pas l'autorisation read_magellan : générez-en un nouveau avec elle sur "
            "https://dev.netatmo.com/apps/ et collez-le"
        )
    if code == NO_SUCH_METHOD:
        raise MethodGone(_METHOD_GONE)
    if code == GONE:
        raise ModuleGone(
            "Netatmo ne trouve pas cette ligne, nouvel essai automatique. Si elle a été retirée, désactivez "
            "son équipement."
        )
    if code in ARGUMENT:
        raise ArgumentRefused("Netatmo ne donne pas cette mesure pour ce module", **values)
    raise VendorError("Netatmo a répondu par une erreur, nouvel essai automatique", **values)


def _wait(answer: Response, now: float) -> float | None:
    return retry_after(answer.headers, now, LONGEST_WAIT_S)
