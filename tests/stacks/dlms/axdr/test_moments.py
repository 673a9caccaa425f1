"""Dates and times: octets, unspecified and special parts, UTC."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.dlms.axdr.moments import LAST_DAY, CosemDate, CosemDateTime, CosemTime

pytestmark = pytest.mark.covers("IF-I", "IF-H1")


@given(st.binary(min_size=12, max_size=12))
def test_any_twelve_octets_are_written_as_they_came(octets: bytes) -> None:
    moment = CosemDateTime.decode(octets)
    assert moment.encode() == octets
    moment.utc(0)


@given(st.binary(min_size=5, max_size=5), st.binary(min_size=4, max_size=4))
def test_any_date_and_time_are_written_as_they_came(date: bytes, time: bytes) -> None:
    assert CosemDate.decode(date).encode() == date
    assert CosemTime.decode(time).encode() == time
    CosemDate.decode(date).date()
    CosemTime.decode(time).time()


def test_a_norwegian_push_tells_its_moment_in_utc() -> None:
    moment = CosemDateTime.decode(bytes.fromhex("07e509160311231effffc400"))
    assert moment.utc() == dt.datetime(2021, 9, 22, 16, 35, 30, tzinfo=dt.UTC)
    assert moment.utc(deviation_sign=-1) == dt.datetime(2021, 9, 22, 18, 35, 30, tzinfo=dt.UTC)
    assert (moment.hundredths, moment.deviation_min, moment.daylight_saving) == (None, -60, False)


def test_an_unspecified_deviation_needs_a_stand_in() -> None:
    moment = CosemDateTime.decode(bytes.fromhex("07e1081003100005ff800000"))
    assert moment.deviation_min is None
    assert moment.utc() is None
    assert moment.utc(-120) == dt.datetime(2017, 8, 16, 14, 0, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "changed",
    [{"month": 2, "day": 30}, {"day": LAST_DAY}, {"hour": None}, {"second": 60}, {"year": None}, {"year": 0}],
)
def test_what_is_no_moment_has_no_utc(changed: dict[str, int | None]) -> None:
    parts = {"year": 2024, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "deviation_min": 0} | changed
    assert CosemDateTime(**parts).utc() is None


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    moment = CosemDateTime(year=9999, month=12, day=31, hour=23, minute=59, second=59, deviation_min=60)
    assert moment.utc() is None


def test_a_moment_comes_from_utc_with_weekday_and_status() -> None:
    moment = CosemDateTime.from_utc(dt.datetime(2024, 6, 30, 22, 30, 1, 250_000, tzinfo=dt.UTC), -120, dst=True)
    assert moment.encode().hex() == "07e80701" + "01" + "001e0119" + "ff8880"
    assert moment.daylight_saving is True
    assert moment.utc() == dt.datetime(2024, 6, 30, 22, 30, 1, 250_000, tzinfo=dt.UTC)
    assert CosemDateTime().daylight_saving is None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        CosemDateTime.from_utc(dt.datetime(2024, 1, 1))  # noqa: DTZ001


def test_dates_and_times_come_from_the_calendar() -> None:
    assert CosemDate.from_date(dt.date(2024, 2, 29)).encode().hex() == "07e8021d04"
    assert CosemDate.from_date(dt.date(2024, 2, 29)).date() == dt.date(2024, 2, 29)
    assert CosemTime.from_time(dt.time(1, 2, 3, 40_000)).encode().hex() == "01020304"
    assert CosemTime(hour=1, minute=2, second=3).time() == dt.time(1, 2, 3)
    assert CosemDate(year=2024, month=None, day=1).date() is None
    assert CosemTime(hour=24, minute=0, second=0).time() is None


@pytest.mark.parametrize("kind", [CosemDate, CosemTime, CosemDateTime])
def test_another_count_of_octets_is_refused(kind: type[CosemDate] | type[CosemTime] | type[CosemDateTime]) -> None:
    with pytest.raises(DecodeError):
        kind.decode(bytes(11))


@pytest.mark.parametrize("moment", [CosemDateTime(month=256), CosemTime(hour=-1), CosemDate(year=70000)])
def test_a_part_that_does_not_fit_is_not_written(moment: CosemDate | CosemTime | CosemDateTime) -> None:
    with pytest.raises(LocalProtocolError):
        moment.encode()
