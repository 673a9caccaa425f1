"""Alarms of a concentrator, between it and the head end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.mapping.alarms import Alarm, AlarmKind, alarm_bits, decode_alarms, encode_alarms
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-G2", "E-NNAP-8")

TEXT = st.text(st.characters(categories=("L", "N", "P")), max_size=20)
U32 = st.integers(0, 0xFFFFFFFF)
ALARM = st.builds(
    Alarm, kind=st.sampled_from(AlarmKind), subject=TEXT, raised=U32, cleared=U32, count=st.integers(0, 0xFFFF),
    text=TEXT,
)  # fmt: skip
ONE = Alarm(kind=AlarmKind.BRANCH, subject="M1", raised=5, count=3, text="x")


@given(st.lists(ALARM, max_size=5))
def test_what_was_encoded_is_decoded(alarms):
    assert decode_alarms(encode_alarms(alarms)) == tuple(alarms)


def test_the_octets_are_these():
    assert encode_alarms([ONE]).hex() == "01010206160309024d3106000000050600000000120003090178"


def test_a_bit_stands_for_each_kind_that_stands():
    ended = Alarm(kind=AlarmKind.LOST, subject="M2", raised=1, cleared=2)
    assert alarm_bits([ONE, ended]) == 0b100
    assert alarm_bits([]) == 0
    assert ONE.stands
    assert not ended.stands


@pytest.mark.parametrize(
    "value",
    [
        axdr.structure(axdr.enum(9), axdr.octets(b"M1"), axdr.u32(5), axdr.u32(0), axdr.u16(3), axdr.octets(b"")),
        axdr.structure(axdr.enum(1), axdr.octets(b"\xff"), axdr.u32(5), axdr.u32(0), axdr.u16(3), axdr.octets(b"")),
        axdr.structure(axdr.enum(1), axdr.octets(b"\n"), axdr.u32(5), axdr.u32(0), axdr.u16(3), axdr.octets(b"")),
        axdr.structure(axdr.enum(1), axdr.octets(b""), axdr.i32(-5), axdr.u32(0), axdr.u16(3), axdr.octets(b"")),
        axdr.structure(axdr.enum(1)),
    ],
    ids=["kind", "octets", "control", "negative", "short"],
)
def test_what_is_no_alarm_is_refused(value):
    with pytest.raises(DecodeError):
        decode_alarms(axdr.encode(axdr.array(value)))


@given(st.binary(max_size=60))
def test_any_octets_are_decoded_or_refused(octets):
    try:
        found = decode_alarms(octets)
    except DecodeError:
        return
    assert decode_alarms(encode_alarms(found)) == found
