from __future__ import annotations

import asyncio
import os
import sys

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.pump import EngineProtocol
from meterway.links.serial import SerialTransport, open_serial
from meterway.stacks.mbus.link.frames import ShortFrame
from meterway.stacks.mbus.link.master import Master, MasterEvent
from meterway.stacks.mbus.link.search import scan_primary

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")


def test_without_pyserial_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(ConfigError, match=r"meterway\[serial\]"):
        asyncio.run(open_serial("/dev/null", asyncio.Protocol))


def test_a_device_that_is_not_there_is_named() -> None:
    pytest.importorskip("serial")
    with pytest.raises(LinkError, match="not-there"):
        asyncio.run(open_serial("/dev/not-there", asyncio.Protocol))


def test_a_wrong_setting_is_told() -> None:
    pytest.importorskip("serial")
    with pytest.raises(ConfigError, match="loop"):
        asyncio.run(open_serial("nonsense://loop", asyncio.Protocol))


@posix
@pytest.mark.covers("IF-M")
def test_our_master_reaches_a_slave_over_a_serial_port() -> None:
    pytest.importorskip("serial")

    async def play() -> list[MasterEvent]:
        ours, theirs = os.openpty()
        loop = asyncio.get_running_loop()
        master, events = Master(baud=38400, latency_s=1.0), asyncio.Queue[MasterEvent]()
        made: list[EngineProtocol[MasterEvent]] = []
        line = await open_serial(
            os.ttyname(theirs),
            lambda: EngineProtocol(master, events.put_nowait, on_made=made.append),
            baud=38400,
            parity="N",
        )
        master.start(scan_primary(master.bits, [7]), line.now())
        line.flush()
        assert await loop.run_in_executor(None, os.read, ours, 100) == ShortFrame(control=0x40, address=7).encode()
        os.write(ours, b"\xe5")
        found = [await events.get(), await events.get()]
        assert line.peer() == os.ttyname(theirs)
        line.close()
        while line.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        os.close(ours)
        os.close(theirs)
        return found

    assert "primary=7" in str(asyncio.run(play())[0])


class Port:
    """A port that can be made to fail."""

    def __init__(self) -> None:
        self.baudrate = 2400
        self.in_waiting = 0
        self.closed = False
        self.broken = False

    def read(self, size: int) -> bytes:
        if self.broken:
            raise OSError("unplugged")
        return b""

    def write(self, data: bytes) -> int | None:
        raise OSError("unplugged while writing")

    def close(self) -> None:
        self.closed = True


class Ending(asyncio.Protocol):
    """Remembers how the line ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc)


def test_an_unplugged_device_ends_the_line_with_its_error() -> None:
    async def play() -> None:
        port, protocol = Port(), Ending()
        transport = SerialTransport(port, protocol, "test")
        port.broken = True
        assert "unplugged" in str(await protocol.ended)
        assert port.closed
        assert transport.is_closing()

    asyncio.run(play())


def test_a_device_that_takes_nothing_ends_the_line_and_speed_can_be_switched() -> None:
    async def play() -> None:
        port, protocol = Port(), Ending()
        transport = SerialTransport(port, protocol, "test")
        transport.set_baud(9600)
        transport.pause_reading()
        transport.resume_reading()
        transport.write(b"1")
        transport.write(b"2")
        assert "while writing" in str(await protocol.ended)
        assert port.baudrate == 9600

    asyncio.run(play())


def test_an_aborted_line_ends_without_error() -> None:
    async def play() -> None:
        protocol = Ending()
        SerialTransport(Port(), protocol, "test").abort()
        assert await protocol.ended is None

    asyncio.run(play())
