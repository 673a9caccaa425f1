"""A host's meters on a hub's network: they come, go with the hub and come back."""

import asyncio
import time
from dataclasses import replace

import pytest

from meter.test_nodes import LOAD, ROOM, Concentrator
from meterway.base.errors import ConfigError, LinkError
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import stay as under_test
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.settings import preset
from meterway.meter.api import HostConfig, Keys, MeterConfig, MeterHost, NetworkConfig
from meterway.meter.counters import ClockCounters
from meterway.meter.device import Meter
from meterway.meter.network import MeterNetwork
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import Associated, GetDone
from meterway.stacks.neighbourhood.profiles import PROFILES
from stacks.neighbourhood.toy_station import HELLO, ToyStation

SECRET = bytes(range(16))


class Eager(ToyStation):
    """A toy that says hello every tenth of a second, and tells the key it was made with."""

    keys: list[bytes] = []

    def __init__(self, eui, key):
        super().__init__(eui)
        self.keys.append(key)

    def handle_timeout(self, now):
        super().handle_timeout(now)
        self._due = now + 0.1

    @property
    def coordinator(self):
        return next(iter(self.members), b"")


@pytest.fixture
def toy(monkeypatch):
    Eager.keys = []
    monkeypatch.setitem(PROFILES, "toy", replace(PROFILES["prime"], name="toy", node=Eager))
    monkeypatch.setattr(under_test, "_AGAIN_S", 0.1)
    assert HELLO == 0


def meters(count=2):
    return tuple(
        MeterConfig(serial=f"M{n}", keys=Keys.derive(SECRET, f"M{n}"), profile_days=1, join_key=bytes([n] * 16))
        for n in range(1, count + 1)
    )


async def until(condition):
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def hub_with_concentrator(port=0):
    hub = NeighbourhoodHub(preset("prime", loss=0.0, hops=2, max_frame=ROOM), time_factor=50.0)
    bound = await hub.open(port=port)
    client = NeighbourhoodClient()
    await client.connect(bound)
    return hub, bound, Concentrator(LoopClock(), client.join(0))


@pytest.mark.covers("IF-C", "E-MED")
def test_a_hosts_meters_join_are_read_say_their_last_gasp_and_come_back(toy):
    async def run():
        hub, port, concentrator = await hub_with_concentrator()
        config = NetworkConfig(port=port, profile="toy", node=1, spread_s=0.1, hold_s=0.3)
        host = MeterHost(HostConfig(meters=meters(), listen=(), network=config))
        async with asyncio.timeout(30):
            await host.start()
            assert host.endpoints == []
            await until(lambda: len(concentrator.joined) == 2)
            assert sorted(Eager.keys) == [bytes([1] * 16), bytes([2] * 16)]
            meter = host.meters["M1"]
            client = concentrator.open(meter)
            await until(lambda: concentrator.of(Associated))
            concentrator.get(client, LOAD)
            await until(lambda: concentrator.of(GetDone))
            assert len(axdr.to_native(concentrator.of(GetDone)[0].result)[0]) == 96
            host.cut_supply("M1")
            await until(lambda: concentrator.pushed)
            assert concentrator.pushed[0].eui == meter.title
            await until(lambda: not hub.medium.nodes[1])
            host.restore_supply("M1")
            await until(lambda: concentrator.joined.count(meter.title) > 1)
            await host.stop(last_gasp=True)
            await until(lambda: len({push.eui for push in concentrator.pushed}) == 2)
            await until(lambda: not hub.medium.nodes[2])
        await hub.close()

    asyncio.run(run())


def test_meters_leave_when_the_hub_goes_and_are_there_again_when_it_is(toy):
    async def run():
        hub, port, concentrator = await hub_with_concentrator()
        config = NetworkConfig(port=port, profile="toy", spread_s=0.0)
        network = MeterNetwork(config, LoopClock(), ClockCounters(time.time))
        node = network.add(Meter(meters()[0]))
        assert node.station is None
        async with asyncio.timeout(30):
            network.open()
            await until(lambda: node.is_member)
            await hub.close()
            await until(lambda: not network.connected and node.station is None)
            with pytest.raises(LinkError, match="not there"):
                node.enter()
            hub, _, concentrator = await hub_with_concentrator(port)
            await until(lambda: concentrator.joined)
            await network.close()
            await until(lambda: not hub.medium.nodes[1])
        await hub.close()

    asyncio.run(run())


def test_there_are_only_so_many_nodes(toy):
    async def run():
        config = NetworkConfig(port=1, profile="toy", node=65534)
        network = MeterNetwork(config, LoopClock(), ClockCounters(time.time))
        first, second = meters()
        network.add(Meter(first))
        with pytest.raises(ConfigError, match="no node 65535 for meter M2"):
            network.add(Meter(second))
        await network.close()

    asyncio.run(run())
