"""Counters and keys that outlive the process."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meter.sessions import NAME, run, session, settings
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.meter.api import (
    HostConfig,
    ListenConfig,
    MeterHost,
)
from meterway.meter.counters import FileCounters
from meterway.meter.device import Meter
from meterway.meter.events import Log
from meterway.meter.objects import LogicalMeter, send_counter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.dlms.client import Failed, Released
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor


@pytest.mark.covers("SEC-05")
def test_counters_only_rise_over_a_restart_on_both_sides(tmp_path: Path) -> None:
    meters = settings("M1")
    config = HostConfig(meters=tuple(meters), listen=(ListenConfig(port=0),), counters=tmp_path / "counters.json")

    async def once(counter: int) -> tuple[list[Any], int]:
        host = MeterHost(config)
        await host.start()
        events = await session(host.endpoints[0], meters[0], NAME, counter=counter)
        used = host.meters["M1"].send_counter
        await host.stop()
        return events, 0 if used is None else used.next

    first, used = run(once(100))
    replayed, _ = run(once(50))
    again, later = run(once(200))
    assert isinstance(first[-1], Released)
    assert isinstance(replayed[-1], Failed)
    assert isinstance(again[-1], Released)
    assert later > used > 0


@pytest.mark.covers("SEC-07")
def test_transferred_keys_outlive_a_restart_and_are_not_readable_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    meters = settings("M1")
    config = HostConfig(meters=tuple(meters), listen=(ListenConfig(port=0),), counters=path)
    fresh = bytes(range(50, 66))

    async def work() -> None:
        host = MeterHost(config)
        await host.start()
        host.meters["M1"].change_keys({"guek": fresh}, host.now())
        await host.stop()
        second = MeterHost(config)
        await second.start()
        assert second.meters["M1"].keys.guek == fresh
        changed = replace(meters[0], keys=second.meters["M1"].keys)
        assert isinstance((await session(second.endpoints[0], changed, NAME))[-1], Released)
        await second.stop()

    run(work())
    assert fresh.hex() not in path.read_text()


def test_a_counter_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    path.write_text("hello\nworld\n")
    config = HostConfig(meters=tuple(settings("M1")), listen=(ListenConfig(port=0),), counters=path)
    with pytest.raises(ConfigError, match=r"counters\.json, line 1"):
        run(MeterHost(config).start())


@pytest.mark.covers("SEC-09", "UC-IN-02")
def test_what_was_set_holds_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    config = HostConfig(meters=tuple(settings("M1")), listen=(ListenConfig(port=0),), counters=path)
    key = (1, Obis(0, 0, 96, 13, 0), 2)

    async def work() -> None:
        host = MeterHost(config)
        await host.start()
        host.meters["M1"].change(key, b"\x09\x02hi")
        host.meters["M1"].clear_log(Log.FRAUD, host.now())
        await host.stop()
        again = MeterHost(config)
        await again.start()
        now = again.now()
        assert again.meters["M1"].changed == {key: b"\x09\x02hi"}
        assert [event.code for event in again.meters["M1"].log_events(Log.FRAUD, 0, now, now)] == [255]
        await again.stop()

    run(work())


@pytest.mark.covers("SEC-05", "UC-EV-02")
def test_what_was_ordered_holds_if_the_supply_goes_right_after(tmp_path: Path) -> None:
    given = settings("M1")[0]
    counters, meter, now = FileCounters(tmp_path / "counters.json"), Meter(given), time.time()
    off = MethodDescriptor(70, Obis(0, 0, 96, 3, 10), 1)
    meter.received = {1: ReceivedCounter(7)}
    assert LogicalMeter(meter, counters, lambda at: at).act(1, off, axdr.encode(axdr.i8(0)), now).result == 0
    left = FileCounters(tmp_path / "counters.json")  # as it is while the first is still open
    again = Meter(given)
    left.restore(again)
    assert again.control_state is ControlState.DISCONNECTED
    assert left.last_received(again, 1) == 7
    counters.close()
    left.close()


@pytest.mark.covers("SEC-05")
def test_a_backup_that_is_put_back_repeats_no_counter(tmp_path: Path) -> None:
    noon, path = 1_795_000_000.0, tmp_path / "counters.json"
    meter = Meter(settings("M1")[0])
    running = FileCounters(path, lambda: noon)
    counter = send_counter(meter, running)
    used = [counter.take() for _ in range(500)]
    running.close()
    path.write_text("")  # as in a backup from before
    meter.send_counter = None
    restored = FileCounters(path, lambda: noon + 86400)
    assert send_counter(meter, restored).take() > max(used)
    restored.close()
