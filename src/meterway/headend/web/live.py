"""What happens, sent to pages as server-sent events: happenings in small batches, totals when they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Final

import msgspec
from litestar.response import ServerSentEventMessage

from meterway.headend.api import Views
from meterway.headend.serve import HeadEnd

__all__ = ["messages", "totals"]

_TICK_S: Final = 0.5
_TOTALS_EVERY: Final = 4
_SIGN_OF_LIFE_EVERY: Final = 30
_SHOWN: Final = 25


def totals(head_end: HeadEnd, views: Views) -> dict[str, object]:
    """The numbers that pages keep up to date."""
    progress = head_end.collector.progress
    return {
        "contacts": progress.contacts,
        "values": progress.values,
        "failed": sum(count for cause, count in dict(progress.causes).items() if cause != "ok"),
        "traffic": [asdict(row) for row in views.traffic()],
    }


async def messages(
    head_end: HeadEnd, views: Views, ending: asyncio.Event, *, after: int | None = None, tick_s: float = _TICK_S
) -> AsyncIterator[ServerSentEventMessage]:
    """Events ``totals`` and ``happenings`` until ``ending`` is set; a comment now and then keeps the line open.

    Happenings begin after the one numbered ``after`` (with what happens from now on if it is None); each message of
    them has the number of its last one as its id, with which a page that was cut off asks for the rest.
    """
    last: dict[str, object] = {}
    live = head_end.live
    known = live.total if after is None else after
    turn = 0
    while not ending.is_set():
        if turn % _TOTALS_EVERY == 0:
            now = await asyncio.to_thread(totals, head_end, views)
            if now != last:
                last = now
                yield _message("totals", now)
        happened = live.since(known)
        known = live.total
        if happened:
            rows = [asdict(row) for row in happened[-_SHOWN:]]
            yield _message("happenings", {"rows": rows}, number=known)
        elif turn % _SIGN_OF_LIFE_EVERY == 0:
            yield ServerSentEventMessage(comment="here")
        turn += 1
        try:
            async with asyncio.timeout(tick_s):
                await ending.wait()
        except TimeoutError:
            continue


def _message(event: str, data: dict[str, object], *, number: int | None = None) -> ServerSentEventMessage:
    text = msgspec.json.encode(data).decode()
    return ServerSentEventMessage(event=event, data=text, id=None if number is None else str(number))
