"""What coordinator and node have in common: frames taken apart, APDUs in datagrams, events and frames that wait."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError, MeterwayError, ProtocolError, SecurityError
from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.dlms.wrapper import WrapperFrame, decode_datagram
from meterway.stacks.neighbourhood.ieee802154 import BROADCAST, Address, FrameKind, MacFrame
from meterway.stacks.neighbourhood.lbp import Lbp
from meterway.stacks.neighbourhood.lowpan import (
    ALL_NODES,
    Adaptation,
    Command,
    Datagram,
    LinkFrame,
    LinkLocal,
    Packet,
    read_datagram,
    write_datagram,
)
from meterway.stacks.neighbourhood.lowpan.dispatch import LBP_COMMAND, command
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor
from meterway.stacks.neighbourhood.station import EVERYONE, Apdu, Outgoing, StationEvent
from meterway.stacks.neighbourhood.wpan.keyring import Keyring
from meterway.stacks.neighbourhood.wpan.profile import MAX_APDU, PORT, Profile, Settings

__all__ = ["COORDINATOR", "WpanStation"]

COORDINATOR: Final = 0
"""The coordinator's short address."""


class WpanStation(ABC):
    """The base of both; ``_short`` is None while a node has no address."""

    def __init__(self, eui: bytes, profile: Profile, settings: Settings, *, datagrams: int) -> None:
        if len(eui) != 8:
            raise LocalProtocolError(f"an EUI-64 has eight octets, not {len(eui)}")
        self._eui = eui
        self._profile = profile
        self._settings = settings
        self._short: int | None = None
        self._links = LinkLocal(settings.pan if profile.pan_in_iid else 0)
        self._keyring = Keyring(profile, settings.pan)
        self._adaptation = Adaptation(
            Compressor(self._links, allow_elided=True),
            room=profile.room,
            first_tag=int.from_bytes(settings.random(2), "big"),
            hops=profile.hops,
            datagrams=datagrams,
        )
        self._sequence = settings.random(1)[0]
        self._events: list[StationEvent] = []
        self._out: list[Outgoing] = []

    @property
    def eui(self) -> bytes:
        """Its own EUI-64."""
        return self._eui

    @property
    def max_apdu(self) -> int:
        """The longest APDU: one IPv6 packet; DLMS cuts longer answers into blocks."""
        return MAX_APDU

    def next_event(self) -> StationEvent | None:
        """The next thing that happened, or None."""
        return self._events.pop(0) if self._events else None

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now; each is returned once."""
        out, self._out = self._out, []
        return out

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium's node ``source``; what is wrong with it is ``Noticed``."""
        try:
            frame = self._profile.framing.unwrap(octets)
            if frame.kind is FrameKind.DATA:
                self._take_data(frame, source, now)
            else:
                self._take_other(frame, source, now)
        except (DecodeError, SecurityError) as error:
            kind = error.kind if isinstance(error, DecodeError) else error.check
            self._notice(kind, error.message, octets)
        except MeterwayError as error:
            self._notice("protocol", str(error), octets)

    # What the two sides do differently.

    @abstractmethod
    def _sender(self, frame: MacFrame) -> tuple[int, bytes]:
        """Short address and EUI-64 of who sent a secured frame; SecurityError if it is no member."""

    @abstractmethod
    def _take_other(self, frame: MacFrame, source: int, now: float) -> None:
        """Beacons and commands of the MAC."""

    @abstractmethod
    def _take_lbp(self, message: Lbp, source: int, now: float, *, is_secured: bool) -> None:
        """A bootstrapping message."""

    @abstractmethod
    def _heard(self, eui: bytes, now: float) -> None:
        """A secured frame came from a member."""

    # Receiving.

    def _take_data(self, frame: MacFrame, source: int, now: float) -> None:
        if frame.pan != self._settings.pan or frame.source is None or frame.destination is None:
            raise ProtocolError("a frame of another network")
        if frame.destination not in (self._short, self._eui, BROADCAST):
            raise ProtocolError("a frame for another station")
        payload, eui = frame.payload, b""
        if frame.security is not None:
            short, eui = self._sender(frame)
            payload = self._keyring.open(frame, short, eui)
            self._heard(eui, now)
        link = LinkFrame(payload=payload, source=frame.source, destination=frame.destination)
        if not eui and not _is_lbp(payload):
            raise SecurityError("a frame without security that is no bootstrapping", "policy")
        came = self._adaptation.receive(link, now)
        if isinstance(came, Command) and came.number == LBP_COMMAND:
            self._take_lbp(Lbp.decode(came.octets), source, now, is_secured=bool(eui))
        elif isinstance(came, Packet):
            self._take_packet(came, frame, eui)

    def _take_packet(self, came: Packet, frame: MacFrame, eui: bytes) -> None:
        if came.source != frame.source or came.packet.source != self._links.address(came.source):
            raise SecurityError("a packet from another than the sender of its frame", "policy")
        own = ALL_NODES if came.is_broadcast else self._links.address(self._short or COORDINATOR)
        if came.is_broadcast != (frame.destination == BROADCAST) or came.packet.destination != own:
            raise ProtocolError("a packet for another station")
        datagram = read_datagram(came.packet)
        if datagram.destination_port != PORT:
            raise ProtocolError(f"a datagram to port {datagram.destination_port}")
        wrapper = decode_datagram(datagram.payload)
        client, server = self._ends(wrapper)
        self._events.append(
            Apdu(eui=eui, apdu=wrapper.apdu, client=client, server=server, is_broadcast=came.is_broadcast)
        )

    def _ends(self, wrapper: WrapperFrame) -> tuple[int, int]:
        """Client and server: the coordinator's side has the clients."""
        return wrapper.destination, wrapper.source

    def _notice(self, kind: str, message: str, octets: bytes = b"") -> None:
        self._events.append(Noticed(kind=kind, message=message, octets=octets))

    # Sending.

    def _next_sequence(self) -> int:
        self._sequence = self._sequence + 1 & 0xFF
        return self._sequence

    def _emit(self, frame: MacFrame, to: int, *, urgent: bool = False) -> None:
        self._out.append(Outgoing(self._profile.framing.wrap(frame, urgent=urgent), to, urgent))

    def _send_data(
        self, payload: bytes, destination: Address, to: int, *, is_secured: bool = True, urgent: bool = False
    ) -> None:
        source = self._eui if self._short is None or not is_secured else self._short
        frame = MacFrame(
            kind=FrameKind.DATA,
            sequence=self._next_sequence(),
            pan=self._settings.pan,
            destination=destination,
            source=source,
            payload=payload,
        )
        if is_secured:
            frame = self._keyring.seal(frame, self._short or COORDINATOR, self._eui)
        self._emit(frame, to, urgent=urgent)

    def _send_lbp(self, message: Lbp, destination: Address, to: int, *, is_secured: bool = False) -> None:
        self._send_data(command(LBP_COMMAND, message.encode()), destination, to, is_secured=is_secured)

    def _send_apdu(self, wrapper: WrapperFrame, destination: int, to: int, *, urgent: bool) -> None:
        if len(wrapper.apdu) > self.max_apdu:
            raise LocalProtocolError(f"an APDU of {len(wrapper.apdu)} octets, at most {self.max_apdu} are carried")
        if self._short is None or not self._keyring.is_ready:
            raise LocalProtocolError("the station is not in a network")
        address = ALL_NODES if to == EVERYONE else self._links.address(destination)
        datagram = Datagram(
            source=self._links.address(self._short),
            destination=address,
            source_port=PORT,
            destination_port=PORT,
            payload=wrapper.encode(),
        )
        for payload in self._adaptation.send(write_datagram(datagram), self._short, destination):
            self._send_data(payload, destination, to, urgent=urgent)


def _is_lbp(payload: bytes) -> bool:
    return payload[:2] == command(LBP_COMMAND, b"")
