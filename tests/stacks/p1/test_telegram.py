"""The grammar of P1 telegrams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import arc
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.p1.telegram import P1Object, RawLine, Telegram, decode, encode, seal, split

pytestmark = pytest.mark.covers("IF-H1")


def telegram(*lines, ident=r"XYZ5\2TEST", eol="\r\n", crc=True):
    body = eol.join((f"/{ident}", "", *lines, "!")).encode("latin-1")
    return body + (f"{arc(body):04X}".encode() if crc else b"") + eol.encode()


GOOD = telegram("1-3:0.2.8(50)", "1-0:1.8.1(000012.345*kWh)", "0-1:24.2.1(200426223001S)(00246.138*m3)")

TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="()\x85"), max_size=12)
CODES = st.sampled_from(["1-0:1.8.0", "0-1:24.2.1", "1-0:21.7.0.255", "1-0:1.8.0*255", "0-0:96.13.0"])
OBJECTS = st.builds(lambda code, parts: P1Object.of(code, *parts), CODES, st.lists(TEXTS, min_size=1, max_size=4))


def test_a_telegram_is_read_in_order_and_comes_back_the_same():
    read = decode(GOOD)
    assert read.identification == r"XYZ5\2TEST"
    assert [entry.code for entry in read.objects] == ["1-3:0.2.8", "1-0:1.8.1", "0-1:24.2.1"]
    assert read.objects[2].parts == ("200426223001S", "00246.138*m3")
    assert read.objects[2].obis == Obis(0, 1, 24, 2, 1)
    assert read.quirks == ()
    assert encode(read) == GOOD


@given(st.lists(OBJECTS, max_size=8), st.sampled_from(["\r\n", "\n"]))
def test_what_is_written_is_read_back(objects, eol):
    written = seal(Telegram(identification="ABC5x", objects=tuple(objects), eol=eol, end=eol))
    read = decode(encode(written))
    assert read.objects == written.objects
    assert read.crc == written.crc
    assert encode(read) == encode(written)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_an_altered_octet_never_passes_as_the_same_telegram(place, change):
    octets = bytearray(GOOD)
    octets[place] ^= change
    try:
        read = decode(bytes(octets))
    except DecodeError:
        return
    assert read.quirks or place >= len(GOOD) - 2


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets):
    try:
        decode(octets, crc=False)
    except DecodeError as error:
        assert error.kind in {"crc", "truncated", "identification"}


def test_a_crc_that_does_not_match_is_refused_with_both_values():
    broken = GOOD.replace(b"12.345", b"12.346")
    with pytest.raises(DecodeError, match=rf"computed {arc(broken[: broken.index(b'!') + 1]):04X}, sent") as caught:
        decode(broken)
    assert caught.value.kind == "crc"
    assert decode(broken, crc=False).quirks == ("crc-mismatch",)


def test_text_in_place_of_the_crc_is_refused():
    with pytest.raises(DecodeError) as caught:
        decode(GOOD[:-6] + b"12G4\r\n")
    assert caught.value.kind == "crc"


@pytest.mark.parametrize("cut", [1, 12, 40, len(GOOD) - 12])
def test_a_cut_telegram_is_refused(cut):
    with pytest.raises(DecodeError) as caught:
        decode(GOOD[:cut])
    assert caught.value.kind in {"truncated", "identification"}


def test_a_telegram_without_a_crc_is_read_and_said_so_where_one_is_due():
    assert decode(telegram("1-0:1.8.1(1*kWh)", crc=False)).quirks == ()
    assert decode(telegram("1-3:0.2.8(42)", crc=False)).quirks == ("crc-missing",)


def test_a_lowercase_or_unpadded_crc_is_a_quirk():
    serial = next(n for n in range(10000) if arc(telegram(f"0-0:96.1.1({n})", crc=False)[:-2]) < 0x100)
    octets = telegram(f"0-0:96.1.1({serial})")
    head, crc = octets[:-6], octets[-6:-2]
    assert "crc-unpadded" in decode(head + crc.lstrip(b"0") + b"\r\n").quirks
    upper = next(n for n in range(999) if telegram(f"0-0:96.1.1({n})")[-6:-2].upper().isalpha())
    octets = telegram(f"0-0:96.1.1({upper})")
    assert decode(octets[:-6] + octets[-6:].lower()).quirks == ("crc-lowercase",)


def test_a_telegram_whose_line_ends_were_stripped_still_verifies():
    assert decode(GOOD.replace(b"\r\n", b"\n")).quirks == ("crc-over-crlf", "lf-line-ends")


def test_a_value_on_the_next_line_belongs_to_its_object():
    octets = telegram("0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)", "(00001.001)", "0-1:24.4.0(1)", crc=False)
    read = decode(octets)
    assert read.objects[0].parts == ("090212160000", "00", "60", "1", "0-1:24.2.1", "m3", "00001.001")
    assert read.objects[0].breaks == (6,)
    assert encode(read) == octets
    assert read.quirks == ()


@pytest.mark.parametrize("text", ["a(b)c", "a(b", "a)b", "((x))"])
def test_parentheses_in_a_text_do_not_break_the_line(text):
    octets = telegram(f"0-0:96.13.0({text})", "1-0:1.7.0(1*kW)")
    read = decode(octets)
    assert read.objects[0].parts == (text,)
    assert read.objects[1].parts == ("1*kW",)
    assert read.quirks == ("parentheses-in-text",)
    assert encode(read) == octets


def test_a_line_that_cannot_be_read_is_kept_where_it_stood():
    octets = telegram("1-0:1.7.0(1*kW)", "1-0:72:32.0(00000)", "1-0:999.7.0(1)", "1-0:2.7.0(2*kW)")
    read = decode(octets)
    assert read.others == (
        RawLine(before=0, text=""),
        RawLine(before=1, text="1-0:72:32.0(00000)"),
        RawLine(before=1, text="1-0:999.7.0(1)"),
    )
    assert read.quirks == ("unreadable-line",)
    assert encode(read) == octets


def test_duplicates_are_kept():
    read = decode(telegram("0-0:96.13.0()", "0-0:96.13.0()"))
    assert len(read.objects) == 2


def test_text_after_the_end_is_kept_and_said():
    octets = b"/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00032549.5061662*kWh)\r\n!\r\n  25818685\r\nDE3\r\n"
    read = decode(octets)
    assert read.quirks == ("text-after-end",)
    assert read.crc is None
    assert encode(read) == octets


def test_a_telegram_that_lost_its_first_line_is_read_and_said_so():
    read = decode(b"1-0:1.7.0(1*kW)\r\n!522B\r\n")
    assert read.quirks == ("no-identification", "crc-unchecked")
    assert read.find("1-0:1.7.0") == P1Object.of("1-0:1.7.0", "1*kW")
    assert read.find("1-0:2.7.0") is None


def test_a_telegram_without_the_end_mark_is_read_when_its_last_line_is_whole():
    assert decode(b"/ABC5x\r\n\r\n1-0:1.7.0(1*kW)\r\n").quirks == ("no-end-mark",)


def test_the_parity_bit_of_a_7e1_line_is_stripped():
    with_parity = bytes(octet | (octet.bit_count() & 1) << 7 for octet in GOOD)
    read = decode(with_parity)
    assert read.quirks == ("parity-bit",)
    assert encode(read) == GOOD


def test_a_code_without_medium_and_channel_is_read_as_electricity():
    read = decode(telegram("1.8.0(000012.3*kWh)"))
    assert read.objects[0].obis == Obis(1, 0, 1, 8, 0)
    assert read.quirks == ("reduced-code",)


def test_a_capture_is_cut_into_its_telegrams():
    second = telegram("0-0:96.13.0(test-/-test)", crc=False)
    third = b"/ABC5x\r\n\r\n1-0:1.7.0(1*kW)\r\n"
    assert split(b"\r\n" + GOOD + second + third + GOOD) == [GOOD, second, third, GOOD]
    assert split(b"1-0:1.7.0(1*kW)\r\n!\r\n" + GOOD) == [b"1-0:1.7.0(1*kW)\r\n!\r\n", GOOD]
    assert split(b"") == []
