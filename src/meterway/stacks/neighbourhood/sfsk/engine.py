"""What an S-FSK server and an initiator have in common: events, frames, alarms."""

from __future__ import annotations

from typing import Generic, TypeVar

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.neighbourhood.alarms import Alarms
from meterway.stacks.neighbourhood.llc432 import Lpdu
from meterway.stacks.neighbourhood.sfsk.ciase import CiPdu, decode_ci_pdu, is_ci_pdu
from meterway.stacks.neighbourhood.sfsk.mac import MacFrame
from meterway.stacks.neighbourhood.sfsk.settings import MAX_APDU, SfskSettings
from meterway.stacks.neighbourhood.station import Outgoing, StationEvent

__all__ = ["Heard", "SfskStation"]

KeyT = TypeVar("KeyT", str, tuple[bytes, str])
Heard = tuple[MacFrame, Lpdu, CiPdu | None]
"""A frame, its LLC frame, and what it says if it is of the CIASE."""


class SfskStation(Generic[KeyT]):
    """The half of a station that does not depend on its side."""

    __slots__ = ("_alarms", "_events", "_now", "_out", "_settings", "eui")

    def __init__(self, eui: bytes, settings: SfskSettings) -> None:
        if len(eui) != 8:
            raise LocalProtocolError(f"an EUI has eight octets, not {len(eui)}")
        self.eui = eui
        self._settings = settings
        self._events: list[StationEvent] = []
        self._out: list[Outgoing] = []
        self._alarms: Alarms[KeyT] = Alarms()
        self._now = 0.0

    @property
    def max_apdu(self) -> int:
        """The longest APDU it carries: what one frame holds."""
        return MAX_APDU

    def next_event(self) -> StationEvent | None:
        """The next thing that happened, or None."""
        return self._events.pop(0) if self._events else None

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now."""
        out, self._out = self._out, []
        return out

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._alarms.next()

    def _note(self, kind: str, message: str, octets: bytes = b"") -> None:
        self._events.append(Noticed(kind=kind, message=message, octets=octets))

    def _read(self, octets: bytes) -> Heard | None:
        """What a frame holds; what cannot be read is noticed."""
        try:
            frame = MacFrame.decode(Reader(octets))
            lpdu = Lpdu.decode(Reader(frame.sdu))
            pdu = decode_ci_pdu(lpdu.apdu) if is_ci_pdu(lpdu.destination, lpdu.source) else None
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return None
        return frame, lpdu, pdu

    def _lpdu(self, apdu: bytes, destination: int, source: int) -> bytes:
        if len(apdu) > MAX_APDU:
            raise LocalProtocolError(f"an APDU of {len(apdu)} octets is longer than {MAX_APDU}")
        if is_ci_pdu(destination, source):
            raise LocalProtocolError(f"LSAPs {destination} and {source} are those of the CIASE")
        return Lpdu(destination=destination, source=source, apdu=apdu).encode()

    def _frame(self, source: int, destination: int, sdu: bytes) -> bytes:
        credit = self._settings.initial_credit
        frame = MacFrame(source=source, destination=destination, sdu=sdu, initial_credit=credit, current_credit=credit)
        return frame.encode()
