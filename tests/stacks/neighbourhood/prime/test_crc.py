"""PRIME's checks against their definition, bit by bit, and against values computed by other code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.neighbourhood.prime.crc import crc8, crc32


def bitwise(octets, width, poly):
    crc = 0
    for octet in octets:
        crc ^= octet << width - 8
        for _ in range(8):
            crc = crc << 1 ^ poly if crc >> width - 1 else crc << 1
            crc &= (1 << width) - 1
    return crc


@given(st.binary(max_size=40), st.one_of(st.just(b""), st.binary(min_size=6, max_size=6)))
def test_both_checks_are_what_their_polynomials_say(octets, sna):
    assert crc8(octets, sna) == bitwise(sna + octets, 8, 0x07)
    assert crc32(octets, sna) == bitwise(sna + octets, 32, 0x04C11DB7)


def test_known_check_values():
    """CRC-8 (SMBus) has 0xF4 in the catalogue of CRCs; this CRC-32 from zero is that of CKSUM, not inverted."""
    assert crc8(b"123456789") == 0xF4
    assert crc32(b"123456789") == 0x765E7680 ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("octet", "row8", "row32"), [(1, 0x07, 0x04C11DB7), (2, 0x0E, 0x09823B6E), (255, 0xF3, 0xB1F740B4)]
)
def test_rows_of_the_tables_of_others(octet, row8, row32):
    """Rows of the tables in Microchip's PRIME CRC service (smartenergy, service/pcrc) and in PLCTool."""
    assert crc8(bytes((octet,))) == row8
    assert crc32(bytes((octet,))) == row32
