"""Load controllers as a process: the local port, and a simulated neighbourhood's hub that comes and goes."""

import asyncio
import functools

import pytest

from home_loads import home_config
from meterway.base.errors import ConfigError
from meterway.home.api import HostConfig, ListenConfig, NetworkConfig, relays, running
from meterway.links import tcp
from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.pump import EngineProtocol
from meterway.mapping.home import RELAY_ALL
from meterway.stacks.dlms.client import ActionDone, Associated, ClientSettings, DlmsClient, GetDone
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor


def in_loop(test):
    """Run a test on a loop of its own."""

    @functools.wraps(test)
    def call(*given, **named):
        asyncio.run(test(*given, **named))

    return call


async def until(true):
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  the host tells nobody
            await asyncio.sleep(0.02)


async def switched(port, config):
    """Associate as the operator of the second device, switch off, read back."""
    settings = ClientSettings(
        mechanism=5, control=0x30, keys=Keys(config.keys.guek, config.keys.gak), system_title=b"MWYTEST1",
        send_counter=SendCounter(1), received=ReceivedCounter(),
    )  # fmt: skip
    client = DlmsClient(WrapperFraming(1, 2, role=Role.CLIENT), settings)
    loop = asyncio.get_running_loop()
    told, done = [], loop.create_future()

    def event(one):
        told.append(one)
        if isinstance(one, Associated):
            client.act(MethodDescriptor(70, RELAY_ALL, 1), b"\x0f\x00", now=loop.time())
        elif isinstance(one, ActionDone):
            client.get(AttributeDescriptor(70, RELAY_ALL, 2), now=loop.time())
        else:
            done.set_result(one)

    line = await tcp.connect(
        "127.0.0.1", port, lambda: EngineProtocol(client, event, on_made=lambda line: client.open(line.now()))
    )
    try:
        return await asyncio.wait_for(done, 10)
    finally:
        line.close()


@pytest.mark.covers("E-HAED", "F5b")
@in_loop
async def test_the_local_port_serves_each_device_by_its_number(tmp_path):
    configs = (home_config("H1"), home_config("H2", offset_s=0))
    config = HostConfig(devices=configs, listen=ListenConfig(), memory=tmp_path / "memory.json")
    async with running(config) as host:
        answer = await switched(host.port, configs[1])
        assert isinstance(answer, GetDone) and answer.result == b"\x03\x00"
        assert host.devices["H1"].closed == [True, True]
    async with running(config) as host:
        host.devices["H2"].advance(host.unix())
        assert host.devices["H2"].closed == [False, False]


@pytest.mark.covers("IF-H3")
@in_loop
async def test_devices_join_the_network_while_its_hub_is_there():
    hub = NeighbourhoodHub(preset("prime"))
    port = await hub.open()
    config = HostConfig(devices=(home_config(),), network=NetworkConfig(port=port, spread_s=0.0))
    async with running(config) as host:
        await until(lambda: host.nodes.nodes["H0001"].station is not None)
        assert host.connected
        await hub.close()
        await until(lambda: not host.connected)
        assert host.nodes.nodes["H0001"].station is None


@in_loop
async def test_a_port_that_is_taken_is_named():
    async with running(HostConfig(devices=(home_config(),), listen=ListenConfig())) as host:
        with pytest.raises(ConfigError):
            async with running(HostConfig(devices=(home_config(),), listen=ListenConfig(port=host.port))):
                pass
        assert relays(host.devices["H0001"], host.unix())[0].on
