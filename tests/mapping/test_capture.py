"""Captures of frames of several kinds, cut into telegrams whatever the pieces they come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import arc
from meterway.mapping.capture import CUT, Capture, checked_frame, end_of
from meterway.stacks.dlms.hdlc.frame import encode_frame

pytestmark = pytest.mark.covers("IF-H1", "IF-M", "IF-I")

PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
SOURCE, DESTINATION = b"\x21", b"\x03"


def hdlc(information: bytes, *, segmented: bool = False) -> bytes:
    return encode_frame(DESTINATION + SOURCE, 0x13, information, segmented=segmented)


def wired(body: bytes) -> bytes:
    return bytes((0x68, len(body) & 0xFF, len(body) & 0xFF, 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def p1() -> bytes:
    text = b"/MWY5\\2METER\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\n!"
    return text + f"{arc(text):04X}\r\n".encode()


FRAME = hdlc(b"\xe6\xe7\x00" + PUSH)
CHAIN = hdlc(b"\xe6\xe7\x00" + PUSH[:10], segmented=True) + hdlc(PUSH[10:])
BLOCKS = hdlc(b"\xe6\xe7\x00\xe0\x00\x00\x01\x00\x00\x02" + PUSH[:2]) + hdlc(
    b"\xe0\x80\x00\x02\x00\x00\x02" + PUSH[2:4]
)
RESPONSE = wired(bytes.fromhex("08017278563412ae4c010700000000041300000000"))
SEGMENTS = wired(b"\x53\xff\x00\x01\x67" + PUSH[:9]) + wired(b"\x53\xff\x11\x01\x67" + PUSH[9:])
LONG = wired(b"\x53\xff\x10\x01\x67" + bytes(252))  # 257 octets: its length says 1
WRAPPED = b"\x00\x01\x00\x01\x00\x10" + len(PUSH).to_bytes(2, "big") + PUSH
SML = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" + bytes(8) + b"\x1b\x1b\x1b\x1b\x1a\x00\x12\x34"
ENCRYPTED = b"\xdb\x08MWY\x00\x00\x00\x00\x01\x82\x00\x06\x30" + bytes(5)
KINDS = [FRAME, CHAIN, BLOCKS, RESPONSE, SEGMENTS, LONG, WRAPPED, SML, ENCRYPTED, p1(), b"\x10\x5b\xfe\x59\x16"]


def cut(octets: bytes, size: int = 0) -> list[bytes]:
    capture = Capture()
    parts: list[bytes] = []
    for start in range(0, len(octets), size or len(octets)):
        parts += capture.feed(octets[start : start + (size or len(octets))])
    return parts + list(capture.flush())


@pytest.mark.parametrize("telegram", KINDS)
def test_a_telegram_ends_where_its_last_frame_ends(telegram: bytes) -> None:
    assert end_of(telegram) == len(telegram)
    assert end_of(telegram[:-1]) in (CUT, 0, len(telegram) - 5)


@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=8), st.integers(1, 70))
def test_telegrams_of_all_kinds_come_apart_whatever_the_pieces(telegrams: list[bytes], size: int) -> None:
    assert [part.strip(b"\x7e") for part in cut(b"".join(telegrams), size)] == [one.strip(b"\x7e") for one in telegrams]


def test_one_flag_may_stand_between_two_frames() -> None:
    assert cut(FRAME[:-1] + FRAME[:-1] + FRAME) == [FRAME, FRAME, FRAME]
    assert b"".join(cut(FRAME[:-1] * 3 + b"\x7e", 5)).replace(b"\x7e", b"") == (FRAME * 3).replace(b"\x7e", b"")


def test_noise_between_telegrams_is_handed_on_alone() -> None:
    parts = cut(b"\x00\xff\x13" + FRAME + b"\x01\x02" + RESPONSE)
    assert [part.lstrip(b"\x7e") for part in parts] == [b"\x00\xff\x13", FRAME[1:], b"\x01\x02", RESPONSE]


def test_a_damaged_frame_does_not_swallow_the_next() -> None:
    damaged = FRAME[:-3] + b"\x00\x00\x7e"
    assert cut(damaged + FRAME)[-1].lstrip(b"\x7e") == FRAME[1:]


def test_what_is_cut_off_comes_out_at_the_end() -> None:
    assert cut(FRAME + RESPONSE[:-4]) == [FRAME, RESPONSE[:-4]]


def test_a_frame_is_found_behind_what_is_none() -> None:
    assert checked_frame(b"\xe5\x00" + RESPONSE) == 2
    assert checked_frame(b"\x7e\xa0\x7e\x7e" + FRAME) == 2
    assert checked_frame(bytes(40)) == -1
    assert checked_frame(RESPONSE[:-2] + b"\x00\x16") == -1


def test_frames_that_never_end_cost_no_more_than_their_number() -> None:
    endless = hdlc(b"\xe6\xe7\x00", segmented=True) * 2000
    assert sum(map(len, cut(endless))) >= len(endless) - 4000


@given(st.binary(max_size=300))
def test_any_octets_are_given_back_but_for_idle_ones(octets: bytes) -> None:
    left = b"".join(cut(octets, 7))
    assert left.translate(None, b"\x7e\r\n") == octets.translate(None, b"\x7e\r\n")


@pytest.mark.parametrize(
    "octets", ["680000680000", "6801016800ff16", "00ff0f02ff0f3dffff000068000068 00ff", "0f", "db", "1b"]
)
def test_frames_too_short_to_be_any_are_survived(octets: str) -> None:
    assert b"".join(cut(bytes.fromhex(octets))) == bytes.fromhex(octets)
