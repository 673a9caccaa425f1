"""Octets to wrapper frames, as a datagram and as a stream: only DecodeError may come out, and both must agree."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.stacks.dlms.framing import ApduReceived, Disconnected, Role
    from meterway.stacks.dlms.wrapper import WrapperFraming, decode_datagram


def one_input(octets: bytes) -> None:
    """A datagram is one frame or an error; a stream cut anywhere gives the same APDUs as in one piece."""
    try:
        frame = decode_datagram(octets)
    except DecodeError:
        frame = None
    if frame is not None and frame.encode() != octets:
        raise AssertionError("a frame does not come back as it went")
    whole, pieces = (WrapperFraming(16, 1, role=Role.SERVER, max_apdu=512) for _ in range(2))
    if octets:
        whole.receive_data(octets, 0)
        step = 1 + octets[-1] % 16
        for start in range(0, len(octets), step):
            pieces.receive_data(octets[start : start + step], 0)
    if _heard(whole) != _heard(pieces):
        raise AssertionError("the cut of the stream changes what is heard")


def _heard(engine: WrapperFraming) -> list[object]:
    events: list[object] = []
    while (event := engine.next_event()) is not None:
        if isinstance(event, ApduReceived):
            events.append(event)
        elif isinstance(event, Disconnected):
            events.append(str(event.error))
    return events


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
