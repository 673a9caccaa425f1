"""REG, CON and ALV: octets by hand, round trips, any octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.control import Alv, Con, Reg
from meterway.stacks.neighbourhood.prime.packet import Version

EUI48 = bytes.fromhex("0080e1123456")
EUI48S = st.binary(min_size=6, max_size=6)


@given(st.builds(Reg, negative=st.booleans(), eui48=EUI48S, time=st.integers(0, 7)))
def test_a_registration_comes_back(reg):
    assert Reg.decode(Reader(reg.encode())) == reg


@given(
    st.builds(
        Con,
        negative=st.booleans(),
        lcid=st.integers(0, 511),
        type=st.integers(0, 255),
        data=st.binary(max_size=255),
        arq=st.booleans(),
    )
)
def test_a_connection_comes_back(con):
    assert Con.decode(Reader(con.encode())) == con


@given(st.builds(Alv, sent=st.integers(0, 7), received=st.integers(0, 7), time=st.integers(0, 7)))
def test_a_keep_alive_comes_back(alv):
    assert Alv.decode(Reader(alv.encode(Version.V136)), Version.V136) == alv
    again = Alv.decode(Reader(alv.encode(Version.V14)), Version.V14)
    assert (again.sent, again.time) == (alv.sent, alv.time)


@pytest.mark.covers("IF-C")
def test_every_field_stands_where_others_read_it():
    """Bit by bit after the Lua dissector for PRIME over UDP."""
    assert Reg(negative=True, eui48=EUI48, time=5).encode() == bytes((0b1000_0000, 0b0000_1_101)) + EUI48
    opening = Con(negative=False, lcid=0x101, data=b"\xaa")
    assert opening.encode() == bytes((0b0010_000_1, 0x01, 3, 1, 0xAA))
    assert Con(negative=True, lcid=2, arq=False).encode() == bytes((0b1000_000_0, 2, 3, 0))
    assert Alv(sent=3, received=5, time=6).encode(Version.V136) == bytes((0b101_011_00, 6, 0))
    assert Alv(sent=3, time=6).encode(Version.V14) == bytes((0b1_0000_110, 0, 0b011_00000))


def test_an_eui48_in_a_connection_is_read_over():
    assert Con.decode(Reader(bytes((0x10, 0x05)) + EUI48 + bytes((3, 0)))).lcid == 5


@pytest.mark.parametrize(
    ("decode", "octets", "kind"),
    [
        (Reg.decode, bytes((0x10, 0)) + EUI48, "security"),
        (Reg.decode, bytes((0, 0)) + EUI48 + b"\x00", "trailing"),
        (Con.decode, bytes((0x40, 0)), "direct"),
        (Con.decode, bytes((0, 0, 3, 5, 1)), "truncated"),
        (lambda reader: Alv.decode(reader, Version.V14), b"\x00\x00", "acknowledgement"),
        (lambda reader: Alv.decode(reader, Version.V136), b"\x00", "truncated"),
    ],
)
def test_what_cannot_be_read_is_told(decode, octets, kind):
    with pytest.raises(DecodeError) as told:
        decode(Reader(octets))
    assert told.value.kind == kind


@given(st.binary(max_size=30))
def test_any_octets_are_something_or_an_error(octets):
    for decode in (Reg.decode, Con.decode, *(lambda r, v=v: Alv.decode(r, v) for v in Version)):
        try:
            decode(Reader(octets))
        except DecodeError as error:
            assert 0 <= error.offset <= len(octets)


def test_too_much_data_is_refused():
    with pytest.raises(LocalProtocolError):
        Con(negative=False, lcid=1, data=bytes(256)).encode()
