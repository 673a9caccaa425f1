"""Records: any octets decode or are refused, and what decodes leads back to its octets."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.record import decode_records, make_record
from meterway.stacks.mbus.records.tables import FB, FD, PRIMARY

BLOCKS = [
    *(bytes((code,)) for code, row in PRIMARY.items() if row.kind == "number"),
    *(bytes((0xFB, code)) for code, row in FB.items() if row.kind == "number"),
    *(bytes((0xFD, code)) for code, row in FD.items() if row.kind in ("number", "flags")),
]


@pytest.mark.covers("IF-M", "SEC-11")
@given(st.binary(max_size=120))
def test_any_octets_are_records_or_a_decode_error(octets: bytes) -> None:
    try:
        content = decode_records(octets)
    except DecodeError:
        return
    assert content.encode() == octets
    for record in content.records:
        assert (record.value is None) == bool(record.reason)
        assert record.value is not None or record.quality


@given(st.sampled_from(BLOCKS), st.sampled_from([1, 2, 3, 4, 6]), st.data())
def test_a_value_that_was_read_is_written_to_the_same_octets(block: bytes, field: int, data: st.DataObject) -> None:
    size = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6}[field]
    octets = bytes((field,)) + block + data.draw(st.binary(min_size=size, max_size=size))
    (record,) = decode_records(octets).records
    assert make_record(block, record.value, field).encode() == octets


@given(st.sampled_from(BLOCKS), st.sampled_from([9, 10, 11, 12, 14]), st.integers(-9, 99))
def test_bcd_values_are_written_to_the_same_octets(block: bytes, field: int, digits: int) -> None:
    first = make_record(block, 0, field)
    number = digits * first.head.num / first.head.den + first.head.offset
    record = make_record(block, number, field)
    assert decode_records(record.encode()).records == (record,)
    assert record.value == pytest.approx(number)


def test_fillers_and_manufacturer_data_lead_back_to_their_octets() -> None:
    octets = bytes.fromhex("2F2F0413010000002F02FD1700002F2F1F0102")
    content = decode_records(octets)
    assert content.encode() == octets
    assert content.more_follows
    assert content.manufacturer_data == b"\x01\x02"
    assert [record.quantity for record in content.records] == ["volume", "error flags"]


def test_the_most_negative_number_is_given_with_a_warning() -> None:
    (record,) = decode_records(bytes.fromhex("041300000080")).records
    assert record.value == -2147483.648
    assert "invalid" in record.quality


def test_invalid_digits_give_no_value_and_are_named() -> None:
    (record,) = decode_records(bytes.fromhex("0C2BBDEBDDDD")).records
    assert (record.value, record.quality) == (None, "invalid digits DDDDEBBD")


@pytest.mark.parametrize("octets", ["0413010203", "0D78", "0D7805414243", "0D78FF", "3F", "8F13", "04"])
def test_a_cut_record_and_reserved_codes_are_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_records(bytes.fromhex(octets))


def test_numbers_that_name_something_keep_their_zeros() -> None:
    (record,) = decode_records(bytes.fromhex("0C7801020300")).records
    assert record.value == "00030201"
    assert make_record(b"\x78", "00030201", 12).encode().hex() == "0c7801020300"


def test_summer_time_of_a_clock_is_told() -> None:
    (record,) = decode_records(bytes.fromhex("046D008C2135")).records
    assert record.value == datetime.fromisoformat("2025-05-01T12:00")
    assert record.summer_time


def test_values_that_do_not_fit_a_field_are_refused() -> None:
    for value, field in (
        (1e9, 1),
        ("x", 4),
        (None, 4),
        (1, 0),
        (b"12345", 4),
        (1e60, 5),
        (datetime.fromisoformat("2026-01-01T00:00"), 1),
    ):
        with pytest.raises(ValueError):
            make_record(b"\x13", value, field)


@pytest.mark.parametrize(
    ("octets", "value", "quality"),
    [
        ("0C6D12345678", None, "not a known type of time"),
        ("056D00000000", None, "not a known type of time"),
        ("046D80000000", None, "no valid time"),
        ("0D6DC21234", b"\x12\x34", "octets: this type of time is not read"),
        ("0D6D024142", b"\x41\x42", "octets: this type of time is not read"),
    ],
)
def test_a_time_of_another_type_is_never_taken_for_one_that_is_known(octets: str, value: object, quality: str) -> None:
    (record,) = decode_records(bytes.fromhex(octets)).records
    assert (record.value, record.quality) == (value, quality)
