"""The adaptation layer: packets over a carrier that loses, doubles and reorders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.lowpan import ALL_NODES, Adaptation, Command, Datagram, LinkFrame, LinkLocal
from meterway.stacks.neighbourhood.lowpan.address import link_local
from meterway.stacks.neighbourhood.lowpan.ip import read_datagram, write_datagram
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor

PAN = 0x781D


def station(*, room=80, tag=0, hops=None):
    return Adaptation(Compressor(LinkLocal(PAN)), room=room, first_tag=tag, hops=hops)


def packet(source, payload, destination=0):
    to = ALL_NODES if destination == 0xFFFF else link_local(destination, PAN)
    ports = {"source_port": 4059, "destination_port": 4059}
    return write_datagram(Datagram(source=link_local(source, PAN), destination=to, payload=payload, **ports))


def frame(payload, source=1, destination=0):
    return LinkFrame(payload=payload, source=source, destination=destination)


def test_a_short_packet_is_one_frame_and_a_long_one_many():
    one = station()
    (payload,) = one.send(packet(1, b"hello"), 1, 0)
    assert len(payload) == 2 + 7 + 5
    got = station().receive(frame(payload), 0.0)
    assert read_datagram(got.packet).payload == b"hello"
    assert (got.source, got.is_broadcast) == (1, False)
    assert len(one.send(packet(1, bytes(1000)), 1, 0)) == 14


def test_a_mesh_header_names_who_began():
    one, other = station(hops=8), station(hops=8)
    payload, *_ = one.send(packet(5, b"hi"), 5, 0)
    assert payload.hex().startswith("b800050000")
    got = other.receive(LinkFrame(payload=payload, source=3, destination=0), 0.0)
    assert got.source == 5
    first, *_ = other.send(packet(0, b"all", 0xFFFF), 0, 0xFFFF)
    second, *_ = other.send(packet(0, b"all", 0xFFFF), 0, 0xFFFF)
    assert (first.hex()[:14], second.hex()[:14]) == ("b80000ffff5001", "b80000ffff5002")
    assert one.receive(frame(first, 0, 0xFFFF), 0.0).is_broadcast


def test_a_command_is_handed_over():
    assert station().receive(frame(b"\x40\x02abc", bytes(8)), 0.0) == Command(number=2, octets=b"abc", source=bytes(8))


@given(st.data())
def test_what_comes_out_is_what_went_in_and_nothing_else(data):
    senders = {1: station(tag=data.draw(st.integers(0xFFF0, 0xFFFF))), 2: station(tag=3, hops=8)}
    sent, frames = [], []
    for number in range(data.draw(st.integers(1, 6))):
        source = data.draw(st.sampled_from([1, 2]))
        payload = bytes([number]) * data.draw(st.integers(0, 400))
        sent.append((source, payload))
        frames += [frame(octets, source) for octets in senders[source].send(packet(source, payload), source, 0)]
    order = data.draw(st.lists(st.sampled_from(range(len(frames))), max_size=3 * len(frames)))
    other, got = station(), []
    for at in order:
        came = other.receive(frames[at], 0.0)
        if came is not None:
            got.append((came.source, read_datagram(came.packet).payload))
    assert all(one in sent for one in got)
    if sorted(order) == list(range(len(frames))):
        assert sorted(got) == sorted(sent)


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_payloads_are_survived(payloads):
    one = station()
    for payload in payloads:
        try:
            one.receive(frame(payload), 0.0)
        except DecodeError as error:
            assert error.kind


@pytest.mark.parametrize(
    ("payload", "kind"),
    [("", "truncated"), ("40", "truncated"), ("42", "dispatch"), ("c7ff000141", "size"), ("c020000141", "size")],
)
def test_what_cannot_be_read_says_why(payload, kind):
    with pytest.raises(DecodeError) as caught:
        station().receive(frame(bytes.fromhex(payload)), 0.0)
    assert caught.value.kind == kind


def test_a_packet_that_is_not_compressed_is_read():
    whole = packet(1, b"plain").encode()
    assert station().receive(frame(b"\x41" + whole), 0.0).packet.encode() == whole
