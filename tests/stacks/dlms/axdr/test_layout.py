"""Layouts of rows: what they take in and what they leave."""

import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr.data import Data
from meterway.stacks.dlms.axdr.layout import learn

pytestmark = pytest.mark.covers("IF-I")

ROW = axdr.structure(axdr.u8(1), axdr.octets(b"abc"))


def test_a_run_ends_where_a_fixed_octet_differs() -> None:
    row = axdr.encode(ROW)
    other = axdr.encode(axdr.structure(axdr.u8(1), axdr.octets(b"abcd")))
    octets = row * 5 + other + row * 5
    layout = learn(octets, 0)
    assert layout is not None
    assert layout.stride == len(row)
    assert layout.matching(octets, 0, 11) == 5
    assert layout.matching(octets, 0, 3) == 3
    assert layout.matching(octets, 5 * len(row), 1) == 0
    assert layout.matching(row * 2 + row[:-1], 0, 3) == 2


def test_rows_come_out_as_plain_objects() -> None:
    row = axdr.structure(axdr.visible("é"), axdr.bits("10"), axdr.structure(axdr.null(), axdr.structure()), axdr.i8(-1))
    octets = axdr.encode(row) * 3
    layout = learn(octets, 0)
    assert layout is not None
    assert layout.rows(octets, 0, 3) == [["é", "10", [None, []], -1]] * 3


def test_rows_of_the_same_shape_share_one_layout() -> None:
    other = axdr.encode(axdr.structure(axdr.u8(9), axdr.octets(b"xyz")))
    assert learn(axdr.encode(ROW), 0) is learn(b"\x00" + other, 1)


@pytest.mark.parametrize(
    "row",
    [
        axdr.utf8("text"),
        axdr.structure(axdr.null()),
        axdr.structure(*[axdr.u8(1)] * 600),
        axdr.array(axdr.array(axdr.array(axdr.array(axdr.array(axdr.u8(1)))))),
        Data(19, axdr.CompactArray(b"\x11", b"\x01")),
    ],
)
def test_rows_that_need_the_exact_decoder_have_no_layout(row: Data) -> None:
    assert learn(axdr.encode(row), 0) is None


@pytest.mark.parametrize("octets", [b"", b"\x02", b"\x02\x02\x11\x01", b"\x09\x80", b"\x07\x01", b"\x06\x00"])
def test_damaged_rows_have_no_layout(octets: bytes) -> None:
    assert learn(octets, 0) is None
