"""Urgent frames go before the others, each kind in its order; copies of a broadcast know who heard it."""

from meterway.links.medium.neighbourhood.queues import Frame, Node
from meterway.links.medium.neighbourhood.settings import Spot


def frame(octets: bytes, *, urgent: bool = False) -> Frame:
    return Frame(octets, 0, 1, 0, urgent, 0.0)


def test_urgent_frames_go_first_and_each_kind_in_order():
    node = Node(7, 0, Spot())
    for octets, urgent in ((b"a", False), (b"b", True), (b"c", False), (b"d", True)):
        node.put(frame(octets, urgent=urgent))
    node.put(frame(b"e"), first=True)
    assert node.waiting() == 5
    taken = [node.take() for _ in range(6)]
    assert [one and one.octets for one in taken] == [b"b", b"d", b"e", b"a", b"c", None]
    assert (node.waiting(), node.queue, node.urgent) == (0, None, None)


def test_a_copy_is_a_hop_further_and_shares_who_heard_it():
    first = frame(b"x")
    first.heard, first.repeaters = {1}, frozenset((2,))
    again = first.copy()
    assert (again.octets, again.hops, again.tries, again.repeaters) == (b"x", 1, 0, frozenset((2,)))
    again.heard.add(3)
    assert first.heard == {1, 3}
