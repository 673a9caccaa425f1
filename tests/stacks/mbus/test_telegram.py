"""Whole telegrams, wired and radio: everything comes out, and what does not says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, MeterwayError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl
from meterway.stacks.mbus.build import Wrapping, transport
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.link.frames import ShortFrame
from meterway.stacks.mbus.records.compact import Formats, compact_frame, format_frame, format_of
from meterway.stacks.mbus.records.record import decode_records
from meterway.stacks.mbus.security import seal_payload
from meterway.stacks.mbus.telegram import decode, sender_of
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "vectors" / "mbus" / "telegrams.jsonl").read_text("utf-8").splitlines()
]
METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)
KEY = bytes(range(16))
VOLUME = bytes.fromhex("041339300000")


def keys_of(vector: dict[str, str]) -> list[bytes]:
    return [bytes.fromhex(vector["key"])] if "key" in vector else []


def plain(value: object) -> object:
    return value.isoformat() if isinstance(value, (date, time)) else value


def radio(ci: int, payload: bytes = b"", **header: int) -> bytes:
    return encode_radio(0x44, METER, Tpl(ci=ci, header="none", **header).encode() + payload)


def sealed(mode: int, payload: bytes = VOLUME, *, coding: str = "bare") -> bytes:
    counter = 5 if mode == 10 else None
    extension = {7: b"\x10", 10: b"\x10\x01"}.get(mode, b"")
    tpl = Tpl(ci=0x7A, header="short", access=1, config=mode << 8, extension=extension, counter=counter)
    afl = Afl(message_control=0x25, counter=5) if mode == 7 else None
    message = seal_payload(tpl, payload, KEY, sender=METER, afl=afl)
    return encode_radio(0x44, METER, message.encode(), coding)


@pytest.mark.covers("IF-M", "SEC-04")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_captured_telegrams_give_their_values(vector: dict[str, str]) -> None:
    telegram = decode(bytes.fromhex(vector["hex"]), keys=keys_of(vector))
    found = [[record.quantity, plain(record.value), record.unit] for record in telegram.records]
    assert found == vector["values"]
    assert [*telegram.protection.checks, *telegram.link_protection.checks] == vector["checks"]


@pytest.mark.parametrize("vector", [row for row in VECTORS if "key" in row], ids=lambda vector: vector["name"])
def test_without_its_key_or_with_another_a_telegram_says_what_failed(vector: dict[str, str]) -> None:
    octets = bytes.fromhex(vector["hex"])
    with pytest.raises(SecurityError) as missing:
        decode(octets)
    assert missing.value.check == "key"
    with pytest.raises(SecurityError) as wrong:
        decode(octets, keys=[b"\x55" * 16])
    assert wrong.value.check == vector["checks"][0]
    assert decode(octets, keys=[b"\x55" * 16, *keys_of(vector)]).records


@pytest.mark.covers("SEC-11")
@given(st.sampled_from(VECTORS), st.data())
def test_altered_telegrams_are_refused_by_our_own_errors_only(vector: dict[str, str], data: st.DataObject) -> None:
    octets = bytearray.fromhex(vector["hex"])
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        telegram = decode(bytes(octets), keys=keys_of(vector), formats=Formats())
        assert isinstance(telegram.profile_values, tuple)
    except MeterwayError:
        return


def test_a_compact_frame_follows_the_full_frame_or_a_format_frame() -> None:
    content = decode_records(VOLUME + bytes.fromhex("02FD170000"))
    compact = radio(0x79, compact_frame(content))
    with pytest.raises(DecodeError, match="not known yet"):
        decode(compact)
    for first in (radio(0x78, content.encode()), radio(0x69, format_frame(format_of(content)))):
        formats = Formats()
        decode(first, formats=formats)
        assert decode(compact, formats=formats).records == content.records


def test_the_extended_link_layer_of_every_type_is_opened() -> None:
    other = replace(METER, ident="99999999")
    payload = b"\x78" + VOLUME
    for ell in (
        Ell(ci=0x8C, control=0, access=3),
        Ell(ci=0x8D, control=0, access=3, session=1 << 29),
        Ell(ci=0x8E, control=0, access=3, address=other),
        Ell(ci=0x8F, control=0, access=3, address=other, session=1 << 29),
    ):
        body = ell.encode() + (ell.seal(payload, KEY, METER) if ell.has_payload_check else payload)
        telegram = decode(encode_radio(0x44, METER, body), keys=[KEY])
        assert [record.value for record in telegram.records] == [12.345]
        assert telegram.access == 3
        assert telegram.device == (ell.address or METER)


def test_a_frame_longer_than_it_says_is_read_when_its_records_need_it() -> None:
    octets = radio(0x78, VOLUME + VOLUME)
    telegram = decode(bytes((octets[0] - 3,)) + octets[1:])
    assert len(telegram.records) == 2
    assert telegram.quirks == ("wrong-length",)


def test_frames_without_data_and_payloads_of_makers_are_told_apart() -> None:
    assert decode(b"\xe5").kind == "link"
    assert decode(ShortFrame(control=0x40, address=5).encode()).kind == "link"
    assert decode(encode_radio(0x47, METER, Ell(ci=0x8C, control=0, access=9).encode())).access == 9
    assert decode(radio(0xA2, b"\x01\x02")).payload == b"\x01\x02"
    assert decode(radio(0x71, b"\x01")).kind == "alarm"


def test_the_link_may_be_named_where_octets_fit_both() -> None:
    octets = bytes.fromhex("10") + bytes(16)
    with pytest.raises(DecodeError):
        decode(octets, link="wired")
    with pytest.raises(DecodeError, match="CI 0x00"):
        decode(octets, link="radio")


@given(st.binary(max_size=90), st.sampled_from(["auto", "wired", "radio"]))
def test_any_octets_are_a_telegram_or_our_own_error(octets: bytes, link: str) -> None:
    try:
        decode(octets, keys=[KEY], link=link)  # type: ignore[arg-type]
    except MeterwayError:
        return


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_sender_is_known_without_a_key(vector: dict[str, str]) -> None:
    octets = bytes.fromhex(vector["hex"])
    assert sender_of(octets) == decode(octets, keys=keys_of(vector)).device


def test_the_sender_behind_every_layer_is_found_and_a_short_frame_names_nobody() -> None:
    other = replace(METER, ident="99999999")
    ell = Ell(ci=0x8E, control=0, access=3, address=other).encode()
    assert sender_of(encode_radio(0x44, METER, ell + b"\x78")) == other
    long = Tpl(ci=0x72, header="long", address=other).encode()
    assert sender_of(encode_radio(0x44, METER, Afl(counter=1).encode() + long)) == other
    assert sender_of(ShortFrame(control=0x40, address=5).encode()) is None


@given(st.binary(max_size=60))
def test_the_sender_of_any_octets_is_found_or_a_decode_error(octets: bytes) -> None:
    for link in ("wired", "radio"):
        try:
            sender_of(octets, link=link)  # type: ignore[arg-type]
        except DecodeError:
            continue


def test_an_alarm_comes_without_the_fillers_of_its_cipher() -> None:
    sender = Address(manufacturer=0x2DEE, ident="12345678", version=1, device_type=7)
    key = bytes(range(16))
    _, message = transport(Wrapping(sender=sender, mode=5, key=key, long=True), b"\x05", access=3, ci=0x75)
    opened = decode(encode_radio(0x44, sender, message, "bare"), keys=(key,))
    assert opened.kind == "alarm"
    assert opened.payload == b"\x05"


@pytest.mark.covers("IF-M", "SEC-04")
def test_a_radio_adapter_that_names_meter_and_receiver_is_opened() -> None:
    """CEN/TR 17167 (2018), example F.3: type III of the extended link layer, authentication layer, mode 7."""
    octets = bytes.fromhex(
        "530824484433221103378E80753A63665544330A31900F002C25B30A0000AF5D74DF73A600D972785634129315330375002007109058475F"
        "4BC91DF878B80A1B0F98B629024AAC727942BFC549233C0140829B93"
    )
    telegram = decode(octets, keys=[KEY])
    assert str(telegram.device) == "ELS-12345678-33-03"
    assert telegram.ell is not None
    assert str(telegram.ell.address) == "XYZ-33445566-0A-31"
    assert telegram.protection.checks == ("cmac", "2F2F")
    values = [plain(record.value) for record in telegram.records]
    assert values == [28504.27, "2008-05-31T23:50:00", 0]
