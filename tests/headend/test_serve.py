"""A head end as a whole: what it starts, what it puts on record. With meters it is tested in the town."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headend.headends import VAULT, device
from meterway.base.errors import LinkError, StoreError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.serve import HeadEnd

CLOCK = Command(obis=Obis(0, 0, 1, 0, 0))


def head_end(path: Path, *, push: bool = False, collect: bool = False) -> HeadEnd:
    config = HeadEndConfig(
        store=str(path / "store.db"),
        master_key=str(path / "key"),
        push=PushConfig(port=0, enabled=push),
        collect=CollectConfig(enabled=collect, connect_timeout_s=1.0),
    )
    return HeadEnd(config, vault=VAULT)


def test_it_starts_and_stops_in_order(tmp_path: Path) -> None:
    async def work() -> None:
        hes = head_end(tmp_path, push=True, collect=True)
        await hes.start()
        assert hes.push.port > 0
        await hes.stop()
        with pytest.raises(StoreError, match="closed"):
            hes.store.devices.count()

    asyncio.run(work())


@pytest.mark.covers("E-HES-10", "SEC-12")
def test_commands_that_fail_are_on_record_with_their_cause(tmp_path: Path) -> None:
    async def work() -> None:
        hes = head_end(tmp_path)
        hes.store.devices.add(device("M1", host="127.0.0.1", port=1), now_ms=1)
        with pytest.raises(LinkError, match="cannot be reached"):
            await hes.read("M1", CLOCK, actor="ann")
        with pytest.raises(LinkError):
            await hes.set("M1", Command(obis=CLOCK.obis, value="now"), actor="ben")
        with pytest.raises(StoreError, match="no device"):
            await hes.act("M9", Command(obis=CLOCK.obis, method=1), actor="eve")
        rows = [(row.actor, row.action, row.result, row.detail) for row in hes.store.audit.recent()][::-1]
        assert rows == [
            ("ann", "read", "link", "0-0:1.0.0*255 2"),
            ("ben", "set", "asked", "0-0:1.0.0*255 2 = 'now'"),
            ("ben", "set", "link", "0-0:1.0.0*255 2 = 'now'"),
            ("eve", "act", "failed", "unknown device 'M9' 0-0:1.0.0*255 1"),
        ]
        assert hes.live.counts["command"] == 3
        await hes.stop()

    asyncio.run(work())


def test_a_part_that_ends_by_a_fault_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        hes = head_end(tmp_path, collect=True)

        async def run() -> None:
            raise RuntimeError("a slip of ours")

        monkeypatch.setattr(hes.collector, "run", run)
        await hes.start()
        await asyncio.sleep(0.01)
        assert [each.text for each in hes.live.recent] == ["collection: a slip of ours"]
        await hes.stop()

    asyncio.run(work())
