import pytest

from meterway.base.errors import LinkError
from meterway.links.medium.neighbourhood.place import NodePlace
from meterway.links.medium.neighbourhood.records import Arrival
from meterway.links.node import FrameHeard, NodePort


class Network:
    def __init__(self):
        self.sent, self.parted = [], []

    def send(self, source, octets, *, to, urgent=False):
        self.sent.append((source, octets, to, urgent))

    def part(self, place):
        self.parted.append(place.node)


def test_a_place_sends_for_its_node_and_hands_out_what_it_hears():
    network, heard = Network(), []
    place: NodePort = NodePlace(network, 7)
    place.hear(Arrival(7, 0, b"nobody listens", 1.0, 1, False))
    place.listen(heard.append)
    place.send(b"x", to=0, urgent=True)
    place.hear(Arrival(7, 0, b"y", 2.0, 3, True))
    assert network.sent == [(7, b"x", 0, True)]
    assert heard == [FrameHeard(octets=b"y", source=0, time_s=2.0, hops=3, is_broadcast=True, simulated=True)]


def test_a_closed_place_parts_once_and_is_deaf_and_dumb():
    network, heard = Network(), []
    place = NodePlace(network, 7)
    place.listen(heard.append)
    place.close()
    place.close()
    place.hear(Arrival(7, 0, b"y", 2.0, 3, True))
    with pytest.raises(LinkError, match="node 7"):
        place.send(b"x", to=0)
    assert (network.parted, heard) == ([7], [])
