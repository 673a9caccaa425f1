"""A process that the town starts: told by lines, answering with one each, ended by closing its input."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import msgspec

from meterway.base.errors import LinkError

__all__ = ["Child"]

_LONGEST_LINE: Final = 1 << 26


class Child:
    """``name`` is what it is called in errors; ``process`` is None until it is started."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    async def start(self, module: str) -> asyncio.subprocess.Process:
        """Run a module of ``meterway.town``; the first thing it is asked is its order."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"meterway.town.{module}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for the town, which then closes the process
        )
        return self.process

    async def ask(self, message: msgspec.Struct, timeout_s: float) -> bytes:
        """Send one line; the line it answers. LinkError if there is no process, or none that answers."""
        process = self.process
        if process is None or process.stdin is None or process.stdout is None:
            raise LinkError(f"there is no {self.name}")
        async with self._asking:
            process.stdin.write(msgspec.json.encode(message) + b"\n")
            try:
                async with asyncio.timeout(timeout_s):
                    await process.stdin.drain()
                    line = await process.stdout.readline()
            except TimeoutError:
                raise LinkError(f"the {self.name}'s process did not answer within {timeout_s:g} s") from None
            except OSError as error:
                raise LinkError(f"the {self.name}'s process does not answer: {error}") from error
        if not line:
            raise LinkError(f"the {self.name}'s process ended before it answered")
        return line

    async def end(self, within_s: float) -> None:
        """Close its input and wait; one that does not end is killed."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(within_s):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
