"""The pump: an asyncio protocol that drives any engine of the shape in ``meterway.base.engine``.

No task, no stream object and at most one timer for a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from meterway.base.engine import Engine

__all__ = ["EngineProtocol"]

EventT = TypeVar("EventT")


class EngineProtocol(asyncio.Protocol, Generic[EventT]):
    """Octets from the transport into the engine, events to ``on_event``, the engine's octets to the transport.

    Who calls the engine from outside (a new request, a disconnect) calls ``flush`` afterwards; within
    ``on_event`` and ``on_made`` that is not needed. A peer that does not read is not written to: octets wait
    in the engine and nothing more is read from that peer until it does. The end of the line reaches the engine
    once, as empty data. ``on_lost`` is called once at the very end, with the transport's error if it had one.
    """

    __slots__ = (
        "_busy",
        "_closing",
        "_due",
        "_ended",
        "_loop",
        "_on_event",
        "_on_lost",
        "_on_made",
        "_paused",
        "_timer",
        "_transport",
        "engine",
        "heard_s",
    )

    def __init__(
        self,
        engine: Engine[EventT],
        on_event: Callable[[EventT], None],
        *,
        on_made: Callable[[EngineProtocol[EventT]], object] | None = None,
        on_lost: Callable[[Exception | None], None] | None = None,
    ) -> None:
        self.engine = engine
        self._on_event = on_event
        self._on_made = on_made
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._busy = False
        self._closing = False
        self._paused = False
        self._ended = False
        self.heard_s = self._loop.time()
        """When the last octets came, by the loop's clock."""

    @property
    def connected(self) -> bool:
        """Whether there is a line to write to."""
        return self._transport is not None

    def now(self) -> float:
        """The time the engine is told, in seconds of the loop's clock."""
        return self._loop.time()

    def peer(self) -> str:
        """The other end as ``host:port``; empty if there is none."""
        name = self._transport.get_extra_info("peername") if self._transport is not None else None
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "")

    @property
    def host(self) -> str:
        """The address of the other end; empty if there is none."""
        name = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(name[0]) if isinstance(name, tuple) else ""

    def flush(self) -> None:
        """Hand out what happened, send what is to be sent, set the timer; call it after using the engine."""
        if self._busy:
            return
        self._busy = True
        try:
            engine, on_event = self.engine, self._on_event
            event = engine.next_event()
            while True:
                while event is not None:
                    on_event(event)
                    event = engine.next_event()
                if self._paused or self._transport is None:
                    break
                octets = engine.data_to_send()
                if not octets:
                    break
                self._transport.write(octets)
                event = engine.next_event()
                if event is None:
                    break
        finally:
            self._busy = False
        if self._closing and self._transport is not None:
            self._transport.close()
        else:
            self._set_timer()

    def close(self) -> None:
        """Send what is waiting, then close the line."""
        self._closing = True
        self.flush()

    def abort(self) -> None:
        """Drop the line at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the line (called by the loop)."""
        self._transport = cast(asyncio.Transport, transport)
        if self._on_made is not None:
            self._on_made(self)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Take octets (called by the loop)."""
        self.heard_s = self._loop.time()
        self.engine.receive_data(data, self.heard_s)
        self.flush()

    def eof_received(self) -> bool:
        """Tell the engine that the other side is done, send its last words and let the line close."""
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the line (called by the loop)."""
        self._transport = None
        self._end()
        self._stop_timer()
        if self._on_lost is not None:
            self._on_lost(exc)

    def pause_writing(self) -> None:
        """Stop writing, and reading with it: a peer that does not listen may not go on asking."""
        self._paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on where ``pause_writing`` stopped."""
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self.flush()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self.engine.receive_data(b"", self._loop.time())
            self.flush()

    def _set_timer(self) -> None:
        """Arm the one timer. One that fires too early arms itself again: cheaper than a new one for each request."""
        due = self.engine.next_timeout()
        if due is None or self._transport is None:
            return
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._fire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        try:
            due, now = self.engine.next_timeout(), self._loop.time()
            if due is not None and due <= now:
                self.engine.handle_timeout(now)
            self.flush()
        except BaseException:
            self.abort()
            raise
