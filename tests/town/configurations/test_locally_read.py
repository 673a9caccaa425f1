"""Meters without a line: read at their local ports, taken in, and the rest read when the line is there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.headend.local_reading import LocalReading, take_in
from meterway.town.configurations.locally_read import LOCALLY_READ
from meterway.town.configurations.running import Running
from town.configurations.driving import until

DAY_S = 86400


@pytest.mark.covers("P14", "E-LOCAL")
def test_what_a_hand_held_brought_is_taken_in_and_only_the_rest_is_read_over_the_line(tmp_path: Path) -> None:
    async def live() -> None:
        at = Running("P14", 1, tmp_path, cut_off=True)
        try:
            await at.start()
            (head_end,) = at.head_ends.values()
            store = head_end.store
            device = store.devices.by_serial("M0001")
            assert (await head_end.collect_now("M0001"))["cause"] == "link"
            assert store.readings.latest(device.id) == []

            now = time.time()
            history = head_end.config.collect.history_days * DAY_S
            brought = await at.read_locally("M0001", from_s=now - history - DAY_S, to_s=now - 2 * DAY_S)
            file = tmp_path / "M0001.reading"
            file.write_bytes(brought.encode())
            read_back = LocalReading.decode(file.read_bytes())
            entry = head_end.fleet.by_serial("M0001")
            taken = take_in(store, entry, read_back, actor="test", now_ms=int(now * 1000))
            assert (taken.cause, taken.digest) == ("ok", brought.digest)
            assert taken.values > 30 * 96
            kept = {one.obis: one for one in store.readings.latest(device.id)}
            evidence = msgspec.json.decode(next(iter(kept.values())).evidence)
            assert evidence == {"source": "local", "who": "hand-held", "sha256": brought.digest}
            assert any(row.action == "local-reading" for row in store.audit.of_device(device.id))
            first, last = (int(now - days * DAY_S) // DAY_S * DAY_S for days in (30, 3))
            before = store.blocks.gaps(device.id, first, last, interval_s=900)
            assert before == []

            await at.happen("M0001", "line up")

            async def is_read() -> bool:
                return any((one.kind, one.result) == ("collect", "ok") for one in store.contacts.of_device(device.id))

            await until(is_read)
            (ok,) = [one for one in store.contacts.of_device(device.id) if one.result == "ok" and one.kind == "collect"]
            assert 0 < ok.values_read < taken.values / 4
            assert at.summary().completeness == 1.0
            first_day = int(now) // DAY_S
            origins = [row.evidence for row in store.blocks.read_range(device.id, first_day - 5, first_day)]
            assert [b'"local"' in one for one in origins] == [True, True, True, False, False]
        finally:
            await at.stop()

    asyncio.run(live())


def test_a_meter_without_a_local_port_is_not_read_there(tmp_path: Path) -> None:
    assert [part.name for part in LOCALLY_READ.parts] == ["meter", "hand-held", "head end"]
    with pytest.raises(ConfigError, match="no local port"):
        asyncio.run(Running("P1", 1, tmp_path).read_locally("M0001", from_s=0, to_s=1))
