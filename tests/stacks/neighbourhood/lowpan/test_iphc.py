"""Header compression: forms by hand from RFC 6282's tables, round trips over all of them, any octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.lowpan.address import ALL_NODES, LINK_LOCAL, LinkLocal, link_local
from meterway.stacks.neighbourhood.lowpan.ip import Datagram, Ipv6Packet, write_datagram
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor, is_iphc

EUI_A, EUI_B = bytes.fromhex("1122334455667788"), bytes.fromhex("99aabbccddeeff00")
NET = bytes.fromhex("20010db800010002")
PLAIN, G3 = Compressor(contexts={0: NET, 5: bytes(8)}), Compressor(LinkLocal(0x781D))
LINKS = st.integers(0, 0xFFFF) | st.binary(min_size=8, max_size=8)


def packet_of(source, destination, **more):
    datagram = Datagram(source=source, destination=destination, source_port=4059, destination_port=4059, payload=b"x")
    return write_datagram(datagram, **more)


@pytest.mark.covers("IF-C")
@pytest.mark.parametrize(
    ("source", "destination", "links", "compressed"),
    [
        # Both from the links: 7e 33, UDP without its length.
        (link_local(1), link_local(0), (1, 0), "7e33"),
        (link_local(EUI_A), link_local(EUI_B), (EUI_A, EUI_B), "7e33"),
        # Short addresses that are not the frame's.
        (link_local(7), link_local(0), (1, 0), "7e230007"),
        (link_local(7), link_local(8), (1, 0), "7e2200070008"),
        (link_local(EUI_A), link_local(0), (1, 0), "7e13" + link_local(EUI_A)[8:].hex()),
        # All nodes.
        (link_local(0), ALL_NODES, (0, 0xFFFF), "7e3b01"),
        (link_local(0), bytes.fromhex("ff05" + "00" * 11 + "010203"), (0, 0xFFFF), "7e3a05010203"),
        (link_local(0), bytes.fromhex("ff05" + "00" * 9 + "0102030405"), (0, 0xFFFF), "7e39050102030405"),
        # A context of number 0 needs no octet for it; one of 5 does.
        (NET + link_local(1)[8:], link_local(0), (1, 0), "7e73"),
        (bytes(8) + link_local(1)[8:], link_local(0), (1, 0), "7ef350"),
        (bytes(16), ALL_NODES, (1, 0xFFFF), "7e4b01"),
    ],
)
def test_the_shortest_form(source, destination, links, compressed):
    octets, covered = PLAIN.compress(packet_of(source, destination), *links)
    assert covered == 48
    assert octets.hex().startswith(compressed + "f00fdb0fdb")


@pytest.mark.parametrize(
    ("more", "head"),
    [
        ({"hop_limit": 1}, "7d33"),
        ({"hop_limit": 255}, "7f33"),
        ({"hop_limit": 63}, "7c333f"),
        ({"traffic_class": 0b10111001}, "76336e"),
        ({"flow_label": 0x12345}, "6e33012345"),
        ({"traffic_class": 1, "flow_label": 0x12345}, "6e33412345"),
        ({"traffic_class": 0b10111001, "flow_label": 0x12345}, "66336e012345"),
        ({"next_header": 58}, "7a333a"),
    ],
)
def test_traffic_class_flow_label_next_header_and_hop_limit(more, head):
    fields = {
        "source": link_local(1),
        "destination": link_local(0),
        "next_header": 17,
        "payload": bytes(4) + b"\0\x08\0\0",
    }
    packet = Ipv6Packet(**fields | more)
    octets, _ = PLAIN.compress(packet, 1, 0)
    assert octets.hex().startswith(head)
    assert PLAIN.decompress(octets, 1, 0) == packet.encode()


def test_g3_has_the_pan_id_in_its_addresses():
    packet = packet_of(link_local(1, 0x781D), link_local(0, 0x781D))
    octets, _ = G3.compress(packet, 1, 0)
    assert octets[:2].hex() == "7e33"
    assert G3.decompress(octets, 1, 0) == packet.encode()
    assert PLAIN.decompress(octets, 1, 0) != packet.encode()


PREFIXES = st.sampled_from([LINK_LOCAL, NET, bytes(8)]) | st.binary(min_size=8, max_size=8)
IIDS = st.binary(min_size=8, max_size=8) | st.integers(0, 0xFFFF).map(lambda short: link_local(short)[8:])
GROUPS = st.integers(0, 14).flatmap(
    lambda size: st.binary(min_size=size, max_size=size).map(lambda o: o.rjust(14, b"\0"))
)
MULTICAST = st.builds(lambda scope, group: b"\xff" + bytes([scope]) + group, st.integers(0, 255), GROUPS)


@given(
    st.builds(lambda prefix, iid: prefix + iid, PREFIXES, IIDS) | st.just(bytes(16)),
    st.builds(lambda prefix, iid: prefix + iid, PREFIXES, IIDS) | MULTICAST,
    LINKS,
    LINKS,
    st.sampled_from([17, 58]),
    st.binary(max_size=60),
    st.sampled_from([1, 64, 255]) | st.integers(0, 255),
    st.integers(0, 255),
    st.just(0) | st.integers(0, 0xFFFFF),
)
def test_every_packet_comes_back(source, destination, one, two, header, payload, hops, traffic, flow):
    packet = Ipv6Packet(
        source=source,
        destination=destination,
        next_header=header,
        payload=payload,
        hop_limit=hops,
        traffic_class=traffic,
        flow_label=flow,
    )
    for compressor in (PLAIN, G3):
        octets, covered = compressor.compress(packet, one, two)
        assert compressor.decompress(octets, one, two) == packet.encode()
        assert packet.encode()[covered:] == octets[len(octets) - (40 + len(payload) - covered) :]


@given(st.sampled_from([PLAIN, G3]), st.binary(max_size=60), LINKS, LINKS, st.none() | st.integers(0, 2047))
def test_any_octets_are_a_packet_or_a_decode_error(compressor, octets, one, two, size):
    octets = bytes([0x60 | octets[0] & 0x1F]) + octets[1:] if octets else octets
    try:
        packet = compressor.decompress(octets, one, two, size)
    except DecodeError:
        return
    assert size is not None or Ipv6Packet.decode(packet).encode() == packet


def test_a_multicast_address_by_context():
    # ff3e:0040:2001:db8:1:2:0102:0304, with the context's prefix and its length 64 (RFC 3306).
    octets = bytes.fromhex("7a3c3a") + bytes.fromhex("3e0001020304")
    whole = PLAIN.decompress(octets, 1, 0xFFFF)
    assert whole[24:40].hex() == "ff3e0040" + NET.hex() + "01020304"


def test_an_elided_checksum_is_computed_where_it_is_allowed():
    packet = packet_of(link_local(1), link_local(0))
    octets, _ = PLAIN.compress(packet, 1, 0)
    elided = octets[:2] + bytes([octets[2] | 4]) + octets[3:7] + octets[9:]
    assert Compressor(allow_elided=True).decompress(elided, 1, 0) == packet.encode()
    with pytest.raises(DecodeError) as caught:
        PLAIN.decompress(elided, 1, 0)
    assert caught.value.kind == "checksum"


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("", "truncated"),
        ("4133", "dispatch"),
        ("7e33f00102", "truncated"),
        ("7800", "truncated"),
        ("7a343a", "address"),
        ("7a3d3a", "address"),
        ("7af3703a", "context"),
        ("7e33e000", "nhc"),
        ("7a383a" + "00" * 16, "address"),
    ],
)
def test_what_cannot_be_read_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        PLAIN.decompress(bytes.fromhex(octets), 1, 0)
    assert caught.value.kind == kind


def test_the_dispatch():
    assert [value for value in range(256) if is_iphc(value)] == list(range(0x60, 0x80))
