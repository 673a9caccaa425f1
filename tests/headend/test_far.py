"""A head end and a concentrator on sockets: nodes found, read through the prefix, or from their mirrored data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headend.nnap_double import Double, living, meter
from meterway.base.errors import MeterwayError
from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig
from meterway.headend.route import Way
from meterway.headend.serve import HeadEnd

pytestmark = pytest.mark.covers("IF-G2", "IF-C", "F1a", "E-HES-2", "E-HES-3")

ENERGY = Command(obis=Obis(1, 0, 1, 8, 0))


def meet(tmp_path: Path, work: Callable[[HeadEnd], Coroutine[Any, Any, None]], *doubles: Double, **given: Any) -> None:
    async def run() -> None:
        async with living(tmp_path, *doubles, **given) as head:
            await work(head)

    asyncio.run(run())


def test_its_nodes_are_found_and_read_end_to_end_with_their_own_keys(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"), meter("M2"))

    async def work(head: HeadEnd) -> None:
        assert (await head.collect_now("N1"))["cause"] == "ok"
        assert [child.serial for child in head.store.devices.children(1)] == ["M1", "M2"]
        done = await head.collect_now("M1")
        assert (done["cause"], done["error"]) == ("ok", "")
        assert int(done["values"]) > 96
        answered = await head.read("M2", ENERGY, actor="t")
        assert answered.value is not None
        assert answered.age_s is None
        assert double.prefixed > 10
        traffic = {row.label: row for row in Views(head).traffic()}
        assert (traffic["G2"].sessions, traffic["G2"].entities) == (3, 1)
        assert traffic["I"].sessions == 0

    meet(tmp_path, work, double)


def test_a_command_goes_end_to_end_and_a_mirrored_value_says_its_age(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"), mirrored=True)

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        mirrored = await head.read("M1", ENERGY, actor="t", way=Way.MIRROR)
        assert mirrored.age_s == 60
        assert double.prefixed == 0
        own = await head.read("M1", ENERGY, actor="t")
        assert own.age_s is None
        assert double.prefixed > 0
        switch = Command(obis=Obis(0, 0, 96, 3, 10), class_id=70, method="remote_disconnect")
        assert (await head.act("M1", switch, actor="t")).refusal == ""

    meet(tmp_path, work, double)


def test_scheduled_collection_reads_the_mirror_and_takes_its_age_off(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"), mirrored=True)

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        head.collector.wake()
        async with asyncio.timeout(60):
            while head.collector.progress.contacts < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert double.prefixed == 0
        device = head.store.devices.by_serial("M1")
        readings = {each.obis.short: each for each in head.store.readings.latest(device.id)}
        energy = readings["1-0:1.8.0"]
        assert b'"mirror"' in energy.evidence
        assert head.store.contacts.of_device(device.id)[0].started_ms - energy.time_ms > 50_000
        assert head.store.counters.next(device.id, "sent:mirror") > 0
        await head.collect_now("M1")
        assert double.prefixed > 0
        blocks = head.store.blocks.read_range(device.id, 0, 30000)
        assert {block.revision for block in blocks} == {1}

    meet(tmp_path, work, double, collect=CollectConfig(enabled=True, history_days=1, response_timeout_s=5.0))


def test_a_meter_that_is_not_there_any_more_fails_with_a_word(tmp_path: Path) -> None:
    double = Double("N1", meter("M1"))

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        double.members.clear()
        with pytest.raises(MeterwayError, match="does not reach"):
            await head.read("M1", ENERGY, actor="t")

    meet(tmp_path, work, double)


def test_a_meter_that_moves_is_read_on_behind_the_other_one(tmp_path: Path) -> None:
    moving = meter("M1")
    one, two = Double("N1", moving), Double("N2")

    async def work(head: HeadEnd) -> None:
        await head.collect_now("N1")
        await head.collect_now("N2")
        first = await head.collect_now("M1")
        two.members, one.members = one.members, {}
        node = one.nnap.nodes.pop()
        two.nnap.nodes = [replace(node, joined=node.joined + 30)]
        await head.collect_now("N2")
        await head.prover.prove()
        await head.collect_now("N1")
        again = await head.collect_now("M1")
        assert (first["cause"], again["cause"], again["error"]) == ("ok", "ok", "")
        device = head.store.devices.by_serial("M1")
        assert head.store.devices.get(device.parent or 0).serial == "N2"
        assert {block.revision for block in head.store.blocks.read_range(device.id, 0, 30000)} == {1}

    meet(tmp_path, work, one, two)
