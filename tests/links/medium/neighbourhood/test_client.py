import asyncio

import pytest

from meterway.base.errors import LinkError
from meterway.links import tcp
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.wire import Heard, Join, Leave, NeighbourhoodWire, Refused, Send
from meterway.links.node import NodePort
from meterway.links.pump import EngineProtocol


async def until(condition):
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def test_without_a_hub_there_is_no_place():
    client = NeighbourhoodClient()
    assert not client.connected
    with pytest.raises(LinkError, match="neighbourhood hub is not there"):
        client.join(1)
    client.close()


def test_a_client_says_what_its_nodes_do_and_hands_them_what_the_hub_says():
    async def play():
        said, made = [], []
        engine = NeighbourhoodWire()
        listener = await tcp.listen(None, 0, lambda: EngineProtocol(engine, said.append, on_made=made.append))
        lost = asyncio.get_running_loop().create_future()
        client = NeighbourhoodClient(lost.set_result)
        await client.connect(listener.port)
        port: NodePort = client.join(7, (2.0, 55.0))
        heard = []
        port.listen(heard.append)
        port.send(b"hello", to=0, urgent=True)
        async with asyncio.timeout(10):
            await until(lambda: len(said) >= 2)
            assert said == [Join(7, (2.0, 55.0)), Send(7, 0, b"hello", True)]
            engine.tell(Heard(b"answer", 0, 12.5, ((7, 3), (8, 1))))
            engine.tell(Refused(7, "no"))
            made[0].flush()
            await until(lambda: client.problems)
            assert [(frame.octets, frame.source, frame.hops) for frame in heard] == [(b"answer", 0, 3)]
            assert client.problems == ["node 7: no"]
            port.close()
            port.close()
            with pytest.raises(LinkError, match="node 7"):
                port.send(b"x", to=0)
            await until(lambda: said[-1] == Leave(7))
            engine.tell(Join(1))
            made[0].flush()
            assert "only a client" in await lost
        listener.close()

    asyncio.run(play())


def test_an_old_port_does_not_close_a_new_one():
    async def play():
        said = []
        listener = await tcp.listen(None, 0, lambda: EngineProtocol(NeighbourhoodWire(), said.append))
        client = NeighbourhoodClient()
        await client.connect(listener.port)
        old = client.join(7)
        new = client.join(7)
        old.close()
        new.close()
        async with asyncio.timeout(10):
            await until(lambda: Leave(7) in said)
        assert said == [Join(7), Join(7), Leave(7)]
        client.close()
        listener.close()

    asyncio.run(play())
