"""Vectorised times agree with the date-time class, one by one."""

import datetime as dt
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.axdr.moments import CosemDateTime
from meterway.stacks.dlms.axdr.times import NO_TIME, date_time_octets, utc_seconds

pytestmark = pytest.mark.covers("IF-I", "F1a")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_ODD = st.binary(min_size=12, max_size=12)
_NEAR = st.builds(
    lambda year, parts, deviation: year.to_bytes(2, "big") + bytes(parts) + deviation.to_bytes(2, "big") + b"\0",
    st.sampled_from([0, 1, 1900, 1969, 1970, 2000, 2023, 2024, 9999, 10000, 0xFFFF]),
    st.tuples(
        *map(
            st.sampled_from,
            (
                [0, 1, 2, 12, 13, 254],
                [0, 1, 28, 29, 30, 31, 32, 253],
                [1],
                [0, 23, 24],
                [0, 59, 60],
                [0, 59, 255],
                [0, 255],
            ),
        )
    ),
    st.sampled_from([0, 0xFFC4, 60, 0x8000, 0x7FFF]),
)


def _expected(octets: bytes, sign: Literal[1, -1], default: int | None) -> int:
    moment = CosemDateTime.decode(octets).utc(default, deviation_sign=sign)
    return NO_TIME if moment is None else (moment - _EPOCH) // dt.timedelta(seconds=1)


@given(
    st.lists(_ODD | _NEAR, min_size=1, max_size=60),
    st.sampled_from([1, -1]),
    st.sampled_from([None, 0, -120]),
    st.booleans(),
)
def test_every_moment_is_that_of_the_class(
    rows: list[bytes], sign: Literal[1, -1], default: int | None, one_deviation: bool
) -> None:
    if one_deviation:
        rows = [row[:9] + rows[0][9:11] + row[11:] for row in rows]
    octets = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 12)
    times = utc_seconds(octets, deviation_sign=sign, default_deviation_min=default)
    assert times.tolist() == [_expected(row, sign, default) for row in rows]


@given(st.lists(st.integers(-60_000_000_000, 250_000_000_000), min_size=1, max_size=60), st.sampled_from([-60, 0, 300]))
def test_octets_written_from_seconds_are_those_of_the_class(times: list[int], deviation_min: int) -> None:
    octets = date_time_octets(np.array(times), deviation_min=deviation_min)
    assert utc_seconds(octets).tolist() == times
    moments = [CosemDateTime.from_utc(_EPOCH + dt.timedelta(seconds=time), deviation_min) for time in times]
    assert [row.tobytes() for row in octets] == [moment.encode() for moment in moments]


def test_what_is_no_moment_is_written_as_unspecified() -> None:
    octets = date_time_octets(np.array([NO_TIME, 0]))
    assert octets[0].tobytes() == CosemDateTime().encode()
    assert utc_seconds(octets).tolist() == [NO_TIME, 0]


def test_many_dates_of_daylight_saving_change_are_exact() -> None:
    times = np.arange(0, 3_000_000_000, 86_399 * 7)
    deviations = np.where(np.arange(len(times)) % 2, -60, -120)
    assert (utc_seconds(date_time_octets(times, deviation_min=deviations)) == times).all()


def test_no_rows_have_no_times() -> None:
    assert utc_seconds(np.empty((0, 12), np.uint8)).tolist() == []
