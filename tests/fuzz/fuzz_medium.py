"""Octets to the hubs' lines, to receivers' streams and to a receiver on two wires: only frames come out."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.links.medium.messages import Closed
    from meterway.links.medium.neighbourhood.wire import NeighbourhoodWire
    from meterway.links.medium.wire import WireEngine
    from meterway.links.medium.wired import overlay
    from meterway.links.receivers.amber import AmberCodec
    from meterway.links.receivers.imst import ImstCodec
    from meterway.links.receivers.lines import LineCodec
    from meterway.links.receivers.radiocrafts import RadiocraftsCodec


def one_input(octets: bytes) -> None:
    """The first octet says where the stream is cut."""
    if not octets:
        return
    cut, rest = octets[0], octets[1:]
    for part in (rest, len(rest).to_bytes(4, "big") + rest):
        _hub(WireEngine(), WireEngine(), part, cut)
        _hub(NeighbourhoodWire(), NeighbourhoodWire(), part, cut)
    for codec in (AmberCodec(rssi=True), ImstCodec(), LineCodec(), RadiocraftsCodec(rssi=True)):
        for reception in codec.receive(rest[:cut], 0.0) + codec.receive(rest[cut:], 0.1):
            if not reception.octets:
                raise AssertionError("a reception without octets")
    if overlay([(cut, rest)], drop_bad=True) != rest:
        raise AssertionError("a single sender is not read as it sent")


def _hub(
    engine: WireEngine | NeighbourhoodWire, again: WireEngine | NeighbourhoodWire, octets: bytes, cut: int
) -> None:
    for part in (octets[:cut], octets[cut:]):
        if part:
            engine.receive_data(part, 0.0)
    said = []
    while (message := engine.next_event()) is not None:
        if isinstance(message, Closed):
            if engine.next_event() is not None:
                raise AssertionError("something was said after the end")
            break
        said.append(message)
        again.tell(message)
    engine.receive_data(again.data_to_send(), 0.0)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
