"""The one shape of every protocol engine: octets and time go in, events and octets come out.

An engine does no input or output and reads no clock. A pump (``meterway.links.pump``) feeds it what a
link received together with the time, sends what it wants sent, and wakes it at its next timeout.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

__all__ = ["Engine", "QueuingEngine"]

EventT = TypeVar("EventT")
EventT_co = TypeVar("EventT_co", covariant=True)


class Engine(Protocol[EventT_co]):
    """What a pump can drive. Times are seconds on any steadily rising clock."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""

    def next_event(self) -> EventT_co | None:
        """The next thing that happened, or None."""

    def data_to_send(self) -> bytes:
        """All octets that are to go out now (empty if none); each is returned once."""

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""

    def handle_timeout(self, now: float) -> None:
        """Tell the engine that the time has come."""


class QueuingEngine(Generic[EventT]):
    """The base of an engine that keeps its events, and its octets message by message, until they are asked for."""

    __slots__ = ("_events", "_out")

    def __init__(self) -> None:
        self._events: deque[EventT] = deque()
        self._out: list[bytes] = []

    def next_event(self) -> EventT | None:
        """The next thing that happened, or None."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now (empty if none); each is returned once."""
        out = self._out
        if not out:
            return b""
        octets = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return octets
