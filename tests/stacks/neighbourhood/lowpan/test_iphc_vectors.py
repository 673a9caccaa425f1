"""Compressed headers of another implementation: the values of OpenThread's unit tests, read and written by ours."""

from dataclasses import replace
from ipaddress import IPv6Address

import pytest

from meterway.stacks.neighbourhood.lowpan.ip import Ipv6Packet
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor

LONG, SHORT = bytes.fromhex("00005eef10221100"), 0x0000
LONG_TO, SHORT_TO, ALL = bytes.fromhex("00005eef10aabbcc"), 0xC003, 0xFFFF
CONTEXTS = {0: IPv6Address("fd00:cafe:face:1234::").packed[:8], 1: IPv6Address("2001:2:0:1::").packed[:8]}
PAYLOAD = bytes.fromhex("8000010203040506")
LL, LL_TO = "fe80::200:5eef:1022:1100", "fe80::200:5eef:10aa:bbcc"

# Link source and destination, IPv6 source and destination, the octets.
ADDRESSES = [
    (LONG, LONG_TO, LL, LL_TO, "7a333a"),
    (SHORT, SHORT_TO, "fe80::ff:fe00:0", "fe80::ff:fe00:c003", "7a333a"),
    (SHORT, LONG_TO, "fe80::ff:fe00:0", LL_TO, "7a333a"),
    (LONG, SHORT_TO, LL, "fe80::ff:fe00:c003", "7a333a"),
    (LONG, SHORT_TO, "::", "fe80::ff:fe00:c003", "7a433a"),
    (
        LONG,
        SHORT_TO,
        "2001:2:0:3:aaaa:bbbb:cccc:dddd",
        "2001:2:0:4::",
        "7a003a 2001000200000003aaaabbbbccccdddd 20010002000000040000000000000000",
    ),
    (
        LONG,
        LONG_TO,
        "fe80::200:5eef:1022:1101",
        "fe80::200:5eef:10aa:bbcd",
        "7a113a 02005eef10221101 02005eef10aabbcd",
    ),
    (SHORT, SHORT_TO, "fe80::ff:fe00:1", "fe80::ff:fe00:c004", "7a223a0001c004"),
    (LONG, LONG_TO, LL, "fe80::ff:fe00:beaf", "7a323abeaf"),
    (LONG, LONG_TO, LL, "2001:2:0:4::", "7a303a 20010002000000040000000000000000"),
    (LONG, ALL, LL, "ff05::100:30:1", "7a383a ff050000000000000000010000300001"),
    (LONG, ALL, LL, "ff05::1:30:1", "7a393a 050100300001"),
    (SHORT, ALL, LL, "ff03::fc", "7a1a3a 02005eef10221100 030000fc"),
    (LONG, ALL, LL, "ff02::2", "7a3b3a02"),
    (
        SHORT,
        SHORT_TO,
        "fd00:cafe:face:1234:abcd:ef01:2345:6789",
        "fd00:cafe:face:1234:c31d:a702:d41:beef",
        "7a553a abcdef0123456789 c31da7020d41beef",
    ),
    (
        SHORT,
        SHORT_TO,
        "fd00:cafe:face:1234::ff:fe00:fffc",
        "fd00:cafe:face:1234::ff:fe00:fffe",
        "7a663afffcfffe",
    ),
    (
        LONG,
        SHORT_TO,
        "fd00:cafe:face:1234:200:5eef:1022:1100",
        "fd00:cafe:face:1234::ff:fe00:c003",
        "7a773a",
    ),
    (
        SHORT,
        SHORT_TO,
        "2001:2:0:1:abcd:ef01:2345:6789",
        "2001:2:0:3:c31d:a702:d41:beef",
        "7ad0103a abcdef0123456789 2001000200000003c31da7020d41beef",
    ),
    (
        SHORT,
        SHORT_TO,
        "2001:2:0:1:abcd:ef01:2345:6789",
        "2001:2:0:1:c31d:a702:d41:beef",
        "7ad5113a abcdef0123456789 c31da7020d41beef",
    ),
]
# Forms that may be sent, but that ours does not choose.
READ_ONLY = [
    (
        SHORT,
        SHORT_TO,
        "fd00:cafe:face:1234:abcd:ef01:2345:6789",
        "fd00:cafe:face:1234:c31d:a702:d41:beef",
        "7ad5003a abcdef0123456789 c31da7020d41beef",
    ),
    (
        LONG,
        SHORT_TO,
        "fd00:cafe:face:1234:200:5eef:1022:1100",
        "ff33:40:fd00:cafe:face:1234:0:1",
        "7a7c3a 330000000001",
    ),
]
# First word of the IPv6 header, hop limit, the octets.
FIELDS = [
    (0x6011AC59, 64, "6a3341ac593a"),
    (0x60D00000, 64, "7233433a"),
    (0x60100000, 64, "7233403a"),
    (0x6EA12345, 64, "6233ba0123453a"),
    (0x60000000, 1, "79333a"),
    (0x60000000, 255, "7b333a"),
    (0x60000000, 63, "78333a3f"),
]
OURS = Compressor(contexts=CONTEXTS)


def packet(source, destination, word=0x60000000, hops=64):
    return Ipv6Packet(
        source=IPv6Address(source).packed,
        destination=IPv6Address(destination).packed,
        next_header=58,
        payload=PAYLOAD,
        hop_limit=hops,
        traffic_class=word >> 20 & 0xFF,
        flow_label=word & 0xFFFFF,
    )


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(("one", "two", "source", "destination", "octets"), ADDRESSES)
def test_addresses_are_written_and_read_alike(one, two, source, destination, octets):
    whole, expected = packet(source, destination), bytes.fromhex(octets) + PAYLOAD
    assert OURS.compress(whole, one, two) == (expected, 40)
    assert OURS.decompress(expected, one, two) == whole.encode()


@pytest.mark.parametrize(("one", "two", "source", "destination", "octets"), READ_ONLY)
def test_forms_that_we_do_not_choose_are_read(one, two, source, destination, octets):
    assert OURS.decompress(bytes.fromhex(octets) + PAYLOAD, one, two) == packet(source, destination).encode()


@pytest.mark.parametrize(("word", "hops", "octets"), FIELDS)
def test_traffic_class_flow_label_and_hop_limit(word, hops, octets):
    whole, expected = packet(LL, LL_TO, word, hops), bytes.fromhex(octets) + PAYLOAD
    assert OURS.compress(whole, LONG, LONG_TO) == (expected, 40)
    assert OURS.decompress(expected, LONG, LONG_TO) == whole.encode()


@pytest.mark.parametrize(
    ("ports", "check", "destination", "octets"),
    [
        ((5683, 5684), 0xBEEF, LL_TO, "7e33f016331634beef"),
        ((5683, 61441), 0xBEEF, LL_TO, "7e33f1163301beef"),
        ((61695, 5683), 0xBEEF, LL_TO, "7e33f2ff1633beef"),
        ((61616, 61631), 0xFACE, LL_TO, "7e33f30fface"),
        ((61616, 61631), 0xFACE, "ff02::1", "7e3b01f30fface"),
    ],
)
def test_udp_ports(ports, check, destination, octets):
    fields = (*ports, 8 + len(PAYLOAD), check)
    udp = b"".join(field.to_bytes(2, "big") for field in fields) + PAYLOAD
    whole = replace(packet(LL, destination), next_header=17, payload=udp)
    expected = bytes.fromhex(octets) + PAYLOAD
    assert OURS.compress(whole, LONG, LONG_TO) == (expected, 48)
    assert OURS.decompress(expected, LONG, LONG_TO) == whole.encode()
