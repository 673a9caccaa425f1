"""Octets to the gateway prefix, both sides: only DecodeError may come out, and what splits goes together again."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.stacks.dlms.framing import Role
    from meterway.stacks.dlms.gateway import GatewayAddress, GatewayFraming, GatewaySplitter
    from meterway.stacks.dlms.gateway.prefix import split
    from meterway.stacks.dlms.wrapper import WrapperFraming
    from meterway.stacks.dlms.wrapper.frame import encode_frame


def one_input(octets: bytes) -> None:
    """A prefix comes back as it went; a client and a gateway survive whatever stands in a frame, or as a stream."""
    if not octets:
        return
    try:
        device, apdu = split(octets)
    except DecodeError:
        pass
    else:
        if device.prefix(octets[0]) + apdu != octets:
            raise AssertionError("a prefix does not come back as it went")
    client = GatewayFraming(WrapperFraming(16, 1, role=Role.CLIENT), GatewayAddress(octets[:1]))
    gateway = GatewaySplitter(WrapperFraming(0, 0, role=Role.SERVER))
    for data in (encode_frame(1, 16, octets[:0xFFFF]), octets):
        client.receive_data(data, 0)
        gateway.receive_data(data, 0)
    while client.next_event() is not None or gateway.next_event() is not None:
        pass
    while (request := gateway.next_request()) is not None:
        gateway.refuse(request, 0)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
