"""A hand-held at the local port of a meter of ours."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from meterway.base.errors import LinkError, MeterwayError
from meterway.headend.hand_held import LocalPort, plan_of, read_locally
from meterway.headend.plan import LOAD_PROFILE
from meterway.meter.api import Keys, ListenConfig, MeterConfig, serve_meters

pytestmark = pytest.mark.covers("P14", "E-LOCAL")
METER = MeterConfig(serial="M1", keys=Keys.derive(bytes(range(16)), "M1"), profile_days=3)


@pytest.mark.parametrize("transport", ["hdlc", "tcp"])
def test_a_meter_is_read_with_a_password_and_without_keys(transport: Any) -> None:
    async def live() -> None:
        listen = ListenConfig(port=0, transport=transport, is_local=True)
        async with serve_meters([METER], listen=[listen]) as host:
            (end,) = host.endpoints
            place = LocalPort(host="127.0.0.1", port=end.port, password=METER.keys.lls, transport=transport)
            now = time.time()
            brought = await read_locally(place, who="fitter", from_s=now - 86400, to_s=now)
            assert (brought.serial, brought.who) == ("M1", "fitter")
            assert brought.registers
            assert str(LOAD_PROFILE) in {one.obis for one in brought.profiles}
            assert METER.keys.lls not in brought.encode()

    asyncio.run(live())


def test_a_wrong_password_and_an_empty_port_are_errors_of_ours() -> None:
    async def live() -> None:
        async with serve_meters([METER], listen=[ListenConfig(port=0, transport="hdlc", is_local=True)]) as host:
            port = host.endpoints[0].port
            wrong = LocalPort(host="127.0.0.1", port=port, password=b"12345678")
            with pytest.raises(MeterwayError):
                await read_locally(wrong, who="fitter", from_s=0, to_s=1)
        with pytest.raises(LinkError):
            await read_locally(wrong, who="fitter", from_s=0, to_s=1)

    asyncio.run(live())


def test_a_password_is_not_shown_and_the_clock_is_left_alone() -> None:
    assert "12345678" not in repr(LocalPort(host="h", port=1, password=b"12345678"))
    plan = plan_of("idis", 1.0, 2.0)
    assert plan.set_clock_beyond_s is None
    assert {span[1:] for span in (*plan.profiles, *plan.logs)} == {(1.0, 2.0)}
