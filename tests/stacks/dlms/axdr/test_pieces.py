"""Columns of runs of rows."""

import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.axdr.pieces import read_pieces

pytestmark = pytest.mark.covers("IF-I", "F1a")

STAMP = CosemDateTime(year=2024, month=12, day=31, hour=23, minute=45, second=0, deviation_min=-60, status=0)
FULL = axdr.structure(axdr.octets(STAMP.encode()), axdr.u8(3), axdr.u32(5))
SHORT = axdr.structure(axdr.null(), axdr.null(), axdr.u32(6))


def pieces(*rows: Data, period_s: int | None = 900) -> object:
    return read_pieces(b"".join(map(axdr.encode, rows)), 0, len(rows), period_s)


def test_null_data_in_a_run_repeats_the_row_above_without_the_exact_decoder() -> None:
    found = read_pieces(axdr.encode(FULL) + axdr.encode(SHORT) * 50, 0, 51, 900)
    assert found is not None
    times, status, energy = found[0]
    assert CosemDateTime.decode(times.values[1].tobytes()) == CosemDateTime(
        year=2025, month=1, day=1, hour=0, minute=0, second=0, deviation_min=-60, status=0
    )
    assert status.values.tolist() == [3] * 51
    assert energy.values.tolist() == [5] + [6] * 50


def test_a_column_of_null_data_only_has_no_values() -> None:
    found = read_pieces(axdr.encode(axdr.structure(axdr.null(), axdr.u8(1))) * 3, 0, 3, None)
    assert found is not None
    assert found[0][0].missing.tolist() == [True] * 3
    assert found[0][1].missing is None


@pytest.mark.parametrize(
    "rows",
    [
        [SHORT, FULL],
        [FULL, axdr.structure(axdr.u8(1))],
        [FULL, axdr.structure(axdr.u8(1), axdr.u8(1), axdr.u8(1))],
        [axdr.structure(axdr.visible("a"))],
        [axdr.structure(axdr.structure(axdr.u8(1)))],
        [FULL, SHORT] * 20,
        [axdr.u8(1)],
    ],
)
def test_what_needs_the_exact_decoder_is_left_to_it(rows: list[Data]) -> None:
    assert pieces(*rows) is None


def test_a_time_kept_by_null_data_needs_the_capture_period() -> None:
    assert pieces(FULL, SHORT, period_s=None) is None
    assert pieces(FULL, SHORT, period_s=900) is not None
