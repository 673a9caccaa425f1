"""The erasure code: any k of all symbols bring k blocks back, and the parity is that of a peer, octet for octet."""

import ctypes
import ctypes.util
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.erasure import MOST_BLOCKS, MOST_SYMBOLS, parity, recover
from meterway.base.errors import LocalProtocolError

pytestmark = pytest.mark.covers("E-NNAP-6")


@given(
    count=st.integers(1, MOST_BLOCKS), size=st.integers(1, 40), seed=st.integers(0, 1 << 32), share=st.floats(0.0, 1.0)
)
def test_any_blocks_and_symbols_bring_all_blocks_back_if_they_are_enough(count, size, seed, share):
    draw = Random(seed)
    blocks = [draw.randbytes(size) for _ in range(count)]
    lost = set(draw.sample(range(count), round(share * count)))
    here = [None if place in lost else block for place, block in enumerate(blocks)]
    symbols = {number: parity(blocks, number) for number in draw.sample(range(MOST_SYMBOLS), len(lost))}
    assert recover(here, symbols) == blocks
    if lost:
        symbols.popitem()
        assert recover(here, symbols) is None


def test_more_symbols_than_blocks_that_are_lost_do_no_harm():
    blocks = [bytes((place,)) * 4 for place in range(5)]
    symbols = {number: parity(blocks, number) for number in range(20)}
    assert recover([None, *blocks[1:]], symbols) == blocks
    assert recover(list(blocks), symbols) == blocks
    assert recover([None] * 5, symbols) == blocks


@pytest.mark.parametrize(
    ("blocks", "number"), [([], 0), ([b"a"] * 129, 0), ([b"a"], -1), ([b"a"], 128), ([b"a", b"bc"], 0)]
)
def test_what_has_no_parity_is_refused(blocks, number):
    with pytest.raises(LocalProtocolError):
        parity(blocks, number)


@pytest.mark.peer
@pytest.mark.needs("isal")
def test_parity_is_that_of_the_cauchy_matrix_of_a_storage_library():
    """Intel's ISA-L, ``gf_gen_cauchy1_matrix`` and ``ec_encode_data``, for 128 blocks and 128 symbols."""
    found = ctypes.util.find_library("isal")
    if found is None:
        pytest.skip("igzip is there, the library libisal is not")
    library, octet = ctypes.CDLL(found), ctypes.c_ubyte
    matrix = (octet * (256 * 128))()
    library.gf_gen_cauchy1_matrix(matrix, 256, 128)
    tables = (octet * (128 * 128 * 32))()
    library.ec_init_tables(128, 128, ctypes.byref(matrix, 128 * 128), tables)
    draw = Random(1)
    blocks = [draw.randbytes(96) for _ in range(128)]
    line = ctypes.POINTER(octet)
    data = (line * 128)(*[ctypes.cast(ctypes.create_string_buffer(block, 96), line) for block in blocks])
    symbols = [ctypes.create_string_buffer(96) for _ in range(128)]
    library.ec_encode_data(96, 128, 128, tables, data, (line * 128)(*[ctypes.cast(one, line) for one in symbols]))
    assert [parity(blocks, number) for number in range(128)] == [one.raw for one in symbols]
