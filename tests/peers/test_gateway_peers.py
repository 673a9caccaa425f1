"""A Gurux client, in a program of its own, reads our meter through our side of the gateway prefix.

Only without ciphering: Gurux's Python client puts the prefix inside what it encrypts, where no gateway can read it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from dlms_gateway import Gateway, Member
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.meter.api import Keys, Meter, MeterConfig
from meterway.meter.counters import ClockCounters
from meterway.meter.objects import LogicalMeter
from meterway.stacks.dlms.framing import FramingEvent

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-C", "F1a")]

PROGRAM: Final = Path(__file__).resolve().parent / "programs" / "gurux_client.py"
KEYS: Final = Keys.derive(bytes(range(16)), "M1")
EUI: Final = "020000fffe000001"


def gateway() -> Gateway:
    """A gateway with one meter behind it."""
    meter = Meter(MeterConfig(serial="M1", keys=KEYS, profile_days=3))
    behind = LogicalMeter(meter, ClockCounters(time.time), lambda _: time.time())
    return Gateway({}, {bytes.fromhex(EUI): Member({1: behind})})


def session(job: dict[str, Any]) -> tuple[dict[str, Any], Gateway]:
    """Run the program against the gateway; what it found."""
    if find_spec("gurux_dlms") is None:
        pytest.skip("gurux_dlms is not installed")

    async def work() -> tuple[dict[str, Any], Gateway]:
        engine = gateway()

        def line() -> EngineProtocol[FramingEvent]:
            return EngineProtocol(engine, lambda _: None)

        listener = await tcp.listen(None, 0, line)
        command = (sys.executable, "-W", "ignore", str(PROGRAM))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        full = json.dumps(job | {"port": listener.port, "link": "tcp", "behind": EUI, "network": 5}) + "\n"
        async with asyncio.timeout(120):
            output, errors = await process.communicate(full.encode())
        listener.close()
        assert process.returncode == 0, errors.decode()[-3000:]
        return json.loads(output.splitlines()[-1]), engine

    return asyncio.run(work())


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({"client": 16, "authentication": "NONE", "work": []}, id="public"),
        pytest.param(
            {"client": 2, "authentication": "LOW", "password": KEYS.lls.decode(), "work": ["read", "list"]},
            id="password",
        ),
    ],
)
def test_a_gurux_client_reads_a_meter_behind_the_gateway(job: dict[str, Any]) -> None:
    found, engine = session(job)
    assert found["clock"]
    assert "read" not in job["work"] or (found["energy"] > 0 and found["objects"] > 0)
    assert len(engine.carried) >= 3
    assert {(one.device.address.hex(), one.device.network_id) for one in engine.carried} == {(EUI, 5)}
