"""Dates and times: four types, "every", "never", and years."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.records.times import Recurring, decode_time, encode_time, summer_time

MINUTES = st.datetimes(datetime.fromisoformat("1981-01-01T00:00"), datetime.fromisoformat("2099-12-31T23:59")).map(
    lambda d: d.replace(second=0, microsecond=0)
)


@given(MINUTES)
def test_date_and_time_go_there_and_back(moment: datetime) -> None:
    assert decode_time(encode_time(moment, 4)) == moment


@given(
    st.datetimes(datetime.fromisoformat("1981-01-01T00:00"), datetime.fromisoformat("2080-12-31T00:00")).map(
        lambda d: d.replace(microsecond=0)
    )
)
def test_types_g_and_i_go_there_and_back(moment: datetime) -> None:
    assert decode_time(encode_time(moment, 6)) == moment
    assert decode_time(encode_time(moment.date(), 2)) == moment.date()
    assert decode_time(encode_time(moment.time(), 3)) == moment.time()


@given(st.sampled_from([2, 3, 4, 6]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_any_octets_are_a_time_or_none(octets: bytes) -> None:
    value = decode_time(octets)
    assert value is None or isinstance(value, (date, time, Recurring))


@pytest.mark.parametrize("octets", ["0000", "FFFF", "80010101", "00000000", "E1F1", "1F02", "FFFFFF", "0080010101FF"])
def test_what_is_no_point_of_time_is_none_or_recurs(octets: str) -> None:
    value = decode_time(bytes.fromhex(octets))
    assert value is None or isinstance(value, Recurring)


def test_every_first_of_april_recurs() -> None:
    value = decode_time(bytes.fromhex("E1F4"))
    assert value == Recurring(month=4, day=1)
    assert str(value) == "****-04-01"
    assert isinstance(value, Recurring)
    assert encode_time(value, 2) == bytes.fromhex("E1F4")
    midnight = decode_time(bytes.fromhex("0000E1F1"))
    assert str(midnight) == "****-01-01T00:00"
    assert isinstance(midnight, Recurring)
    assert encode_time(midnight, 4) == bytes.fromhex("0000E1F1")


def test_the_hundred_years_of_a_clock_are_only_believed_in_this_century() -> None:
    assert decode_time(bytes.fromhex("22484136")) == datetime.fromisoformat("2026-06-01T08:34")
    assert decode_time(bytes.fromhex("0028613B")) == datetime.fromisoformat("2027-11-01T08:00")


def test_summer_time_is_a_bit() -> None:
    assert summer_time(bytes.fromhex("00880106"))
    assert not summer_time(bytes.fromhex("00080106"))
    assert summer_time(bytes.fromhex("400000010106"))


def test_values_that_do_not_fit_are_refused() -> None:
    for value, size in (
        (time(1), 2),
        (date(2026, 1, 1), 4),
        (datetime.fromisoformat("2026-01-01T00:00"), 5),
        (Recurring(), 6),
    ):
        with pytest.raises(ValueError, match="octets"):
            encode_time(value, size)
