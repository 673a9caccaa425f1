"""Real receivers' framing on a pty, TCP, a pipe and a program's output, with virtual meters behind a stand-in."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lnap_receivers import (
    Orders,
    Pty,
    StandIn,
    amber,
    amber_orders,
    fifo,
    imst,
    imst_orders,
    line,
    no_orders,
    plain,
    rtl_433,
)
from lnap_town import NOON, RadioMeter, ledger, settings
from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import OrderState
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.lnap.api import order_valve
from meterway.lnap.bus import Bus
from meterway.lnap.config import MeterConfig as Listed
from meterway.lnap.links_config import BusConfig
from meterway.lnap.serve import Lnap
from meterway.meter.mbus.airing import Airing as MeterAiring
from meterway.meter.mbus.api import HostConfig, MbusMeter, MeterConfig, Utility, Valve, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")
VOLUME = Obis(7, 0, 3, 1, 0)
KEY = bytes(range(16))
GAS = MeterConfig(ident="10000001", utility=Utility.GAS, key=KEY.hex(), valve=True, interval_s=60.0)


class Street:
    """One gas meter behind a stand-in, and the gateway that is to hear it."""

    def __init__(self, stand: StandIn) -> None:
        self.stand = stand
        stand.now = NOON
        self.meter = MbusMeter(GAS)
        self.air = MeterAiring([self.meter], lambda _: stand, NOON, grace_s=1.0)

    def speak(self) -> None:
        """The meter's next telegram."""
        due = self.air.next_due()
        assert due is not None
        self.stand.now = max(due, self.stand.now + 1)
        self.air.run(self.stand.now)


@asynccontextmanager
async def gateway(folder: Path, stand: StandIn, **radio: Any) -> AsyncIterator[Lnap]:
    listed = Listed(address=str(GAS.address), channel=1, key=KEY.hex())
    config = settings(folder, meters=(listed,), radios=(RadioConfig(retry_s=0.05, **radio),))
    lnap = Lnap(config, unix=lambda: stand.now)
    await lnap.start()
    try:
        yield lnap
    finally:
        await lnap.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)


async def hears(lnap: Lnap, street: Street) -> None:
    await until(lambda: lnap.airings)
    street.speak()
    await until(lambda: lnap.gateway.mirror.get(1, VOLUME))
    value = lnap.gateway.mirror.get(1, VOLUME)
    assert value is not None
    assert value.raw == pytest.approx(street.meter.at(value.received_s)[0], abs=2)


async def closes_valve(lnap: Lnap, street: Street) -> None:
    order = order_valve(lnap, 1, connect=False)
    street.speak()
    await until(lambda: not order.is_open)
    assert order.state is OrderState.DONE, order
    assert street.meter.valve is Valve.CLOSED
    await until(lambda: street.stand.ordered == 3)


@pytest.mark.covers("IF-M", "E-LNAP", "F1a", "UC-BI-05")
@pytest.mark.parametrize(
    ("receiver", "frame", "orders"),
    [("im871a", imst, imst_orders), ("amb8465", amber, amber_orders), ("rc1180", plain, no_orders)],
)
def test_a_receiver_on_a_serial_line_brings_readings_and_takes_orders(
    tmp_path: Path, receiver: str, frame: Callable[[bytes], bytes], orders: Orders
) -> None:
    pytest.importorskip("serial")

    async def play() -> None:
        loop = asyncio.get_running_loop()
        stand = StandIn(frame, orders, lambda octets: pty.write(octets))
        pty = Pty(lambda octets: loop.call_soon_threadsafe(stand.told, octets))
        street = Street(stand)
        try:
            async with gateway(tmp_path, stand, receiver=receiver, serial=pty.name, mode="T1") as lnap:
                await hears(lnap, street)
                if orders is no_orders:
                    order = order_valve(lnap, 1, connect=False)
                    street.speak()
                    await until(lambda: lnap.gateway.channel(1).telegrams == 2)
                    assert order.is_open
                else:
                    await closes_valve(lnap, street)
        finally:
            pty.close()

    asyncio.run(play())


class Server:
    """A serial server, or ``rtl_wmbus | nc``: what is said goes to who is connected."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.heard: Callable[[bytes], object] = len
        self.connections = 0

    async def open(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        while octets := await reader.read(4096):
            self.heard(octets)
        self.writers.remove(writer)
        writer.close()

    def say(self, octets: bytes) -> None:
        for writer in self.writers:
            writer.write(octets)

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


@pytest.mark.covers("IF-M", "E-LNAP")
@pytest.mark.parametrize(
    ("receiver", "frame", "orders"),
    [
        ("im871a", imst, imst_orders),
        ("amb8465", amber, amber_orders),
        ("lines", line, no_orders),
        ("lines", rtl_433, no_orders),
    ],
)
def test_a_receiver_behind_tcp_is_heard_again_after_the_line_was_cut(
    tmp_path: Path, receiver: str, frame: Callable[[bytes], bytes], orders: Orders, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        server = Server()
        port = await server.open()
        stand = StandIn(frame, orders, server.say)
        server.heard = stand.told
        street = Street(stand)
        async with gateway(tmp_path, stand, receiver=receiver, port=port) as lnap:
            await until(lambda: server.writers)
            await hears(lnap, street)
            server.cut()
            await until(lambda: server.connections == 2 and lnap.airings)
            street.speak()
            await until(lambda: lnap.gateway.channel(1).telegrams == 2)
            if orders is not no_orders:
                await closes_valve(lnap, street)
        server.server.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    assert "radios[0]" in caplog.text


@pytest.mark.covers("IF-M")
def test_lines_come_through_a_named_pipe_that_outlives_its_writers(tmp_path: Path) -> None:
    async def play() -> None:
        path = fifo(tmp_path)
        stand = StandIn(line, no_orders, path.write_bytes)
        street = Street(stand)
        async with gateway(tmp_path, stand, receiver="lines", file=str(path)) as lnap:
            await hears(lnap, street)
            street.speak()
            await until(lambda: lnap.gateway.channel(1).telegrams == 2)

    asyncio.run(play())


@pytest.mark.covers("IF-M")
def test_a_program_is_started_again_when_it_ends_and_its_complaint_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = tmp_path / "said"
    said.write_bytes(b"")
    program = ("sh", "-c", f'cat "{said}"; echo "no stick found" >&2; exit 3')

    async def play() -> None:
        stand = StandIn(rtl_433, no_orders, said.write_bytes)
        street = Street(stand)
        async with gateway(tmp_path, stand, receiver="lines", program=program) as lnap:
            await until(lambda: "no stick found" in caplog.text)
            street.speak()
            await until(lambda: lnap.gateway.mirror.get(1, VOLUME))

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    assert "radios[0]: sh: sh ended with status 3: no stick found" in caplog.text


def test_a_device_that_is_not_there_is_named_with_its_setting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("serial")

    async def play() -> None:
        stand = StandIn(imst, imst_orders, len)
        async with gateway(tmp_path, stand, receiver="im871a", serial="/dev/not-there"):
            await until(lambda: "radios[0]: /dev/not-there cannot be opened" in caplog.text)

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())


@pytest.mark.covers("IF-M", "F1a")
def test_a_serial_bus_master_polls_wired_meters_over_a_pty(tmp_path: Path) -> None:
    """The virtual meters' two-wire bus, behind a level converter that is a pty here."""
    pytest.importorskip("serial")

    water = MeterConfig(ident="20000001", utility=Utility.WATER, security=0, primary=1)

    async def play() -> None:
        loop = asyncio.get_running_loop()
        async with running(HostConfig(meters=(water,), bus_port=0)) as host:
            reader, writer = await asyncio.open_connection("127.0.0.1", host.bus_port or 0)
            pty = Pty(lambda octets: loop.call_soon_threadsafe(writer.write, octets))

            async def back() -> None:
                while octets := await reader.read(4096):
                    pty.write(octets)

            carrying = asyncio.create_task(back())
            bound = RadioMeter(mode=0).bound(1, address=water.address, link="wired")
            book = ledger(tmp_path, bound)
            # a pty has no parity
            config = BusConfig(serial=pty.name, parity="N", baud=38400, latency_s=0.5)
            bus = Bus(config, book, lambda: NOON + bus.polls)
            task = asyncio.create_task(bus.run())
            await until(lambda: book.gateway.mirror.get(1, Obis(8, 0, 1, 0, 0)))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            carrying.cancel()
            writer.close()
            pty.close()
            book.spool.close()

    asyncio.run(play())


def test_a_serial_bus_that_is_not_there_is_named_with_its_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("serial")

    async def play() -> None:
        book = ledger(tmp_path)
        bus = Bus(BusConfig(serial="/dev/not-there", retry_s=0.05), book, lambda: NOON, place=2)
        task = asyncio.create_task(bus.run())
        await until(lambda: caplog.text.count("buses[2]: /dev/not-there: ") > 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        book.spool.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
