"""A process of the town: told what to run by one JSON line, it answers with one, and runs until its input is closed.

So it never outlives the town.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from typing import TypeVar

import msgspec

from meterway.base.errors import ConfigError, MeterwayError

__all__ = ["say", "serve_order", "until_closed"]

T = TypeVar("T")


def say(report: msgspec.Struct) -> None:
    """Tell the town, on one line of standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


async def until_closed() -> None:
    """Wait until the town closes standard input."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def serve_order(
    kind: type[T], work: Callable[[T], Coroutine[None, None, None]], refuse: Callable[[str], msgspec.Struct], what: str
) -> int:
    """Read the order, work on it; exit status 1 if it could not start, with the reason as ``refuse`` puts it."""
    try:
        order = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    except msgspec.MsgspecError as error:
        say(refuse(f"the order of the {what} is unreadable: {error}"))
        return 1
    try:
        with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work(order))
    except (MeterwayError, ConfigError) as error:
        say(refuse(str(error)))
        return 1
    except BrokenPipeError:  # the town ended while this came up
        return 1
    return 0


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """The fastest event loop there is."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
