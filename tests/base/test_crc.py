"""The CRCs."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import arc, kermit, xmodem


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


@given(st.binary(max_size=40), st.integers(0, 3), st.integers(-2, 2))
def test_octets_by_place_give_what_single_bits_give(octets, chunks, more):
    octets = (octets or b"x") * (1 + chunks * 1024 // len(octets or b"x"))
    octets = octets[: max(0, chunks * 1024 + more)]
    assert arc(octets) == bit_by_bit(octets)


def test_the_check_value_of_crc_16_xmodem():
    assert xmodem(b"123456789") == 0x31C3
    assert xmodem(b"") == 0


def test_the_check_value_of_crc_16_kermit():
    assert kermit(b"123456789") == 0x2189
    assert kermit(b"") == 0
