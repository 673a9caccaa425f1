"""Headers of records: numbers in DIFEs, every table of VIFs, what VIFEs do to the value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.head import FUNCTIONS, head_at, make_head
from meterway.stacks.mbus.records.record import Record, decode_records
from meterway.stacks.mbus.records.tables import COMBINABLE, COMBINABLE_2, FB, FD, FD_2, PRIMARY


def only(octets: str) -> Record:
    (record,) = decode_records(bytes.fromhex(octets)).records
    return record


@given(
    st.sampled_from([1, 2, 3, 4, 6, 7, 9, 12]),
    st.integers(0, (1 << 41) - 1),
    st.integers(0, (1 << 20) - 1),
    st.integers(0, 1023),
    st.sampled_from(FUNCTIONS),
)
def test_storage_tariff_subunit_and_function_go_there_and_back(
    field: int, storage: int, tariff: int, subunit: int, function: str
) -> None:
    head = make_head(field, b"\x13", storage=storage, tariff=tariff, subunit=subunit, function=function)
    assert (head.storage, head.tariff, head.subunit, head.function) == (storage, tariff, subunit, function)
    assert head_at(head.octets, 0, len(head.octets))[0] is head


def test_every_code_of_every_table_has_a_meaning() -> None:
    blocks = [bytes((code,)) for code in PRIMARY]
    blocks += [bytes((0xFB, code)) for code in FB]
    blocks += [bytes((0xFD, code)) for code in FD]
    blocks += [bytes((0xFD, 0xFD, code)) for code in FD_2]
    blocks += [bytes((0x93, code)) for code in COMBINABLE if code not in (0x7C, 0x7F)]
    blocks += [bytes((0x93, 0xFC, code)) for code in COMBINABLE_2]
    for block in blocks:
        head = make_head(4, block)
        assert head.quantity != "reserved", block.hex()
        assert not any(note.startswith("VIFE") for note in head.notes), block.hex()


def test_reserved_codes_give_no_value_but_a_reason() -> None:
    record = only("02FB06FF00")
    assert record.value is None
    assert record.reason == "the value information is reserved"
    assert only("0293191234").reason == "VIFE 0x19 is reserved"


@pytest.mark.parametrize(
    ("octets", "value", "unit"),
    [
        ("0403 15CD5B07", 123456789, "Wh"),
        ("0413 39300000", 12.345, "m³"),
        ("0448 01000000", 3.6e-06, "m³/h"),
        ("0440 01000000", 6e-06, "m³/h"),
        ("02FB00 0100", 100_000, "Wh"),
        ("02FB2E 8713", 499.9, "Hz"),
        ("02FD48 EC08", 228.4, "V"),
        ("02FD5B 0600", 0.6, "A"),
        ("04FB8275 3F000000", 6300.0, "varh"),
        ("029370 0100", 1e-9, "m³"),
        ("02937D 0100", 1, "m³"),
        ("02DB7A 0A00", 10.1, "°C"),
        ("029320 0100", 0.001, "m³/s"),
        ("02FD2C 3C00", 60, "s"),
        ("02BB56 0300", 3, "h"),
        ("02BB41 0300", 3, ""),
        ("02FC0348522574 D411", 45.64, "%RH"),
    ],
)
def test_values_are_scaled_to_their_unit(octets: str, value: float, unit: str) -> None:
    record = only(octets.replace(" ", ""))
    assert isinstance(record.value, (int, float))
    assert record.value == pytest.approx(value, rel=1e-12)
    assert record.unit == unit


def test_the_time_of_an_event_is_a_time_whatever_the_quantity() -> None:
    record = only("9410DA6F32147A18")
    assert str(record.value) == "2011-08-26 20:50:00"
    assert record.head.summary == "flow temperature, time of end of last"


def test_a_record_error_takes_the_value_away() -> None:
    record = only("0293150000")
    assert (record.value, record.reason) == (None, "no data available")


def test_what_only_the_maker_knows_is_given_as_it_is() -> None:
    record = only("02FF0112FE")
    assert (record.quantity, record.value, record.unit) == ("manufacturer specific", -494, "")
    assert only("02FDC9FF01EE00").head.notes == ("manufacturer 01",)


def test_a_phase_is_told_by_the_second_table_of_vifes() -> None:
    assert only("02FDC9FC01EE00").head.notes == ("phase L1",)


@pytest.mark.parametrize(
    "octets", ["", "04", "84", "8410", "0480", "047C", "04FC05", "04FC0141", "04" + "FD" * 12, "84" + "80" * 12]
)
def test_a_cut_or_endless_header_is_refused(octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(DecodeError):
        head_at(data, 0, len(data))


def test_octets_behind_a_value_information_block_are_refused() -> None:
    with pytest.raises(DecodeError, match="left over"):
        make_head(4, b"\x13\x13")
