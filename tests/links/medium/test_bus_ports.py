from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import pytest

from mbus_bench import address_of, bus_of
from meterway.base.errors import ConfigError
from meterway.links.medium.bus import BusSettings, SimulatedBus
from meterway.links.medium.bus_ports import BusPty, BusTcp
from meterway.stacks.mbus.link.frames import ShortFrame
from meterway.stacks.mbus.link.master import Done, Master
from meterway.stacks.mbus.link.search import search_secondary

NKE_5 = ShortFrame(control=0x40, address=5).encode()
Exchange = Callable[[bytes], Awaitable[bytes]]
pty_only = pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")


async def search(exchange: Exchange) -> set[str]:
    """Search with our master; its time moves only when it has heard all that the bus had to say."""
    master, now = Master(), 0.0
    master.start(search_secondary(master.bits), now)
    while True:
        heard = await exchange(master.data_to_send())
        if heard:
            master.receive_data(heard, now)
        now = master.next_timeout() or now
        master.handle_timeout(now)
        while (event := master.next_event()) is not None:
            if isinstance(event, Done):
                assert isinstance(event.result, list)
                return {found.secondary.ident for found in event.result}


def heard_all(bus: SimulatedBus, write: Callable[[bytes], None], read: Callable[[int], Awaitable[bytes]]) -> Exchange:
    """Write, wait until the bus has taken it, read what the bus says it gave."""
    sent = got = 0

    async def exchange(octets: bytes) -> bytes:
        nonlocal sent, got
        sent += len(octets)
        write(octets)
        while bus.statistics.octets_from_master < sent:  # noqa: ASYNC110
            await asyncio.sleep(0)
        size = bus.statistics.octets_to_master - got
        got += size
        return await read(size) if size else b""

    return exchange


@pytest.mark.covers("IF-M")
def test_100_of_100_meters_are_found_through_the_tcp_port() -> None:
    async def play() -> set[str]:
        bus = bus_of(100)
        server = BusTcp(bus)
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.open())
        found = await search(heard_all(bus, writer.write, reader.readexactly))
        writer.close()
        await server.close()
        return found

    assert asyncio.run(play()) == {address_of(number).ident for number in range(100)}


@pytest.mark.covers("IF-M")
@pty_only
def test_100_of_100_meters_are_found_through_the_pty() -> None:
    async def play() -> set[str]:
        bus = bus_of(100)
        pty = BusPty(bus)
        line = os.open(pty.open(), os.O_RDWR | os.O_NOCTTY)
        os.set_blocking(line, False)

        async def read(size: int) -> bytes:
            out = b""
            while len(out) < size:
                try:
                    out += os.read(line, size - len(out))
                except BlockingIOError:
                    await asyncio.sleep(0)
            return out

        found = await search(heard_all(bus, lambda octets: os.write(line, octets) and None, read))
        os.close(line)
        pty.close()
        pty.close()
        return found

    assert asyncio.run(play()) == {address_of(number).ident for number in range(100)}


@pty_only
def test_the_speed_of_the_pty_becomes_the_speed_of_the_bus() -> None:
    import termios

    async def play() -> int:
        bus = bus_of(6)
        pty = BusPty(bus)
        line = os.open(pty.open(), os.O_RDWR | os.O_NOCTTY)
        state = termios.tcgetattr(line)
        state[4] = state[5] = termios.B9600
        termios.tcsetattr(line, termios.TCSANOW, state)
        os.write(line, NKE_5)
        while not bus.statistics.octets_from_master:  # noqa: ASYNC110
            await asyncio.sleep(0)
        os.close(line)
        pty.close()
        assert bus.statistics.answers == 0
        return bus.baud

    assert asyncio.run(play()) == 9600


@pty_only
def test_in_real_time_the_pty_gives_octets_as_they_come() -> None:
    async def play() -> bytes:
        bus = bus_of(6, BusSettings(real_time=True, baud=38400))
        bus.slaves[5].baud = 38400
        pty = BusPty(bus)
        line = os.open(pty.open(), os.O_RDWR | os.O_NOCTTY)
        import termios

        state = termios.tcgetattr(line)
        state[4] = state[5] = termios.B38400
        termios.tcsetattr(line, termios.TCSANOW, state)
        loop = asyncio.get_running_loop()
        os.write(line, ShortFrame(control=0x5B, address=5).encode())
        out = b""
        while len(out) < 27:
            out += await loop.run_in_executor(None, os.read, line, 100)
        os.close(line)
        pty.close()
        return out

    octets = asyncio.run(play())
    assert octets[:1] == b"\x68"
    assert octets[-1:] == b"\x16"


def test_a_bus_has_one_master_at_a_time() -> None:
    async def play() -> None:
        server = BusTcp(bus_of(6))
        port = await server.open()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(NKE_5)
        assert await reader.readexactly(1) == b"\xe5"
        second, other = await asyncio.open_connection("127.0.0.1", port)
        assert await second.read() == b""
        other.close()
        writer.write(NKE_5)
        assert await reader.readexactly(1) == b"\xe5"
        writer.close()
        while server._master is not None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(NKE_5)
        assert await reader.readexactly(1) == b"\xe5"
        await server.close()
        writer.close()

    asyncio.run(play())


def test_without_ptys_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[int, int]:
        raise OSError("out of ptys")

    monkeypatch.setattr(os, "openpty", refuse, raising=False)
    with pytest.raises(ConfigError, match="no pty"):
        BusPty(bus_of(1)).open()
