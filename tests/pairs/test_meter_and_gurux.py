"""A Gurux client reads and commands our meter over the wrapper and HDLC, with every kind of association."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from meterway.meter.api import Keys, ListenConfig, MeterConfig, serve_meters
from meterway.meter.profile_rows import periodic_bounds, periodic_rows

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(find_spec("gurux_dlms") is None, reason="gurux-dlms is not installed"),
]

READER = Path(__file__).with_name("gurux_reader.py")
KEYS = Keys.derive(bytes(range(16)), "M1")
METER = MeterConfig(serial="M1", keys=KEYS, profile_days=8, installed=date(2026, 1, 1))


async def read(transport: Any, interface: str, authentication: str, client: int) -> tuple[dict[str, Any], Any]:
    async with serve_meters([METER], listen=[ListenConfig(port=0, transport=transport)]) as host:
        job = {
            "port": host.endpoints[0].port,
            "interface": interface,
            "authentication": authentication,
            "client": client,
            "lls": KEYS.lls.hex(),
            "guek": KEYS.guek.hex(),
            "gak": KEYS.gak.hex(),
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "ignore",
            str(READER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await asyncio.wait_for(program.communicate(json.dumps(job).encode()), 60)
        assert program.returncode == 0, error.decode()
        return json.loads(out), (host.meters["M1"], host.now())


@pytest.mark.covers("IF-I", "F1a", "UC-BI-01", "UC-BI-02", "UC-BI-05", "SEC-03", "SEC-04")
@pytest.mark.parametrize(("transport", "interface"), [("tcp", "wrapper"), ("hdlc", "hdlc")])
@pytest.mark.parametrize(("authentication", "client"), [("none", 16), ("low", 2), ("gmac", 1)])
def test_gurux_reads_and_commands_the_meter(transport: str, interface: str, authentication: str, client: int) -> None:
    found, (meter, now) = asyncio.run(read(transport, interface, authentication, client))
    assert found["clock"] == pytest.approx(now, abs=30)
    if authentication == "none":
        assert found["objects"] == 7
        return
    assert found["objects"] > 70
    assert found["register"] == pytest.approx(meter.energy_at(now)[0], abs=200)
    assert found["unit"] == 30
    first, _ = periodic_bounds(meter, 900, 8 * 96, 0.0, now)
    rows = periodic_rows(meter, 900, first, first + 1)
    assert [row[1:] for row in found["first"]] == rows.values.tolist()
    assert found["by_range"] in (96, 97)
    assert found["whole"] == 8 * 96
    if authentication == "gmac":
        assert (found["off"], found["on"], found["set"]) == (0, 1, 5)
