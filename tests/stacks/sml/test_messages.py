"""SML messages and the lists of values in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meterway.base.crc import kermit
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.sml.messages import SmlMessage, SmlTime, decode_file, encode_file, list_of
from meterway.stacks.sml.values import SmlUnsigned, SmlValue

pytestmark = pytest.mark.covers("IF-H1")

# known answer, from the documentation of sml-rs (MIT OR Apache-2.0)
CLOSE = bytes.fromhex("7605dd4344006200620072630201710163fd5600")
SERVER = b"\x0a\x01MWY\x00\x00\x00\x00\x01"
ENERGY = (bytes(Obis(1, 0, 1, 8, 0)), SmlUnsigned(4), None, SmlUnsigned(30), -1, SmlUnsigned(12345), None)


def listed(sensor_time: SmlValue = None, entry: SmlValue = ENERGY) -> SmlMessage:
    body = (None, SERVER, None, sensor_time, (entry,), None, None)
    return SmlMessage(transaction=b"\x01", group=0, abort_on_error=0, tag=0x0701, body=body)


def test_a_message_of_others_is_read_and_written() -> None:
    (message,) = decode_file(CLOSE)
    assert (message.name, message.transaction, message.body) == ("public-close-response", b"\xdd\x43\x44\x00", (None,))
    assert encode_file((message,)) == CLOSE


def test_a_list_says_who_when_and_what() -> None:
    (message,) = decode_file(encode_file((listed((SmlUnsigned(1), SmlUnsigned(77))),)))
    told = list_of(message)
    (entry,) = told.entries
    assert (told.server, told.sensor_time) == (SERVER, SmlTime(seconds_index=77))
    assert (entry.obis, entry.status, entry.unit, entry.scaler, entry.value) == (Obis(1, 0, 1, 8, 0), 4, 30, -1, 12345)


@pytest.mark.parametrize(
    ("sent", "time"),
    [
        ((SmlUnsigned(2), SmlUnsigned(1700000000)), SmlTime(time=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))),
        (
            (SmlUnsigned(3), (SmlUnsigned(1700000000), 60, 0)),
            SmlTime(time=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ),
        (SmlUnsigned(5), SmlTime(seconds_index=5, is_bare=True)),
        (None, None),
    ],
)
def test_times_of_every_kind_are_read(sent: SmlValue, time: SmlTime | None) -> None:
    assert list_of(listed(sent)).sensor_time == time


@pytest.mark.parametrize(
    "message",
    [
        listed((SmlUnsigned(9), SmlUnsigned(1))),
        listed(b"now"),
        listed(entry=(b"only a name",)),
        listed(entry=(*ENERGY[:3], b"Wh", *ENERGY[4:])),
        SmlMessage(transaction=b"", group=0, abort_on_error=0, tag=0x0701, body=(1, 2)),
        SmlMessage(transaction=b"", group=0, abort_on_error=0, tag=0x0101, body=None),
    ],
)
def test_a_body_of_another_form_is_no_list(message: SmlMessage) -> None:
    with pytest.raises(DecodeError):
        list_of(message)


def test_the_crc_of_a_message_must_hold_in_one_of_the_two_ways() -> None:
    covered = CLOSE[:-4]
    assert decode_file(covered + b"\x63" + kermit(covered).to_bytes(2, "little") + b"\x00")[0].quirks == ("kermit-crc",)
    with pytest.raises(DecodeError) as caught:
        decode_file(covered + b"\x63\x00\x00\x00")
    assert caught.value.kind == "crc"


def test_a_file_that_breaks_off_gives_its_whole_messages_if_that_is_wanted() -> None:
    cut = CLOSE + CLOSE[:-3]
    assert len(decode_file(cut, is_whole=False)) == 1
    with pytest.raises(DecodeError):
        decode_file(cut)
    with pytest.raises(DecodeError):
        decode_file(CLOSE[:-3], is_whole=False)


@pytest.mark.parametrize("octets", ["75", CLOSE[:-1].hex() + "01", "7605dd43440062006200016300006300"])
def test_what_is_no_message_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_file(bytes.fromhex(octets))
