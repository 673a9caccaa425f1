"""Groups and orders to them, as part of the API."""

from __future__ import annotations

from typing import Any, Final

from litestar import Router, get, post, put
from litestar.params import FromPath, JSONBody

from meterway.headend import groups
from meterway.headend.groups import Group, OrderWanted
from meterway.headend.orders import OrderReport
from meterway.headend.web.commands import actor_of, audited
from meterway.headend.web.given import AnyRequest, TheHeadEnd
from meterway.headend.web.problems import COMMAND, ONE_METER, REFUSED

__all__ = ["api"]


@get("/groups", sync_to_thread=True, tags=["groups"], responses=REFUSED)
def all_groups(head_end: TheHeadEnd) -> list[Group]:
    """All groups."""
    return groups.groups(head_end.store)


@put("/groups", status_code=200, tags=["groups"], responses=COMMAND)
async def define(request: AnyRequest, head_end: TheHeadEnd, data: JSONBody[Group]) -> Group:
    """Define a group, or define it anew."""

    async def step() -> Group:
        await head_end.collector.in_thread(lambda: groups.keep(head_end.store, data))
        return data

    return await audited(head_end, request, f"define group {data.name}", step, serial=None)


@post("/groups/{name:str}/orders", status_code=202, tags=["groups"], responses=COMMAND)
async def order(
    request: AnyRequest, head_end: TheHeadEnd, name: FromPath[str], data: JSONBody[OrderWanted]
) -> OrderReport:
    """Order something of a group; the report says who gets it and how, and is to be asked for again."""
    return await head_end.orders.begin(name, data, actor=actor_of(request))


@get("/orders", sync_to_thread=True, tags=["groups"], responses=REFUSED)
def recent_orders(head_end: TheHeadEnd) -> list[OrderReport]:
    """The last orders, the newest first."""
    return head_end.orders.recent()


@get("/orders/{name:str}", sync_to_thread=True, tags=["groups"], responses=ONE_METER)
def one_order(head_end: TheHeadEnd, name: FromPath[str]) -> OrderReport:
    """How an order stands: for each concentrator, and for each meter that answered."""
    return head_end.orders.report(name)


_HANDLERS: Final[list[Any]] = [all_groups, define, order, recent_orders, one_order]


def api() -> Router:
    """The part of the API."""
    return Router("/api/v1", route_handlers=_HANDLERS)
