"""Concentrators: their list, the tree of each with the quality of its links, the balance of its transformer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import MediaType, Router, get, post
from litestar.params import JSONBody

from meterway.headend.curve import Curve
from meterway.headend.losses import loss_charts
from meterway.headend.nnaps import NnapRow, NnapViews
from meterway.headend.tree import grade, tree
from meterway.headend.web.commands import audited
from meterway.headend.web.given import AnyRequest, TheHeadEnd, TheViews, WhichMeter
from meterway.headend.web.problems import COMMAND, ONE_METER, REFUSED
from meterway.headend.web.rendering import page
from meterway.headend.web.rest import FromDay, ToDay, day_range

__all__ = ["api", "pages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """Which meter stands at the transformer of a concentrator; empty for none."""

    nnap: str
    meter: str


class SupervisionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The serial of the meter at the transformer; empty to name none."""

    meter: str


# -- pages ------------------------------------------------------------------------------------------------------------


@get("/nnaps", media_type=MediaType.HTML, sync_to_thread=True)
def nnap_list(request: AnyRequest, head_end: TheHeadEnd, views: TheViews) -> str:
    """The list of concentrators."""
    return page("nnaps.html", request=request, nnaps=NnapViews(head_end, views).all())


@get("/nnaps/{serial:str}", media_type=MediaType.HTML, sync_to_thread=True)
def nnap_page(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> str:
    """One concentrator; with htmx only its tree."""
    shown = NnapViews(head_end, views).one(serial)
    names = {leaf.eui: leaf.serial for leaf in shown.leaves}
    given: dict[str, Any] = {"nnap": shown, "branches": tree(shown.leaves), "grade": grade, "names": names}
    given |= {"charts": loss_charts(shown.losses), "alarms": shown.alarms, "serial": serial}
    if request.headers.get("hx-request"):
        return page("_tree.html", request=request, **given)
    return page("nnap.html", request=request, today=datetime.now(UTC).date(), **given)


# -- API --------------------------------------------------------------------------------------------------------------


@get("/nnaps", sync_to_thread=True, tags=["concentrators"], responses=REFUSED)
def nnaps(head_end: TheHeadEnd, views: TheViews) -> list[NnapRow]:
    """Every concentrator with its completeness."""
    return NnapViews(head_end, views).all()


@get("/nnaps/{serial:str}/balance", sync_to_thread=True, tags=["concentrators"], responses=ONE_METER)
def balance(
    head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, from_day: FromDay = None, to_day: ToDay = None
) -> Curve:
    """What the supervision meter says against the sum of the meters, by interval; null where one is not known."""
    return NnapViews(head_end, views).balance(serial, *day_range(from_day, to_day))


@post("/nnaps/{serial:str}/supervision", status_code=200, tags=["concentrators"], responses=COMMAND)
async def supervision(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[SupervisionBody]
) -> Supervised:
    """Name the meter at the transformer."""
    await head_end.collector.in_thread(lambda: views.device(serial))

    async def step() -> Supervised:
        await head_end.collector.in_thread(lambda: NnapViews(head_end, views).supervise(serial, data.meter))
        return Supervised(nnap=serial, meter=data.meter)

    return await audited(head_end, request, "supervision", step, serial=serial)


_API: Final[list[Any]] = [nnaps, balance, supervision]


def pages() -> Router:
    """The pages; no part of the API's description."""
    return Router("/", route_handlers=[nnap_list, nnap_page], include_in_schema=False)


def api() -> Router:
    """The part of the API."""
    return Router("/api/v1", route_handlers=_API)
