"""Concentrators behind one another (N): over TCP and over the medium, end to end and without keys in between."""

import asyncio

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.mapping.neighbourhood import NodeState
from meterway.nnap.api import ChildConfig, Nnap, NodeConfig
from meterway.nnap.cascade import ChildLink, Uplink
from meterway.stacks.dlms.client import Associated, Failed
from meterway.stacks.dlms.gateway import REQUEST, RESPONSE, GatewayAddress
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.wrapper.frame import encode_frame
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


@pytest.mark.covers("E-NNAP-7")
def test_a_meter_behind_two_concentrators_is_read_end_to_end_over_tcp(tmp_path):
    async def work():
        (tmp_path / "below").mkdir(), (tmp_path / "above").mkdir()
        async with street(tmp_path / "below", meters=1) as (below, nodes):
            await until(lambda: nodes[0].servers)
            child = ChildConfig(eui=CHILD.hex(), serial="NNAP0002", host="127.0.0.1", port=below.port)
            async with street(tmp_path / "above", meters=0, children=(child,)) as (above, _):
                await until(lambda: above.children[CHILD].connected)
                (row,) = above.site.node_rows()
                assert (row.serial, row.eui, row.state, row.quality) == ("NNAP0002", CHILD, NodeState.CASCADE, 100)
                assert row.joined > 0
                behind = [CHILD, nodes[0].eui]
                assert nodes[0].meter.logical_device_name in await reads(above.port, behind, keys_of(nodes[0]))
                async with Caller(above.port, behind=[CHILD]) as itself:
                    assert isinstance(itself.opened, Associated), "the one below serves itself through the one above"
                assert above.children[CHILD].carried >= 6
                await below.stop()
                await until(lambda: not above.children[CHILD].connected)
                (row,) = above.site.node_rows()
                assert (row.state, row.quality) == (NodeState.AWAY, 0)
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
        assert len(link._relays) == 0
        link.close()
        for writer in writers:
            writer.close()
        server.close()

    asyncio.run(work())


def test_what_is_said_unasked_behind_a_concentrator_goes_up_and_answers_nothing():
    async def work():
        heard, answers, writers = [], [], []
        server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        link = ChildLink("127.0.0.1", server.sockets[0].getsockname()[1], lambda: 7.0)
        link.on_notification = lambda event: heard.append(event.apdu)
        await link.connect()
        await until(lambda: writers)
        meter = GatewayAddress(b"MWYMETER")
        asked, answer = meter.prefix(REQUEST) + b"\x60\x00", meter.prefix(RESPONSE) + b"\x61\x00"
        push = meter.prefix(RESPONSE) + b"\xdb\x08MWYMETER\x00"
        link.carry(asked, client=1, server=1, answer=lambda apdu, at: answers.append(apdu))
        for apdu in (push, answer):
            writers[0].write(encode_frame(1, 1, apdu))
        await until(lambda: answers)
        assert (heard, answers) == ([push], [answer])
        assert (link.carried, link.octets) == (3, len(asked) + len(push) + len(answer))
        link.close()
        writers[0].close()
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
