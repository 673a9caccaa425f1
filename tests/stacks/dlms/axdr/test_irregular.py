"""Columns by the exact decoder."""

import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CompactArray, CosemDateTime, Data, Tag
from meterway.stacks.dlms.axdr.irregular import read_columns

pytestmark = pytest.mark.covers("IF-I", "F1a")


def test_rows_without_structure_are_one_column() -> None:
    count, columns, end = read_columns(axdr.encode(axdr.array(axdr.u8(1), axdr.u8(2))), 0, None)
    assert (count, end, len(columns)) == (2, 6, 1)
    assert columns[0].values.tolist() == [1, 2]


def test_texts_and_nested_values_are_plain_objects() -> None:
    rows = [
        axdr.structure(axdr.visible("a"), axdr.structure(axdr.u8(1), axdr.null())),
        axdr.structure(*[axdr.null()] * 2),
    ]
    _, columns, _ = read_columns(axdr.encode(axdr.array(*rows)), 0, None)
    assert columns[0].values == ["a", "a"]
    assert columns[1].values == [[1, None], [1, None]]


def test_a_compact_array_within_a_row_is_a_value() -> None:
    row = axdr.structure(Data(Tag.COMPACT_ARRAY, CompactArray(b"\x11", b"\x01\x02")))
    assert read_columns(axdr.encode(axdr.array(row)), 0, None)[1][0].values == [[1, 2]]


def test_a_time_kept_by_null_data_moves_over_midnight_with_its_weekday() -> None:
    last = CosemDateTime(year=2024, month=2, day=29, weekday=4, hour=23, minute=45, second=0, deviation_min=-60)
    rows = axdr.array(axdr.structure(axdr.octets(last.encode())), axdr.structure(axdr.null()))
    _, columns, _ = read_columns(axdr.encode(rows), 0, 900)
    moved = CosemDateTime.decode(columns[0].values[1].tobytes())
    assert (moved.month, moved.day, moved.weekday, moved.hour, moved.minute) == (3, 1, 5, 0, 0)
    assert (moved.hundredths, moved.deviation_min) == (None, -60)


def test_octets_that_are_no_moment_are_repeated_as_they_are() -> None:
    serial = b"ABCDEFGHIJKL"
    rows = axdr.array(axdr.structure(axdr.octets(serial)), axdr.structure(axdr.null()))
    _, columns, _ = read_columns(axdr.encode(rows), 0, 900)
    assert [row.tobytes() for row in columns[0].values] == [serial, serial]
