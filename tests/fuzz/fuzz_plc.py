"""Octets to power-line frames, and to stations: only DecodeError may come out of parsers, nothing out of stations."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.base.octets import Reader
    from meterway.stacks.neighbourhood import prime, sfsk
    from meterway.stacks.neighbourhood.llc432 import Lpdu
    from meterway.stacks.neighbourhood.prime.arq import ArqHeader
    from meterway.stacks.neighbourhood.prime.beacon import Beacon, PromotionNeeded
    from meterway.stacks.neighbourhood.prime.control import Alv, Con, Reg
    from meterway.stacks.neighbourhood.prime.packet import ControlType, Packet, Version
    from meterway.stacks.neighbourhood.prime.sar import Basket
    from meterway.stacks.neighbourhood.prime.settings import eui48_of
    from meterway.stacks.neighbourhood.sfsk.ciase import decode_ci_pdu
    from meterway.stacks.neighbourhood.sfsk.mac import MacFrame
    from meterway.stacks.neighbourhood.station import Station

BASE, METER = b"BASE0001", b"METER001"
SNA = eui48_of(BASE)


def one_input(octets: bytes) -> None:
    """As every PDU; then, behind sound checks, as packets and frames to stations that stand in a network."""
    for version in prime.Version:
        for read in (
            lambda reader, version=version: Packet.decode(reader, SNA, version),
            lambda reader, version=version: Beacon.decode(reader, version),
            lambda reader, version=version: Alv.decode(reader, version),
        ):
            _parsed(read, octets)
    for read in (PromotionNeeded.decode, Reg.decode, Con.decode, Lpdu.decode, MacFrame.decode):
        _parsed(read, octets)
    _parsed(lambda reader: decode_ci_pdu(reader.data), octets)
    _parsed(lambda reader: ArqHeader.decode(reader.data), octets)
    basket = Basket()
    for start in range(0, len(octets), 5):
        _parsed(lambda reader: basket.add(reader.data, in_order=False), octets[start : start + 5])
    _prime_stations(octets)
    _sfsk_stations(octets)


def _parsed(read: object, octets: bytes) -> None:
    try:
        read(Reader(octets))  # type: ignore[operator]
    except DecodeError as error:
        if error.offset < 0:
            raise AssertionError("an offset before the beginning") from error


def _exchange(one: Station, two: Station, now: float) -> float:
    for _ in range(12):
        now += 5.0
        for sender, receiver, source in ((one, two, 0), (two, one, 1)):
            for frame in sender.frames_to_send():
                receiver.receive_frame(frame.octets, source, now)
            while sender.next_event() is not None:
                pass
            due = sender.next_timeout()
            if due is not None and due <= now:
                sender.handle_timeout(now)
    return now


def _prime_stations(octets: bytes) -> None:
    """Each piece of the input is the payload of a sound packet, in both directions."""
    version = Version.V14 if octets[:1] > b"\x7f" else Version.V136
    told = prime.PrimeSettings(version=version, join_spread_s=1.0)
    base, node = prime.coordinator(BASE, lambda eui: b"", told), prime.node(METER, told)
    base.start(0.0)
    node.start(0.0)
    now = _exchange(base, node, 0.0)
    if METER not in base.members:
        raise AssertionError("the node did not join")
    address = base.members[METER].address
    for start in range(1, len(octets), 16):
        head, payload = octets[start], octets[start + 1 : start + 16]
        for down in (False, True):
            packet = Packet(
                down=down,
                lnid=0x3FFF if head & 0x80 else address,
                lcid=(list(ControlType)[head % 10] if head & 0x40 else 256 + head % 64),
                payload=payload,
                control=bool(head & 0x40),
                arq=bool(head & 0x20),
            )
            (node if down else base).receive_frame(packet.encode(SNA, version), 0 if down else 1, now)
        now = _exchange(base, node, now)


def _sfsk_stations(octets: bytes) -> None:
    """Each piece of the input is the M-SDU of a sound frame, in both directions."""
    told = sfsk.SfskSettings(initiator=0xC00)
    base, node = sfsk.coordinator(BASE, lambda eui: b"", told), sfsk.node(METER, told)
    base.start(0.0)
    node.start(0.0)
    now = _exchange(base, node, 0.0)
    if METER not in base.members:
        raise AssertionError("the server did not join")
    address = base.members[METER].address
    for start in range(0, len(octets), 24):
        sdu = (b"\x90" if octets[start] & 1 else b"") + octets[start + 1 : start + 24]
        destination = 0xFFF if octets[start] & 2 else address
        node.receive_frame(MacFrame(source=0xC00, destination=destination, sdu=sdu).encode(), 0, now)
        source = 0xFFE if octets[start] & 2 else address
        base.receive_frame(MacFrame(source=source, destination=0xC00, sdu=sdu).encode(), 1, now)
        now = _exchange(base, node, now)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
