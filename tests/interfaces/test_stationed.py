"""A station on a node: frames, events and timeouts."""

from heapq import heappop, heappush

from meterway.interfaces.stationed import Stationed
from meterway.links.node import BROADCAST, FrameHeard
from meterway.stacks.neighbourhood.station import Apdu, Joined
from stacks.neighbourhood.toy_station import ToyStation


class Wire:
    """Nodes that hear each other at once, on a clock that stands until it is moved."""

    def __init__(self):
        self.time, self.calls, self.ports, self.lost, self.asked = 1000.0, [], {}, 0, 0

    def now(self):
        return self.time

    def call_at(self, when, action):
        call = Call(action)
        self.asked += 1
        heappush(self.calls, (when, self.asked, call))
        return call

    def run(self, until):
        while self.calls and self.calls[0][0] <= until:
            self.time, _, call = heappop(self.calls)
            call.action()
        self.time = until


class Call:
    def __init__(self, action):
        self.action = action

    def cancel(self):
        self.action = lambda: None


class Port:
    def __init__(self, wire, node):
        self.wire, self.node, self.on_frame = wire, node, None
        wire.ports[node] = self

    def listen(self, on_frame):
        self.on_frame = on_frame

    def send(self, octets, *, to, urgent=False):
        if self.wire.lost:
            self.wire.lost -= 1
            return
        for node, port in list(self.wire.ports.items()):
            if node != self.node and to in (node, BROADCAST):
                heard = FrameHeard(octets=octets, source=self.node, time_s=0.0, is_broadcast=to == BROADCAST)
                self.wire.call_at(self.wire.time, lambda port=port, heard=heard: port.on_frame(heard))

    def close(self):
        del self.wire.ports[self.node]


def two():
    wire, events = Wire(), []
    base = Stationed(ToyStation(b"CONCENTR", admit=lambda eui: b""), Port(wire, 0), wire, events.append)
    node = Stationed(ToyStation(b"METER001"), Port(wire, 5), wire, events.append)
    return wire, base, node, events


def test_a_node_joins_and_apdus_go_both_ways():
    wire, base, node, events = two()
    base.start(), node.start()
    wire.run(1001.0)
    assert [type(event) for event in events] == [Joined, Joined]
    base.station.send_apdu(b"METER001", b"ask", client=1, server=1, now=wire.time)
    base.flush()
    wire.run(1002.0)
    assert isinstance(events[-1], Apdu)
    assert events[-1].apdu == b"ask"


def test_a_timeout_comes_at_its_time_and_again():
    wire, base, node, events = two()
    wire.lost = 2
    base.start(), node.start()
    wire.run(1019.9)
    assert events == []
    wire.run(1021.0)
    assert len(events) == 2
    wire.run(2000.0)
    assert len(events) == 2


def test_a_closed_one_hears_and_does_nothing_more():
    wire, base, node, events = two()
    wire.lost = 1
    base.start(), node.start()
    node.close()
    wire.run(2000.0)
    assert events == []
    assert list(wire.ports) == [0]
