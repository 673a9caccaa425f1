"""Buffers written by column."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, EncodeColumn, Tag

pytestmark = pytest.mark.covers("IF-I", "F1a")


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(-(2**63), 2**63 - 1)), min_size=1)
)
def test_a_written_buffer_is_that_of_the_exact_encoder(rows: list[tuple[int, int, int]]) -> None:
    seconds, status, energy = (list(column) for column in zip(*rows, strict=True))
    octets = axdr.encode_columns(
        [
            EncodeColumn(
                tag=Tag.OCTET_STRING, values=np.array(seconds), deviation_min=-60, status=np.array(status, np.uint8)
            ),
            EncodeColumn(tag=Tag.UNSIGNED, values=np.array(status)),
            EncodeColumn(tag=Tag.LONG64, values=np.array(energy)),
            EncodeColumn(tag=Tag.BOOLEAN, values=np.array(status) > 5),
            EncodeColumn(tag=Tag.FLOAT64, values=np.array(status) / 4),
        ]
    )
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    expected = []
    for second, state, number in rows:
        moment = CosemDateTime.from_utc(epoch + dt.timedelta(seconds=second), -60).encode()[:11] + bytes([state])
        parts = (
            axdr.octets(moment),
            axdr.u8(state),
            axdr.i64(number),
            axdr.boolean(state > 5),
            axdr.float64(state / 4),
        )
        expected.append(axdr.structure(*parts))
    assert octets == axdr.encode(axdr.array(*expected))


def test_columns_that_were_read_can_be_written_again() -> None:
    moment = CosemDateTime(year=2024, month=1, day=1, hour=0, minute=0, second=0)
    row = axdr.structure(axdr.octets(moment.encode()), axdr.date_time(moment), axdr.enum(3), axdr.octets(b"abc"))
    octets = axdr.encode(axdr.array(*[row] * 200))
    columns = axdr.decode_columns(octets).columns
    assert axdr.encode_columns([EncodeColumn(tag=column.tag, values=column.values) for column in columns]) == octets


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [
            EncodeColumn(tag=Tag.UNSIGNED, values=np.zeros(2, np.uint8)),
            EncodeColumn(tag=Tag.UNSIGNED, values=np.zeros(3)),
        ],
        [EncodeColumn(tag=Tag.UNSIGNED, values=np.array([256]))],
        [EncodeColumn(tag=Tag.LONG, values=np.array([-32769]))],
        [EncodeColumn(tag=Tag.UNSIGNED, values=np.array([1.5]))],
        [EncodeColumn(tag=Tag.UNSIGNED, values=np.array([["a"]]))],
        [EncodeColumn(tag=Tag.TIME, values=np.zeros((1, 5), np.uint8))],
        [EncodeColumn(tag=Tag.OCTET_STRING, values=np.zeros((1, 0), np.uint8))],
        [EncodeColumn(tag=Tag.FLOAT32, values=np.array([1e39]))],
        [EncodeColumn(tag=Tag.OCTET_STRING, values=np.array([0]), deviation_min=40_000)],
        [EncodeColumn(tag=Tag.OCTET_STRING, values=np.array([0]), status=256)],
        [EncodeColumn(tag=Tag.OCTET_STRING, values=np.array([0]), status=np.zeros(2, np.uint8))],
        [EncodeColumn(tag=Tag.DATE, values=np.array([5]))],
        [EncodeColumn(tag=Tag.VISIBLE_STRING, values=np.array(["a"]))],
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: list[EncodeColumn]) -> None:
    with pytest.raises(LocalProtocolError):
        axdr.encode_columns(columns)


def test_no_rows_are_an_empty_array() -> None:
    assert axdr.encode_columns([EncodeColumn(tag=Tag.UNSIGNED, values=np.zeros(0, np.uint8))]) == b"\x01\x00"
