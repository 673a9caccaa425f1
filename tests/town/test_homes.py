"""Homes with gateways in a town: their meters are found, read and commanded, and their air is heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.town import homes as module
from meterway.town.homes import METERS_A_HOME, HomesReport, secret_of
from meterway.town.plan import MAX_HOMES, TownPlan
from meterway.town.town import Town

REGISTERS = {"gas": Obis(7, 0, 3, 0, 0), "water": Obis(8, 0, 1, 0, 0), "heat": Obis(6, 0, 1, 0, 0)}
VALVE = Obis(0, 1, 24, 4, 0)


@pytest.mark.covers("IF-M", "IF-G1", "E-LNAP", "E-HES-2", "UC-BI-01", "UC-BI-05", "F1a", "F4a", "X-18")
def test_the_homes_of_a_town_are_read_shown_and_commanded(tmp_path: Path) -> None:
    async def live() -> None:
        town = Town(TownPlan(meters=2, displays=0, homes=2), tmp_path)
        try:
            await town.start()
            summary = await town.first_collection()
            assert (summary.meters, summary.read, summary.failures) == (2, 2, {})
            await _is_read(town)
            await _valve_is_ordered(town)
        finally:
            await town.stop()
        assert all(child.process.returncode == 0 for child in town._children)

    asyncio.run(live())


async def _is_read(town: Town) -> None:
    views, store = Views(town.head_end), town.head_end.store
    assert [home.serial for home in town.homes] == ["LNAP0001", "LNAP0002"]
    for home in town.homes:
        page = views.meter(home.serial)
        assert [row.serial for row in page.behind] == sorted(home.meters)
        assert {row.utility for row in page.behind} == set(REGISTERS)
        assert {row.state for row in (page.row, *page.behind)} == {"active"}
        for row in page.behind:
            kept = {reading.obis: reading for reading in store.readings.latest(store.devices.by_serial(row.serial).id)}
            assert kept[REGISTERS[row.utility]].value > 0
            assert kept[Obis(0, 0, 128, 0, 0)].value < 60, "the value says its age"
            days = (await town.head_end.collector.in_thread(lambda: views.completeness(14)))[-4:-1]
            assert all(day.share > 0.99 for day in days), "the gateway was there before the town was"
    rows = {row.label: row for row in views.traffic()}
    assert (rows["I"].entities, rows["G1"].entities, rows["M"].entities) == (2, 2, 2 * METERS_A_HOME)
    assert rows["M"].sessions >= 4, "every radio meter has spoken"
    assert rows["G1"].octets > 0


async def _valve_is_ordered(town: Town) -> None:
    gas = next(serial for serial in town.homes[0].meters if serial.endswith("-03"))
    command = Command(obis=VALVE, class_id=70, method="remote_disconnect")
    assert (await town.head_end.act(gas, command, actor="test")).refusal == ""
    orders = await town.head_end.read(gas, Command(obis=Obis(0, 0, 128, 1, 0), class_id=1), actor="test")
    assert "valve" in str(orders.value)
    async with asyncio.timeout(60):
        state: object = 1
        while state not in (0, "disconnected"):  # it does so when it wakes and the gateway may answer
            told = await town.head_end.read(
                gas, Command(obis=VALVE, class_id=70, attribute="control_state"), actor="test"
            )
            state = told.value
            await asyncio.sleep(0.2)


def test_a_town_without_homes_starts_none(tmp_path: Path) -> None:
    async def live() -> None:
        town = Town(TownPlan(meters=1, displays=0), tmp_path)
        try:
            await town.start()
            assert (town.homes, len(town._children)) == ([], 1)
            assert [row.label for row in Views(town.head_end).traffic()] == ["I", "H1"]
        finally:
            await town.stop()

    asyncio.run(live())


def test_a_town_has_no_more_homes_than_its_air_holds() -> None:
    for homes in (-1, MAX_HOMES + 1):
        with pytest.raises(ConfigError, match="homes"):
            TownPlan(homes=homes)


def test_gateways_have_secrets_of_their_own_in_every_town() -> None:
    assert len({secret_of(secret, serial) for secret in (bytes(32), bytes([1]) * 32) for serial in ("L1", "L2")}) == 4


def test_an_order_that_is_none_is_answered_with_the_reason(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"homes": "three"}\n')))
    assert module.main() == 1
    report = msgspec.json.decode(capfdbinary.readouterr().out, type=HomesReport)
    assert "unreadable" in report.error
    assert report.homes == []
