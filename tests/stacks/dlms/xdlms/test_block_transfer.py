"""General block transfer: blocks on the wire, and joining them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.xdlms.block_transfer import BlockAssembly, GeneralBlockTransfer

pytestmark = pytest.mark.covers("IF-I")

BLOCKS = st.builds(
    GeneralBlockTransfer,
    last=st.booleans(),
    streaming=st.booleans(),
    window=st.integers(0, 63),
    block_number=wire.u16,
    block_number_ack=wire.u16,
    octets=wire.octets(),
)


def block(number: int, octets: bytes = b"", *, last: bool = False) -> GeneralBlockTransfer:
    return GeneralBlockTransfer(
        last=last, streaming=False, window=1, block_number=number, block_number_ack=0, octets=octets
    )


@given(BLOCKS)
def test_a_general_block_comes_back(apdu: GeneralBlockTransfer) -> None:
    wire.comes_back(apdu)


@given(BLOCKS)
def test_a_cut_general_block_is_refused(apdu: GeneralBlockTransfer) -> None:
    wire.is_cut_refused(apdu.encode())


@given(st.binary(min_size=1, max_size=300), st.integers(1, 50))
def test_an_apdu_in_blocks_is_joined_again(octets: bytes, size: int) -> None:
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    assembly = BlockAssembly()
    for number, piece in enumerate(pieces[:-1], 1):
        assert assembly.add(block(number, piece)) is None
    assert assembly.add(block(len(pieces), pieces[-1], last=True)) == octets


def test_a_repeated_block_counts_once() -> None:
    assembly = BlockAssembly()
    assert assembly.add(block(1, b"ab")) is None
    assert assembly.add(block(1, b"ab")) is None
    assert assembly.add(block(2, b"cd", last=True)) == b"abcd"


@pytest.mark.parametrize("number", [0, 2, 65535])
def test_a_transfer_that_does_not_begin_with_block_one_is_refused(number: int) -> None:
    with pytest.raises(DecodeError, match="general block 1 expected"):
        BlockAssembly().add(block(number))


def test_a_missing_block_is_refused() -> None:
    assembly = BlockAssembly()
    assembly.add(block(1))
    with pytest.raises(DecodeError, match="general block 2 expected, 3 came"):
        assembly.add(block(3))


@pytest.mark.covers("SEC-11")
def test_an_endless_transfer_is_refused() -> None:
    assembly = BlockAssembly(limit=100)
    assembly.add(block(1, bytes(60)))
    with pytest.raises(DecodeError, match="more than 100 octets"):
        assembly.add(block(2, bytes(60)))
