"""Who may do what: host names, tokens, sessions, and proof that a command comes from our own page.

On loopback whoever can reach the pages may read them; what changes anything needs a token, or comes from a page of
ours (same origin, with the page's proof). Beyond loopback every request needs a token or a session begun with one.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie, State
from litestar.exceptions import ClientException, NotAuthorizedException, PermissionDeniedException
from litestar.response import Redirect

from meterway.headend.web.tokens import Tokens

__all__ = ["AnyRequest", "COOKIE", "Gate", "Visitor", "is_loopback"]

COOKIE: Final = "meterway_session"
_SESSION_S: Final = 12 * 3600.0
_SESSIONS: Final = 1000
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN: Final = ("/login", "/static/")
_APART: Final = "/g2/"
"""Paths that check tokens of their own: those of concentrators open nothing else, and no session opens them."""
_OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")

AnyRequest = Request[Any, Any, State]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: ``name`` goes to the audit log; ``session`` binds the page's proof; ``kind`` is how we know."""

    name: str
    kind: str
    session: str = ""


def is_loopback(host: str) -> bool:
    """Whether a bound address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


class Gate:
    """Checks every request before its handler runs; ``clock`` counts seconds."""

    def __init__(self, host: str, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_local = is_loopback(host)
        self._names = _OWN_NAMES | {host}
        self._tokens = tokens
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._sessions: dict[str, tuple[str, float]] = {}

    # -- every request ------------------------------------------------------------------------------------------------

    async def __call__(self, request: AnyRequest) -> Response[Any] | None:
        """Let a request through (None), send its sender to the login, or raise an HTTP exception."""
        if self.is_local and _host_of(request.headers.get("host", "")) not in self._names:
            raise ClientException("this server does not answer to that host name", status_code=421)
        if request.url.path.startswith(_APART):
            return None
        visitor = self.visitor(request)
        request.state.visitor = visitor
        path, is_command = request.url.path, request.method not in _SAFE
        if path.startswith(_OPEN):
            if is_command:
                self._check_origin(request)
            return None
        if visitor is None:
            if is_command or path.startswith(("/api/", "/metrics", "/schema", "/live")):
                raise NotAuthorizedException("a token is needed", headers={"WWW-Authenticate": "Bearer"})
            return Redirect("/login", status_code=303)
        if is_command and visitor.kind != "token":
            await self._check_proof(request, visitor)
        return None

    def visitor(self, request: AnyRequest) -> Visitor | None:
        """Who asks, by token, session or, on loopback, by being here; None for nobody known.

        A token that is given but wrong is refused, also on loopback.
        """
        header = request.headers.get("authorization", "")
        if header:
            scheme, _, token = header.partition(" ")
            name = self._tokens.name_of(token.strip()) if scheme.lower() == "bearer" else None
            if name is None:
                raise NotAuthorizedException("this token is not known", headers={"WWW-Authenticate": "Bearer"})
            return Visitor(name, "token")
        session = request.cookies.get(COOKIE, "")
        name = self._session_name(session)
        if name is not None:
            return Visitor(name, "session", session)
        return Visitor("local", "local") if self.is_local else None

    # -- proof that a command comes from our own page -----------------------------------------------------------------

    def proof(self, visitor: Visitor | None) -> str:
        """What a page's forms carry; only a page of this server, shown to this visitor, can know it."""
        bound = f"{visitor.kind}:{visitor.session}" if visitor is not None else ""
        return hmac.new(self._secret, bound.encode(), sha256).hexdigest()

    async def _check_proof(self, request: AnyRequest, visitor: Visitor) -> None:
        self._check_origin(request)
        given = request.headers.get("x-csrf-token", "")
        if not given and request.content_type[0] in _FORMS:
            given = str((await request.form()).get("csrf", ""))
        if not hmac.compare_digest(given.encode(), self.proof(visitor).encode()):
            raise PermissionDeniedException(
                "a command needs a token (Authorization: Bearer ...), or must come from a page that is still current:"
                " reload the page and try again"
            )

    def _check_origin(self, request: AnyRequest) -> None:
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        is_foreign = site not in (None, "same-origin", "none")
        if is_foreign or (origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")):
            raise PermissionDeniedException("this command comes from a page of another site")

    # -- sessions -----------------------------------------------------------------------------------------------------

    def begin(self, token: str, *, is_secure: bool) -> Cookie | None:
        """A session for whoever has a token, as its cookie; None for a token that is not known."""
        name = self._tokens.name_of(token)
        if name is None:
            return None
        now = self._clock()
        self._sessions = {key: held for key, held in self._sessions.items() if held[1] > now}
        while len(self._sessions) >= _SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        session = secrets.token_urlsafe(32)
        self._sessions[_hashed(session)] = (name, now + _SESSION_S)
        return Cookie(
            key=COOKIE, value=session, path="/", max_age=int(_SESSION_S), httponly=True, samesite="strict",
            secure=is_secure,
        )  # fmt: skip

    def end(self, session: str) -> None:
        """Forget a session."""
        self._sessions.pop(_hashed(session), None)

    def _session_name(self, session: str) -> str | None:
        name, until = self._sessions.get(_hashed(session), ("", 0.0))
        return name if name and until > self._clock() else None


def _hashed(session: str) -> str:
    return sha256(session.encode("utf-8", "surrogatepass")).hexdigest()
