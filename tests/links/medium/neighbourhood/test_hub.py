import asyncio
import sys

import pytest

from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.settings import preset
from meterway.links.medium.neighbourhood.wire import Heard, NeighbourhoodWire
from meterway.links.node import BROADCAST

NODE = """
import asyncio, sys
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient

async def main():
    over = asyncio.Event()
    client = NeighbourhoodClient(lambda reason: over.set())
    await client.connect(int(sys.argv[1]))
    port = client.join(int(sys.argv[2]))
    port.listen(lambda frame: port.send(frame.octets + b" from %d" % port.node, to=frame.source))
    while not over.is_set():  # again and again: the node in between may not be there yet
        port.send(b"here", to=0)
        try:
            await asyncio.wait_for(over.wait(), 0.3)
        except TimeoutError:
            pass

asyncio.run(main())
"""


def play(scene, factor=50.0, **changes):
    """Run a scene with a hub on a free port."""

    async def run():
        made = NeighbourhoodHub(
            preset("prime", **({"loss": 0.0, "hops": 3, "window": 0} | changes)), time_factor=factor
        )
        port = await made.open()
        try:
            async with asyncio.timeout(30):
                await scene(made, port)
        finally:
            await made.close()

    asyncio.run(run())


async def until(condition):
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def connected(port, on_lost=None):
    client = NeighbourhoodClient(on_lost)
    await client.connect(port)
    return client


@pytest.mark.covers("E-NET-NN")
def test_processes_meet_on_one_network():
    async def scene(hub, port):
        client = await connected(port)
        concentrator = client.join(0)
        heard = []
        concentrator.listen(heard.append)
        await until(lambda: 0 in hub.medium.nodes)
        nodes = [await asyncio.create_subprocess_exec(sys.executable, "-c", NODE, str(port), str(n)) for n in (1, 9)]
        try:
            await until(lambda: {frame.source for frame in heard} == {1, 9})
            concentrator.send(b"hello", to=9)
            await until(lambda: any(frame.octets != b"here" for frame in heard))
            (frame,) = [frame for frame in heard if frame.octets != b"here"]
            assert (frame.octets, frame.source, frame.hops, frame.simulated) == (b"hello from 9", 9, 2, True)
            assert abs(frame.time_s - LoopClock().now()) < 5.0
        finally:
            await hub.close()
            assert [await node.wait() for node in nodes] == [0, 0]

    play(scene, factor=5.0)


def test_a_network_without_nodes_can_be_watched():
    async def scene(hub, port):
        client = await connected(port)
        told = []
        client.watch(lambda carried: told.append(carried), lambda figures, routes: told.append((figures.nodes, routes)))
        await until(lambda: told)
        assert told == [(0, [])]
        client.join(0)
        node = client.join(1)
        await until(lambda: len(hub.medium.nodes) == 2)
        node.send(b"here", to=0)
        await until(lambda: len(told) == 2)
        assert told[1].octets == b"here"

    play(scene)


def test_one_broadcast_reaches_all_nodes_of_one_client():
    async def scene(hub, port):
        client, other = await connected(port), await connected(port)
        heard = []
        for number in range(1, 25):
            client.join(number).listen(lambda frame, number=number: heard.append((number, frame.hops)))
        concentrator = other.join(0)
        await until(lambda: len(hub.medium.nodes) == 25)
        concentrator.send(b"time", to=BROADCAST)
        await until(lambda: len(heard) == 24)
        assert sorted(number for number, _ in heard) == list(range(1, 25))
        assert {hops for _, hops in heard} == {1, 2, 3}

    play(scene)


def test_a_slow_medium_takes_its_real_time_and_a_faster_one_less():
    took = {}

    def scene_of(factor):
        async def scene(hub, port):
            client = await connected(port)
            concentrator, node = client.join(0), client.join(1)
            heard = []
            node.listen(heard.append)
            await until(lambda: len(hub.medium.nodes) == 2)
            clock = LoopClock()
            begun = clock.now()
            for _ in range(5):
                concentrator.send(bytes(100), to=1)
            await until(lambda: len(heard) == 5)
            took[factor] = clock.now() - begun
            assert hub.figures().airtime_s == pytest.approx(5 * 0.061, abs=0.05)

        return scene

    for factor in (1.0, 20.0):
        play(scene_of(factor), factor)
    assert 0.28 < took[1.0] < 5.0
    assert took[20.0] < took[1.0] / 2


def test_what_cannot_be_is_told_in_words_and_the_line_stays():
    async def scene(hub, port):
        client, other = await connected(port), await connected(port)
        client.join(1)
        await until(lambda: 1 in hub.medium.nodes)
        other.join(1)
        other.send(1, b"x", to=0)
        client.send(1, bytes(2000), to=0)
        await until(lambda: len(other.problems) == 2 and len(client.problems) == 1)
        assert other.problems == ["node 1: node 1 is already on the network", "node 1: node 1 is not yours"]
        assert "1 to 1024 octets" in client.problems[0]
        assert client.connected
        assert hub.medium.nodes == {1: True}

    play(scene)


def test_nodes_vanish_with_their_connection_and_one_by_one():
    async def scene(hub, port):
        client = await connected(port)
        nodes = [client.join(number) for number in range(3)]
        await until(lambda: len(hub.medium.nodes) == 3)
        nodes[2].close()
        await until(lambda: hub.medium.nodes == {0: True, 1: True, 2: False})
        client.close()
        await until(lambda: not any(hub.medium.nodes.values()))
        again = await connected(port)
        again.join(2)
        await until(lambda: hub.medium.nodes[2])

    play(scene)


def test_who_watches_sees_figures_routes_and_every_transmission():
    async def scene(hub, port):
        client, watcher = await connected(port), await connected(port)
        nodes = [client.join(number) for number in range(10)]
        await until(lambda: len(hub.medium.nodes) == 10)
        carried, states = [], []
        watcher.watch(carried.append, lambda figures, routes: states.append((figures, routes)))
        await until(lambda: states)
        figures, routes = states[0]
        assert (figures.profile, figures.nodes, figures.sent, figures.time_factor) == ("prime", 10, 0, 50.0)
        assert [(route.node, route.parent, route.hops) for route in routes][-1] == (9, 1, 2)
        nodes[0].send(b"look", to=9)
        await until(lambda: len(carried) == 2)
        assert [(one.sender, one.receiver, one.result) for one in carried] == [(0, 1, "passed"), (1, 9, "arrived")]
        watcher.watch(None, lambda figures, routes: states.append((figures, routes)))
        await until(lambda: len(states) == 2)
        assert states[1][0].delivered == 1
        assert hub.medium.on_carried is None

    play(scene)


def test_routes_of_a_large_network_come_in_parts():
    async def scene(hub, port):
        client = await connected(port)
        for number in range(1500):
            client.join(number)
        await until(lambda: len(hub.medium.nodes) == 1500)
        states = []
        client.watch(None, lambda figures, routes: states.append(routes))
        await until(lambda: states)
        assert [route.node for route in states[0]] == list(range(1500))

    play(scene)


def test_a_client_that_speaks_like_a_hub_is_cut_off():
    async def scene(hub, port):
        lost = []
        client = await connected(port, lost.append)
        client._tell(Heard(b"x", 0, 0.0, ()))
        await until(lambda: lost)
        again = await connected(port, lost.append)
        again._protocol._transport.write(b"\xff" * 8)
        await until(lambda: len(lost) == 2)

    play(scene)


def test_the_same_decoder_is_on_both_sides():
    assert NeighbourhoodHub(preset("g3"))._engine()._decoder is NeighbourhoodWire()._decoder
