"""Fresh keys are in the registry before a device is told, and both sets until it is sure which is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.key_change import KeyChange, hand_over
from meterway.headend.serve import HeadEnd
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Act
from meterway.stacks.dlms.security.keys import unwrap_key
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.results import ActionResult
from meterway.store.devices import NewDevice

OLD = {"guek": b"g" * 16, "gak": b"a" * 16, "kek": b"k" * 16}


def with_device(tmp_path: Path, work: Callable[[HeadEnd, KeyChange], None], keys: dict[str, bytes]) -> None:
    async def run() -> None:
        hes = HeadEnd(
            HeadEndConfig(
                store=str(tmp_path / "store.sqlite"),
                master_key=str(tmp_path / "master.key"),
                push=PushConfig(enabled=False),
                collect=CollectConfig(enabled=False),
            )
        )
        try:
            hes.store.devices.add(
                NewDevice(serial="M1", host="127.0.0.1", port=1, keys=hes.vault.seal_all("M1", keys)), now_ms=1
            )
            work(hes, hes.keys)
        finally:
            await hes.stop()

    asyncio.run(run())


def kept(hes: HeadEnd) -> dict[str, bytes]:
    return hes.vault.open_all("M1", hes.store.devices.by_serial("M1").keys)


@pytest.mark.covers("SEC-05")
def test_both_sets_are_kept_until_one_is_told_to_be_in_force(tmp_path: Path) -> None:
    def work(hes: HeadEnd, change: KeyChange) -> None:
        assert not change.is_open("M1")
        kek, fresh = change.begin("M1")
        assert kek == OLD["kek"]
        assert kept(hes) == OLD | {"guek-next": fresh["guek"], "gak-next": fresh["gak"]}
        change.swap("M1")
        assert kept(hes)["guek"] == fresh["guek"]
        assert kept(hes)["guek-next"] == OLD["guek"]
        change.swap("M1")
        change.swap("M1")
        assert change.is_open("M1")
        change.end("M1")
        assert kept(hes) == fresh | {"kek": OLD["kek"]}

    with_device(tmp_path, work, OLD)


def test_without_a_key_to_wrap_under_nothing_is_begun(tmp_path: Path) -> None:
    def work(hes: HeadEnd, change: KeyChange) -> None:
        with pytest.raises(ConfigError, match="kek"):
            change.begin("M1")
        assert not change.is_open("M1")

    with_device(tmp_path, work, {"guek": OLD["guek"], "gak": OLD["gak"]})


@pytest.mark.parametrize("result", [ActionResult.SUCCESS, ActionResult.OTHER_REASON])
def test_the_keys_go_out_wrapped_and_the_answer_repeats_none(result: ActionResult) -> None:
    fresh = {"guek": b"1" * 16, "gak": b"2" * 16}
    script = hand_over(Command(obis=Obis(0, 0, 43, 0, 0)), lambda _: None, kek=OLD["kek"], fresh=fresh)
    step = next(script)
    assert isinstance(step, Act)
    rows, _ = axdr.to_native(step.parameters or b"")
    assert [(row[0], unwrap_key(OLD["kek"], row[1])) for row in rows] == [(0, fresh["guek"]), (2, fresh["gak"])]
    with pytest.raises(StopIteration) as ended:
        script.send(ActionOutcome(result))
    assert ended.value.value.refusal == ("" if result is ActionResult.SUCCESS else result.word)
    assert "1" * 16 not in repr(ended.value.value)
