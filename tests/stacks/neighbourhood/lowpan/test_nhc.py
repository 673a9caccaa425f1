import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.lowpan.nhc import compress_udp, is_udp, read_udp

PORTS = st.integers(0, 0xFFFF) | st.integers(0xF000, 0xF0FF) | st.integers(0xF0B0, 0xF0BF)


@pytest.mark.parametrize(
    ("header", "compressed"),
    [
        ("f0b1f0b20008abcd", "f312abcd"),
        ("f0121234 0008abcd", "f2121234abcd"),
        ("1234f0120008abcd", "f1123412abcd"),
        ("0fdb0fdb0008abcd", "f00fdb0fdbabcd"),
        ("f0b1f0c20008abcd", "f2b1f0c2abcd"),
    ],
)
def test_the_shortest_form_of_ports(header, compressed):
    assert compress_udp(bytes.fromhex(header)).hex() == compressed


@given(PORTS, PORTS, st.integers(0, 0xFFFF))
def test_every_header_comes_back(source, destination, check):
    header = b"".join(number.to_bytes(2, "big") for number in (source, destination, 8, check))
    reader = Reader(compress_udp(header))
    assert is_udp(reader.peek())
    assert read_udp(reader) == (source, destination, check)
    reader.finish()


def test_an_elided_checksum_is_none():
    assert read_udp(Reader(bytes.fromhex("f712"))) == (0xF0B1, 0xF0B2, None)


def test_what_is_not_udp_is_refused():
    with pytest.raises(DecodeError) as caught:
        read_udp(Reader(b"\xe0"))
    assert caught.value.kind == "nhc"
    with pytest.raises(LocalProtocolError):
        compress_udp(b"short")
