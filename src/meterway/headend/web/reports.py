"""``POST /g2/reports``: bulk reports of concentrators, each with a token of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import ClientException, NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import RawBody

from meterway.base.errors import DecodeError, SecurityError
from meterway.headend.bulk import BulkError
from meterway.headend.web.given import AnyRequest, TheHeadEnd
from meterway.headend.web.tokens import Tokens
from meterway.model.report import JSON_TYPE, XML_TYPE, encode_receipt

__all__ = ["PATH", "reporters", "take_report"]

PATH: Final = "/g2/reports"
AnyConnection = ASGIConnection[Any, Any, Any, State]
_KINDS: Final = {JSON_TYPE: False, XML_TYPE: True, "application/json": False, "application/xml": True}


def reporters(path: str) -> Tokens:
    """The tokens that concentrators deliver with; none without a file."""
    return Tokens(Path(path) if path else None)


async def _known(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Before anything of the body is read: 32 MiB are taken from those alone who have a token."""
    connection.state.sender = _sender(connection, connection.app.state.reporters)


@post(PATH, status_code=200, include_in_schema=False, request_max_body_size=32 << 20, guards=[_known])
async def take_report(request: AnyRequest, head_end: TheHeadEnd, body: RawBody) -> Response[Any]:
    """Take one report; 200 with a receipt says that it is on disk, anything else that it is to come again."""
    sender: str = request.state.sender
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise ClientException(f"a report is {JSON_TYPE} or {XML_TYPE}, not {kind or 'nothing'}", status_code=415)
    encoding = request.headers.get("content-encoding", "identity")
    try:
        receipt = await head_end.delivery.take(body, sender, is_xml=_KINDS[kind], encoding=encoding)
    except SecurityError as error:
        raise PermissionDeniedException(str(error)) from None
    except BulkError as error:
        raise ClientException(str(error), status_code=409 if error.is_conflict else 422) from None
    except DecodeError as error:
        status = {"encoding": 415, "length": 413}.get(error.kind, 422)
        raise ClientException(str(error), status_code=status) from None
    return Response(encode_receipt(receipt), media_type="application/json")


def _sender(request: AnyConnection, known: Tokens) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    name = known.name_of(token.strip()) if scheme.lower() == "bearer" and token else None
    if name is None:
        raise NotAuthorizedException("a concentrator's token is needed", headers={"WWW-Authenticate": "Bearer"})
    return name
