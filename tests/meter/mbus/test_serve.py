"""Utility meters as a process: on the bus behind a TCP port, on the air, and the same again after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.links.radio import OnReception
from meterway.meter.mbus.config import HostConfig, MeterConfig
from meterway.meter.mbus.device import Alarm
from meterway.meter.mbus.serve import MbusHost
from meterway.meter.mbus.usage import Utility
from meterway.stacks.mbus.link.frames import ShortFrame
from meterway.stacks.mbus.telegram import decode

NOW = 1_795_446_000.0


class Port:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.spoken = asyncio.Event()

    def listen(self, on_reception: OnReception) -> None:
        self.on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        self.sent.append(octets)
        self.spoken.set()

    def close(self) -> None:
        self.sent.append(b"")


def config(**more: object) -> HostConfig:
    meters = tuple(
        MeterConfig(
            ident=f"5000000{number}",
            utility=utility,
            security=0,
            primary=number,
            interval_s=1.0,
            speaks_dlms=number == 2,
        )
        for number, utility in enumerate(Utility, 1)
    )
    return HostConfig(meters=meters, **more)  # type: ignore[arg-type]


async def read(port: int, primary: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ShortFrame(control=0x7B, address=primary).encode())
    head = await asyncio.wait_for(reader.readexactly(4), 10)
    frame = head + await asyncio.wait_for(reader.readexactly(head[1] + 2), 10)
    writer.close()
    await writer.wait_closed()
    return frame


@pytest.mark.covers("E-MED", "IF-M")
def test_a_master_reads_each_meter_on_the_bus_behind_a_tcp_port() -> None:
    async def play() -> None:
        host = MbusHost(config(bus_port=0), unix=lambda _: NOW)
        await host.start()
        assert host.bus_port is not None
        telegram = decode(await read(host.bus_port, 2))
        assert telegram.device == host.meter("50000002").address
        assert telegram.records[3].value == host.meter("50000002").at(NOW)[0] / 1000
        await host.stop()

    asyncio.run(play())


@pytest.mark.covers("IF-M")
def test_meters_speak_by_themselves_and_leave_the_air_in_the_end() -> None:
    async def play() -> None:
        port = Port()
        host = MbusHost(config(), lambda meter: port)
        await host.start()
        await asyncio.wait_for(port.spoken.wait(), 10)
        telegram = decode(port.sent[0])
        assert str(telegram.device) in host.meters
        count = len(port.sent)
        port.spoken.clear()
        host.meter("50000001").raise_alarm(Alarm.TAMPER)
        host.changed(host.meter("50000001"))
        await asyncio.wait_for(port.spoken.wait(), 10)
        assert len(port.sent) > count
        await host.stop()
        assert port.sent[-1] == b""

    asyncio.run(play())


@pytest.mark.covers("SEC-05")
def test_counters_go_on_after_a_restart(tmp_path: Path) -> None:
    async def once() -> int:
        host = MbusHost(config(bus_port=0, state=str(tmp_path / "state")), unix=lambda _: NOW)
        await host.start()
        assert host.bus_port is not None
        access = decode(await read(host.bus_port, 3)).access
        await host.stop()
        return access or 0

    first = asyncio.run(once())
    assert asyncio.run(once()) > first > 0


def test_a_taken_port_and_an_unknown_meter_are_named() -> None:
    async def play() -> None:
        host = MbusHost(config(bus_port=0))
        await host.start()
        again = MbusHost(config(bus_port=host.bus_port))
        with pytest.raises(ConfigError, match="listen"):
            await again.start()
        with pytest.raises(ConfigError, match="no meter 7"):
            host.meter("7")
        await host.stop()

    asyncio.run(play())
