"""Meters push to the head end over TCP and UDP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.meter.api import PushConfig, serve_meters
from meterway.store.events import StoredEvent
from town.towns import meter_settings, register, town, until


@pytest.mark.covers("UC-EV-02", "F2a", "E-HES-5", "IF-I")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_last_gasp_of_a_meter_is_stored_as_an_event(tmp_path: Path, transport: str) -> None:
    async def work() -> None:
        async with town(tmp_path, push=True) as at:

            def pushed() -> list[StoredEvent]:
                return [event for event in at.store.events.recent(limit=1000) if event.log == "push"]

            meters = meter_settings("M1", "M2")
            to = PushConfig(address="127.0.0.1", port=at.head_end.push.port, transport=transport)  # type: ignore[arg-type]
            async with serve_meters(meters, push=to) as host:
                register(at.store, at.head_end.vault, host, meters, due_ms=None)
                for meter in meters:
                    await at.collect(meter.serial)
                host.cut_supply("M1")
                host.cut_supply("M2")
                await until(lambda: len(pushed()) == 2)
            events = pushed()
            assert {event.device for event in events} == {at.device("M1"), at.device("M2")}
            assert {(event.log, event.source) for event in events} == {("push", "push")}
            assert all(event.code >> 16 & 1 for event in events)
            assert at.head_end.live.counts["push"] == 2

    asyncio.run(work())
