"""Columns of a profile's buffer, in place and by the exact decoder."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import NO_TIME, Columns, CosemDateTime, Data, Tag
from meterway.stacks.dlms.axdr.irregular import read_columns

pytestmark = pytest.mark.covers("IF-I", "F1a")

START = dt.datetime(2024, 2, 28, 22, 0, tzinfo=dt.UTC)


def stamp(index: int, deviation_min: int = -60) -> bytes:
    return CosemDateTime.from_utc(START + dt.timedelta(minutes=15 * index), deviation_min).encode()


def profile(count: int) -> bytes:
    return axdr.encode(
        axdr.array(
            *[
                axdr.structure(axdr.octets(stamp(row)), axdr.u8(row % 256), axdr.u32(1000 + row), axdr.i64(-row))
                for row in range(count)
            ]
        )
    )


def same(one: Columns, other: Columns) -> bool:
    def plain(columns: Columns) -> object:
        return [
            (
                column.tag,
                column.values if isinstance(column.values, list) else (column.values.dtype, column.values.tolist()),
                None if column.missing is None else column.missing.tolist(),
            )
            for column in columns.columns
        ]

    return (one.count, one.end, repr(plain(one))) == (other.count, other.end, repr(plain(other)))


@pytest.mark.parametrize("count", [1, 96, 700])
def test_a_regular_profile_is_read_in_place(count: int) -> None:
    columns = axdr.decode_columns(b"\xaa" + profile(count) + b"\xbb", offset=1)
    assert (columns.count, columns.end) == (count, len(profile(count)) + 1)
    assert columns.times(0).tolist() == [int(START.timestamp()) + 900 * row for row in range(count)]
    assert columns.columns[2].values.dtype == np.uint32
    assert columns.columns[2].values.tolist() == [1000 + row for row in range(count)]
    assert columns.columns[3].values.tolist() == [-row for row in range(count)]
    assert columns.columns[3].tag == Tag.LONG64


_CELL = st.sampled_from(
    [
        axdr.u8(7),
        axdr.u32(70_000),
        axdr.i64(-1),
        axdr.boolean(True),
        axdr.octets(stamp(3)),
        axdr.octets(b""),
        axdr.date_time(CosemDateTime.decode(stamp(5))),
        axdr.visible("Aé"),
        axdr.float32(1.5),
        axdr.structure(axdr.u8(1)),
        axdr.bits("101"),
        axdr.null(),
    ]
)


@given(st.lists(_CELL, min_size=1, max_size=5), st.integers(1, 6))
def test_both_roads_give_the_same_columns(cells: list[Data], count: int) -> None:
    octets = axdr.encode(axdr.array(*[axdr.structure(*cells)] * count))
    assert same(axdr.decode_columns(octets), Columns(*read_columns(octets, 0, None)))


@given(st.integers(1, 8), st.data())
def test_altered_profiles_give_the_same_on_both_roads_or_our_own_error(count: int, draw: st.DataObject) -> None:
    octets = bytearray(profile(count))
    octets[draw.draw(st.integers(0, len(octets) - 1))] = draw.draw(st.integers(0, 255))
    try:
        expected = Columns(*read_columns(bytes(octets), 0, None))
    except DecodeError as error:
        with pytest.raises(DecodeError) as caught:
            axdr.decode_columns(bytes(octets))
        assert (caught.value.kind, caught.value.offset) == (error.kind, error.offset)
    else:
        assert same(axdr.decode_columns(bytes(octets)), expected)


def test_null_data_repeats_the_value_and_moves_the_time_on() -> None:
    rows = [axdr.structure(axdr.octets(stamp(0)), axdr.u32(5)), *[axdr.structure(axdr.null(), axdr.null())] * 3]
    octets = axdr.encode(axdr.array(*rows))
    columns = axdr.decode_columns(octets, capture_period_s=900)
    assert columns.times(0).tolist() == [int(START.timestamp()) + 900 * row for row in range(4)]
    assert columns.columns[0].values[3].tobytes() == stamp(3)
    assert columns.columns[1].values.tolist() == [5, 5, 5, 5]
    assert axdr.decode_columns(octets).times(0).tolist() == [int(START.timestamp()), *[NO_TIME] * 3]


def test_a_value_missing_from_the_first_row_is_marked() -> None:
    rows = [axdr.structure(axdr.null(), axdr.null()), axdr.structure(axdr.u8(4), axdr.null())]
    columns = axdr.decode_columns(axdr.encode(axdr.array(*rows))).columns
    assert columns[0].missing is not None
    assert columns[0].missing.tolist() == [True, False]
    assert columns[0].values.tolist() == [0, 4]
    assert (columns[1].tag, columns[1].missing.tolist()) == (Tag.NULL_DATA, [True, True])


def test_dont_care_has_no_value_and_nothing_repeats_it() -> None:
    rows = [axdr.structure(cell) for cell in (axdr.u8(4), Data(Tag.DONT_CARE, None), axdr.null())]
    column = axdr.decode_columns(axdr.encode(axdr.array(*rows))).columns[0]
    assert column.missing.tolist() == [False, True, True]


def test_dont_care_in_the_last_of_many_rows_does_not_repeat_the_value_above() -> None:
    rows = [axdr.structure(axdr.u32(9), cell) for cell in [axdr.u8(4)] * 30 + [Data(Tag.DONT_CARE, None)]]
    column = axdr.decode_columns(axdr.encode(axdr.array(*rows))).columns[1]
    assert column.missing is not None
    assert column.missing.tolist() == [False] * 30 + [True]


def test_deltas_add_to_the_value_above() -> None:
    cells = [axdr.u32(100), Data(Tag.DELTA_UNSIGNED, 5), Data(Tag.DELTA_INTEGER, -7), Data(Tag.DELTA_LONG, 300)]
    octets = axdr.encode(axdr.array(*[axdr.structure(cell) for cell in cells]))
    column = axdr.decode_columns(octets).columns[0]
    assert (column.tag, column.values.dtype, column.values.tolist()) == (
        Tag.DOUBLE_LONG_UNSIGNED,
        np.uint32,
        [100, 105, 98, 398],
    )


def test_a_delta_without_a_value_above_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.decode_columns(axdr.encode(axdr.array(axdr.structure(Data(Tag.DELTA_INTEGER, 1)))))
    assert caught.value.kind == "delta"


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([axdr.u8(1), axdr.u32(2)], np.int64),
        ([axdr.i8(-1), axdr.u64(1)], np.int64),
        ([axdr.u8(1), axdr.u64(2**64 - 1)], np.uint64),
        ([axdr.u8(1), axdr.float32(0.5)], np.float64),
        ([axdr.u8(255), Data(Tag.DELTA_UNSIGNED, 1)], np.int64),
    ],
)
def test_mixed_widths_take_the_smallest_sufficient_kind(cells: list[Data], dtype: type) -> None:
    column = axdr.decode_columns(axdr.encode(axdr.array(*[axdr.structure(cell) for cell in cells]))).columns[0]
    assert column.values.dtype == dtype


def test_integers_too_far_apart_stay_exact() -> None:
    cells = [axdr.i8(-1), axdr.u64(2**64 - 1)]
    column = axdr.decode_columns(axdr.encode(axdr.array(*map(axdr.structure, cells)))).columns[0]
    assert column.values == [-1, 2**64 - 1]


def test_octet_strings_of_differing_lengths_become_a_list() -> None:
    rows = [axdr.structure(axdr.octets(value)) for value in (stamp(0), b"", stamp(1))]
    columns = axdr.decode_columns(axdr.encode(axdr.array(*rows)))
    assert columns.columns[0].values == [stamp(0), b"", stamp(1)]
    start = int(START.timestamp())
    assert columns.times(0).tolist() == [start, NO_TIME, start + 900]


def test_a_compact_array_becomes_columns() -> None:
    contents = b"".join(stamp_with_length + bytes([5, 0, row]) for row, stamp_with_length in enumerate(_counted(3)))
    octets = b"\x13\x02\x03\x09\x11\x12" + axdr.encode_length(len(contents)) + contents
    columns = axdr.decode_columns(octets)
    assert columns.times(0).tolist() == [int(START.timestamp()) + 900 * row for row in range(3)]
    assert columns.columns[2].values.tolist() == [0, 1, 2]
    assert columns.columns[2].values.dtype == np.uint16


def _counted(count: int) -> list[bytes]:
    return [b"\x0c" + stamp(row) for row in range(count)]


def test_an_empty_buffer_has_no_columns() -> None:
    assert axdr.decode_columns(b"\x01\x00\x02\x01\x11\x05") == Columns(0, (), 2)


@pytest.mark.parametrize("hexed", ["1105", "0102020111010202110111" + "02", "00"])
def test_what_is_no_table_is_refused(hexed: str) -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.decode_columns(bytes.fromhex(hexed))
    assert caught.value.kind == "columns"


def test_times_of_a_column_of_numbers_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        axdr.decode_columns(profile(4)).times(1)


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.sampled_from([axdr.octets(stamp(3)), axdr.u32(9), axdr.octets(b"ABCDEFGHIJKL"), axdr.null()]),
                min_size=2,
                max_size=2,
            ),
            st.integers(1, 30),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, 900, 86_400, -60]),
)
def test_runs_of_different_shapes_give_the_same_on_both_roads(
    runs: list[tuple[list[Data], int]], period_s: int | None
) -> None:
    rows = [axdr.structure(*cells) for cells, length in runs for _ in range(length)]
    octets = axdr.encode(axdr.array(*rows))
    assert same(axdr.decode_columns(octets, capture_period_s=period_s), Columns(*read_columns(octets, 0, period_s)))
