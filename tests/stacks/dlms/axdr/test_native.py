"""Plain Python objects from octets: the same as from the exact form, on every road."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag

pytestmark = pytest.mark.covers("IF-I", "F1a")

_ROW_ITEMS = st.sampled_from(
    [
        axdr.null(),
        axdr.u8(7),
        axdr.u32(70_000),
        axdr.i64(-1),
        axdr.boolean(True),
        axdr.octets(bytes(12)),
        axdr.octets(b""),
        axdr.visible("Aé"),
        axdr.utf8("Aé"),
        axdr.bits("1010101010"),
        axdr.date_time(CosemDateTime(year=2024, month=2, day=29)),
        axdr.structure(axdr.u8(1), axdr.array(axdr.u16(2), axdr.null())),
        axdr.structure(),
        axdr.float32(1.5),
        Data(Tag.DELTA_INTEGER, -3),
    ]
)
_ROWS = st.lists(st.lists(_ROW_ITEMS, max_size=4).map(lambda items: axdr.structure(*items)), min_size=1, max_size=3)


@given(_ROWS, st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12)), min_size=1, max_size=5))
def test_rows_read_by_layout_are_those_of_the_exact_decoder(kinds: list[Data], runs: list[tuple[int, int]]) -> None:
    rows = [kinds[kind % len(kinds)] for kind, length in runs for _ in range(length)]
    octets = b"\x00" + axdr.encode(axdr.array(*rows)) + b"\x00"
    assert axdr.to_native(octets, 1) == (axdr.native(axdr.array(*rows)), len(octets) - 1)


@given(_ROWS, st.integers(4, 20), st.data())
def test_altered_rows_give_what_the_exact_decoder_gives(kinds: list[Data], count: int, draw: st.DataObject) -> None:
    octets = bytearray(axdr.encode(axdr.array(*[kinds[index % len(kinds)] for index in range(count)])))
    octets[draw.draw(st.integers(0, len(octets) - 1))] = draw.draw(st.integers(0, 255))
    altered = bytes(octets)
    reader = Reader(altered)
    try:
        expected = axdr.native(axdr.decode(reader))
    except DecodeError as error:
        with pytest.raises(DecodeError) as caught:
            axdr.to_native(altered)
        assert (caught.value.kind, caught.value.offset) == (error.kind, error.offset)
    else:
        assert repr(axdr.to_native(altered)) == repr((expected, reader.offset))


def test_a_profile_becomes_lists_of_plain_values() -> None:
    stamp = CosemDateTime(year=2024, month=1, day=1, hour=0, minute=0, second=0, deviation_min=0, status=0).encode()
    rows = [axdr.structure(axdr.octets(stamp), axdr.u8(0), axdr.u32(index)) for index in range(20)]
    octets = axdr.encode(axdr.array(*rows))
    assert axdr.to_native(octets) == ([[stamp, 0, index] for index in range(20)], len(octets))


def test_a_compact_array_becomes_a_list_of_rows() -> None:
    assert axdr.to_native(bytes.fromhex("13 02021112 06 010002 030004")) == ([[1, 2], [3, 4]], 12)


def test_many_short_runs_stay_exact() -> None:
    rows = [axdr.structure(axdr.u8(1)) if index % 5 else axdr.structure(axdr.null()) for index in range(500)]
    assert axdr.to_native(axdr.encode(axdr.array(*rows)))[0] == [[1] if index % 5 else [None] for index in range(500)]
