"""A meter of old at its port."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from meterway.meter.mbus.legacy import LegacyConfig, LegacyHost, LegacyMeter

pytestmark = pytest.mark.covers("P13", "E-LOCAL")
NOW_S = 1_780_000_000.0


def test_it_tells_what_it_shows_and_the_display_rolls_over() -> None:
    meter = LegacyMeter(LegacyConfig(serial="40000001"))
    told = meter.readout(NOW_S).find("1.8.0")
    assert told is not None
    assert told.number is not None
    assert told.number * 1000 == meter.energy(NOW_S)
    assert meter.energy(NOW_S + 86400) > meter.energy(NOW_S)
    assert len(told.value) == 10
    serial = meter.readout(NOW_S).find("C.1.0")
    assert serial is not None
    assert serial.value == "40000001"
    assert Decimal(told.value) < 1_000_000


@pytest.mark.parametrize("speed", ["5", "E", "x"])
def test_whoever_speaks_the_protocol_reads_it(speed: str) -> None:
    """Octets of a hand-held written out here, as public readers send them."""

    async def live() -> bytes:
        host = LegacyHost((LegacyConfig(serial="40000001", speed=speed),), lambda: NOW_S)
        await host.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", host.ports["40000001"])
            writer.write(b"/?!\r\n")
            assert await reader.readline() == f"/MWY{speed}LEGACY\r\n".encode()
            if speed.isdigit():
                writer.write(b"\x060" + speed.encode() + b"0\r\n")
            told = await reader.readuntil(b"\x03")
            check = (await reader.readexactly(1))[0]
            for octet in told[1:]:
                check ^= octet
            assert check == 0
            writer.close()
            await writer.wait_closed()
            return told
        finally:
            await host.stop()

    told = asyncio.run(live())
    assert told.startswith(b"\x02F.F(00)\r\nC.1.0(40000001)\r\n1.8.0(")
    assert told.endswith(b"*kWh)\r\n!\r\n\x03")


def test_settings_that_no_meter_has_are_refused() -> None:
    for wrong in ({"serial": "1"}, {"serial": "40000001", "maker": "mw"}, {"serial": "40000001", "speed": "9"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, LegacyConfig)
