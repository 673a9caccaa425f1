"""IPv6 and UDP: one packet by hand, the checksum against a loop over words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.lowpan.ip import Datagram, Ipv6Packet, checksum, read_datagram, write_datagram

A, B = bytes.fromhex("fe80" + "00" * 13 + "01"), bytes.fromhex("fe80" + "00" * 13 + "02")
IP = st.binary(min_size=16, max_size=16)
PORT = st.integers(0, 0xFFFF)
PACKETS = st.builds(
    Ipv6Packet,
    source=IP,
    destination=IP,
    next_header=st.integers(0, 255),
    payload=st.binary(max_size=80),
    hop_limit=st.integers(0, 255),
    traffic_class=st.integers(0, 255),
    flow_label=st.integers(0, 0xFFFFF),
)


def word_by_word(octets):
    total = 0
    for at in range(0, len(octets), 2):
        total += int.from_bytes(octets[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@pytest.mark.covers("IF-C")
def test_a_datagram_by_hand():
    packet = write_datagram(Datagram(source=A, destination=B, source_port=4059, destination_port=4059, payload=b"hi"))
    octets = packet.encode()
    assert octets[:8].hex() == "60000000000a1140"
    assert octets[40:46].hex() == "0fdb0fdb000a"
    pseudo = A + B + bytes([0, 0, 0, 10, 0, 0, 0, 17])
    assert octets[46:48] == word_by_word(pseudo + octets[40:46] + bytes(2) + b"hi").to_bytes(2, "big")


@given(PACKETS)
def test_every_packet_comes_back(packet):
    assert Ipv6Packet.decode(packet.encode()) == packet


@given(IP, IP, PORT, PORT, st.binary(max_size=200))
def test_every_datagram_comes_back_with_a_right_checksum(source, destination, one, two, payload):
    datagram = Datagram(source=source, destination=destination, source_port=one, destination_port=two, payload=payload)
    packet = write_datagram(datagram)
    assert read_datagram(packet) == datagram
    length = len(packet.payload)
    pseudo = source + destination + length.to_bytes(4, "big") + bytes([0, 0, 0, 17])
    assert word_by_word(pseudo + packet.payload) == 0
    assert checksum(source, destination, packet.payload) == 0xFFFF


def test_a_checksum_that_would_be_zero_is_sent_as_ones():
    payloads = (number.to_bytes(2, "big") for number in range(0x10000))
    made = (
        write_datagram(Datagram(source=A, destination=B, source_port=1, destination_port=2, payload=payload))
        for payload in payloads
    )
    packet = next(packet for packet in made if packet.payload[6:8] == b"\xff\xff")
    assert read_datagram(packet).source_port == 1


@given(st.binary(min_size=1, max_size=30), st.integers(0), st.integers(1, 255))
def test_a_changed_octet_is_found(payload, place, change):
    packet = write_datagram(Datagram(source=A, destination=B, source_port=1, destination_port=2, payload=payload))
    octets = bytearray(packet.payload)
    octets[place % len(octets)] ^= change
    with pytest.raises(DecodeError):
        read_datagram(replace(packet, payload=bytes(octets)))


@pytest.mark.parametrize(
    ("octets", "kind"), [(b"", "truncated"), (b"\x45" + bytes(39), "version"), (b"\x60" + bytes(40), "length")]
)
def test_what_is_no_packet_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        Ipv6Packet.decode(octets)
    assert caught.value.kind == kind


def test_what_is_no_datagram_says_why():
    packet = write_datagram(Datagram(source=A, destination=B, source_port=1, destination_port=2, payload=b"abc"))
    for wrong, kind in (
        (replace(packet, next_header=6), "next_header"),
        (replace(packet, payload=b"abc"), "truncated"),
        (replace(packet, payload=packet.payload + b"d"), "length"),
        (replace(packet, payload=packet.payload[:6] + bytes(2) + b"abc"), "checksum"),
    ):
        with pytest.raises(DecodeError) as caught:
            read_datagram(wrong)
        assert caught.value.kind == kind


def test_what_is_too_long_is_refused():
    with pytest.raises(LocalProtocolError):
        write_datagram(Datagram(source=A, destination=B, source_port=1, destination_port=2, payload=bytes(65530)))
    with pytest.raises(LocalProtocolError):
        Ipv6Packet(source=A, destination=B, next_header=17, payload=bytes(65536)).encode()
