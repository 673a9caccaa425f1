"""The control socket, as the head end serves it to commands on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
from pathlib import Path
from typing import cast

import msgspec

from meterway.base.errors import ConfigError, MeterwayError
from meterway.headend.commands import Answered, Command
from meterway.headend.control import LINE_LIMIT, Request, socket_path
from meterway.headend.group_control import group_answer
from meterway.headend.serve import HeadEnd
from meterway.mapping.obis import find
from meterway.model.telegram import Json

__all__ = ["ControlSocket", "command_of", "perform"]


def command_of(request: Request) -> Command:
    """The command a request stands for; ConfigError for a code or name nobody knows."""
    return Command(
        obis=find(request.obis),
        attribute=request.attribute,
        method=request.method,
        from_s=request.from_s,
        to_s=request.to_s,
        value=cast(Json, request.value),
        class_id=request.class_id,
    )


async def perform(head_end: HeadEnd, request: Request) -> dict[str, Json]:
    """Do what is asked on a head end; MeterwayError when it cannot be done."""
    actor = request.actor or getpass.getuser()
    match request.action:
        case "objects":
            found = await head_end.objects(request.serial)
            rows: list[Json] = [
                {"class": class_id, "version": version, "obis": str(obis)} for class_id, version, obis in found
            ]
            return {"ok": True, "objects": rows}
        case "collect":
            outcome = await head_end.collect_now(request.serial)
            return {"ok": outcome["cause"] == "ok", **outcome}
        case "read":
            return _told(request, await head_end.read(request.serial, command_of(request), actor=actor))
        case "set":
            return _told(request, await head_end.set(request.serial, command_of(request), actor=actor))
        case "act":
            return _told(request, await head_end.act(request.serial, command_of(request), actor=actor))
    if request.action.startswith("group-"):
        return await group_answer(head_end, request, actor)
    raise ConfigError(f"{request.action!r} is no action; there are read, set, act, objects, collect, group-...")


def _told(request: Request, answered: Answered) -> dict[str, Json]:
    return {"serial": request.serial, **answered.as_json()}


class ControlSocket:
    """Serves the control socket of one head end."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._path = socket_path(head_end.config.store_url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; ConfigError if a head end of the same store already does."""
        if self._path is None:
            store = self._head_end.store
            if not store.session.claim("meterway head end"):
                raise ConfigError(f"a head end already runs on this store ({store.where})")
            return
        if await _is_alive(self._path):
            raise ConfigError(f"a head end already runs on this store ({self._path} answers)")
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_LIMIT)
        except OSError as error:
            raise ConfigError(f"cannot listen on {self._path}: {error.strerror or error}") from None
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Let go of the socket."""
        if self._server is not None and self._path is not None:
            self._server.close()
            for writer in tuple(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Json]:
        try:
            return await perform(self._head_end, msgspec.json.decode(line, type=Request))
        except msgspec.MsgspecError as error:
            return _refused("request", error)
        except ConfigError as error:
            return _refused("usage", error)
        except MeterwayError as error:
            return _refused(getattr(error, "check", None) or getattr(error, "kind", None) or "device", error)


def _refused(kind: str, error: Exception) -> dict[str, Json]:
    return {"ok": False, "error": {"kind": kind, "message": str(error)}}


async def _is_alive(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
