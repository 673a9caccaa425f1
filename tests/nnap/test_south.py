"""The concentrator's place behind a hub: it comes back with the hub, and tells the routes of the medium's model."""

import asyncio

import pytest

from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.meter.config import HostConfig
from meterway.meter.config import NetworkConfig as MeterNetworkConfig
from meterway.meter.serve import MeterHost
from meterway.nnap.api import NetworkConfig, Nnap
from meterway.nnap.events import Code
from meterway.nnap.south import HubPlace
from nnap_network import meter_config, nnap_config, until

pytestmark = pytest.mark.covers("E-NNAP", "IF-C")


async def opened(port=0):
    hub = NeighbourhoodHub(preset("prime", hops=2), time_factor=50.0)
    return hub, await hub.open(port=port)


def test_what_is_sent_while_the_hub_is_away_is_lost_and_later_frames_arrive():
    async def work():
        hub, port = await opened()
        one, other = (HubPlace(NetworkConfig(port=port, node=number, retry_s=0.1, routes_s=0.1)) for number in (0, 1))
        heard, told = [], []
        other.listen(heard.append)
        one.on_change = told.append
        one.send(b"nobody is there yet", to=1)
        for place in (one, other):
            place.open()
        await until(lambda: len(hub.medium.nodes) == 2)
        one.send(b"first", to=1)
        await until(lambda: [frame.octets for frame in heard] == [b"first"])
        await until(lambda: [(way.node, way.parent, way.hops) for way in one.routes()][-1:] == [(1, 0, 1)])
        await hub.close()
        await until(lambda: not one.connected and not other.connected)
        assert one.routes() == []
        one.send(b"lost", to=1)
        hub, _ = await opened(port)
        await until(lambda: one.connected and other.connected and len(hub.medium.nodes) == 2)
        one.send(b"second", to=1)
        await until(lambda: [frame.octets for frame in heard] == [b"first", b"second"])
        assert told == [True, False, True]
        for place in (one, other):
            place.close()
        await hub.close()

    asyncio.run(work())


def test_a_concentrator_and_its_meters_come_back_after_the_medium_was_gone(tmp_path):
    async def work():
        hub, port = await opened()
        configs = [meter_config(number) for number in (1, 2, 3)]
        network = NetworkConfig(port=port, time_factor=50.0, retry_s=0.2, routes_s=0.2)
        nnap = Nnap(nnap_config(tmp_path, configs, network=network))
        meters = MeterHost(
            HostConfig(
                meters=tuple(configs), listen=(), network=MeterNetworkConfig(port=port, time_factor=50.0, spread_s=0.1)
            )
        )
        await nnap.start()
        await meters.start()
        roll = list(nnap.ledger.roll)
        await until(lambda: all(node.turn.read_s for node in roll), 60)
        numbers = {0: b"", **{node.member.node: node.eui for node in roll}}

        def ways():
            return {numbers[way.node]: (numbers[way.parent], way.hops) for way in hub.routes() if way.hops}

        await until(lambda: len(ways()) == 3 and {node.eui: (node.parent, node.hops) for node in roll} == ways())
        assert all(0 < node.link <= 1 for node in roll)
        assert nnap.site.node_rows()[-1].quality == round(roll[-1].link * 100)
        await hub.close()
        await until(lambda: not nnap._hubs[0].connected)
        hub, _ = await opened(port)
        since = nnap.now()
        for node in roll:
            node.turn.read_s = node.turn.next_s = 0.0
        await until(lambda: all(node.joined_s >= since and node.turn.read_s for node in roll), 60)
        codes = [event.code for event in nnap.device.events] + [event.code for event in nnap.store.events()]
        assert Code.NETWORK_LOST in codes
        assert codes.count(Code.NETWORK_BACK) == 2
        await meters.stop()
        await nnap.stop()
        await hub.close()

    asyncio.run(work())
