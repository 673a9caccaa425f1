"""The operator's pages: rendered here, readable without any script."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from litestar import MediaType, Response, Router, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect

from meterway.base.errors import ConfigError
from meterway.headend.api import Curve
from meterway.headend.rules import CAUSES
from meterway.headend.web.commands import actor_of, collect_now, command_of
from meterway.headend.web.figure import figure
from meterway.headend.web.gate import COOKIE
from meterway.headend.web.given import AnyRequest, TheGate, TheHeadEnd, TheViews, WhichMeter
from meterway.headend.web.rendering import page

__all__ = ["daily", "router"]

_ROWS: Final = 50
_DAYS: Final = 14
Text = Annotated[str, QueryParameter(max_length=100)]


@get("/", media_type=MediaType.HTML, sync_to_thread=True)
def index(request: AnyRequest, views: TheViews) -> str:
    """How things stand now."""
    return page("overview.html", request=request, overview=views.overview(), causes=CAUSES)


@get("/figure", media_type=MediaType.HTML, sync_to_thread=True)
def reference_figure(request: AnyRequest, views: TheViews) -> str:
    """The reference figure with what lives of it."""
    drawings, rows = figure(views.traffic())
    return page("figure.html", request=request, drawings=drawings, rows=rows)


@get("/meters", media_type=MediaType.HTML, sync_to_thread=True)
def meters(
    request: AnyRequest,
    views: TheViews,
    q: Text = "",
    meter_state: Annotated[str, QueryParameter(name="state", max_length=40)] = "",
    number: Annotated[int, QueryParameter(name="page", ge=1, le=1_000_000)] = 1,
) -> str:
    """The list of meters; with htmx only its rows."""
    found, total = views.meters(q, state=meter_state, limit=_ROWS, offset=(number - 1) * _ROWS)
    is_part = bool(request.headers.get("hx-request"))
    return page(
        "_meters.html" if is_part else "meters.html",
        request=request,
        meters=found,
        total=total,
        states=views.states(),
        q=q,
        state=meter_state,
        number=number,
        pages=max(1, -(-total // _ROWS)),
        first=(number - 1) * _ROWS + 1,
    )


@get("/meters/{serial:str}", media_type=MediaType.HTML, sync_to_thread=True)
def meter(request: AnyRequest, views: TheViews, serial: WhichMeter) -> str:
    """One meter."""
    today = datetime.now(UTC).date()
    shown = views.meter(serial)
    curve = views.curve(serial, today - timedelta(days=_DAYS - 1), today + timedelta(days=1))
    return page("meter.html", request=request, meter=shown, days=daily(curve), today=today)


def daily(curve: Curve) -> list[tuple[date, list[tuple[str, str, float | None]]]]:
    """Energy by day, the newest first: for each counting channel (title, unit, sum or None where any is missing)."""
    rows: dict[date, list[tuple[str, str, float | None]]] = defaultdict(list)
    for channel in curve.channels:
        if not channel.is_cumulative:
            continue
        sums: dict[date, list[float | None]] = defaultdict(list)
        for moment, value in zip(curve.times_s, channel.values, strict=True):
            sums[datetime.fromtimestamp(moment, UTC).date()].append(value)
        for day, values in sums.items():
            known = [value for value in values if value is not None]
            rows[day].append((channel.title, channel.unit, sum(known) if len(known) == len(values) else None))
    return sorted(rows.items(), reverse=True)


@post("/meters/{serial:str}/collect", media_type=MediaType.HTML, status_code=200)
async def read_now(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> str:
    """The button "read now": collect from this meter out of turn."""
    device = await head_end.collector.in_thread(lambda: views.device(serial))
    collected = await collect_now(head_end, request, serial)
    registers = await head_end.collector.in_thread(lambda: views.registers(device.id))
    return _part_or_page(request, "_collected.html", serial=serial, collected=collected, registers=registers)


@post("/meters/{serial:str}/read", media_type=MediaType.HTML, status_code=200)
async def read(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> str:
    """The form "read anything"."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    form = await request.form()
    attribute = str(form.get("attribute", "")).strip() or "2"
    command = command_of(
        str(form.get("object", "")),
        attribute=int(attribute) if attribute.isdecimal() and len(attribute) < 4 else attribute,
        from_time=_moment(str(form.get("from", ""))),
        to_time=_moment(str(form.get("to", ""))),
    )
    answered = await head_end.read(serial, command, actor=actor_of(request))
    return _part_or_page(
        request, "_answer.html", serial=serial, answer=answered.as_json(), table=_table(answered.value)
    )


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a time such as 2026-01-31T12:00") from None


def _table(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) and {"columns", "rows"} <= value.keys() else None


def _part_or_page(request: AnyRequest, name: str, **values: object) -> str:
    if request.headers.get("hx-request"):
        return page(name, request=None, is_part=True, **values)
    return page("result.html", request=request, part=name, is_part=False, **values)


@get("/events", media_type=MediaType.HTML, sync_to_thread=True)
def events(request: AnyRequest, views: TheViews, serial: Text = "", severity: Text = "") -> str:
    """The last events."""
    rows = views.events(device=views.device(serial) if serial else None, limit=500)
    shown = [row for row in rows if not severity or row.severity == severity]
    return page("events.html", request=request, events=shown, serial=serial, severity=severity)


@get("/audit", media_type=MediaType.HTML, sync_to_thread=True)
def audit(request: AnyRequest, views: TheViews, serial: Text = "", verify: FromQuery[bool] = False) -> str:
    """Who did what."""
    rows = views.audit(device=views.device(serial) if serial else None, limit=500)
    verified = views.audit_verified() if verify else None
    return page("audit.html", request=request, rows=rows, serial=serial, verified=verified)


# -- who looks --------------------------------------------------------------------------------------------------------


@get("/login", media_type=MediaType.HTML, sync_to_thread=False)
def login_form(request: AnyRequest) -> str:
    """Where a token is asked for."""
    return page("login.html", request=request, failed=False)


@post("/login", media_type=MediaType.HTML, status_code=200)
async def login(request: AnyRequest, gate: TheGate) -> Response[Any]:
    """Begin a session with a token."""
    form = await request.form()
    cookie = gate.begin(str(form.get("token", "")).strip(), is_secure=request.url.scheme == "https")
    if cookie is None:
        return Response(page("login.html", request=request, failed=True), status_code=401, media_type=MediaType.HTML)
    return Redirect("/", status_code=303, cookies=[cookie])


@post("/logout", status_code=303)
async def logout(request: AnyRequest, gate: TheGate) -> Redirect:
    """End the session."""
    gate.end(request.cookies.get(COOKIE, ""))
    response = Redirect("/login", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


def router() -> Router:
    """All of it; pages are no part of the API's description."""
    handlers: list[Any] = [
        index, reference_figure, meters, meter, read_now, read, events, audit, login_form, login, logout,
    ]  # fmt: skip
    return Router("/", route_handlers=handlers, include_in_schema=False)
