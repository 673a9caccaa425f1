"""What upper floors may ask of meters."""

import asyncio

import pytest

from meter.sessions import settings
from meterway.meter.api import Fault, inject, serve_meters


def test_a_clock_fault_and_a_key_fault_are_healed_again() -> None:
    async def work() -> None:
        async with serve_meters(settings("M1")) as host:
            meter = host.meters["M1"]
            known = meter.keys
            inject(host, "M1", Fault.CLOCK_YEARS_OFF)
            assert meter.clock(host.now()) < host.now() - 3e8
            inject(host, "M1", Fault.WRONG_KEY)
            assert meter.keys != known
            inject(host, "M1", None)
            assert meter.keys == known
            assert meter.clock(host.now()) == pytest.approx(host.now(), abs=5)

    asyncio.run(work())


def test_ports_are_free_again_after_the_block() -> None:
    async def work() -> None:
        async with serve_meters(settings("M1")) as host:
            port = host.endpoints[0].port
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(work())
