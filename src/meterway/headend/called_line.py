"""A line that a device has opened to the head end, lent to one session after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

__all__ = ["CalledLine"]


class _Lent(asyncio.Transport):
    """The line as a session sees it: closing it gives it back."""

    def __init__(self, line: CalledLine, real: asyncio.Transport) -> None:
        super().__init__()
        self._line = line
        self._real = real
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closed:
            self._real.write(data)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._line.give_back(self)

    abort = close

    def is_closing(self) -> bool:
        return self._closed or self._real.is_closing()

    def pause_reading(self) -> None:
        self._real.pause_reading()

    def resume_reading(self) -> None:
        self._real.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._real.get_extra_info(name, default)


class CalledLine(asyncio.Protocol):
    """``first`` is given what comes before the line is lent; ``lock`` keeps sessions on it apart.

    ``opened`` is told when somebody has called, before anything was said, and ``gone`` when nobody is there any more.
    """

    def __init__(
        self,
        first: Callable[[CalledLine, bytes], None],
        gone: Callable[[CalledLine], None],
        opened: Callable[[CalledLine], None] = lambda _: None,
    ) -> None:
        self.lock = asyncio.Lock()
        self._first = first
        self._gone = gone
        self._opened = opened
        self._real: asyncio.Transport | None = None
        self._lent: _Lent | None = None
        self._session: asyncio.Protocol | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is still somebody at the other end."""
        return self._real is not None and not self._real.is_closing()

    def lend(self, session: asyncio.Protocol) -> None:
        """Give the line to a session until it closes it; the caller holds ``lock``."""
        if self._real is not None:
            self._session = session
            self._lent = _Lent(self, self._real)
            session.connection_made(self._lent)

    def give_back(self, lent: _Lent) -> None:
        """A session is done with the line."""
        session, self._session = self._session, None
        if lent is self._lent:
            self._lent = None
        if session is not None:
            asyncio.get_running_loop().call_soon(session.connection_lost, None)

    def close(self) -> None:
        """Hang up."""
        if self._real is not None:
            self._real.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody called (called by the loop)."""
        self._real = cast(asyncio.Transport, transport)  # uvloop's transports are no subclass
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Take octets (called by the loop)."""
        if self._session is not None:
            self._session.data_received(data)
        else:
            self._first(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone (called by the loop)."""
        self._real = self._lent = None
        session, self._session = self._session, None
        if session is not None:
            session.connection_lost(exc)
        self._gone(self)
