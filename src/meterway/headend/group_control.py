"""Groups and orders over the control socket."""

from __future__ import annotations

import time
from typing import cast

import msgspec

from meterway.base.errors import ConfigError
from meterway.headend import groups
from meterway.headend.control import Request
from meterway.headend.groups import Group, OrderWanted
from meterway.headend.serve import HeadEnd
from meterway.model.telegram import Json

__all__ = ["group_answer"]


async def group_answer(head_end: HeadEnd, request: Request, actor: str) -> dict[str, Json]:
    """Do what is asked about groups; ConfigError for what cannot be."""
    try:
        return await _answer(head_end, request, actor)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from None


async def _answer(head_end: HeadEnd, request: Request, actor: str) -> dict[str, Json]:
    in_thread, store = head_end.collector.in_thread, head_end.store
    match request.action:
        case "group-define":
            group = msgspec.convert(request.value, Group)

            def define() -> None:
                groups.keep(store, group)
                store.audit.append(actor, f"define group {group.name}", time_ms=int(time.time() * 1000), result="ok")

            await in_thread(define)
            return {"ok": True}
        case "group-list":
            found = await in_thread(lambda: groups.groups(store))
            return {"ok": True, "groups": _plain(found)}
        case "group-order":
            wanted = msgspec.convert(request.value, OrderWanted)
            return {"ok": True, "order": _plain(await head_end.orders.begin(request.serial, wanted, actor=actor))}
        case "group-show":
            return {"ok": True, "order": _plain(await in_thread(lambda: head_end.orders.report(request.serial)))}
    raise ConfigError(f"{request.action!r} is no action; there are group-define, group-list, group-order, group-show")


def _plain(value: object) -> Json:
    return cast(Json, msgspec.json.decode(msgspec.json.encode(value)))
