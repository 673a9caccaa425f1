"""Generic PDUs: octets by hand, round trips, damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.crc import crc8, crc32
from meterway.stacks.neighbourhood.prime.packet import ControlType, Packet, Version, header_type, overhead

SNA = bytes.fromhex("0080e1000001")
VERSIONS = pytest.mark.parametrize("version", Version)
PACKETS = st.builds(
    Packet,
    down=st.booleans(),
    lnid=st.integers(0, 0x3FFF),
    lcid=st.integers(0, 511),
    payload=st.binary(max_size=511),
    control=st.booleans(),
    priority=st.integers(0, 3),
    sid=st.integers(0, 255),
    level=st.integers(0, 63),
)


@VERSIONS
@given(packet=PACKETS)
def test_a_packet_comes_back(version, packet):
    octets = packet.encode(SNA, version)
    assert Packet.decode(Reader(octets), SNA, version) == packet
    assert len(octets) == overhead(version) + len(packet.payload)
    assert header_type(octets) == 0


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(
    ("version", "body"),
    [
        # Field by field after a dissector for PRIME over UDP (Lua, version 1.0 of March 2023): reserved 3, NAD 1,
        # PRIO 2, C 1, CTYPE 9, SID 8, LNID 14, SPAD 1, LEN 9.
        (Version.V136, int("000001100000000100000000111111111111110000000010", 2)),
        # 1.4: RM 4 instead of reserved and NAD, and a seventh octet: NAD, TREF, ARQ, PSH, reserved 4.
        (Version.V14, int("00000110000000010000000011111111111111000000001000000000", 2)),
    ],
)
def test_every_field_stands_where_others_read_it(version, body):
    packet = Packet(
        down=True, lnid=0x3FFF, lcid=ControlType.REG, payload=b"\x12\x34", control=True, priority=1, level=5
    )
    generic = bytes((0x00, 0x45))
    expected = generic + bytes((crc8(generic, SNA),)) + body.to_bytes(version.value, "big") + b"\x12\x34"
    assert packet.encode(SNA, version) == expected + crc32(expected, SNA).to_bytes(4, "big")


def test_the_arq_flag_is_of_1_4_only():
    packet = Packet(down=False, lnid=1, lcid=256, payload=b"", arq=True)
    assert Packet.decode(Reader(packet.encode(SNA, Version.V14)), SNA, Version.V14).arq
    assert not Packet.decode(Reader(packet.encode(SNA, Version.V136)), SNA, Version.V136).arq


@VERSIONS
@given(packet=PACKETS, place=st.floats(0, 0.999), bit=st.integers(0, 7))
def test_one_wrong_bit_is_always_seen(version, packet, place, bit):
    octets = bytearray(packet.encode(SNA, version))
    octets[int(place * len(octets))] ^= 1 << bit
    with pytest.raises(DecodeError):
        Packet.decode(Reader(bytes(octets)), SNA, version)


def test_another_subnetwork_looks_damaged():
    octets = Packet(down=True, lnid=1, lcid=256, payload=b"x").encode(SNA, Version.V136)
    with pytest.raises(DecodeError) as told:
        Packet.decode(Reader(octets), bytes(6), Version.V136)
    assert told.value.kind == "hcs"


@VERSIONS
@given(octets=st.binary(max_size=80))
def test_any_octets_are_a_packet_or_an_error(version, octets):
    try:
        packet = Packet.decode(Reader(octets), SNA, version)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
    else:
        assert packet.lnid <= 0x3FFF


def test_a_payload_that_len_cannot_say_is_refused():
    with pytest.raises(LocalProtocolError):
        Packet(down=True, lnid=1, lcid=1, payload=bytes(512)).encode(SNA, Version.V136)
