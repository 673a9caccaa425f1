"""Beacons and promotion needed PDUs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.beacon import NO_SNA, Beacon, PromotionNeeded
from meterway.stacks.neighbourhood.prime.crc import crc8, crc32
from meterway.stacks.neighbourhood.prime.packet import Version, header_type

SNA = bytes.fromhex("0080e1000001")
BEACONS = st.builds(
    Beacon,
    sna=st.binary(min_size=6, max_size=6),
    sequence=st.integers(0, 31),
    sid=st.integers(0, 255),
    level=st.integers(0, 63),
)


@pytest.mark.parametrize("version", Version)
@given(beacon=BEACONS)
def test_a_beacon_comes_back(version, beacon):
    octets = beacon.encode(version)
    assert len(octets) == 18
    assert header_type(octets) == 2
    assert Beacon.decode(Reader(octets), version) == beacon


def test_octets_of_a_beacon():
    """Fields after the dissector; the CRC of 1.4 also runs over 00 01 04 00 (Microchip's PRIME CRC service)."""
    body = bytes.fromhex("2700000000180080e10000010000")
    assert Beacon(sna=SNA, sequence=3).encode(Version.V136) == body + crc32(body).to_bytes(4, "big")
    body = bytes.fromhex("2f0004000000180080e100000100")
    expected = body + crc32(body + bytes.fromhex("00010400")).to_bytes(4, "big")
    assert Beacon(sna=SNA, sequence=3, level=1).encode(Version.V14) == expected


def test_a_beacon_of_the_other_version_is_damaged():
    with pytest.raises(DecodeError) as told:
        Beacon.decode(Reader(Beacon(sna=SNA).encode(Version.V14)), Version.V136)
    assert told.value.kind == "crc"


@given(st.binary(min_size=6, max_size=6))
def test_a_promotion_needed_pdu_comes_back(pna):
    pdu = PromotionNeeded(pna=pna)
    octets = pdu.encode()
    assert octets == b"\x10" + NO_SNA + pna + bytes((crc8(b"\x10" + NO_SNA + pna),))
    assert PromotionNeeded.decode(Reader(octets)) == pdu


@given(st.binary(max_size=30))
def test_any_octets_are_something_or_an_error(octets):
    for decode in (PromotionNeeded.decode, lambda reader: Beacon.decode(reader, Version.V14)):
        try:
            decode(Reader(octets))
        except DecodeError as error:
            assert 0 <= error.offset <= len(octets)


@pytest.mark.parametrize("place", range(14))
def test_damage_of_a_promotion_needed_pdu_is_seen(place):
    octets = bytearray(PromotionNeeded(pna=SNA).encode())
    octets[place] ^= 0x20
    with pytest.raises(DecodeError):
        PromotionNeeded.decode(Reader(bytes(octets)))
