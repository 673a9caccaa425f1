"""Records of M-Bus meters become registers under the codes of their medium, without losing a digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.obis import Obis
from meterway.mapping.mbus_cosem import (
    companion_of,
    is_converting,
    main_registers,
    measured,
    measured_reading,
    medium_of,
)
from meterway.model.reading import Reading
from meterway.stacks.mbus.records.record import make_record

GAS, HEAT, WATER, HOT, HCA, ELECTRICITY = 0x03, 0x04, 0x07, 0x06, 0x08, 0x02


@pytest.mark.covers("IF-M", "F1a")
@pytest.mark.parametrize(
    ("device", "vib", "options", "code"),
    [
        (GAS, b"\x13", {}, "7-0:3.0.0*255"),
        (GAS, b"\x93\x3e", {}, "7-0:3.2.0*255"),
        (WATER, b"\x13", {}, "8-0:1.0.0*255"),
        (WATER, b"\x13", {"storage": 1}, "8-0:1.2.0*255"),
        (HOT, b"\x13", {}, "9-0:1.0.0*255"),
        (HEAT, b"\x06", {}, "6-0:1.0.0*255"),
        (HEAT, b"\x06", {"tariff": 2}, "6-0:1.0.2*255"),
        (HEAT, b"\x86\x3c", {}, "5-0:1.0.0*255"),
        (HEAT, b"\x5a", {}, "6-0:10.0.0*255"),
        (HCA, b"\x6e", {}, "4-0:1.0.0*255"),
        (ELECTRICITY, b"\x03", {}, "1-0:1.8.0*255"),
        (ELECTRICITY, b"\x03", {"tariff": 1}, "1-0:1.8.1*255"),
        (ELECTRICITY, b"\x83\x3b", {}, "1-0:1.8.0*255"),
        (ELECTRICITY, b"\x83\x3c", {}, "1-0:2.8.0*255"),
        (ELECTRICITY, b"\x2b", {}, "1-0:1.7.0*255"),
        (ELECTRICITY, b"\xab\x3c", {}, "1-0:2.7.0*255"),
        (ELECTRICITY, b"\xfd\xc8\xfc\x01", {}, "1-0:32.7.0*255"),
        (ELECTRICITY, b"\xfd\xc8\xfc\x03", {}, "1-0:72.7.0*255"),
        (ELECTRICITY, b"\xfd\xd9\xfc\x02", {}, "1-0:51.7.0*255"),
        (ELECTRICITY, b"\xab\xfc\x02", {}, "1-0:41.7.0*255"),
        (ELECTRICITY, b"\xab\xbc\xfc\x02", {}, "1-0:42.7.0*255"),
    ],
)
def test_a_record_has_the_code_of_its_medium(device: int, vib: bytes, options: dict[str, int], code: str) -> None:
    found = measured(make_record(vib, 1000, 4, **options), device)
    assert found is not None
    assert found.obis == Obis.parse(code)


@pytest.mark.parametrize(
    ("device", "vib", "options"),
    [
        (GAS, b"\x13", {"storage": 3}),
        (GAS, b"\x13", {"subunit": 1}),
        (GAS, b"\x13", {"function": "maximum"}),
        (WATER, b"\x93\x3c", {}),
        (0x1A, b"\x13", {}),
        (ELECTRICITY, b"\x83\x3e", {}),
        (ELECTRICITY, b"\x03", {"storage": 1}),
    ],
)
def test_what_no_register_stands_for_is_left_out(device: int, vib: bytes, options: dict[str, object]) -> None:
    assert measured(make_record(vib, 1000, 4, **options), device) is None  # type: ignore[arg-type]


@given(st.integers(0, 2**31 - 1), st.sampled_from([b"\x10", b"\x13", b"\x16", b"\x17"]))
def test_no_digit_of_a_volume_is_lost(count: int, vib: bytes) -> None:
    octets = make_record(vib, 0, 4)
    record = type(octets)(head=octets.head, value=octets.head.read(count.to_bytes(4, "little")), data=b"\0\0\0\0")
    found = measured(record, GAS)
    assert found is not None
    assert (found.raw, found.unit) == (count, 13)


@pytest.mark.parametrize("octets", ["0000807f", "0000c07f", "0000407f"])
def test_what_no_register_can_hold_is_no_value(octets: str) -> None:
    record = make_record(b"\x13", 1.0, 5)
    odd = type(record)(head=record.head, value=record.head.read(bytes.fromhex(octets)), data=bytes.fromhex(octets))
    assert measured(odd, GAS) is None


def test_a_device_says_what_it_is_billed_by() -> None:
    assert medium_of(GAS) == 7
    assert main_registers(HEAT) == (Obis(6, 0, 1, 0, 0), Obis(6, 0, 2, 0, 0))
    assert main_registers(0x1A) == ()


@pytest.mark.covers("IF-M")
def test_the_plain_volume_of_a_converting_gas_meter_is_the_converted_one() -> None:
    plain, before = make_record(b"\x13", 5, 4), make_record(b"\x93\x3a", 6, 4)
    assert is_converting([plain, before], GAS)
    assert not is_converting([plain], GAS)
    found = [measured(record, GAS, converts=True) for record in (plain, before)]
    assert [one.obis.short for one in found if one] == ["7-0:3.1.0", "7-0:3.0.0"]
    assert main_registers(GAS, converts=True) == (Obis(7, 0, 3, 1, 0),)


PHASE_2 = ("1-0:52.7.0*255", 238100, -3, 35)


@pytest.mark.parametrize(
    ("device", "reading", "expected"),
    [
        (WATER, Reading(name="volume", value=123.4565, unit="m³", vif="0F"), ("8-0:1.0.0*255", 123456, -3, 13)),
        (WATER, Reading(name="volume", value=9, unit="m³", vif="0F", storage=1), ("8-0:1.2.0*255", 9000, -3, 13)),
        (HEAT, Reading(name="energy", value=375000, unit="Wh", vif="0F"), ("6-0:1.0.0*255", 375000, 0, 30)),
        (HCA, Reading(name="heat cost units", value=131, vif="0F"), ("4-0:1.0.0*255", 131, 0, 255)),
        (
            ELECTRICITY,
            Reading(name="active energy, export", value=60, unit="Wh", vif="0F", tariff=2),
            ("1-0:2.8.2*255", 60, 0, 30),
        ),
        (
            ELECTRICITY,
            Reading(name="voltage, phase 2", value=238.1, unit="V", vif="0F"),
            ("1-0:52.7.0*255", 238100, -3, 35),
        ),
    ],
)
def test_what_a_driver_read_has_the_code_of_its_medium(
    device: int, reading: Reading, expected: tuple[str, int, int, int]
) -> None:
    found = measured_reading(reading, device)
    assert found is not None
    assert (str(found.obis), *found[1:]) == expected


@pytest.mark.parametrize(
    "reading",
    [
        Reading(name="volume", value=1.0, unit="m³", vif="0F", quality="the meter has no value"),
        Reading(name="volume", value=None, unit="m³", vif="0F"),
        Reading(name="volume", value="1", unit="m³", vif="0F"),
        Reading(name="volume", value=float("inf"), unit="m³", vif="0F"),
        Reading(name="volume", value=1.0, unit="m³", vif="0F", storage=2),
        Reading(name="volume", value=1.0, unit="m³", vif="0F", function="maximum"),
        Reading(name="volume", value=1e300, unit="m³", vif="0F"),
        Reading(name="volume in a month", value=1.0, unit="m³", vif="0F"),
    ],
)
def test_what_a_driver_does_not_vouch_for_is_left_out(reading: Reading) -> None:
    assert measured_reading(reading, WATER) is None


def test_what_measures_nothing_known_is_an_m_bus_meter_like_any() -> None:
    assert companion_of(WATER).profile == "mbus-water"
    assert companion_of(0x1A) == ("other", "mbus-meter")
