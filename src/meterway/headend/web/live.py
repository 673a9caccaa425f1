"""What happens, sent to pages as server-sent events: happenings in small batches, totals when they change."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Final

import msgspec
from litestar.response import ServerSentEventMessage

from meterway.headend.api import Views
from meterway.headend.live import Happening, Live
from meterway.headend.serve import HeadEnd

__all__ = ["Gathering", "messages", "totals"]

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


class Gathering:
    """What happens while the block runs: all of it counted, the last ones kept."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._fresh: deque[Happening] = deque(maxlen=_SHOWN)
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Gathering:
        listening = asyncio.Event()
        self._task = asyncio.create_task(self._gather(listening))
        await listening.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _gather(self, listening: asyncio.Event) -> None:
        stream = self._live.listen()
        listening.set()
        async for happening in stream:
            self._fresh.append(happening)
            self._count += 1

    def take(self) -> tuple[list[Happening], int]:
        """The last ones since it was last asked, and how many there were in all."""
        taken, count = list(self._fresh), self._count
        self._fresh.clear()
        self._count = 0
        return taken, count


async def messages(
    head_end: HeadEnd, views: Views, ending: asyncio.Event, *, tick_s: float = _TICK_S
) -> AsyncIterator[ServerSentEventMessage]:
    """Events ``totals`` and ``happenings`` until ``ending`` is set; a comment now and then keeps the line open."""
    last: dict[str, object] = {}
    async with Gathering(head_end.live) as fresh:
        turn = 0
        while not ending.is_set():
            if turn % _TOTALS_EVERY == 0:
                now = await asyncio.to_thread(totals, head_end, views)
                if now != last:
                    last = now
                    yield _message("totals", now)
            happened, count = fresh.take()
            if happened:
                rows = [asdict(row) for row in happened]
                yield _message("happenings", {"count": count, "rows": rows})
            elif turn % _SIGN_OF_LIFE_EVERY == 0:
                yield ServerSentEventMessage(comment="here")
            turn += 1
            try:
                async with asyncio.timeout(tick_s):
                    await ending.wait()
            except TimeoutError:
                continue


def _message(event: str, data: dict[str, object]) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=event, data=msgspec.json.encode(data).decode())
