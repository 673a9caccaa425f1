"""Parts that APDUs share."""

from __future__ import annotations

import pytest
from hypothesis import given

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.parts import (
    AttributeDescriptor,
    DataBlock,
    MethodDescriptor,
    Selection,
    decode_value,
    encode_octets,
    encode_value,
    read_data,
    read_octets,
    read_optional_data,
)
from meterway.stacks.dlms.xdlms.results import DataAccessResult

pytestmark = pytest.mark.covers("IF-I")


@given(wire.attributes)
def test_a_descriptor_comes_back(attribute: AttributeDescriptor) -> None:
    assert AttributeDescriptor.read(Reader(attribute.encode())) == attribute
    assert MethodDescriptor.read(Reader(attribute.encode())) == MethodDescriptor(*attribute)


@given(wire.blocks)
def test_a_block_comes_back(block: DataBlock) -> None:
    assert DataBlock.read(Reader(block.encode())) == block


@given(wire.values)
def test_a_value_or_refusal_comes_back(value: bytes | DataAccessResult) -> None:
    assert decode_value(Reader(encode_value(value))) == value


@given(wire.octets())
def test_counted_octets_come_back(octets: bytes) -> None:
    assert read_octets(Reader(encode_octets(octets)), "octets") == octets


@given(wire.encoded, wire.octets())
def test_a_value_ends_where_it_ends(value: bytes, rest: bytes) -> None:
    reader = Reader(value + rest)
    assert read_data(reader) == value
    assert reader.rest() == rest


def test_absent_data_is_none_and_another_flag_is_refused() -> None:
    assert read_optional_data(Reader(b"\x00")) is None
    assert read_optional_data(Reader(b"\x01\x11\x05")) == b"\x11\x05"
    for flag in (2, 255):
        with pytest.raises(DecodeError, match="presence flag"):
            read_optional_data(Reader(bytes((flag, 0))))
        with pytest.raises(DecodeError, match="presence flag"):
            Selection.read(Reader(bytes((flag, 0, 0))))


def test_a_value_does_not_reach_beyond_its_reader() -> None:
    with pytest.raises(DecodeError):
        read_data(Reader(b"\x11\x05", 0, 1))


def test_descriptors_are_shown_as_one_names_them() -> None:
    code = Obis(1, 0, 1, 8, 0)
    assert str(AttributeDescriptor(3, code, 2)) == "3/1-0:1.8.0*255/2"
    assert str(MethodDescriptor(3, code, 1)) == "3/1-0:1.8.0*255/method 1"
