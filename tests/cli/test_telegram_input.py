"""How input is cut into telegrams, without a process around it."""

from __future__ import annotations

import io
import json

import pytest

from meterway.cli.telegram_input import TelegramInput, telegrams
from meterway.mapping.dlms import DlmsKeys
from meterway.stacks.tic.frame import check_sum

pytestmark = pytest.mark.covers("IF-H1", "IF-I")

PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
FRAME = bytes.fromhex("7ea02903211316a4e6e7000f40000000000101020309060100010700ff060000067d02020f00161b1c057e")
P1 = b"/MWY5\\2METER\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\n!\r\n"
GIVEN = DlmsKeys(keys=(bytes(16),))


def read(octets: bytes) -> list[TelegramInput]:
    return list(telegrams(io.BytesIO(octets), GIVEN))


def octets_in(octets: bytes) -> list[bytes]:
    return [one.octets for one in read(octets)]


def test_nothing_in_is_nothing_out() -> None:
    assert read(b"") == read(b"\n \n# only a remark\n") == []


@pytest.mark.parametrize("name", ["hex", "telegram", "data", "frame", "payload", "sml"])
def test_json_rows_of_other_programs_name_the_hex_as_they_do(name: str) -> None:
    row = json.dumps({"time": "2026-05-01", name: " ".join(f"{octet:02X}" for octet in PUSH)})
    assert octets_in(row.encode()) == [PUSH]


def test_an_array_in_braces_is_no_json() -> None:
    text = "{" + ", ".join(f"0x{octet:02x}" for octet in PUSH) + "}"
    assert octets_in(text.encode()) == [PUSH]


def test_keys_of_a_row_come_before_those_given() -> None:
    (row, bad) = read(b'{"hex": "00", "key": "0x' + b"11" * 16 + b'"}\n{"hex": "00", "key": "no key"}\n')
    assert row.keys.keys == (b"\x11" * 16,)
    assert bad.fault == 'the JSON line cannot be used: "key" is not hex'


def test_a_dump_with_offsets_is_one_telegram_even_when_rows_break_it() -> None:
    rows = [f"{i:08x}  {FRAME[i : i + 16].hex(' ')}  |{'.' * 16}|" for i in range(0, len(FRAME), 16)]
    assert octets_in("\n".join(rows).encode()) == [FRAME]


def test_rows_that_never_make_a_frame_are_telegrams_of_their_own() -> None:
    rows = [FRAME[:20], PUSH, FRAME[:20], FRAME[1:9], FRAME]
    assert octets_in("\n".join(row.hex() for row in rows).encode()) == rows


def test_a_line_too_long_for_one_telegram_is_cut_into_its_frames() -> None:
    many = FRAME * (1 + (1 << 20) // len(FRAME))
    assert set(octets_in(many.hex().encode())) == {FRAME}


def test_raw_octets_and_text_are_told_apart() -> None:
    assert octets_in(FRAME + FRAME) == [FRAME, FRAME]
    assert octets_in(P1 + P1) == [P1, P1]
    assert octets_in(P1[20:]) == [P1[20:]]
    assert [one.fault == "" for one in read(b"some words\n" + PUSH.hex().encode())] == [False, True]


def segment(ci: int, body: bytes) -> bytes:
    inside = bytes((0x53, 0xFF, ci, 0x01, 0x67)) + body
    return bytes((0x68, len(inside), len(inside), 0x68)) + inside + bytes((sum(inside) & 0xFF, 0x16))


def test_segments_in_rows_are_one_telegram_and_segments_in_lines_are_as_many_as_lines() -> None:
    first, last = segment(0x00, PUSH[:12]), segment(0x11, PUSH[12:])
    assert octets_in(f"{first.hex()}\n{last.hex()}".encode()) == [first, last]
    both = first + last
    for size in (7, 8, len(first) - 1):
        rows = [both[i : i + size].hex() for i in range(0, len(both), size)]
        assert octets_in("\n".join(rows).encode()) == [both]
    rows = [first[i : i + 8].hex() for i in range(0, len(first), 8)]
    assert octets_in("\n".join(rows).encode()) == [first]


def test_frames_of_french_meters_come_apart_at_their_beginnings() -> None:
    frame = b"\x02\nADCO 000000000000 " + check_sum("ADCO 000000000000").encode() + b"\r\nPAPP 01090 +\r\x03"
    assert octets_in(frame + frame) == [frame, frame]
    text = frame.strip(b"\x02\x03\n").replace(b"\r", b"") + b"\n"
    assert octets_in(text + text) == [text, text]


def test_a_readout_of_the_optical_port_is_one_telegram() -> None:
    lines = b"F.F(00)\r\n0-0:96.1.1(3031323334353637383930313233343536)\r\n1.8.0(1*kWh)\r\n!\r\n"
    assert octets_in(lines) == [lines]
    whole = b"/MWY4METER\r\n\x02" + lines + b"\x03\x01"
    assert octets_in(whole) == [whole]
    assert octets_in(whole[12:]) == [whole[12:]]


def test_a_telegram_in_pieces_of_a_log_is_put_together() -> None:
    lines = P1.split(b"\r\n")[:-1]
    log = b"".join(b'[D][uart_debug:158]: <<< "' + line + b'\\r\\n"\n' for line in lines)
    assert octets_in(log) == [P1]
    dump = b"".join(b"(V) " + P1[i : i + 15].hex(" ").encode() + b"\n" for i in range(0, len(P1), 15))
    assert octets_in(dump) == [P1]
