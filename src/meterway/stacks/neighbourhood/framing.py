"""A DLMS framing to one member of a neighbourhood network: APDUs leave through the station, not as octets of a line."""

from __future__ import annotations

from meterway.base.errors import LinkError, LocalProtocolError
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.neighbourhood.station import Apdu, Station

__all__ = ["StationFraming"]


class StationFraming:
    """A ``Framing``: give it the ``Apdu`` events of its peer by ``take``, and ``cut`` when the peer has left.

    On the server side the pair of addresses is that of the last APDU taken. ``receive_data`` knows only the end (empty
    data), and ``data_to_send`` is always empty: collect the station's frames instead.
    """

    __slots__ = ("_client", "_closed", "_events", "_peer", "_role", "_server", "_station", "urgent")

    def __init__(self, station: Station, peer: bytes, client: int, server: int, *, role: Role) -> None:
        self._station = station
        self._peer = peer
        self._client = client
        self._server = server
        self._role = role
        self._events: list[FramingEvent] = []
        self._closed = False
        self.urgent = False
        """Whether what is sent goes before what waits."""

    def connect(self, now: float) -> None:
        """Open (again); ``Connected`` follows at once."""
        self._closed = False
        self._events.append(Connected())

    def disconnect(self, now: float) -> None:
        """Close; ``Disconnected`` follows."""
        self._close(None)

    def send(self, apdu: bytes, now: float) -> None:
        """Send one APDU to the peer; one that is no member any more closes with an error."""
        if self._closed:
            self._events.append(Noticed(kind="closed", message="an APDU was to be sent on a closed link", octets=apdu))
            return
        try:
            self._station.send_apdu(
                self._peer, apdu, client=self._client, server=self._server, now=now, urgent=self.urgent
            )
        except LocalProtocolError as error:
            self._close(error)

    def take(self, event: Apdu) -> None:
        """Take an APDU of the peer."""
        if self._closed:
            return
        if self._role is Role.SERVER:
            self._client, self._server = event.client, event.server
        elif (event.client, event.server) != (self._client, self._server):
            text = f"an APDU between {event.client} and {event.server} is for another association"
            self._events.append(Noticed(kind="address", message=text, octets=event.apdu))
            return
        self._events.append(ApduReceived(apdu=event.apdu, client=event.client, server=event.server))

    def cut(self, reason: str) -> None:
        """The peer is gone; ``Disconnected`` with a LinkError follows."""
        self._close(LinkError(reason))

    def receive_data(self, data: bytes, now: float) -> None:
        """Empty data says that the network was closed; frames go to the station."""
        if not data:
            self._close(LinkError("the network was closed") if self._role is Role.CLIENT else None)

    def next_event(self) -> FramingEvent | None:
        """The next thing that happened, or None."""
        return self._events.pop(0) if self._events else None

    def data_to_send(self) -> bytes:
        """Nothing: frames leave through the station."""
        return b""

    def next_timeout(self) -> float | None:
        """None: the station does the waiting."""
        return None

    def handle_timeout(self, now: float) -> None:
        """Nothing waits here."""

    def _close(self, error: LinkError | LocalProtocolError | None) -> None:
        if not self._closed:
            self._closed = True
            self._events.append(Disconnected(error=error))
