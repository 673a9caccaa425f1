"""Concentrators behind one another (N): over TCP and over the medium, end to end and without keys in between."""

import asyncio

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.nnap.api import ChildConfig, Nnap, NodeConfig
from meterway.nnap.cascade import ChildLink, Uplink
from meterway.stacks.dlms.client import Associated, Failed
from meterway.stacks.dlms.security.context import Keys
from nnap_network import Caller, LoopCarrier, nnap_config, street, until
from stacks.neighbourhood.toy_station import ToyStation

pytestmark = pytest.mark.covers("IF-N", "E-NNAP")

CHILD = b"NNAPCHLD"


def keys_of(node):
    return Keys(node.meter.keys.guek, node.meter.keys.gak)


async def reads(port, behind, keys, **more):
    async with Caller(port, client=3, behind=behind, keys=keys, **more) as through:
        assert isinstance(through.opened, Associated), through.opened
        return await through.get(1, "0-0:42.0.0")


def test_a_meter_behind_two_concentrators_is_read_end_to_end_over_tcp(tmp_path):
    async def work():
        (tmp_path / "below").mkdir(), (tmp_path / "above").mkdir()
        async with street(tmp_path / "below", meters=1) as (below, nodes):
            await until(lambda: nodes[0].servers)
            child = ChildConfig(eui=CHILD.hex(), serial="NNAP0002", host="127.0.0.1", port=below.port)
            async with street(tmp_path / "above", meters=0, children=(child,)) as (above, _):
                await until(lambda: above.children[CHILD].connected)
                behind = [CHILD, nodes[0].eui]
                assert nodes[0].meter.logical_device_name in await reads(above.port, behind, keys_of(nodes[0]))
                async with Caller(above.port, behind=[CHILD]) as itself:
                    assert isinstance(itself.opened, Associated), "the one below serves itself through the one above"
                await below.stop()
                async with Caller(above.port, client=3, behind=behind, keys=keys_of(nodes[0])) as gone:
                    assert isinstance(gone.opened, Failed)

    asyncio.run(work())


def test_a_concentrator_is_a_node_of_the_network_above(tmp_path):
    async def work():
        (tmp_path / "below").mkdir(), (tmp_path / "above").mkdir()
        async with street(tmp_path / "below", meters=1) as (below, nodes):
            carrier = LoopCarrier()
            listed = NodeConfig(eui=CHILD.hex(), serial="NNAP0002", role="nnap")
            config = nnap_config(tmp_path / "above", nodes=(listed,))
            above = Nnap(config, port=carrier.join(0, 0), station=lambda eui, admit: ToyStation(eui, admit=admit))
            await above.start()
            uplink = Uplink(ToyStation(CHILD), carrier.join(5), carrier, below._device, below.carry)
            below.attach_uplink(uplink)
            await until(lambda: above.device.station.members and nodes[0].servers)
            behind = [CHILD, nodes[0].eui]
            assert nodes[0].meter.logical_device_name in await reads(above.port, behind, keys_of(nodes[0]))
            async with Caller(above.port, behind=[CHILD]) as itself:
                assert isinstance(itself.opened, Associated)
            async with Caller(above.port, client=3, behind=[CHILD, b"NOBODY__"], keys=keys_of(nodes[0])) as nobody:
                assert isinstance(nobody.opened, Failed)
            await above.stop()

    asyncio.run(work())


def test_addresses_that_strangers_make_up_are_forgotten_and_what_waits_is_bounded():
    async def work():
        now, answers, writers = [0.0], [], []
        server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        link = ChildLink("127.0.0.1", server.sockets[0].getsockname()[1], lambda: now[0], answer_s=5.0)
        await link.connect()
        with pytest.raises(LocalProtocolError, match="wait"):
            for client in range(1000):
                link.carry(b"x", client=client, server=1, answer=lambda apdu, at: answers.append(apdu))
        now[0] = 6.0
        link.expire()
        assert len(answers) == 256
        assert link._waiting == {}
        link.close()
        for writer in writers:
            writer.close()
        server.close()

    asyncio.run(work())


def test_without_a_line_nothing_is_carried_and_what_waits_is_told():
    async def work():
        now, answers, writers = [0.0], [], []
        server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = ChildLink("127.0.0.1", port, lambda: now[0], answer_s=5.0)
        with pytest.raises(LocalProtocolError):
            link.carry(b"x", client=1, server=1, answer=lambda apdu, at: answers.append(apdu))
        await link.connect()
        link.carry(b"x", client=1, server=1, answer=lambda apdu, at: answers.append(apdu))
        link.expire()
        assert answers == []
        now[0] = 6.0
        link.expire()
        assert answers == [None]
        link.carry(b"x", client=1, server=1, answer=lambda apdu, at: answers.append(apdu))
        link.close()
        assert answers == [None, None]
        for writer in writers:
            writer.close()
        server.close()

    asyncio.run(work())
