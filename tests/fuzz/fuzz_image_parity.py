"""Octets as parity symbols and blocks to a meter: nothing breaks, and what it wants fits what it has."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.mapping.image_parity import ParitySymbol
    from meterway.meter.image_parity import ImageParity
    from meterway.stacks.dlms import axdr
    from meterway.stacks.dlms.classes.image_transfer import ImageTransfer

COUNT, SIZE = 9, 4


def one_input(octets: bytes) -> None:
    """Pieces, each behind an octet: its lowest bit says symbol or block, the others its length or number."""
    meter = ImageTransfer(enabled=True, block_size=SIZE)
    meter.initiate(b"NEW", COUNT * SIZE - 1)
    parity = ImageParity(meter)
    heard = 0
    while octets:
        what, octets = octets[0] >> 1, octets[1:]
        piece, octets = octets[:what], octets[what:]
        heard += 1
        if what & 1:
            try:
                parity.take(ParitySymbol.decode(axdr.native(axdr.decode_all(piece))))
            except DecodeError:
                continue
        elif not meter.transfer_block(what % COUNT, piece[:SIZE]):
            parity.heard(what % COUNT)
        wanting = parity.wanting()
        if len(wanting) != 1 or (wanting[0] == 0) != meter.complete:
            raise AssertionError("what is wanted does not fit what is there")
    if sum(meter.received) > COUNT or (meter.complete and heard < COUNT):
        raise AssertionError("more blocks are there than octets can have brought")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
