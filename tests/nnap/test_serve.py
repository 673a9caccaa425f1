"""The concentrator as a process on sockets: a head end reads it, its mirrors, and meters through it."""

import asyncio
import contextlib
import hashlib
import random

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.neighbourhood import GroupOrder, NodeState, OrderState, decode_nodes, decode_reports
from meterway.nnap.api import Nnap
from meterway.nnap.broadcast import time_request
from meterway.nnap.config import SideConfig
from meterway.nnap.events import Code
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import Associated, Failed
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from nnap_network import PARTY, READER, Caller, nnap_config, street, until

pytestmark = pytest.mark.covers("E-NNAP", "IF-G2", "IF-C")

LOAD = Obis(1, 0, 99, 1, 0)


def run(work):
    return asyncio.run(work)


def all_read(nnap):
    return all(node.turn.read_s for node in nnap.ledger.roll)


@pytest.mark.covers("E-NET-WAN")
def test_a_head_end_reads_the_concentrator_a_mirror_and_a_meter_through_it(tmp_path):
    async def work():
        async with street(tmp_path) as (nnap, nodes):
            await until(lambda: all_read(nnap))
            async with Caller(nnap.port) as own:
                assert isinstance(own.opened, Associated)
                rows = decode_nodes(await own.get(1, "0-0:128.5.0"))
                assert [(row.serial, row.state, row.sap) for row in rows] == [
                    ("M00001", NodeState.MEMBER, 2),
                    ("M00002", NodeState.MEMBER, 3),
                ]
                saps = axdr.to_native(await own.get(17, "0-0:41.0.0"))[0]
                assert [entry[0] for entry in saps] == [1, 2, 3]
                assert axdr.to_native(await own.get(1, "0-0:96.1.0"))[0] == b"NNAP0001"
                joined = axdr.to_native(await own.get(7, "0-0:99.98.1"))[0]
                assert 206 in [row[1] for row in joined]
                assert isinstance(await own.get(15, "0-0:40.0.0"), bytes)
            async with Caller(nnap.port, server=2, name="M00001") as mirror:
                mirrored = await mirror.get(7, "1-0:99.1.0")
                columns = await mirror.get(7, "1-0:99.1.0", 3)
                energy = await mirror.get(3, "1-0:1.8.0", 3)
                assert isinstance(await mirror.get(8, "0-0:1.0.0"), bytes)
                assert axdr.to_native(await mirror.get(3, "0-0:128.0.0"))[0] < 60
                assert await mirror.get(3, "1-0:77.7.7") is DataAccessResult.OBJECT_UNDEFINED
            config = nodes[0].meter.config
            keys = Keys(config.keys.guek, config.keys.gak)
            async with Caller(nnap.port, client=3, behind=[nodes[0].eui], keys=keys) as through:
                assert isinstance(through.opened, Associated)
                own_rows = await through.get(7, "1-0:99.1.0")
                assert await through.get(7, "1-0:99.1.0", 3) == columns
                assert await through.get(3, "1-0:1.8.0", 3) == energy
            assert len(axdr.to_native(mirrored)[0]) == 96
            assert mirrored[3:] == own_rows[-len(mirrored) + 3 :], "the last rows of the meter, octet for octet"

    run(work())


def test_who_is_no_party_has_no_right_or_wrong_keys_gets_nothing(tmp_path):
    async def work():
        async with street(tmp_path, meters=1) as (nnap, _):
            await until(lambda: all_read(nnap))
            async with Caller(nnap.port, keys=Keys(bytes(16), bytes(16))) as wrong:
                assert isinstance(wrong.opened, Failed)
            async with Caller(nnap.port, client=9) as nobody:
                assert isinstance(nobody.opened, Failed)
            async with Caller(nnap.port, client=2, party=READER) as reader:
                assert isinstance(await reader.get(1, "0-0:128.5.0"), bytes)
                value = axdr.encode(axdr.u32(0))
                for obis in ("0-0:128.6.0", "0-0:128.7.0"):
                    assert await reader.set(1, obis, value) is DataAccessResult.READ_WRITE_DENIED
                denied = await reader.act(18, "0-1:44.0.0", 3, axdr.encode(axdr.i8(0)))
                assert denied is ActionResult.READ_WRITE_DENIED
            async with Caller(nnap.port, server=1, client=3, behind=[b"NOBODY__"]) as away:
                assert isinstance(away.opened, Failed)
            nnap.tick()
            codes = [event.code.name for event in nnap.store.events(security=True)]
            assert "ACCESS_DENIED" in codes

    run(work())


def test_an_order_to_a_group_is_passed_on_to_all_meters(tmp_path):
    async def work():
        async with street(tmp_path) as (nnap, nodes):
            await until(lambda: all_read(nnap))
            for node in nodes:
                node.meter.clock_offset_s = 5.0
            apdu = time_request(nnap.broadcaster, nnap.now(), 0.0)
            now = int(nnap.now())
            order = GroupOrder(id=b"1", apdu=apdu, not_before=now, expires=now + 60, client=102, repeats=0)
            async with Caller(nnap.port) as own:
                done = await own.set(1, "0-0:128.6.0", axdr.encode(order.encode()))
                assert done is DataAccessResult.SUCCESS
                await until(lambda: all(abs(one.meter.clock_error_s(nnap.now())) < 2 for one in nodes))
                (report,) = decode_reports(await own.get(1, "0-0:128.6.0"))
                assert report.state is OrderState.SENT
                wrong = await own.set(1, "0-0:128.6.0", axdr.encode(axdr.u32(1)))
                assert wrong is DataAccessResult.TYPE_UNMATCHED

    run(work())


@pytest.mark.covers("E-NNAP-6")
@pytest.mark.parametrize("profile", ["idis", "idis-parity"])
def test_firmware_from_the_head_end_reaches_all_meters(tmp_path, profile):
    async def work():
        async with street(tmp_path, profile=profile) as (nnap, nodes):
            await until(lambda: all_read(nnap))
            hears = nodes[0].stationed._port
            whole, count = hears.on_frame, iter(range(1000))
            hears.on_frame = lambda frame: None if frame.is_broadcast and next(count) % 3 == 2 else whole(frame)
            body = random.Random(1).randbytes(500)
            image = body + hashlib.sha256(body).digest()
            async with Caller(nnap.port) as own:
                opening = axdr.encode(axdr.structure(axdr.octets(b"MWY-3"), axdr.u32(len(image))))
                assert await own.act(18, "0-1:44.0.0", 1, opening) is ActionResult.SUCCESS
                for number in range(5):
                    part = image[number * 128 : (number + 1) * 128]
                    block = axdr.encode(axdr.structure(axdr.u32(number), axdr.octets(part)))
                    assert await own.act(18, "0-1:44.0.0", 2, block) is ActionResult.SUCCESS
                assert await own.act(18, "0-1:44.0.0", 4, axdr.encode(axdr.i8(0))) is ActionResult.SUCCESS
            await until(lambda: all(node.meter.firmware == b"MWY-3" for node in nodes))
            await until(lambda: nnap.campaigns.running is None)

    run(work())


def test_a_port_that_is_taken_is_said_and_nothing_stays_open(tmp_path):
    async def work():
        async with street(tmp_path, meters=0) as (nnap, _):
            config = nnap_config(tmp_path / "other", wan=type(nnap.config.wan)(port=nnap.port))
            (tmp_path / "other").mkdir()
            other = Nnap(config)
            with pytest.raises(ConfigError, match=str(nnap.port)):
                await other.start()

    run(work())


def test_a_restart_goes_on_where_it_was(tmp_path):
    async def work():
        async with street(tmp_path, parties=(PARTY,)) as (nnap, _):
            await until(lambda: all_read(nnap))
            rows = nnap.store.count_rows(1, LOAD)
        async with street(tmp_path, parties=(PARTY,)) as (nnap, _):
            assert nnap.store.count_rows(1, LOAD) == rows
            assert nnap.ledger.roll.by_serial("M00001").mirror.learned
            await until(lambda: nnap.ledger.roll.by_serial("M00001").turn.next_s > nnap.now())
            assert nnap.store.count_rows(1, LOAD) in (rows, rows + 1)

    run(work())


@pytest.mark.covers("E-HES-5")
def test_what_a_meter_says_by_itself_reaches_the_line_of_the_head_end(tmp_path):
    async def work():
        async with street(tmp_path, meters=1) as (nnap, nodes):
            await until(lambda: all_read(nnap))
            push = b"\xdb\x08" + nodes[0].eui + b"\x05\x30\x00\x00\x00\x01"
            own = nodes[0].stationed

            def say():
                own.station.send_apdu(nnap.config.own_eui, push, client=1, server=1, now=nnap.now())
                own.flush()

            say()
            await until(lambda: nnap._notices)
            reader, writer = await asyncio.open_connection("127.0.0.1", nnap.port)
            await until(lambda: nnap._lines)
            say()
            await until(lambda: len(nnap._notices) == 2)
            with pytest.raises(TimeoutError):  # a stranger's line hears nothing, and takes nothing from the head end
                await asyncio.wait_for(reader.read(200), 0.3)
            writer.close()
            async with Caller(nnap.port, client=READER.client, party=READER) as reader:
                assert isinstance(reader.opened, Associated)  # who may only read is not told either
                say()
                await until(lambda: len(nnap._notices) == 3)
            heard = []
            async with Caller(nnap.port, push=heard.append) as head:
                assert isinstance(head.opened, Associated)
                await until(lambda: len(heard) == 3)  # what waited
                say()
                await until(lambda: len(heard) == 4)
                assert (len(nnap._notices), set(heard)) == (0, {push})

    run(work())


def test_one_turn_of_the_clock_that_fails_is_said_and_does_not_end_the_others(tmp_path, caplog, monkeypatch):
    async def work():
        monkeypatch.setattr("meterway.nnap.serve._TICK_S", 0.01)
        async with street(tmp_path, meters=0) as (nnap, _):
            turns = []

            def fails():
                turns.append(1)
                raise ValueError("not foreseen")

            monkeypatch.setattr(nnap, "tick", fails)
            await until(lambda: len(turns) > 2)

    run(work())
    assert "not foreseen" in caplog.text


@pytest.mark.covers("SEC-03", "SEC-11")
def test_who_is_not_on_the_list_is_cut_before_a_word_and_logged_once(tmp_path):
    async def work():
        async with street(tmp_path, wan=SideConfig(port=0, allow=("127.0.0.9",), idle_s=0.5)) as (nnap, _):
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", nnap.port)
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()
            found = [event for event in nnap.device.events if event.code == Code.ACCESS_DENIED]
            found += [event for event in nnap.store.events() if event.code == Code.ACCESS_DENIED]
            assert [event.detail for event in found] == ["127.0.0.1 on the port of the head end"]
            reader, writer = await asyncio.open_connection("127.0.0.1", nnap.port, local_addr=("127.0.0.9", 0))
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b"", "silent lines are cut"
            writer.close()

    run(work())
