"""The control socket, as a command on this machine uses it: how a head end that runs is reached.

A Unix socket beside the store, for its owner only; invocation counters stay in one place that way. One JSON request a
line, one JSON answer a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.errors import LinkError
from meterway.model.telegram import Json

__all__ = ["LINE_LIMIT", "Request", "ask", "socket_path"]

_LONGEST: Final = 100
LINE_LIMIT: Final = 1 << 26
"""Octets of the longest request or answer."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: ``action`` is read, set, act, objects or collect. Times are Unix seconds."""

    action: str
    serial: str
    obis: str = ""
    attribute: int | str = 2
    method: int | str = ""
    from_s: float | None = None
    to_s: float | None = None
    value: object = None
    class_id: int | None = None
    actor: str = ""


def socket_path(store_url: str) -> Path | None:
    """Where the head end of a store listens; None for a store that is not a file of this machine."""
    if not store_url.startswith("sqlite:///"):
        return None
    store = Path(store_url.removeprefix("sqlite:///")).absolute()
    beside = store.with_name(store.name + ".sock")
    if len(os.fsencode(beside)) <= _LONGEST:
        return beside
    name = hashlib.sha256(os.fsencode(store)).hexdigest()[:24]
    name = f"meterway-{os.getuid()}-{name}.sock"
    short = Path(tempfile.gettempdir()) / name
    return short if len(os.fsencode(short)) <= _LONGEST else Path("/tmp") / name  # noqa: S108  for its owner only


async def ask(path: Path, request: Request) -> dict[str, Json] | None:
    """Have the head end behind a control socket do something; None if none listens there.

    LinkError if it goes away before it answers.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_LIMIT)
    except OSError:
        return None
    try:
        writer.write(msgspec.json.encode(request) + b"\n")
        await writer.drain()
        line = await reader.readline()
    except OSError as error:
        raise LinkError(f"the head end went away: {error}") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not line:
        raise LinkError("the head end went away before it answered")
    answer: dict[str, Json] = json.loads(line)
    return answer
