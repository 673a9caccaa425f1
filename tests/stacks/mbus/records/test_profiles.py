"""Compact profiles become values with times, forwards and backwards."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.profiles import expand, profile_body
from meterway.stacks.mbus.records.record import decode_records, make_record


def values(octets: str) -> list[tuple[int, object, object]]:
    content = decode_records(bytes.fromhex(octets.replace(" ", "")))
    return [(one.record.storage, one.record.value, one.time) for one in expand(content.records)]


@pytest.mark.covers("IF-M")
def test_an_inverse_profile_of_months_goes_back_from_its_base() -> None:
    # storage 8: date 2030-06-30, volume 100 l, then 90, invalid, 70 by months
    found = values("82046CDE36 840413 64000000 8D049313 0E 34FE 5A000000 00000080 46000000")
    assert found == [
        (9, 0.09, date(2030, 5, 31)),
        (10, -2147483.648, date(2030, 4, 30)),
        (11, 0.07, date(2030, 3, 31)),
    ]


def test_a_profile_of_increments_by_the_hour_adds_up_from_its_base() -> None:
    found = values("446D00004135 4413E8030000 4D931F 05 6101 05 00 07")
    assert found == [
        (1, 1.005, datetime.fromisoformat("2026-05-01T01:00")),
        (1, 1.005, datetime.fromisoformat("2026-05-01T02:00")),
        (1, 1.012, datetime.fromisoformat("2026-05-01T03:00")),
    ]


def test_after_an_invalid_increment_nothing_is_made_up() -> None:
    found = values("446D00004135 4413E8030000 4D931F 05 6101 05 FF 07")
    assert [value for _, value, _ in found] == [1.005, None, None]


def test_signed_differences_and_decrements_go_down() -> None:
    assert [value for _, value, _ in values("4413E8030000 4D931F 03 E101 FF")] == [0.999]
    assert [value for _, value, _ in values("4413E8030000 4D931F 03 A101 01")] == [0.999]


def test_registers_count_up_with_numbered_elements() -> None:
    found = values("82046C4121 8C0413 00000000 8D04931E 0A 3CFE 11000000 22000000")
    assert found == [(9, 0.011, date(2018, 2, 1)), (10, 0.022, date(2018, 3, 1))]


def test_without_base_or_spacing_there_is_no_time() -> None:
    assert values("4D931F 04 0200 0100")[0][2] is None
    assert values("426C4121 4D931F 04 12 01 0100")[0][2] is None


@pytest.mark.parametrize("octets", ["4D931F 01 12", "4D931F 04 1401 01 02", "4D931F 03 1D0101"])
def test_a_malformed_profile_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        values(octets)


@given(st.binary(max_size=40))
def test_any_profile_is_expanded_or_a_decode_error(body: bytes) -> None:
    octets = bytes.fromhex("446D00004135 4413E8030000 4D9313") + bytes((len(body),)) + body
    try:
        expand(decode_records(octets).records)
    except DecodeError:
        return


def test_a_profile_that_is_written_is_expanded_again() -> None:
    base = make_record(b"\x6c", date(2026, 4, 1), 2, storage=8)
    profile = make_record(b"\x93\x13", profile_body([900, None, 700], 4), 13, storage=8)
    octets = base.encode() + profile.encode()
    assert [(one.record.value, one.time) for one in expand(decode_records(octets).records)] == [
        (0.9, date(2026, 3, 1)),
        (-2147483.648, date(2026, 2, 1)),
        (0.7, date(2026, 1, 1)),
    ]
    with pytest.raises(ValueError, match="does not fit"):
        profile_body([300], 1)
