"""What several senders on two wires make of their octets: a space (0) of any one wins over the marks (1) of all others.

An octet is eleven bits, 8E1: start, eight data bits with the lowest first, even parity, stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["BITS", "overlay"]

BITS: Final = 11
"""Bit times of an octet."""


def _spaces(octet: int) -> int:
    """Which of the eleven bits are spaces, the first one lowest."""
    parity = octet.bit_count() & 1
    return 1 | (octet ^ 0xFF) << 1 | (parity ^ 1) << 9


_SPACES: Final = tuple(_spaces(octet) for octet in range(256))


def overlay(streams: Iterable[tuple[int, bytes]], *, drop_bad: bool = False) -> bytes:
    """What a receiver reads when each stream begins after its own number of bit times.

    A receiver takes the first space for a start bit and samples from there. With ``drop_bad`` octets with wrong parity
    or without a stop bit are dropped, else they are passed on as most converters do.
    """
    line = 0
    for begin, octets in streams:
        one = 0
        for octet in reversed(octets):
            one = one << BITS | _SPACES[octet]
        line |= one << begin
    out = bytearray()
    while line:
        line >>= (line & -line).bit_length() - 1
        octet = ~(line >> 1) & 0xFF
        good = line & 0x7FF == _SPACES[octet]
        if good or not drop_bad:
            out.append(octet)
        line >>= BITS
    return bytes(out)
