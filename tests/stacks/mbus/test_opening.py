"""Keys, modes, fragments and dialects: what opens a telegram, and what is doubted once it is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from meterway.base.ciphers import aes_cbc_encrypt
from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl, Reassembly, fragment
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.link.frames import LongFrame
from meterway.stacks.mbus.opening import Dialect
from meterway.stacks.mbus.security import seal_payload
from meterway.stacks.mbus.telegram import decode
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio
from stacks.mbus.test_telegram import KEY, METER, VOLUME, radio, sealed


@pytest.mark.parametrize("mode", [5, 7, 10])
@pytest.mark.parametrize("coding", ["bare", "A", "B"])
def test_every_mode_in_every_frame_format_is_opened(mode: int, coding: str) -> None:
    asked: list[Address] = []

    def keys(address: Address) -> Sequence[bytes]:
        asked.append(address)
        return [KEY]

    telegram = decode(sealed(mode, coding=coding), keys=keys)
    assert [record.value for record in telegram.records] == [12.345]
    assert telegram.protection.mode == mode
    assert asked == [METER]


@pytest.mark.parametrize("mode", [5, 7])
def test_a_payload_that_a_receiver_decrypted_is_taken_with_a_quirk_unless_forbidden(mode: int) -> None:
    afl = Afl(message_control=0x25, counter=5, mac=bytes(8)).encode() if mode == 7 else b""
    tpl = Tpl(ci=0x7A, header="short", config=mode << 8 | 0x10, extension=b"\x10" if mode == 7 else b"")
    body = afl + tpl.encode() + b"\x2f\x2f" + VOLUME + b"\x2f" * 8
    telegram = decode(encode_radio(0x44, METER, body))
    assert telegram.quirks == ("already-decrypted",)
    assert telegram.protection.state == "already-decrypted"
    with pytest.raises(SecurityError):
        decode(encode_radio(0x44, METER, body), allow_plain=False)


@pytest.mark.covers("IF-M")
def test_fragments_come_together_and_the_mac_covers_the_whole() -> None:
    payload = VOLUME * 30
    tpl = Tpl(ci=0x7A, header="short", access=1, config=10 << 8, extension=b"\x10\x01", counter=5)
    message = seal_payload(tpl, payload, KEY, sender=METER, afl=Afl(message_control=0x25, counter=5))
    assert message.afl is not None
    frames = [
        encode_radio(0x44, METER, part) for part in fragment(message.afl, message.tpl.encode() + message.body, 80)
    ]
    waiting: dict[Address, Reassembly] = {}
    telegrams = [decode(frame, keys=[KEY], fragments=waiting) for frame in frames]
    assert [telegram.kind for telegram in telegrams] == ["fragment"] * (len(frames) - 1) + ["data"]
    assert len(telegrams[-1].records) == 30
    assert telegrams[-1].protection.checks == ("cmac", "ccm-tag")
    assert waiting == {}
    assert decode(frames[0]).kind == "fragment"


def test_a_plain_payload_under_an_encrypting_extended_link_layer_is_a_quirk() -> None:
    ell = Ell(ci=0x8D, control=0, access=3, session=1 << 29)
    honest = replace(ell, session=0)
    body = ell.encode() + honest.seal(b"\x78" + VOLUME, None, METER)
    assert decode(encode_radio(0x44, METER, body)).quirks == ("already-decrypted",)
    with pytest.raises(SecurityError):
        decode(encode_radio(0x44, METER, body), allow_plain=False)
    strange = replace(ell, session=3 << 29)
    with pytest.raises(SecurityError, match="not known"):
        decode(encode_radio(0x44, METER, strange.encode() + bytes(4)))


def test_a_wired_meter_with_a_signature_in_place_of_a_configuration_is_read() -> None:
    data = METER.to_wired() + bytes((1, 0, 0x4E, 0x16)) + VOLUME
    telegram = decode(LongFrame(control=8, address=1, ci=0x72, data=data).encode())
    assert telegram.quirks == ("pseudo-security-mode",)
    assert [record.value for record in telegram.records] == [12.345]


def test_a_mode_of_a_maker_on_radio_is_refused() -> None:
    tpl = Tpl(ci=0x7A, header="short", config=0x1800)
    with pytest.raises(SecurityError) as refusal:
        decode(encode_radio(0x44, METER, tpl.encode() + VOLUME))
    assert refusal.value.check == "mode"


def test_a_dialect_names_a_mode_of_the_maker_that_leaves_the_payload_as_it_is() -> None:
    tpl = Tpl(ci=0x7A, header="short", config=0x1800)
    octets = encode_radio(0x44, METER, tpl.encode() + VOLUME)
    dialect = Dialect(plain_modes=frozenset((0x18,)))
    telegram = decode(octets, dialects=lambda meter, ci: dialect if (meter, ci) == (METER, 0x7A) else None)
    assert [record.value for record in telegram.records] == [12.345]
    assert telegram.quirks == ("manufacturer-security-mode",)


def test_a_dialect_says_that_a_payload_holds_no_records() -> None:
    telegram = decode(radio(0x78, VOLUME), dialects=lambda _meter, _ci: Dialect(opaque=True))
    assert (telegram.records, telegram.payload) == ((), VOLUME)


def begun_with(beginning: bytes, payload: bytes) -> bytes:
    """A telegram in mode 5 of which the plain payload begins as it is said, and not with 2F2F."""
    head = Tpl(ci=0x7A, header="short", access=1, config=0x0500 | len(beginning + payload)).encode()
    vector = METER.to_radio() + b"\x01" * 8
    return encode_radio(0x44, METER, head + aes_cbc_encrypt(KEY, vector, beginning + payload))


def test_a_dialect_names_octets_that_stand_for_2f2f() -> None:
    octets = begun_with(b"\x60\x9b", VOLUME + b"\x2f" * 8)
    with pytest.raises(SecurityError, match="2F2F"):
        decode(octets, keys=[KEY])
    telegram = decode(octets, keys=[KEY], dialects=lambda _meter, _ci: Dialect(begins=frozenset((b"\x60\x9b",))))
    assert [record.value for record in telegram.records] == [12.345]
    assert telegram.quirks == ("begins-with-609B",)


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize(
    "nonsense",
    [
        "0413 01 04FF 04FF 04FF 04FF 04FF 04",  # cut off
        "0B6F 112233 0B6F 112233 2F2F2F2F",  # reserved
        "0B13 AABBCC 0B13 DDEEAA 2F2F2F2F",  # digits
        "8FFF 112233 0B6F 112233 2F2F2F2F",  # chains
    ],
)
def test_a_wrong_key_that_passes_2f2f_by_chance_is_caught_by_records_that_make_no_sense(nonsense: str) -> None:
    octets = begun_with(b"\x2f\x2f", bytes.fromhex(nonsense))
    with pytest.raises(SecurityError, match="key may be wrong") as refusal:
        decode(octets, keys=[KEY])
    assert refusal.value.check == "records"


def test_one_unlikely_record_among_others_is_a_quirk() -> None:
    octets = begun_with(b"\x2f\x2f", VOLUME + bytes.fromhex("0A6F1122 2F2F2F2F"))
    telegram = decode(octets, keys=[KEY])
    assert [record.value for record in telegram.records] == [12.345, None]
    assert telegram.quirks == ("unlikely-records",)


def test_a_key_of_another_length_opens_nothing() -> None:
    octets = encode_radio(0x44, METER, Ell(ci=0x8D, control=0x20, access=1, session=1 << 29).encode() + bytes(9))
    with pytest.raises(SecurityError, match="16 octets"):
        decode(octets, keys=[bytes(8)])


def test_check_sums_left_behind_the_records_are_a_quirk_and_cut_records_are_not() -> None:
    assert decode(radio(0x78, VOLUME + b"\xdd\x2f")).quirks == ("two-octets-left",)
    with pytest.raises(DecodeError):
        decode(radio(0x78, VOLUME + b"\x02\x21"))


@pytest.mark.parametrize(("mode", "name"), [(2, "DES"), (3, "DES"), (13, "TLS")])
@pytest.mark.parametrize("keys", [[], [KEY]])
def test_a_mode_that_is_not_done_is_named_whether_there_is_a_key_or_not(
    mode: int, name: str, keys: Sequence[bytes]
) -> None:
    extension = b"\x00" if mode == 13 else b""
    tpl = Tpl(ci=0x7A, header="short", config=mode << 8, extension=extension)
    with pytest.raises(SecurityError, match=name) as refusal:
        decode(encode_radio(0x44, METER, tpl.encode() + bytes(32)), keys=keys)
    assert refusal.value.check == "mode"
