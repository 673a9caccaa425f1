"""A configuration that runs: what it says of itself, and how it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.town.configurations.running import Running


def test_a_display_alone_is_summed_up_without_any_head_end(tmp_path: Path) -> None:
    async def live() -> None:
        at = Running("P10", 2, tmp_path)
        try:
            await at.start()
            summary = await at.first_collection()
            assert (summary.meters, summary.read, summary.displays) == (2, 2, 2)
            assert summary.telegrams >= 2
            assert [row.label for row in at.traffic()] == ["H1"]
            with pytest.raises(ConfigError, match="no M0009"):
                await at.happen("M0009", "look")
        finally:
            await at.stop()
        assert at._field.process is not None
        assert at._field.process.returncode == 0

    asyncio.run(live())


def test_a_first_collection_that_does_not_end_is_an_error(tmp_path: Path) -> None:
    async def live() -> None:
        at = Running("P1", 1, tmp_path)
        try:
            await at.start()
            await at.happen("M0001", "cut")
            with pytest.raises(LinkError, match="was not complete within"):
                await at.first_collection(timeout_s=0.01)
        finally:
            await at.stop()

    asyncio.run(live())


def test_without_a_field_nothing_happens(tmp_path: Path) -> None:
    async def live() -> None:
        with pytest.raises(LinkError, match="no field"):
            await Running("P1", 1, tmp_path).happen("M0001", "look")

    asyncio.run(live())
