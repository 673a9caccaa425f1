"""pyMeterBus as the master of our simulated bus: it reaches, selects and reads our slaves, and hears collisions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

meterbus = pytest.importorskip("meterbus", reason="pyMeterBus is not installed")
serial = pytest.importorskip("serial", reason="pyserial is not installed")

from meterway.links.medium.bus import BusSettings, SimulatedBus  # noqa: E402
from meterway.links.medium.bus_ports import BusPty, BusTcp  # noqa: E402
from meterway.stacks.mbus.address import Address  # noqa: E402
from meterway.stacks.mbus.link.slave import Slave  # noqa: E402

pytestmark = [
    pytest.mark.peer,
    pytest.mark.covers("IF-M"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys"),
]


class Meter:
    """A water meter of one record: the volume."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def user_data(self) -> list[tuple[int, bytes]]:
        record = bytes.fromhex("0C13") + bytes.fromhex(self.address.ident)[::-1]
        return [(0x72, self.address.to_wired() + bytes(4) + record)]

    def alarm(self) -> tuple[int, bytes] | None:
        return None

    def received(self, ci: int, data: bytes) -> bool:
        return True


def address(number: int) -> Address:
    return Address(manufacturer=0x2C2D, ident=f"{12345600 + number}", version=1, device_type=7)


def with_master(kind: str, scene: Callable[[Any], None], timeout_s: float = 10.0) -> SimulatedBus:
    """Run a scene in a thread, as its master blocks, with three slaves on a bus."""

    async def play() -> SimulatedBus:
        bus = SimulatedBus(BusSettings(seed=3))
        for number in (1, 2, 3):
            bus.attach(Slave(Meter(address(number)), primary=number, secondary=address(number)))
        pty, server = BusPty(bus), BusTcp(bus)
        url = pty.open() if kind == "pty" else f"socket://127.0.0.1:{await server.open()}"
        try:
            await asyncio.get_running_loop().run_in_executor(None, open_and_play, url)
        finally:
            pty.close()
            await server.close()
        return bus

    def open_and_play(url: str) -> None:
        with serial.serial_for_url(url, 2400, 8, "E", 1, timeout=timeout_s) as line:
            scene(line)

    return asyncio.run(play())


def volume(line: Any) -> str:
    telegram = meterbus.load(meterbus.recv_frame(line, 1))
    return str(int(telegram.records[0].value))


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_pymeterbus_reaches_and_reads_each_slave_by_primary_address(kind: str) -> None:
    def scene(line: Any) -> None:
        for number in (1, 2, 3):
            meterbus.send_ping_frame(line, number)
            assert isinstance(meterbus.load(meterbus.recv_frame(line, 1)), meterbus.TelegramACK)
            meterbus.send_request_frame(line, number)
            assert volume(line) == str(int(address(number).ident) // 1000)

    assert with_master(kind, scene).statistics.answers == 6


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_pymeterbus_selects_and_reads_a_slave_by_secondary_address(kind: str) -> None:
    def scene(line: Any) -> None:
        for number in (3, 1):
            meterbus.send_select_frame(line, f"{address(number).ident}2D2C0107")
            assert isinstance(meterbus.load(meterbus.recv_frame(line, 1)), meterbus.TelegramACK)
            meterbus.send_request_frame(line, meterbus.ADDRESS_NETWORK_LAYER)
            assert volume(line) == str(int(address(number).ident) // 1000)

    with_master(kind, scene)


def test_pymeterbus_hears_that_three_slaves_answer_at_once() -> None:
    def scene(line: Any) -> None:
        meterbus.send_select_frame(line, "FFFFFFFFFFFFFFFF")
        assert line.read(1)
        while line.read(100):
            pass
        meterbus.send_request_frame(line, meterbus.ADDRESS_NETWORK_LAYER)
        assert not meterbus.recv_frame(line, 1)

    assert with_master("pty", scene, timeout_s=0.3).statistics.collisions == 2
