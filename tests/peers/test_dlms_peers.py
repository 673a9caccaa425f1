"""Clients of other makers, each in a program of its own, read and command our meter over sockets."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from meterway.meter.api import Keys, ListenConfig, MeterConfig, serve_meters
from meterway.meter.serve import HDLC_PHYSICAL

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-I", "F1a")]

PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
KEYS: Final = Keys.derive(bytes(range(16)), "M1")
DAYS: Final = 3
PUBLIC: Final = {"client": 16, "authentication": "NONE", "work": ["read"]}
READER: Final = {"client": 2, "authentication": "LOW", "password": KEYS.lls.decode(), "work": ["read", "list"]}
SECURE: Final = {
    "client": 1,
    "authentication": "HIGH_GMAC",
    "title": b"PEER0001".hex(),
    "key": KEYS.guek.hex(),
    "auth_key": KEYS.gak.hex(),
    "counter": 1,
    "work": ["read", "list", "profile", "command"],
}


def session(program: str, package: str, link: str, job: dict[str, Any]) -> dict[str, Any]:
    """Serve a meter, run the program against it; what it found."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")

    async def work() -> dict[str, Any]:
        meter = MeterConfig(serial="M1", keys=KEYS, profile_days=DAYS)
        async with serve_meters([meter], listen=[ListenConfig(port=0, transport=link)]) as host:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-W",
                "ignore",
                str(PROGRAMS / program),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            full = json.dumps(job | {"port": host.endpoints[0].port, "link": link, "physical": HDLC_PHYSICAL}) + "\n"
            async with asyncio.timeout(120):
                output, errors = await process.communicate(full.encode())
            assert process.returncode == 0, errors.decode()[-3000:]
            found: dict[str, Any] = json.loads(output.splitlines()[-1])
            return found

    return asyncio.run(work())


def is_now(local: str) -> bool:
    """Whether a local time of the meter is within the time zones of now."""
    return abs(datetime.fromisoformat(local).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(hours=15)


LINKS = pytest.mark.parametrize("link", ["tcp", "hdlc"])


@LINKS
def test_a_gurux_client_reads_the_clock_of_a_public_association(link: str) -> None:
    found = session("gurux_client.py", "gurux_dlms", link, PUBLIC | {"work": []})
    assert is_now(found["clock"])


@LINKS
@pytest.mark.covers("SEC-03")
def test_a_gurux_client_reads_with_a_password(link: str) -> None:
    found = session("gurux_client.py", "gurux_dlms", link, READER)
    assert is_now(found["clock"])
    assert found["energy"] > 0
    assert found["unit"] == 30
    assert found["objects"] > 5
    assert found["list"] == 2


@LINKS
@pytest.mark.covers("SEC-03", "SEC-04", "UC-BI-01", "F4a")
def test_a_gurux_client_reads_and_commands_under_hls5_and_ciphering(link: str) -> None:
    found = session("gurux_client.py", "gurux_dlms", link, SECURE | {"max_pdu": 1000})
    assert is_now(found["clock"])
    assert found["columns"] == len(found["entry"][0])
    assert len(found["entry"]) == 3
    assert [datetime.fromisoformat(row[0]).minute % 15 for row in found["range"]] == [0] * len(found["range"])
    assert len(found["range"]) in (4, 5)
    assert 90 * DAYS <= found["all"] <= 96 * DAYS + 1
    assert found["exchanges"] > 5, "the whole profile did not come in blocks"
    assert found["states"] == [0, 1]
    assert found["written"] == 5
    assert found["list"] == 2


@pytest.mark.covers("SEC-03", "SEC-04")
def test_a_dlms_cosem_client_reads_under_hls5_and_ciphering() -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    job = SECURE | {"work": ["read", "list", "profile"], "from": yesterday.isoformat()}
    found = session("dlms_cosem_client.py", "dlms_cosem", "tcp", job)
    assert is_now(found["clock"])
    assert found["energy"] > 0
    assert found["list"] == 2
    assert found["range"] in (4, 5)
    assert 90 * DAYS <= found["all"] <= 96 * DAYS + 1
