"""The CRC of P1 telegrams."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import arc


def bit_by_bit(octets):
    crc = 0
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def test_the_check_value_of_crc_16_arc():
    assert arc(b"123456789") == 0xBB3D
    assert arc(b"") == 0


@given(st.binary(max_size=40))
def test_pairs_of_octets_give_what_single_bits_give(octets):
    assert arc(octets) == bit_by_bit(octets)
