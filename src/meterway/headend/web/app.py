"""The web application of a head end: pages, API, live events, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

from litestar import Litestar, Response, Router, get
from litestar.datastructures import CacheControlHeader, MutableScopeHeaders, State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope
from prometheus_client import CONTENT_TYPE_LATEST

from meterway import __version__
from meterway.base.errors import MeterwayError
from meterway.headend.api import Views
from meterway.headend.web import air, groups, nnaps, pages, rest, watch
from meterway.headend.web.gate import Gate
from meterway.headend.web.given import TheHeadEnd, TheViews
from meterway.headend.web.live import messages
from meterway.headend.web.metrics import Metrics
from meterway.headend.web.problems import on_error
from meterway.headend.web.reports import reporters, take_report
from meterway.headend.web.tokens import Tokens

__all__ = ["create_app"]

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_STATIC: Final = Path(__file__).parent / "static"
_YEAR_S: Final = 31_536_000


@get("/live", include_in_schema=False)
async def live(
    head_end: TheHeadEnd,
    views: TheViews,
    ending: NamedDependency[asyncio.Event],
    after: Annotated[int | None, QueryParameter(ge=0)] = None,
    last_seen: Annotated[int | None, HeaderParameter(name="Last-Event-ID", ge=0)] = None,
) -> ServerSentEvent:
    """Server-sent events: ``totals``, and ``happenings`` after the one that the page knows."""

    async def stream() -> AsyncIterator[ServerSentEventMessage]:
        async for message in messages(head_end, views, ending, after=after if last_seen is None else last_seen):
            yield message

    return ServerSentEvent(stream())


@get("/metrics", include_in_schema=False)
async def metrics(counted: NamedDependency[Metrics]) -> Response[bytes]:
    """Metrics for Prometheus."""
    counted.note()
    text = await asyncio.to_thread(counted.text)
    return Response(text, media_type=CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8"))


def create_app(
    head_end: TheHeadEnd, *, host: str = "", tokens: Tokens | None = None, views: Views | None = None
) -> Litestar:
    """The application for one head end, as it is to be served on ``host`` (its configured host if empty).

    ConfigError if the file of tokens is wrong. ``app.state.ending`` is set to let live streams end.
    """
    web = head_end.config.web
    shown = views or Views(head_end)
    gate = Gate(host or web.host, tokens if tokens is not None else _tokens(web.tokens))
    counted, ending = Metrics(head_end, shown), asyncio.Event()
    static = create_static_files_router(
        "/static", [_STATIC], cache_control=CacheControlHeader(max_age=_YEAR_S, public=True), include_in_schema=False
    )
    dependencies: dict[str, Any] = {
        "head_end": head_end, "views": shown, "gate": gate, "counted": counted, "ending": ending,
    }  # fmt: skip
    return Litestar(
        [
            pages.router(),
            air.router(),
            nnaps.pages(),
            nnaps.api(),
            watch.pages(),
            watch.api(),
            groups.api(),
            rest.router(),
            take_report,
            live,
            metrics,
            static,
        ],
        before_request=gate,
        dependencies={name: _provide(value) for name, value in dependencies.items()},
        exception_handlers={MeterwayError: on_error, HTTPException: on_error, Exception: on_error},
        before_send=[_with_headers],
        openapi_config=_description(),
        state=State(
            {
                "gate": gate,
                "ending": ending,
                "views": shown,
                "overheard": head_end.overheard,
                "reporters": reporters(head_end.config.bulk.tokens),
            }
        ),
        logging_config=None,
        debug=False,
    )


def _routers() -> list[Router]:
    return [
        pages.router(),
        air.router(),
        nnaps.pages(),
        nnaps.api(),
        watch.pages(),
        watch.api(),
        groups.api(),
        rest.router(),
    ]


def _tokens(path: str) -> Tokens:
    return Tokens(Path(path) if path else None)


def _provide(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


async def _with_headers(message: Message, _: Scope) -> None:
    """Every response, errors too, says what a browser may do with it; a handler's own word stands."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)


def _description() -> OpenAPIConfig:
    scheme = SecurityScheme(type="http", scheme="bearer", description="A token made by the head end's operator")
    return OpenAPIConfig(
        title="Meterway head end",
        version=__version__,
        description="Meters, their readings and events, and commands to them.",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"token": scheme}),
        security=[{"token": []}],
        use_handler_docstrings=True,
    )
