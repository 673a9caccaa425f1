"""Octets to interval blocks: only StoreError may come out, and what unpacks packs to the same readings."""

from __future__ import annotations

import contextlib
import sys

import atheris
import zstandard

with atheris.instrument_imports():
    from meterway.base.errors import StoreError
    from meterway.store.packing import pack, unpack


def one_input(octets: bytes) -> None:
    """Unpack the octets as they are, and as the inside of a whole frame, where the parser begins."""
    with contextlib.suppress(StoreError):
        unpack(octets)
    try:
        block = unpack(b"\x01" + zstandard.ZstdCompressor().compress(octets))
    except StoreError:
        return
    if block.slots:
        assert unpack(pack(block).octets).same(block)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
