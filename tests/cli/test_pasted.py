"""Hex as programs, logs and sources write it; all octets here are a telegram of our own."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.cli.pasted import octets_of

pytestmark = pytest.mark.covers("IF-H1", "IF-I")

PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
HEX = PUSH.hex()
PAIRS = [f"{octet:02x}" for octet in PUSH]


@pytest.mark.parametrize(
    "line",
    [
        HEX,
        HEX.upper(),
        "0x" + HEX,
        " ".join(PAIRS),
        ":".join(PAIRS),
        "-".join(PAIRS),
        ", ".join(PAIRS),
        " ".join(PAIRS[:4]) + " | " + " ".join(PAIRS[4:]),
        HEX[:20] + "_" + HEX[20:],
        ", ".join(f"0x{octet:x}" for octet in PUSH),
        "{" + ",".join(f"0x{pair}" for pair in PAIRS) + "};  // a push",
        "".join(f"\\x{pair}" for pair in PAIRS),
        f"data={PUSH!r} transport=serial",
        "queue= " + str(list(PUSH)),
        str([octet - 256 if octet > 127 else octet for octet in PUSH]),
        " ".join(str(octet) for octet in PUSH),
        base64.b64encode(PUSH + b"\x00").decode(),
        f"telegram=|{HEX[:20]}_{HEX[20:]}|+22713",
        f"19:13:23.339 : {' '.join(PAIRS)}",
        f"[16:58:09.396][VV][dlms:030]: {HEX}",
        f"2024-05-01T10:00:00+02:00 <- {HEX}",
        f"Jan 30 21:40:32 host reader[1175]: DEBUG: {' '.join(PAIRS).upper()}",
        f"T1;1;1;2022-11-22 08:35:32.000;98;95;13829063;0x{HEX}",
        f"(V) {' '.join(PAIRS[:4])}  {' '.join(PAIRS[4:])}",
        f"00000010  {' '.join(PAIRS)}  |.@..|",
        f"00000000: {' '.join(HEX[i : i + 4] for i in range(0, len(HEX), 4))}  .@........}}",
        f"0000000 {' '.join(PAIRS)}",
        f"b{HEX.upper()}",
    ],
)
def test_every_way_of_writing_gives_the_same_octets(line: str) -> None:
    octets = octets_of(line.encode())
    assert octets is not None
    assert octets.removesuffix(b"\x00") == PUSH


@pytest.mark.parametrize(
    "line",
    [
        "meter reading of May",
        "123",
        "no",
        "Apr 16 07:19:11  telegram=|2544_AAA0|",
        "001   : 44 dll-c (from meter SND_NR)",
        "const uint8_t telegram[] = {",
        "abcdefghijklmnopqrstuvwx",
        "[300, 1, 2, 3, 4, 5, 6, 7, 8]",
        "",
        "(V) 0A",
        f"{HEX[:31]} {HEX[32:]}",
    ],
)
def test_what_is_no_telegram_gives_no_octets(line: str) -> None:
    assert octets_of(line.encode()) is None


def test_a_line_of_control_characters_is_no_text() -> None:
    assert octets_of(b"\x02 7ea0270102 01105a87e6e7\x00\xff") is None


def test_short_frames_in_a_log_are_long_enough() -> None:
    assert octets_of(b"[2022-05-13 17:41:00Z] SEND (005): 10 7B FE 79 16") == bytes.fromhex("107bfe7916")


@given(st.binary(max_size=80))
def test_any_line_is_survived(line: bytes) -> None:
    octets = octets_of(line)
    assert octets is None or isinstance(octets, bytes)


@given(st.binary(min_size=1, max_size=64))
def test_any_octets_in_hex_come_back(octets: bytes) -> None:
    assert octets_of(octets.hex().encode()) == octets


def test_text_that_a_logger_received_is_taken_with_its_escapes() -> None:
    assert octets_of(rb'[17:40:27][D][uart_debug:158]: <<< "1-0:1.8.0(1*kWh)\r\n"') == b"1-0:1.8.0(1*kWh)\r\n"
    assert octets_of(rb'<<< "\nPREF\t18\tH\r"') == b"\nPREF\t18\tH\r"
    assert octets_of(rb'<<< "\x02\x7e"') == b"\x02\x7e"


def test_a_run_in_a_log_may_be_short_where_a_frame_is_open() -> None:
    assert octets_of(b"(V) 0A", shortest=1) == b"\n"
