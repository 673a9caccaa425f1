"""Numbers, moments and scalers are written as registers have them; an object is known by class and name."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class, typed
from meterway.stacks.dlms.tabled.table import (
    Attr,
    Right,
    Thing,
    clock,
    data_object,
    date_time,
    fixed,
    number,
    scaler_unit,
    text,
)


def test_a_number_takes_the_type_it_needs() -> None:
    assert [axdr.encode(number(value))[0] for value in (0, 2**32 - 1, 2**32, -1)] == [6, 6, 20, 20]


def test_a_moment_is_utc_and_never_beyond_what_can_be_said() -> None:
    for unix_s in (0.0, 1_790_000_000.0):
        moment = axdr.CosemDateTime.decode(date_time(unix_s).value)  # type: ignore[arg-type]
        assert moment.utc(0).timestamp() == unix_s  # type: ignore[union-attr]
    assert date_time(1e18).value[:2] == (9999).to_bytes(2, "big")  # type: ignore[index]
    assert date_time(-5.0) == date_time(0.0)


def test_an_object_is_known_by_class_and_name_and_a_fixed_attribute_is_encoded() -> None:
    thing: Thing[None] = data_object(Obis(0, 0, 42, 0, 0), fixed(text("A")))
    assert thing.key == (1, Obis(0, 0, 42, 0, 0))
    assert thing.attributes[2].read(None) == b"\x09\x01A"
    assert thing.methods == {}
    assert thing.attributes[2].right is Right.CONFIGURE
    assert typed(3, 3, scaler_unit(-3, 13)).scaler == -3  # type: ignore[union-attr]


def test_every_attribute_of_a_clock_is_of_its_class() -> None:
    thing: Thing[float] = clock(Attr(date_time))
    assert sorted(thing.attributes) == [2, 3, 4, 5, 6, 7, 8, 9]
    for place, attribute in thing.attributes.items():
        answer = attribute.read(86400.0)
        data = axdr.decode_all(answer) if isinstance(answer, bytes) else answer
        assert isinstance(data, axdr.Data)
        interface_class(8).attribute(place).type.typed(data, [])
