"""A device as a node of a neighbourhood network: it comes, is asked, and goes; DLMS through a station of any profile.

A session is made when a coordinator first asks, one set for each of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.interfaces.stationed import Stationed
from meterway.links.node import Call, NodeClock, NodePort
from meterway.stacks.dlms.framing import Disconnected, Role
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Station, StationEvent

__all__ = ["DeviceNode"]

_MOST_PEERS: Final = 4


class DeviceNode(ABC):
    """``join`` gives the node's place on the medium, each time that the device comes back."""

    __slots__ = ("_call", "_join", "_servers", "_stationed", "is_member")

    def __init__(self, join: Callable[[], NodePort]) -> None:
        self.is_member = False
        self._join = join
        self._stationed: Stationed | None = None
        self._servers: dict[bytes, tuple[StationFraming, DlmsServer]] | None = None
        self._call: Call | None = None

    # -- what the device is ------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def _clock(self) -> NodeClock:
        """The clock of whoever runs it."""

    @abstractmethod
    def _new_station(self) -> Station:
        """Its station, to join anew with."""

    @abstractmethod
    def _new_server(self, framing: StationFraming) -> DlmsServer:
        """The engine that answers one coordinator."""

    @abstractmethod
    def _on_event(self, event: StationEvent) -> None:
        """Something happened to the station."""

    def _may_enter(self) -> bool:
        """Whether it can come when its time has come."""
        return True

    # -- coming and going --------------------------------------------------------------------------------------------

    @property
    def station(self) -> Station | None:
        """Its station, or None while it is off the network."""
        return self._stationed.station if self._stationed is not None else None

    def enter(self) -> None:
        """Come onto the network and begin to join it; ConfigError if the node's number is taken."""
        self._stop_waiting()
        if self._stationed is None:
            self._stationed = Stationed(self._new_station(), self._join(), self._clock, self._on_event)
            self._stationed.start()

    def enter_after(self, seconds: float) -> None:
        """Come a little later, if it can then."""
        self._later(seconds, lambda: self.enter() if self._may_enter() else None)

    def leave(self) -> None:
        """Vanish from the network without a word."""
        self._stop_waiting()
        stationed, self._stationed, self._servers = self._stationed, None, None
        self.is_member = False
        if stationed is not None:
            stationed.close()

    def leave_after(self, seconds: float) -> None:
        """Vanish a little later, if it does not ``enter`` again before."""
        self._later(seconds, self.leave)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._stop_waiting()
        self._call = self._clock.call_at(self._clock.now() + seconds, action)

    def _stop_waiting(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None

    # -- what is asked -----------------------------------------------------------------------------------------------

    def _answer(self, event: Apdu, now: float) -> None:
        """Have the session of who asks take an APDU and answer it."""
        framing, server = self._session(event)
        framing.take(event)
        server.receive_data(event.apdu, now)
        while (told := server.next_event()) is not None:
            if isinstance(told, Disconnected) and self._servers is not None:
                self._servers.pop(event.eui, None)

    def _session(self, event: Apdu) -> tuple[StationFraming, DlmsServer]:
        servers = self._servers = self._servers if self._servers is not None else {}
        found = servers.get(event.eui)
        if found is None and self._stationed is not None:
            while len(servers) >= _MOST_PEERS:
                del servers[next(iter(servers))]
            framing = StationFraming(self._stationed.station, event.eui, event.client, event.server, role=Role.SERVER)
            found = servers[event.eui] = framing, self._new_server(framing)
        if found is None:
            raise LocalProtocolError("the device is off the network")
        return found
