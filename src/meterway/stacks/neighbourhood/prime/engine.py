"""What a PRIME service node and base node have in common: events, frames, alarms, and APDUs behind LSAPs."""

from __future__ import annotations

from typing import Generic, TypeVar

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.alarms import Alarms
from meterway.stacks.neighbourhood.llc432 import HEADER_SIZE, Lpdu
from meterway.stacks.neighbourhood.prime.arq import ArqHeader
from meterway.stacks.neighbourhood.prime.link import Link, max_lpdu
from meterway.stacks.neighbourhood.prime.packet import ControlType, Packet, Version
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings, eui48_of
from meterway.stacks.neighbourhood.station import Apdu, Outgoing, StationEvent, Undelivered

__all__ = ["PrimeStation"]

KeyT = TypeVar("KeyT", int, str, tuple[int, str])


class PrimeStation(Generic[KeyT]):
    """The half of a station that does not depend on its side."""

    __slots__ = ("_alarms", "_events", "_now", "_out", "_settings", "eui", "eui48")

    def __init__(self, eui: bytes, settings: PrimeSettings) -> None:
        if len(eui) != 8:
            raise LocalProtocolError(f"an EUI has eight octets, not {len(eui)}")
        self.eui = eui
        self.eui48 = eui48_of(eui)
        self._settings = settings
        self._events: list[StationEvent] = []
        self._out: list[Outgoing] = []
        self._alarms: Alarms[KeyT] = Alarms()
        self._now = 0.0

    @property
    def max_apdu(self) -> int:
        """The longest APDU it carries."""
        return min(self._settings.max_apdu, max_lpdu(self._settings) - HEADER_SIZE)

    def next_event(self) -> StationEvent | None:
        """The next thing that happened, or None."""
        return self._events.pop(0) if self._events else None

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._alarms.next()

    def _note(self, kind: str, message: str, octets: bytes = b"") -> None:
        self._events.append(Noticed(kind=kind, message=message, octets=octets))

    def _lpdu(self, apdu: bytes, destination: int, source: int) -> bytes:
        if len(apdu) > self.max_apdu:
            raise LocalProtocolError(f"an APDU of {len(apdu)} octets is longer than {self.max_apdu}")
        return Lpdu(destination=destination, source=source, apdu=apdu).encode()

    def _decode(self, octets: bytes, sna: bytes) -> Packet | None:
        """The packet in a frame; what is none is noticed."""
        try:
            return Packet.decode(Reader(octets), sna, self._settings.version)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return None

    def _emit(self, packet: Packet, sna: bytes, to: int, *, urgent: bool = False) -> None:
        self._out.append(Outgoing(packet.encode(sna, self._settings.version), to, urgent))

    def _control(self, kind: ControlType, payload: bytes, lnid: int, *, down: bool) -> Packet:
        return Packet(down=down, lnid=lnid, lcid=kind, payload=payload, control=True, priority=1)

    def _drain(self, link: Link, lnid: int, *, down: bool, sna: bytes, to: int, may_launch: bool = True) -> None:
        """Let a connection's packets go out."""
        arq = self._settings.version is Version.V14
        for payload, urgent in link.outgoing(self._now, may_launch=may_launch):
            packet = Packet(down=down, lnid=lnid, lcid=link.lcid, payload=payload, priority=0 if urgent else 2, arq=arq)
            self._emit(packet, sna, to, urgent=urgent)

    def _receive_data(self, link: Link, packet: Packet, eui: bytes, octets: bytes) -> bool:
        """Take a packet of a connection; whether the connection is still sound."""
        before = link.repeated
        try:
            wholes = link.receive(packet.payload, self._now)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            # A subheader that cannot be read was damage; segments that do not fit are an end of the connection.
            return error.kind == "truncated" and not _is_numbered(packet.payload)
        if link.repeated != before:
            self._note("retransmission", "a packet came again", octets)
        for whole in wholes:
            self._deliver(whole, eui, down=packet.down)
        return True

    def _deliver(self, whole: bytes, eui: bytes, *, down: bool, is_broadcast: bool = False) -> None:
        """An LLC frame: towards nodes the destination is the server, towards the base node the client."""
        try:
            lpdu = Lpdu.decode(Reader(whole))
        except DecodeError as error:
            self._note(error.kind, error.message, whole)
            return
        client, server = (lpdu.source, lpdu.destination) if down else (lpdu.destination, lpdu.source)
        self._events.append(Apdu(eui=eui, apdu=lpdu.apdu, client=client, server=server, is_broadcast=is_broadcast))

    def _give_up(self, link: Link, eui: bytes, reason: str) -> None:
        """Tell what a connection that has ended did not deliver."""
        for apdu in link.undelivered():
            self._events.append(Undelivered(eui=eui, apdu=apdu, reason=reason))


def _is_numbered(payload: bytes) -> bool:
    try:
        ArqHeader.decode(payload)
    except DecodeError:
        return False
    return True
