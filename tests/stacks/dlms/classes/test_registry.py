"""The tables of interface classes agree with themselves and turn data into typed values and back."""

from __future__ import annotations

from dataclasses import is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime, Data, Tag
from meterway.stacks.dlms.axdr.tags import INTEGER_RANGES
from meterway.stacks.dlms.classes import (
    CaptureObject,
    InterfaceClass,
    interface_class,
    interface_classes,
    typed,
    untyped,
)
from meterway.stacks.dlms.classes.types import (
    ANY,
    BIT_STRING,
    BOOLEAN,
    NULL,
    OBIS,
    OCTETS,
    UNIT,
    UTF8,
    VISIBLE,
    Array,
    Choice,
    Enumerated,
    Integer,
    Moment,
    Structure,
    Type,
)

COMPLETE = [entry for entry in interface_classes() if entry.complete]
ATTRIBUTES = [(entry, attribute) for entry in COMPLETE for attribute in entry.attributes]
octet = st.integers(0, 254)


def values_of(kind: Type) -> st.SearchStrategy[object]:
    """Typed values of a type of the tables."""
    if isinstance(kind, Integer):
        return st.integers(*INTEGER_RANGES[kind.tag])
    if isinstance(kind, Enumerated):
        return st.sampled_from(list(kind.members))
    if isinstance(kind, Array):
        return st.lists(values_of(kind.element), max_size=3).map(tuple)
    if isinstance(kind, Structure):
        fields = {name: values_of(part) for name, part in zip(kind.names, kind.types, strict=True)}
        return st.builds(kind.kind, **fields)
    if isinstance(kind, Choice):
        return st.one_of([values_of(part) for part in kind.types])
    if isinstance(kind, Moment):
        return moments(kind)
    simple: dict[str, st.SearchStrategy[object]] = {
        BOOLEAN.name: st.booleans(),
        BIT_STRING.name: st.text("01", max_size=20),
        VISIBLE.name: st.text(st.characters(max_codepoint=127), max_size=5),
        UTF8.name: st.text(st.characters(codec="utf-8"), max_size=5),
        NULL.name: st.none(),
        OCTETS.name: st.binary(max_size=15),
        OBIS.name: st.builds(Obis, *[st.integers(0, 255)] * 6),
        UNIT.name: st.integers(0, 255),
        ANY.name: st.one_of(st.integers(0, 2**32 - 1), st.booleans(), st.binary(max_size=5), st.none()),
    }
    return simple[kind.name]


def moments(kind: Moment) -> st.SearchStrategy[object]:
    time = {"hour": octet, "minute": octet, "second": octet, "hundredths": octet}
    date = {"year": st.integers(0, 0xFFFE), "month": octet, "day": octet, "weekday": octet}
    if kind.kind is CosemTime:
        return st.builds(CosemTime, **time)
    if kind.kind is CosemDate:
        return st.builds(CosemDate, **date)
    rest = {"deviation_min": st.none() | st.integers(-720, 840), "status": st.integers(0, 255)}
    return st.builds(CosemDateTime, **date, **time, **rest)


def test_every_class_stands_once_and_its_numbers_have_no_gaps():
    assert len({(entry.class_id, entry.version) for entry in interface_classes()}) == len(interface_classes())
    for entry in interface_classes():
        for rows in (entry.attributes, entry.methods):
            assert [row.index for row in rows] == list(range(1, len(rows) + 1)), entry
            assert len({row.name for row in rows}) == len(rows), entry
            assert all(row.name == row.name.lower() and " " not in row.name for row in rows), entry
        assert entry.attributes[0].name == "logical_name"


@pytest.mark.parametrize(
    ("class_id", "version", "attributes", "methods"),
    [
        (1, 0, 2, 0),
        (3, 0, 3, 1),
        (4, 0, 5, 1),
        (5, 0, 9, 2),
        (6, 0, 4, 3),
        (7, 1, 8, 2),
        (8, 0, 9, 6),
        (9, 0, 2, 1),
        (11, 0, 2, 2),
        (15, 0, 8, 4),
        (15, 1, 9, 4),
        (15, 2, 11, 6),
        (15, 3, 11, 6),
        (17, 0, 2, 1),
        (18, 0, 7, 4),
        (19, 1, 9, 0),
        (20, 0, 10, 1),
        (21, 0, 4, 0),
        (22, 0, 4, 0),
        (23, 1, 9, 0),
        (40, 0, 7, 1),
        (40, 1, 10, 1),
        (40, 2, 13, 2),
        (41, 0, 6, 0),
        (42, 0, 10, 3),
        (45, 0, 4, 0),
        (47, 0, 8, 0),
        (62, 0, 6, 2),
        (63, 0, 3, 0),
        (64, 0, 5, 2),
        (64, 1, 6, 8),
        (70, 0, 4, 2),
        (71, 0, 11, 0),
        (72, 0, 12, 8),
        (72, 1, 14, 8),
    ],
)
def test_a_class_has_the_attributes_and_methods_of_the_norm(class_id, version, attributes, methods):
    entry = interface_class(class_id, version)
    assert (len(entry.attributes), len(entry.methods)) == (attributes, methods)


def test_without_a_version_the_latest_is_meant():
    assert interface_class(15).version == 3
    assert interface_class(40).version == 2


def test_an_unknown_class_version_attribute_or_method_is_named():
    with pytest.raises(ConfigError, match="interface class 9999 is not known"):
        interface_class(9999)
    with pytest.raises(ConfigError, match=r"Register \(class 3\) is known in version 0, not 7"):
        interface_class(3, 7)
    with pytest.raises(ConfigError, match=r"no attribute 'scaler'; it has 1 logical_name, 2 value, 3 scaler_unit"):
        interface_class(3).attribute("scaler")
    with pytest.raises(ConfigError, match="no method 2; it has 1 reset"):
        interface_class(3).method(2)


@given(st.data())
def test_every_typed_value_survives_the_way_to_octets_and_back(data):
    entry, attribute = data.draw(st.sampled_from(ATTRIBUTES))
    value = data.draw(values_of(attribute.type))
    quirks: list[str] = []
    octets = axdr.encode(untyped(entry.class_id, attribute.index, value, entry.version))
    back = typed(entry.class_id, attribute.name, axdr.decode_all(octets), entry.version, quirks=quirks)
    assert axdr.encode(untyped(entry.class_id, attribute.index, back, entry.version)) == octets
    assert quirks == []
    if is_dataclass(value):
        assert back == value


cosem_data = st.recursive(
    st.one_of(
        st.just(axdr.null()),
        st.integers(0, 255).map(axdr.u8),
        st.integers(0, 2**32 - 1).map(axdr.u32),
        st.binary(max_size=14).map(axdr.octets),
        st.booleans().map(axdr.boolean),
        st.just(axdr.date_time(CosemDateTime())),
    ),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda items: st.sampled_from([axdr.array(*items), axdr.structure(*items)])
    ),
    max_leaves=12,
)


@given(st.sampled_from(ATTRIBUTES), cosem_data)
def test_data_of_any_other_type_is_given_as_it_is_with_a_quirk(row: tuple[InterfaceClass, object], data: Data):
    entry, attribute = row
    quirks: list[str] = []
    value = typed(entry.class_id, attribute.index, data, entry.version, quirks=quirks)
    if "attribute-type" in quirks:
        assert value == axdr.native(data)
    else:
        moments = {"tagged-date-time", "untagged-date-time", "empty-date-time"}
        assert set(quirks) <= {"integer-width", "null-data", "text-type"} | moments


def test_an_attribute_of_no_table_is_given_as_it_is():
    quirks: list[str] = []
    assert typed(3, 77, axdr.u8(5), quirks=quirks) == 5
    assert typed(9999, 2, axdr.structure(axdr.u8(5)), quirks=quirks) == [5]
    assert quirks == ["unknown-attribute"]


def test_plain_forms_of_configuration_files_are_taken():
    assert untyped(3, 3, {"scaler": 0, "unit": "Wh"}) == axdr.structure(axdr.i8(0), axdr.enum(30))
    captured = untyped(7, 3, [{"class_id": 8, "obis": "0-0:1.0.0", "attribute": 2}])
    assert typed(7, 3, captured) == (CaptureObject(class_id=8, obis=Obis(0, 0, 1, 0, 0, 255), attribute=2),)
    assert untyped(7, 5, "fifo") == axdr.enum(1)
    assert untyped(1, 2, {"long-unsigned": 5}) == axdr.u16(5)
    assert untyped(45, 2, "internet") == axdr.octets(b"internet")
    assert untyped(45, 2, "0x00ff") == axdr.octets(b"\x00\xff")
    assert untyped(8, 2, "2026-06-01T12:00:00+00:00").value[:8] == bytes.fromhex("07ea060101") + b"\x0c\x00\x00"
    assert untyped(8, 5, {"month": 3, "day": 0xFE, "weekday": 7, "hour": 2}).tag == Tag.OCTET_STRING


@pytest.mark.parametrize(
    ("class_id", "attribute", "value"),
    [
        (3, 3, {"scaler": 0}),
        (3, 3, {"scaler": 0, "unit": "furlong"}),
        (3, 3, (0, 30)),
        (7, 3, "clock"),
        (7, 4, -1),
        (7, 4, True),
        (8, 2, "yesterday"),
        (8, 2, {"century": 21}),
        (8, 3, 40000),
        (15, 1, "no code"),
        (7, 5, "sideways"),
        (45, 2, "0xzz"),
        (1, 2, object()),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_it_is_sent(class_id, attribute, value):
    with pytest.raises(LocalProtocolError):
        axdr.encode(untyped(class_id, attribute, value))
