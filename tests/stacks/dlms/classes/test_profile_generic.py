"""Selective access to a profile asks for the rows and columns it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import (
    CLOCK_TIME,
    EntrySelector,
    RangeSelector,
    columns_of,
    decode_selector,
    slice_entries,
)

IMPORT = CaptureObject(class_id=3, obis=Obis(1, 0, 1, 8, 0, 255), attribute=2)
EXPORT = CaptureObject(class_id=3, obis=Obis(1, 0, 2, 8, 0, 255), attribute=2)
START = CosemDateTime(year=2026, month=11, day=1, hour=0, minute=0, second=0, hundredths=0, status=0xFF)
END = CosemDateTime(year=2026, month=11, day=2, hour=0, minute=0, second=0, hundredths=0, status=0xFF)


@pytest.mark.covers("F3a", "UC-BI-01")
def test_a_range_has_the_octets_of_the_norm():
    expected = (
        "0204"  # a range
        "020412000809060000010000ff0f02120000"  # the clock's time
        "090c07ea0b01ff00000000" + "8000ff"  # from
        "090c07ea0b02ff00000000" + "8000ff"  # to
        "0100"  # every column
    )
    assert RangeSelector.between(START, END).encode().hex() == expected


def test_an_entry_selection_has_the_octets_of_the_norm():
    assert EntrySelector(from_entry=1, to_entry=96).encode().hex() == "02040600000001" + "0600000060" + "120001120000"


@given(
    st.builds(
        EntrySelector,
        from_entry=st.integers(0, 2**32 - 1),
        to_entry=st.integers(0, 2**32 - 1),
        from_value=st.integers(0, 0xFFFF),
        to_value=st.integers(0, 0xFFFF),
    )
)
def test_an_entry_selection_survives_the_line(selector):
    assert decode_selector(2, selector.encode()) == selector


@given(st.lists(st.sampled_from([CLOCK_TIME, IMPORT, EXPORT]), max_size=3))
def test_a_range_survives_the_line(columns):
    selector = RangeSelector.between(START, END, columns=tuple(columns))
    back = decode_selector(1, selector.encode())
    assert back == selector
    assert back.moments == (START, END)


def test_a_range_over_numbers_or_tagged_times_keeps_its_types():
    selector = RangeSelector(restricting=IMPORT, from_value=axdr.u32(5), to_value=axdr.date_time(END))
    assert decode_selector(1, selector.encode()) == selector
    assert selector.moments == (None, END)


@pytest.mark.parametrize("selector", [0, 1, 2, 3])
@given(octets=st.binary(max_size=40))
def test_noise_is_a_decode_error(selector, octets):
    try:
        decode_selector(selector, octets)
    except DecodeError:
        return
    assert selector in (1, 2)


@pytest.mark.parametrize("octets", ["0203" + "1100" * 3, "0204" + "1100" * 4, "00"])
def test_parameters_of_another_form_are_refused(octets):
    with pytest.raises(DecodeError) as refusal:
        decode_selector(1, bytes.fromhex(octets))
    assert refusal.value.kind == "selector"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 0, [1, 2, 3, 4, 5]), (2, 3, [2, 3]), (4, 99, [4, 5]), (5, 5, [5]), (9, 0, []), (3, 2, []), (0, 1, [1])],
)
def test_entries_count_from_one_and_zero_is_the_last(first, last, expected):
    assert [1, 2, 3, 4, 5][slice_entries(EntrySelector(from_entry=first, to_entry=last), 5)] == expected


def test_columns_are_chosen_by_number_or_by_object():
    captured = (CLOCK_TIME, IMPORT, EXPORT)
    assert columns_of(None, captured) == (0, 1, 2)
    assert columns_of(EntrySelector(from_value=2, to_value=0), captured) == (1, 2)
    assert columns_of(RangeSelector.between(START, END), captured) == (0, 1, 2)
    assert columns_of(RangeSelector.between(START, END, columns=(EXPORT, CLOCK_TIME)), captured) == (0, 2)


def test_a_column_that_is_not_captured_is_refused():
    with pytest.raises(LocalProtocolError, match=r"1-0:2\.8\.0"):
        columns_of(RangeSelector.between(START, END, columns=(EXPORT,)), (CLOCK_TIME, IMPORT))
