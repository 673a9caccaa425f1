"""Long values in blocks, on the server's side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.server.blocks import IncomingBlocks, OutgoingBlocks
from meterway.stacks.dlms.xdlms.parts import DataBlock

pytestmark = pytest.mark.covers("IF-I")


@given(st.binary(max_size=300), st.integers(1, 60))
def test_what_goes_out_in_blocks_comes_in_whole(octets: bytes, size: int) -> None:
    outgoing, incoming = OutgoingBlocks(octets, size, 0xC4), IncomingBlocks(None)
    while True:
        block = outgoing.next()
        assert len(block.octets) <= size
        assert incoming.add(block)
        if block.last:
            break
    assert incoming.octets == octets
    assert incoming.number == outgoing.number == max(1, -(-len(octets) // size))


def test_a_gap_a_repeat_and_too_much_are_refused() -> None:
    incoming = IncomingBlocks(None, limit=10)
    assert not incoming.add(DataBlock(False, 0, b""))
    assert not incoming.add(DataBlock(False, 2, b""))
    assert incoming.add(DataBlock(False, 1, bytes(8)))
    assert not incoming.add(DataBlock(False, 1, b""))
    assert not incoming.add(DataBlock(False, 2, bytes(3)))
    assert incoming.add(DataBlock(True, 2, bytes(2)))
