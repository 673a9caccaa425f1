"""Octets as 802.15.4 frames and 6LoWPAN payloads: only DecodeError may come out; what is read is written alike."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.stacks.neighbourhood.ieee802154 import MacFrame
    from meterway.stacks.neighbourhood.lowpan import Adaptation, LinkFrame, Packet, read_datagram
    from meterway.stacks.neighbourhood.lowpan.iphc import Compressor


def one_input(octets: bytes) -> None:
    """A frame, then its octets in pieces as payloads of one sender."""
    try:
        frame = MacFrame.decode(octets)
    except DecodeError:
        pass
    else:
        if MacFrame.decode(frame.encode()) != frame:
            raise AssertionError("a frame does not come back as it went")
    station = Adaptation(Compressor(contexts={0: bytes(8)}, allow_elided=True), room=80, first_tag=0)
    step = 1 + octets[0] % 100 if octets else 1
    for start in range(1, len(octets), step):
        try:
            came = station.receive(LinkFrame(payload=octets[start : start + step], source=1, destination=0), 0.0)
            if isinstance(came, Packet):
                read_datagram(came.packet)
        except DecodeError:
            continue


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
