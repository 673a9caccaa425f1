"""Compact frames: formats are learnt, kept, announced; a frame that does not fit is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.compact import (
    Formats,
    compact_frame,
    decode_compact,
    decode_format,
    format_frame,
    format_of,
    signature,
)
from meterway.stacks.mbus.records.known import KNOWN_FORMATS
from meterway.stacks.mbus.records.record import decode_records

FULL = decode_records(bytes.fromhex("0413393000004413E80300000D780441424344"))


@pytest.mark.covers("IF-M")
def test_a_compact_frame_opens_once_its_format_was_learnt() -> None:
    formats = Formats()
    frame = compact_frame(FULL)
    with pytest.raises(DecodeError) as refusal:
        decode_compact(frame, formats)
    assert refusal.value.kind == "format"
    formats.learn(FULL)
    assert decode_compact(frame, formats) == FULL
    assert decode_compact(frame, Formats(dict(formats.known))) == FULL


@pytest.mark.covers("IF-M")
def test_the_example_of_the_norm_opens_after_its_full_frame_and_after_its_format_frame() -> None:
    """EN 13757-3, annex G, example without data header: energy, volume and power."""
    full, announced = bytes.fromhex("0202D20402152E16022A3423"), bytes.fromhex("08313B02020215022A")
    short = bytes.fromhex("313B42A6D2042E163423")
    content = decode_records(full)
    assert [(record.value, record.head.unit) for record in content.records] == [
        (123.4, "Wh"),
        (567.8, "m³"),
        (901.2, "W"),
    ]
    assert compact_frame(content) == short
    assert format_frame(format_of(content)) == announced
    for teach in (lambda known: known.learn(content), lambda known: known.add(decode_format(announced))):
        formats = Formats()
        teach(formats)
        assert decode_compact(short, formats) == content


def test_a_format_frame_teaches_a_format() -> None:
    heads = format_of(FULL)
    assert decode_format(format_frame(heads)) == heads
    with pytest.raises(DecodeError, match="signature"):
        decode_format(format_frame(heads)[:-1] + b"\x14")


def test_altered_values_do_not_pass_the_check_of_the_full_frame() -> None:
    formats = Formats()
    formats.learn(FULL)
    frame = compact_frame(FULL)
    with pytest.raises(DecodeError) as refusal:
        decode_compact(frame[:5] + bytes((frame[5] ^ 1,)) + frame[6:], formats)
    assert refusal.value.kind == "format-crc"


@given(st.binary(max_size=30))
def test_any_octets_under_a_known_format_are_refused_or_records(octets: bytes) -> None:
    formats = Formats()
    code = formats.learn(FULL)
    assert code is not None
    with pytest.raises(DecodeError):
        decode_compact(code.to_bytes(2, "little") + b"\x12\x34" + octets, formats)


def test_the_formats_kept_are_limited_and_the_oldest_goes() -> None:
    formats = Formats(limit=2)
    first = formats.add(b"\x04\x13")
    formats.add(b"\x04\x14")
    formats.add(b"\x04\x15")
    assert len(formats.known) == 2
    assert formats.get(first) is None


def test_the_known_formats_have_the_signatures_they_are_known_by() -> None:
    assert set(KNOWN_FORMATS) == {0x8C13, 0xA8ED, 0xC412, 0xB34D, 0xE7A2}
    assert all(signature(heads) == code for code, heads in KNOWN_FORMATS.items())
    assert Formats().get(0xA8ED) == bytes.fromhex("02FF2004134413615B6167")
