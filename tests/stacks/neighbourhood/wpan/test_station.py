"""What both stations refuse of secured frames whose sender has the group key but does not play by the rules."""

import pytest

from meterway.stacks.dlms.framing import Noticed
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.neighbourhood import mesh
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame
from meterway.stacks.neighbourhood.lbp import Lbp, LbpKind
from meterway.stacks.neighbourhood.lowpan import Adaptation, Datagram, link_local, write_datagram
from meterway.stacks.neighbourhood.lowpan.dispatch import command
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor
from meterway.stacks.neighbourhood.station import Apdu, Left
from stacks.neighbourhood.wpan.test_coordinator import network
from stacks.neighbourhood.wpan_net import eui_of


@pytest.fixture
def net():
    return network(mesh, 2)


def frame_of(net, payload, *, secured=True, source=1):
    """A data frame of node 1 to the coordinator."""
    frame = MacFrame(kind=FrameKind.DATA, sequence=1, pan=0x781D, destination=0, source=source, payload=payload)
    if secured:
        frame = net.stations[1]._keyring.seal(frame, 1, eui_of(1))
    return mesh.PROFILE.framing.wrap(frame, urgent=False)


def packet_of(*, source=1, destination=0, port=4059, payload=None):
    if payload is None:
        payload = WrapperFrame(source=1, destination=16, apdu=b"hello").encode()
    ends = {"source": link_local(source), "destination": link_local(destination)}
    packet = write_datagram(Datagram(**ends, source_port=4059, destination_port=port, payload=payload))
    return Adaptation(Compressor(), room=100, first_tag=0).send(packet, 1, 0)[0]


def take(net, octets):
    net.events[0].clear()
    net.stations[0].receive_frame(octets, 1, net.now)
    net.settle(0)
    return net.events[0]


def test_a_frame_made_by_hand_is_taken(net):
    assert take(net, frame_of(net, packet_of())) == [Apdu(eui=eui_of(1), apdu=b"hello", client=16, server=1)]


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        ({"source": 2}, "policy"),
        ({"destination": 2}, "protocol"),
        ({"port": 4060}, "protocol"),
        ({"payload": b"\x00\x02" + bytes(6)}, "version"),
        ({"payload": b"\x00"}, "truncated"),
    ],
)
def test_packets_that_do_not_fit_are_noticed(net, packet, kind):
    (noticed,) = take(net, frame_of(net, packet_of(**packet)))
    assert (type(noticed), noticed.kind) == (Noticed, kind)


def test_a_packet_in_clear_is_refused(net):
    (noticed,) = take(net, frame_of(net, packet_of(), secured=False))
    assert noticed.kind == "policy"


@pytest.mark.covers("SEC-03")
def test_nobody_is_put_out_by_a_message_in_clear(net):
    kick = command(2, Lbp(kind=LbpKind.KICK_BY_DEVICE, eui=eui_of(1)).encode())
    (noticed,) = take(net, frame_of(net, kick, secured=False))
    assert noticed.kind == "policy"
    (left,) = take(net, frame_of(net, kick))
    assert isinstance(left, Left)
    assert len(net.stations[0].members) == 1


def test_a_node_is_not_put_out_by_a_message_in_clear(net):
    kick = command(2, Lbp(kind=LbpKind.KICK, eui=eui_of(1)).encode())
    frame = MacFrame(kind=FrameKind.DATA, sequence=1, pan=0x781D, destination=1, source=0, payload=kick)
    node = net.stations[1]
    node.receive_frame(mesh.PROFILE.framing.wrap(frame, urgent=False), 0, net.now)
    assert node.next_event().kind == "policy"
    assert node.state.name == "JOINED"


def test_a_secured_frame_of_a_stranger_is_noticed(net):
    (noticed,) = take(net, frame_of(net, packet_of(), source=99))
    assert noticed.kind == "member"
