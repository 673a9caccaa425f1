"""Errors as answers: a status and one clear sentence, as problem JSON (RFC 9457) or as a page; never a traceback."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from litestar import MediaType, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import ResponseSpec

from meterway.base.errors import (
    ConfigError,
    DecodeError,
    LinkError,
    LocalProtocolError,
    MeterwayError,
    ProtocolError,
    SecurityError,
    StoreError,
)
from meterway.headend.api import UnknownMeterError
from meterway.headend.rules import CAUSES
from meterway.headend.web.gate import AnyRequest
from meterway.headend.web.rendering import page

__all__ = ["COMMAND", "ONE_METER", "REFUSED", "Problem", "on_error", "problem_of"]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong. ``cause`` is the word a failure is counted by, ``errors`` what is wrong where."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    cause: str = ""
    errors: list[str] = field(default_factory=list)


def _spec(text: str) -> ResponseSpec:
    return ResponseSpec(Problem, description=text, media_type="application/problem+json")


REFUSED: Final = {
    400: _spec("The request cannot be read"),
    401: _spec("A token is needed"),
    422: _spec("The request is understood, but not as it must be"),
    503: _spec("The store does not answer"),
}
ONE_METER: Final = {**REFUSED, 404: _spec("There is no such meter")}
COMMAND: Final = {
    **ONE_METER,
    403: _spec("The command does not prove where it comes from"),
    502: _spec("The meter could not be reached or understood; cause says why"),
    507: _spec("The store is full"),
}


def problem_of(error: Exception) -> Problem:
    """The answer to an exception."""
    match error:
        case UnknownMeterError():
            return _problem(404, str(error))
        case StoreError():
            return _problem(507 if "no space is left" in str(error) else 503, str(error), "store")
        case ConfigError() | LocalProtocolError():
            return _problem(422, str(error))
        case MeterwayError():
            return _failed(error)
        case ValidationException():
            return _problem(422, "the request is not as it must be", errors=_named(error.extra))
        case HTTPException():
            cause = error.extra.get("cause", "") if isinstance(error.extra, dict) else ""
            return _problem(error.status_code, error.detail, str(cause))
        case _:
            return _problem(500, "something went wrong in the server; its log says what")


def _problem(status: int, detail: str, cause: str = "", errors: list[str] | None = None) -> Problem:
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return Problem(title=title, status=status, detail=detail, cause=cause, errors=errors or [])


def _failed(error: MeterwayError) -> Problem:
    """The device could not be reached, or what it said was wrong."""
    match error:
        case LinkError():
            cause = "link"
        case SecurityError():
            cause = error.check
        case DecodeError():
            cause = "decode"
        case ProtocolError():
            cause = "protocol"
        case _:
            cause = "failed"
    known = CAUSES.get(cause)
    return _problem(502, f"{known}: {error}" if known else str(error), cause)


def _named(extra: object) -> list[str]:
    rows = extra if isinstance(extra, list) else []
    return [f"{row.get('key', '')}: {row.get('message', '')}" for row in rows if isinstance(row, dict)]


def on_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer an exception: JSON to programs, a page to people, a part of a page to a page."""
    problem = problem_of(error)
    if problem.status == 500:
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if request.headers.get("hx-request"):
        text = page("_problem.html", problem=problem)
    elif not request.url.path.startswith(("/api/", "/g2/", "/schema", "/metrics")) and _wants_page(request):
        text = page("error.html", request=request, problem=problem)
    else:
        return Response(problem, status_code=problem.status, media_type="application/problem+json", headers=headers)
    # A part of a page is shown where its result would be, so it must come with a status that is swapped in.
    status = 200 if request.headers.get("hx-request") else problem.status
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=headers)


def _wants_page(request: AnyRequest) -> bool:
    return "text/html" in request.headers.get("accept", "")
