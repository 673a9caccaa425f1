"""Receivers whose stream is no line: the output of a program that is started, a file that grows, a named pipe."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from meterway.base.errors import LinkError
from meterway.links.receivers.codec import ReceiverCodec
from meterway.links.receivers.port import ReceiverPort

__all__ = ["open_file_receiver", "open_program_receiver"]

_LOOK_S: Final = 0.2
_SAID: Final = 200
_PIECE: Final = 65536

OnLost = Callable[[str], None]


# -- a program --------------------------------------------------------------------------------------------------------


class _Program(asyncio.SubprocessProtocol, asyncio.Transport):
    """A program under a port: what it prints is received; the end of one is the end of the other."""

    def __init__(self, port: ReceiverPort, name: str) -> None:
        super().__init__({"peername": name})
        self._port = port
        self._name = name
        self._process: asyncio.SubprocessTransport | None = None
        self._said = b""
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It was started (called by the loop)."""
        if isinstance(transport, asyncio.SubprocessTransport):
            self._process = transport
        self._port.connection_made(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It printed something; of what it complains of the end is kept (called by the loop)."""
        if fd == 1:
            self._port.data_received(data)
        else:
            self._said = (self._said + data)[-_SAID:]

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended and all it printed was read (called by the loop)."""
        self._ended = True
        said = self._said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        status = None if self._process is None else self._process.get_returncode()
        if self._process is not None:
            self._process.close()
        self._port.connection_lost(LinkError(f"{self._name} ended with status {status}{': ' if said else ''}{said}"))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nothing: a program only prints."""

    def close(self) -> None:
        """End it, and what it started."""
        process = self._process
        if process is None or self._ended:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.get_pid(), signal.SIGTERM)
        process.close()


async def open_program_receiver(
    codec: ReceiverCodec,
    program: Sequence[str],
    *,
    on_lost: OnLost | None = None,
    clock: Callable[[], float] = time.time,
) -> ReceiverPort:
    """Start a program (``rtl_433 -F json``) and read what it prints; LinkError if it cannot be started.

    It is a process group of its own, so that a pipeline behind ``sh -c`` ends as a whole when the port is closed.
    """
    port = ReceiverPort(codec, on_lost=on_lost, clock=clock)
    loop = asyncio.get_running_loop()
    try:
        await loop.subprocess_exec(
            lambda: _Program(port, program[0]), *program, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        raise LinkError(f"{program[0]} cannot be started: {error.strerror or error}") from error
    return port


# -- a file -----------------------------------------------------------------------------------------------------------


class _Tail(asyncio.Transport):
    """What is appended to a file from now on. One that was put in its place, or cut, is read from its beginning."""

    def __init__(self, port: ReceiverPort, path: Path, file: BinaryIO) -> None:
        super().__init__({"peername": str(path)})
        self._port = port
        self._path = path
        self._file = file
        port.connection_made(self)
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        failure: Exception | None = None
        try:
            while True:
                data = await loop.run_in_executor(None, self._more)
                if data:
                    self._port.data_received(data)
                else:
                    await asyncio.sleep(_LOOK_S)
        except OSError as error:
            failure = LinkError(f"{self._path} cannot be read: {error.strerror or error}")
        finally:
            self._file.close()
            self._port.connection_lost(failure)

    def _more(self) -> bytes:
        """The next octets; none if nothing was added."""
        data = self._file.read(_PIECE)
        if data:
            return data
        now = self._path.stat()
        was = os.fstat(self._file.fileno())
        if (now.st_dev, now.st_ino) != (was.st_dev, was.st_ino):
            self._file.close()
            self._file = self._path.open("rb")
        elif now.st_size < self._file.tell():
            self._file.seek(0)
        return b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nothing: a file is only read."""

    def close(self) -> None:
        """Read no more."""
        self._task.cancel()


def _reach(path: Path) -> tuple[BinaryIO, bool]:
    """The open file, and whether it is one that waits for a writer."""
    kind = path.stat().st_mode
    if stat.S_ISFIFO(kind):
        # opened for both, a named pipe does not end when its writer does
        return os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0), True
    if stat.S_ISCHR(kind) or stat.S_ISSOCK(kind):
        raise OSError(0, "no file; a serial port is named by `serial`")
    file = path.open("rb", buffering=0)
    file.seek(0, os.SEEK_END)
    return file, False


async def open_file_receiver(
    codec: ReceiverCodec, path: str, *, on_lost: OnLost | None = None, clock: Callable[[], float] = time.time
) -> ReceiverPort:
    """Read a named pipe, or what is appended to a file from now on; LinkError names a file that cannot be read."""
    port = ReceiverPort(codec, on_lost=on_lost, clock=clock)
    loop = asyncio.get_running_loop()
    try:
        file, waits = await loop.run_in_executor(None, _reach, Path(path))
    except OSError as error:
        raise LinkError(f"{path} cannot be read: {error.strerror or error}") from error
    if waits:
        await loop.connect_read_pipe(lambda: port, file)
    else:
        _Tail(port, Path(path), file)
    return port
