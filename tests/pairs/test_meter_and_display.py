"""A meter and a display meet on interface H1: telegrams over a real socket, in every dialect, and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from meterway.display.api import Display, DisplayConfig, View
from meterway.meter.api import H1Config, Keys, ListenConfig, MeterConfig, serve_meters

METER = MeterConfig(serial="M1", keys=Keys.derive(bytes(range(16)), "M1"))


async def until(display: Display, wanted: Callable[[View], bool]) -> View:
    async with asyncio.timeout(20):
        async for view in display.changes(at_most_s=0.2):
            if wanted(view):
                return view
    raise AssertionError


@pytest.mark.covers("IF-H1", "F6a", "UC-CU-01")
@pytest.mark.parametrize("dialect", ["dsmr5", "emucs", "sweden"])
def test_a_display_shows_what_the_meter_measures(dialect: str) -> None:
    async def work() -> None:
        h1 = H1Config(port=0, period_s=0.05, dialect=dialect)  # type: ignore[arg-type]
        async with serve_meters([METER], listen=[ListenConfig(port=0)], h1=h1) as host:
            display = Display(DisplayConfig(port=host.h1_ports["M1"], page_port=None))
            display.start()
            try:
                view = await until(display, lambda found: found.telegrams > 2)
            finally:
                await display.stop()
            live = host.meters["M1"].network(host.now())
            assert view.power_w == pytest.approx(live.import_w, abs=1)
            consumed = [entry for entry in view.registers if entry.label.startswith("Consumed")]
            shown = sum(entry.value for entry in consumed if entry.tariff or len(consumed) == 1)
            assert float(shown) == pytest.approx(host.meters["M1"].energy_at(host.now())[0] / 1000, abs=0.2)

    asyncio.run(work())


@pytest.mark.covers("IF-H1", "F2a")
def test_a_display_comes_back_after_the_meter_was_without_supply() -> None:
    async def work() -> None:
        h1 = H1Config(port=0, period_s=0.05)
        async with serve_meters([METER], listen=[ListenConfig(port=0)], h1=h1) as host:
            display = Display(DisplayConfig(port=host.h1_ports["M1"], page_port=None, retry_min_s=0.01))
            display.start()
            try:
                await until(display, lambda found: found.telegrams > 0)
                host.cut_supply("M1")
                seen = display.view().telegrams
                host.restore_supply("M1")
                await until(display, lambda found: found.telegrams > seen + 1)
            finally:
                await display.stop()

    asyncio.run(work())
