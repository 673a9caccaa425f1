"""Nodes that are on a hub's network while it is there."""

import asyncio

import pytest

from meterway.base.errors import LinkError
from meterway.links.medium.neighbourhood import stay as under_test
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.settings import preset
from meterway.links.medium.neighbourhood.stay import HubStay


class Node:
    def __init__(self):
        self.told = []

    def enter_after(self, seconds):
        self.told.append(seconds)

    def leave(self):
        self.told.append("left")


async def until(what):
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


def test_nodes_come_with_the_hub_vanish_with_it_and_come_back(monkeypatch):
    monkeypatch.setattr(under_test, "_AGAIN_S", 0.05)

    async def live():
        nodes = [Node(), Node()]
        hub = NeighbourhoodHub(preset("prime"))
        port = await hub.open()
        stay = HubStay("127.0.0.1", port, lambda: nodes, spread_s=3.0)
        with pytest.raises(LinkError, match="not there"):
            stay.join(1)
        stay.open()
        await until(lambda: all(node.told for node in nodes))
        assert all(0.0 <= seconds <= 3.0 for node in nodes for seconds in node.told)
        assert stay.connected
        assert stay.join(1).node == 1
        await hub.close()
        await until(lambda: all(node.told[-1] == "left" for node in nodes))
        assert not stay.connected
        again = NeighbourhoodHub(preset("prime"))
        assert await again.open(port=port) == port
        await until(lambda: all(len(node.told) == 3 for node in nodes))
        await stay.stop()
        stay.close()
        assert not stay.connected
        await again.close()

    asyncio.run(live())


def test_a_hub_that_is_away_is_looked_for_until_it_is_stopped(monkeypatch, caplog):
    monkeypatch.setattr(under_test, "_AGAIN_S", 0.01)

    async def live():
        hub = NeighbourhoodHub(preset("prime"))
        port = await hub.open()
        await hub.close()
        stay = HubStay("127.0.0.1", port, lambda: [], spread_s=0.0)
        stay.open()
        await until(lambda: len(caplog.records) > 2)
        await stay.stop()
        stay.close()

    asyncio.run(live())
