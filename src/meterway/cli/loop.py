"""Running a coroutine from a command: uvloop where it is there, Ctrl-C and SIGTERM as an orderly end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

__all__ = ["run", "until_ended"]

T = TypeVar("T")

_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)
_BY_SIGNAL: Final = 128


def run(work: Coroutine[None, None, T]) -> T:
    """Run to the end; SIGTERM and a closed terminal cancel the work, so that it tidies up, and exit with 128 + number.

    Work that waits with `until_ended` ends of its own accord instead.
    """
    came: list[int] = []
    with asyncio.Runner(loop_factory=_factory()) as runner:
        try:
            return runner.run(_heeding(work, came))
        except asyncio.CancelledError:
            if came:
                sys.exit(_BY_SIGNAL + came[0])
            raise


async def _heeding(work: Coroutine[None, None, T], came: list[int]) -> T:
    task = asyncio.current_task()

    def end(number: int) -> None:
        came.append(number)
        if task is not None:
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        loop.add_signal_handler(number, end, number)
    return await work


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def until_ended() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, *_ENDINGS):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
