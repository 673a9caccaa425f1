import tracemalloc

import pytest

from meterway.base.errors import LinkError
from meterway.links.clocks import VirtualClock
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.links.node import BROADCAST, FrameHeard, NodeClock, NodePort

NOON = 1_773_226_800.0


def network(size=25, **changes):
    made = SimulatedNeighbourhood(preset("prime", **({"loss": 0.0, "hops": 3, "window": 0} | changes)), start=NOON)
    return made, [made.join(number) for number in range(size)]


@pytest.mark.covers("E-NET-NN")
def test_frames_go_to_and_fro_while_the_clock_runs():
    made, ports = network()
    clock: NodeClock = made
    port: NodePort = ports[0]
    answered = []
    ports[17].listen(lambda frame: ports[17].send(frame.octets + b" too", to=frame.source))
    port.listen(lambda frame: answered.append((frame, clock.now())))
    clock.call_at(NOON + 5.0, lambda: port.send(b"hello", to=17))
    made.run(NOON + 4.9)
    assert answered == []
    made.run(NOON + 60.0)
    ((frame, when),) = answered
    assert frame == FrameHeard(octets=b"hello too", source=17, time_s=when, hops=3, simulated=True)
    assert NOON + 5.0 < when < NOON + 6.0
    assert made.now() == NOON + 60.0
    assert made.statistics.delivered == 2


def test_a_broadcast_reaches_everyone_who_listens():
    made, ports = network()
    heard = []
    for port in ports[1:20]:
        port.listen(lambda frame, node=port.node: heard.append((node, frame.is_broadcast)))
    ports[0].send(b"all", to=BROADCAST)
    made.run(NOON + 60.0)
    assert sorted(heard) == [(node, True) for node in range(1, 20)]


def test_a_closed_port_is_a_node_that_vanished_and_a_new_one_comes_back():
    made, ports = network(repair_s=10.0)
    heard = []
    made.routes()
    ports[1].listen(heard.append)
    ports[1].close()
    ports[1].close()
    with pytest.raises(LinkError, match="node 1"):
        ports[1].send(b"x", to=0)
    ports[0].send(b"lost", to=1)
    made.run(NOON + 20.0)
    again = made.join(1)
    again.listen(heard.append)
    made.run(NOON + 40.0)
    ports[0].send(b"there", to=1)
    made.run(NOON + 60.0)
    assert [frame.octets for frame in heard] == [b"there"]
    assert made.statistics.lost["vanished"] == 1
    assert {route.node for route in made.routes() if route.present} == set(range(25))


def test_a_port_closed_while_a_frame_is_handed_out_does_not_hear_the_next():
    made, ports = network()
    ports[1].listen(lambda frame: ports[2].close())
    heard = []
    ports[2].listen(heard.append)
    ports[0].send(b"all", to=BROADCAST)
    made.run(NOON + 60.0)
    assert heard == []


def test_networks_share_a_clock_and_nothing_else():
    clock = VirtualClock(NOON)
    order = []
    networks = [SimulatedNeighbourhood(preset("prime", seed=seed), clock=clock) for seed in range(3)]
    for number, made in enumerate(networks):
        first, second = made.join(0), made.join(1, (0.0, 5.0))
        second.listen(lambda frame, number=number: order.append((number, clock.now())))
        clock.call_at(NOON + 3 - number, lambda first=first: first.send(b"x", to=1))
    clock.run(NOON + 10)
    assert [number for number, _ in order] == [2, 1, 0]
    assert [made.statistics.delivered for made in networks] == [1, 1, 1]


def test_the_same_seed_tells_the_same_story():
    def story():
        made, ports = network(loss=0.2, window=16, seed=5)
        heard = []
        ports[0].listen(lambda frame: heard.append((frame.source, made.now(), frame.hops)))
        for port in ports[1:]:
            port.send(bytes(40), to=0)
        made.run(NOON + 600)
        return heard

    assert story() == story()
    assert len(story()) > 20


def test_a_place_on_a_network_is_small():
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    clock = VirtualClock(NOON)
    kept = []
    for seed in range(4):
        made = SimulatedNeighbourhood(preset("prime", seed=seed), clock=clock)
        kept.append([made.join(number) for number in range(300)])
        made.routes()
    size = (tracemalloc.get_traced_memory()[0] - before) / 1200
    tracemalloc.stop()
    assert size < 1400  # a table of its links included: some 60 of 8 octets
