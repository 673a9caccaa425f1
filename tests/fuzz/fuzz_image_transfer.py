"""Octets to both sides of an image transfer: nothing breaks, and only what is genuine and whole becomes active."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.stacks.mbus.image import ImageSender, ImageState
    from meterway.stacks.mbus.image_receiver import ImageReceiver

IMAGE = bytes(range(200)) + b"good"
OLD, NEW = b"1.0", b"2.0"


def pieces(octets: bytes) -> list[bytes]:
    """Cut by a length octet before each piece."""
    out = []
    while octets:
        size = octets[0] % 40
        out.append(octets[1 : 1 + size])
        octets = octets[1 + size :]
    return out


def one_input(octets: bytes) -> None:
    """As requests to a meter, then as answers between those of a real one."""
    receiver = ImageReceiver(lambda image: image.endswith(b"good"), active=OLD, max_size=1000)
    for piece in pieces(octets):
        receiver.take(piece)
    if receiver.state is ImageState.ACTIVE and not receiver.image.endswith(b"good"):
        raise AssertionError("an image that is not genuine became active")
    sender, meter = ImageSender(IMAGE, NEW, block_size=40), ImageReceiver(lambda image: image == IMAGE, active=OLD)
    for piece in pieces(octets):
        sender.open()
        request = sender.next_request()
        if request is None:
            break
        if not piece:
            sender.lost()
        elif piece[0] & 1 and not request.answered:
            meter.take(request.payload)
            sender.acknowledged()
        elif piece[0] & 1:
            sender.received(meter.take(request.payload) or b"")
        else:
            sender.received(piece)
    if meter.active == NEW and bytes(meter.image) != IMAGE:
        raise AssertionError("an image that is not whole became active")
    if meter.active not in (OLD, NEW):
        raise AssertionError("an image that nobody sent became active")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
