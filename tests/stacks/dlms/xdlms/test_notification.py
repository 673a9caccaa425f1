"""Notifications on the wire, and the ways in which meters spell their date-time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.notification import DataNotification, DataNotificationConfirm, EventNotification

pytestmark = pytest.mark.covers("IF-I", "IF-H1")

MOMENT = bytes.fromhex("07ea030b030c0f1e00ffc400")
CONFIRM = st.builds(DataNotificationConfirm, invoke=wire.long_invokes, date_time=wire.moments)
EVENT = st.builds(
    EventNotification, date_time=wire.optional(wire.octets(12)), attribute=wire.attributes, value=wire.encoded
)
DATA = st.builds(DataNotification, invoke=wire.long_invokes, date_time=wire.moments, body=wire.encoded)


@given(CONFIRM | EVENT | DATA)
def test_a_notification_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(CONFIRM | EVENT)
def test_a_cut_notification_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


def test_a_tagged_date_time_is_read_named_and_written_again() -> None:
    octets = bytes.fromhex("0f40000000090c") + MOMENT + b"\x00"
    apdu = decode_apdu(octets)
    assert apdu == DataNotification(invoke=0x40000000, date_time=MOMENT, body=b"\x00", quirks=("tagged-date-time",))
    assert apdu.encode() == octets


@pytest.mark.parametrize("length", [1, 9, 11, 13])
def test_a_date_time_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(DecodeError, match="0 or 12 octets"):
        decode_apdu(b"\x0f\x00\x00\x00\x01" + bytes((length,)) + bytes(40))


def test_an_event_has_a_time_or_none() -> None:
    with pytest.raises(DecodeError, match="presence flag"):
        decode_apdu(b"\xc2\x02" + bytes(20))
