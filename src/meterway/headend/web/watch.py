"""The watch that concentrators keep: losses of their transformers, alarms of their networks, who has seen them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import MediaType, Response, Router, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Redirect

from meterway.base.errors import ConfigError
from meterway.headend.losses import Loss
from meterway.headend.nnap_watch import AlarmView, WatchViews
from meterway.headend.nnaps import NnapViews
from meterway.headend.web.commands import actor_of, audited
from meterway.headend.web.given import AnyRequest, TheHeadEnd, TheViews, WhichMeter
from meterway.headend.web.problems import COMMAND, ONE_METER
from meterway.headend.web.rendering import page

__all__ = ["api", "pages"]

Days = Annotated[int, QueryParameter(ge=0, le=400, description="How many days back")]


class AcknowledgeBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which alarm somebody has seen, as the list of alarms names it."""

    kind: str
    subject: str
    raised_ms: int


async def _acknowledge(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: str, wanted: AcknowledgeBody
) -> list[AlarmView]:
    """Note it and give the alarms as they stand then."""
    watch, nnaps = WatchViews(head_end), NnapViews(head_end, views)
    device = await head_end.collector.in_thread(lambda: nnaps.device(serial).id)

    async def step() -> list[AlarmView]:
        def note() -> list[AlarmView]:
            watch.acknowledge(
                device, kind=wanted.kind, subject=wanted.subject, raised_ms=wanted.raised_ms, by=actor_of(request)
            )
            return watch.alarms(device)

        return await head_end.collector.in_thread(note)

    what = f"acknowledge {wanted.kind} {wanted.subject}".strip()
    return await audited(head_end, request, what[:100], step, serial=serial)


# -- pages ------------------------------------------------------------------------------------------------------------


@post("/nnaps/{serial:str}/acknowledge", media_type=MediaType.HTML, status_code=200)
async def acknowledge_form(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter
) -> Response[str] | Redirect:
    """The button beside an alarm; with htmx the alarms anew, without it back to the page."""
    form = await request.form()
    raised = str(form.get("raised_ms", ""))
    if not raised.isdecimal() or len(raised) > 15:
        raise ConfigError("raised_ms: milliseconds since 1970 are wanted")
    wanted = AcknowledgeBody(
        kind=str(form.get("kind", "")), subject=str(form.get("subject", "")), raised_ms=int(raised)
    )
    alarms = await _acknowledge(request, head_end, views, serial, wanted)
    if request.headers.get("hx-request"):
        shown = page("_alarms.html", request=request, alarms=alarms, serial=serial)
        return Response(shown, media_type=MediaType.HTML)
    return Redirect(f"/nnaps/{serial}", status_code=303)


# -- API --------------------------------------------------------------------------------------------------------------


@get("/nnaps/{serial:str}/losses", sync_to_thread=True, tags=["concentrators"], responses=ONE_METER)
def losses(head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, days: Days = 31) -> list[Loss]:
    """The balance of its transformer by day as the concentrator judged it, the oldest first."""
    return WatchViews(head_end).losses(NnapViews(head_end, views).device(serial).id, days=days)


@get("/nnaps/{serial:str}/alarms", sync_to_thread=True, tags=["concentrators"], responses=ONE_METER)
def alarms(head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> list[AlarmView]:
    """Its last alarms, those that stand first."""
    return WatchViews(head_end).alarms(NnapViews(head_end, views).device(serial).id)


@post("/nnaps/{serial:str}/alarms/acknowledgement", status_code=200, tags=["concentrators"], responses=COMMAND)
async def acknowledgement(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[AcknowledgeBody]
) -> list[AlarmView]:
    """Note that somebody has seen an alarm; again changes nothing."""
    return await _acknowledge(request, head_end, views, serial, data)


_API: Final[list[Any]] = [losses, alarms, acknowledgement]


def pages() -> Router:
    """The pages; no part of the API's description."""
    return Router("/", route_handlers=[acknowledge_form], include_in_schema=False)


def api() -> Router:
    """The part of the API."""
    return Router("/api/v1", route_handlers=_API)
