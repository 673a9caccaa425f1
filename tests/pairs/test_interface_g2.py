"""A concentrator and a head end meet on sockets: nodes, mirrors, end to end, orders by broadcast, reports, calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.headend.config import (
    BulkConfig,
    CallsConfig,
    CollectConfig,
    HeadEndConfig,
    PushConfig,
    WebConfig,
)
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.groups import Group, OrderWanted, keep
from meterway.headend.route import Way
from meterway.headend.serve import HeadEnd
from meterway.headend.web.server import serve
from meterway.headend.web.tokens import new_token
from meterway.mapping.alarms import AlarmKind
from meterway.nnap.api import AlarmConfig, ReportConfig, WakeConfig
from meterway.nnap.node import Proposal
from meterway.store.devices import GATEWAY, NewDevice
from nnap_network import BROADCAST_KEYS, PARTY, street, until

pytestmark = pytest.mark.covers("IF-G2", "IF-C", "E-NNAP", "E-HES-2", "E-HES-3")

ENERGY = Command(obis=Obis(1, 0, 1, 8, 0))
SECRET = bytes.fromhex(PARTY.secret)


def head_end(path: Path, **changes: Any) -> HeadEnd:
    given: dict[str, Any] = {
        "store": str(path / "head.sqlite"), "master_key": str(path / "head.key"), "push": PushConfig(enabled=False),
        "collect": CollectConfig(enabled=False, history_days=2), "web": WebConfig(port=0),
    }  # fmt: skip
    return HeadEnd(HeadEndConfig(**(given | changes)))


def register(head: HeadEnd, port: int, nodes: list[Any], **given: Any) -> None:
    """The concentrator with the party's secret, and the meters with their own keys."""
    keys = keys_behind(SECRET, "operator", "NNAP0001", "NNAP0001") | {
        MASTER: SECRET, "gbek": BROADCAST_KEYS.encryption, "gbak": BROADCAST_KEYS.authentication,
    }  # fmt: skip
    sealed = head.vault.seal_all("NNAP0001", keys)
    nnap = NewDevice(
        serial="NNAP0001", utility=GATEWAY, profile="nnap", host="127.0.0.1", port=port, keys=sealed, **given
    )
    head.store.devices.add(nnap, now_ms=1)
    for node in nodes:
        own = node.meter.config
        keys = {"guek": own.keys.guek, "gak": own.keys.gak}
        head.store.devices.add(
            NewDevice(
                serial=own.serial, profile="idis", keys=head.vault.seal_all(own.serial, keys), host="127.0.0.1",
                port=port,
            ),
            now_ms=1,
        )  # fmt: skip


def meet(path: Path, work: Callable[[HeadEnd, Any, list[Any]], Coroutine[Any, Any, None]]) -> None:
    async def live() -> None:
        async with street(path) as (nnap, nodes):
            await until(lambda: all(node.turn.read_s for node in nnap.ledger.roll))
            head = head_end(path)
            register(head, nnap.port, nodes)
            await head.start()
            try:
                await work(head, nnap, nodes)
            finally:
                await head.stop()

    asyncio.run(live())


@pytest.mark.covers("F1a", "UC-BI-01")
def test_nodes_are_found_and_read_both_ways(tmp_path: Path) -> None:
    async def work(head: HeadEnd, nnap: Any, nodes: list[Any]) -> None:
        found = await head.collect_now("NNAP0001")
        assert (found["cause"], found["error"]) == ("ok", "")
        assert [each.serial for each in head.store.devices.children(1)] == ["M00001", "M00002"]
        own = await head.collect_now("M00001")
        assert (own["cause"], own["error"]) == ("ok", "")
        direct = await head.read("M00001", ENERGY, actor="t")
        mirrored = await head.read("M00001", ENERGY, actor="t", way=Way.MIRROR)
        assert direct.value is not None
        assert mirrored.age_s is not None
        assert mirrored.age_s < 120
        entry = head.fleet.for_collection(head.store.devices.by_serial("M00002").id)
        head.fleet.prepare([entry])
        harvest = await head.collector.collect(entry, None, head.planner(entry))
        assert harvest.outcome.cause == "ok"
        stored = await head.collector.keep([harvest])
        assert stored.values > 90
        assert [step.serial for step in Views(head).meter("M00002").chain] == ["NNAP0001", "M00002"]

    meet(tmp_path, work)


@pytest.mark.covers("F4a", "E-HES-4")
def test_a_command_goes_end_to_end_while_the_concentrator_reads_as_another_client(tmp_path: Path) -> None:
    async def live() -> None:
        async with street(tmp_path, meters=1) as (nnap, meters):
            await until(lambda: all(node.turn.read_s for node in nnap.ledger.roll))
            head = head_end(tmp_path)
            register(head, nnap.port, meters)
            await head.start()
            await head.collect_now("NNAP0001")
            switch = Command(obis=Obis(0, 0, 96, 3, 10), class_id=70, method="remote_disconnect")
            assert (await head.act("M00001", switch, actor="t")).refusal == ""
            state = Command(obis=switch.obis, class_id=70, attribute="output_state")
            assert (await head.read("M00001", state, actor="t")).value is False
            await head.stop()

    asyncio.run(live())


@pytest.mark.covers("F4f", "E-HES-13")
def test_an_order_by_broadcast_is_done_by_all_and_confirmed_by_reading_back(tmp_path: Path) -> None:
    async def work(head: HeadEnd, nnap: Any, nodes: list[Any]) -> None:
        await head.collect_now("NNAP0001")
        keep(head.store, Group(name="street", nnaps=("NNAP0001",)))
        begun = await head.orders.begin("street", OrderWanted(kind="disconnect"), actor="t")
        await until(lambda: head.orders.report(begun.id).state not in ("waiting", "running"), 60.0)
        done = head.orders.report(begun.id)
        (part,) = done.parts
        assert (done.state, part.way, part.state, part.confirmed) == ("done", "broadcast", "done", 2), part

    meet(tmp_path, work)


@pytest.mark.covers("E-NNAP-8", "E-HES-5", "SEC-09")
def test_an_alarm_is_pushed_while_the_head_end_is_away_and_arrives_once_it_is_back(tmp_path: Path) -> None:
    async def live() -> None:
        first = head_end(tmp_path, push=PushConfig(port=0))
        await first.start()
        port = first.push.port
        await first.stop()
        alarms = AlarmConfig(push_port=port, party="operator", look_s=0.05, start_s=0, lost_s=0.2, hold_s=0.2)
        async with street(tmp_path, alarms=alarms) as (nnap, nodes):
            nnap.device.proposals[b"STRANGER"] = Proposal(eui=b"STRANGER", first_s=0, last_s=nnap.now())
            await until(lambda: nnap.store.spooled_alarms("push"))
            head = head_end(tmp_path, push=PushConfig(port=port))
            register(head, nnap.port, nodes, system_title=nnap.site.title(0))
            await head.start()
            await until(lambda: head.store.alarms.standing(), 45.0)
            (row,) = head.store.alarms.standing()
            assert (row.kind, row.subject) == (AlarmKind.STRANGER, b"STRANGER".hex())
            (event,) = head.store.events.of_device(row.device, limit=5)
            assert (event.log, event.code) == ("push", 0b1000)
            nnap.device.proposals.clear()
            await until(lambda: not head.store.alarms.standing(), 45.0)
            assert head.store.alarms.of_device(row.device)[0].cleared_ms > row.raised_ms
            found = await head.collect_now("NNAP0001")  # the same, read of its objects, changes nothing
            assert (found["cause"], found["error"]) == ("ok", "")
            assert len(head.store.alarms.of_device(row.device)) == 1
            await head.stop()

    asyncio.run(live())


def test_reports_arrive_are_kept_once_and_forgotten_by_their_sender(tmp_path: Path) -> None:
    async def live() -> None:
        tokens = tmp_path / "tokens"
        token = new_token(tokens, "NNAP0001")
        head = head_end(tmp_path, bulk=BulkConfig(tokens=str(tokens)))
        pages = await serve(head)
        report = ReportConfig(url=f"{pages.address}g2/reports", token=token, every_s=0.5, retry_s=0.5)
        async with street(tmp_path, report=report) as (nnap, nodes):
            register(head, nnap.port, nodes)
            await head.collect_now("NNAP0001")
            meter = head.store.devices.by_serial("M00001").id

            def present() -> int:
                days = head.store.blocks.read_range(meter, 0, 40000)
                return sum(int(day.block.channels[0].present.sum()) for day in days)

            await until(lambda: present() >= 90 and not nnap.ledger.store.reports(), 40.0)
            assert head.delivery.results["refused"] == 0, list(head.live.recent)
            assert {day.revision for day in head.store.blocks.read_range(meter, 0, 40000)} == {1}
        await pages.stop()
        await head.stop()

    asyncio.run(live())


@pytest.mark.covers("E-HES-5")
def test_a_concentrator_that_only_calls_in_is_woken_and_read_on_its_own_line(tmp_path: Path) -> None:
    async def live() -> None:
        head = head_end(tmp_path, calls=CallsConfig(port=0, enabled=True))
        await head.start()
        wake = WakeConfig(port=head.calls.port, party="operator", listen_port=_free())
        async with street(tmp_path, wake=wake) as (nnap, nodes):
            await until(lambda: all(node.turn.read_s for node in nnap.ledger.roll))
            flags = {"wake": f"127.0.0.1:{wake.listen_port}"}
            register(head, 1, nodes, flags=flags, system_title=nnap.site.title(0))
            found = await head.collect_now("NNAP0001")
            assert (found["cause"], found["error"]) == ("ok", "")
            assert head.live.counts["call"] == 1
            assert (await head.read("M00001", ENERGY, actor="t")).value is not None
        await head.stop()

    asyncio.run(live())


def _free() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
