"""Several meters on one HDLC line: each frame goes to the station whose upper address it names."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from meterway.stacks.dlms.framing import FramingEvent
from meterway.stacks.dlms.hdlc import Deframer, HdlcAddress

__all__ = ["HdlcStations", "Station"]

_FLAG = b"\x7e"


class Station(Protocol):
    """The engine of one station."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened, or None."""

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""

    def handle_timeout(self, now: float) -> None:
        """Tell the engine that the time has come."""


class HdlcStations:
    """Engine of one line. ``station_of`` makes the station of an address when it is first named, or None."""

    __slots__ = ("_deframer", "_events", "_station_of", "_stations")

    def __init__(self, station_of: Callable[[HdlcAddress], Station | None]) -> None:
        self._station_of = station_of
        self._stations: dict[int, Station] = {}
        self._deframer = Deframer()
        self._events: deque[FramingEvent] = deque()

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        if not data:
            for station in self._stations.values():
                station.receive_data(b"", now)
        for found in self._deframer.feed(data) if data else ():
            named = None if found.frame is None else self._named(found.frame.destination)
            if named is not None:
                named.receive_data(_FLAG + found.octets + _FLAG, now)
        self._collect()

    def _named(self, address: HdlcAddress) -> Station | None:
        known = self._stations.get(address.logical)
        if known is not None:
            return known
        fresh = self._station_of(address)
        if fresh is not None:
            self._stations[address.logical] = fresh
        return fresh

    def _collect(self) -> None:
        for station in self._stations.values():
            while (event := station.next_event()) is not None:
                self._events.append(event)

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened at any station, or None."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        return b"".join([station.data_to_send() for station in self._stations.values()])

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        times = [time for station in self._stations.values() if (time := station.next_timeout()) is not None]
        return min(times, default=None)

    def handle_timeout(self, now: float) -> None:
        """Tell the stations whose time has come."""
        for station in self._stations.values():
            due = station.next_timeout()
            if due is not None and due <= now:
                station.handle_timeout(now)
        self._collect()
