"""Simulated faults."""

import pytest

from meter.sessions import NAME, run, session, settings
from meterway.meter.api import (
    Fault,
    inject,
    serve_meters,
)
from meterway.stacks.dlms.client import Failed, Released


@pytest.mark.covers("SEC-11", "SEC-12")
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.HANG, "timeout"),
        (Fault.CLOSE_MID_FRAME, "link"),
        (Fault.WRONG_INVOKE_ID, "protocol"),
        (Fault.WRONG_KEY, "authentication"),
        (Fault.ENDLESS_BLOCKS, "protocol"),
    ],
)
def test_a_faulty_meter_fails_in_its_own_way_and_the_next_one_does_not(fault: Fault, cause: str) -> None:
    async def work() -> None:
        meters = settings("M1", "M2")
        async with serve_meters(meters) as host:
            inject(host, "M1", fault)
            bad = await session(host.endpoints[0], meters[0], NAME, timeout_s=0.3)
            good = await session(host.endpoints[1], meters[1], NAME)
            assert isinstance(bad[-1], Failed)
            assert bad[-1].cause == cause
            assert isinstance(good[-1], Released)
            inject(host, "M1", None)
            healed = await session(host.endpoints[0], meters[0], NAME, counter=1000)
            assert isinstance(healed[-1], Released)

    run(work())
