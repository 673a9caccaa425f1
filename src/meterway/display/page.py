"""The display's page: rendered on the server, kept up to date by server-sent events, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.response import ServerSentEvent
from litestar.types import SSEData

from meterway.display.device import CurvePoint, View
from meterway.model.telegram import Json

__all__ = ["curve_path", "live_part", "page"]

WIDTH: Final = 720
HEIGHT: Final = 160
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("meterway.display"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", "\u202f")
    return environment


_TEMPLATES: Final = _environment()


def curve_path(points: tuple[CurvePoint, ...]) -> tuple[str, float]:
    """The curve as an SVG path in a box of 720 by 160 and the height of its zero line; a gap breaks the line."""
    if not points:
        return "", HEIGHT
    low = min(0, *(point.power_w for point in points))
    high = max(100, *(point.power_w for point in points))
    end = points[-1].time.timestamp()
    steps: list[str] = []
    last = None
    for point in points:
        moment = point.time.timestamp()
        x = WIDTH - (end - moment) / 86400 * WIDTH
        y = HEIGHT - (point.power_w - low) / (high - low) * HEIGHT
        steps.append(f"{'M' if last is None or moment - last > 300 else 'L'}{x:.1f} {y:.1f}")
        last = moment
    return "".join(steps), HEIGHT + low / (high - low) * HEIGHT


def live_part(view: View) -> str:
    """The part of the page that changes, as HTML."""
    path, zero = curve_path(view.curve)
    return _TEMPLATES.get_template("live.html").render(view=view, path=path, zero=round(zero, 1))


def _file(name: str) -> str:
    return resources.files("meterway.display").joinpath("templates", name).read_text("utf-8")


def _host_of(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def page(
    view: Callable[[], View], changes: Callable[[], AsyncIterator[View]], *, hosts: list[str] | None = None
) -> Litestar:
    """The web application: ``/``, ``/state.json``, ``/events``; ``hosts`` are the names it answers to, all if None."""

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def index() -> str:
        return _TEMPLATES.get_template("page.html").render(live=live_part(view()))

    @get("/page.css", media_type="text/css", sync_to_thread=False)
    def style() -> str:
        return _file("page.css")

    @get("/page.js", media_type="text/javascript", sync_to_thread=False)
    def script() -> str:
        return _file("page.js")

    @get("/icon.svg", media_type="image/svg+xml", sync_to_thread=False)
    def icon() -> str:
        return _file("icon.svg")

    @get("/state.json", sync_to_thread=False)
    def state() -> Response[dict[str, Json]]:
        return Response(view().as_json())

    async def parts() -> AsyncIterator[SSEData]:
        async for one in changes():
            yield json.dumps(live_part(one))

    @get("/events", sync_to_thread=False)
    def events() -> ServerSentEvent:
        return ServerSentEvent(parts())

    def guard(request: Request[Any, Any, State]) -> Response[str] | None:
        known = not hosts or _host_of(request.headers.get("host", "")) in hosts
        return None if known else Response("this name is not served here", status_code=400, media_type=MediaType.TEXT)

    return Litestar(
        [index, style, script, icon, state, events],
        before_request=guard,
        response_headers=_HEADERS,
        openapi_config=None,
        logging_config=None,
    )
