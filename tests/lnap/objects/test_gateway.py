"""The gateway's own logical device: itself, its firmware, who is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import RadioMeter
from meterway.stacks.dlms.xdlms.results import ActionResult

OK = ActionResult.SUCCESS
IMAGE = "0-0:44.0.0"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, RadioMeter())


def test_the_logical_devices_are_listed(bench: Bench) -> None:
    rows = bench.get(0, 17, "0-0:41.0.0")
    assert len(rows) == 2  # type: ignore[arg-type]
    bench.close()
