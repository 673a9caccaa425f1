"""A display on its line."""

import asyncio
import contextlib
import io
import socket
import urllib.request
from datetime import UTC, datetime

import pytest
from rich.console import Console

from meterway.base.errors import ConfigError
from meterway.display.api import Display, DisplayConfig, run
from meterway.links.tcp import listen
from meterway.stacks.p1.build import P1Values, dutch
from meterway.stacks.p1.encrypted import encrypt
from meterway.stacks.p1.telegram import encode

pytestmark = pytest.mark.covers("IF-H1", "E-SECD", "F6a", "F6d", "UC-CU-01")

NOW = datetime(2026, 7, 1, 10, 0, 30, tzinfo=UTC)
KEY = bytes(range(16))


def octets(power):
    return encode(dutch(P1Values(serial="MWY7", time=NOW, energy_in_wh=(1, 2), power_in_w=power)))


class Meter(asyncio.Protocol):
    """A consumer port: sends what it is told to each display and keeps what it hears."""

    def __init__(self, telegrams):
        self.telegrams = telegrams
        self.heard = b""
        self.lines = []

    def connection_made(self, transport):
        self.lines.append(transport)
        for telegram in self.telegrams:
            transport.write(telegram)

    def data_received(self, data):
        self.heard += data


async def until(display, wanted):
    async with asyncio.timeout(20):
        async for view in display.changes(at_most_s=0.2):
            if wanted(view):
                return view
    return None


@contextlib.asynccontextmanager
async def at_meter(telegrams, **settings):
    meter = Meter(telegrams)
    listener = await listen("127.0.0.1", 0, lambda: meter)
    settings = {"retry_min_s": 0.01, "retry_max_s": 0.02, "page_port": None} | settings
    display = Display(DisplayConfig(port=listener.port, **settings))
    try:
        display.start()
        yield display, meter
    finally:
        await display.stop()
        for line in meter.lines:
            line.abort()
        listener.close()
        await listener.wait_closed()


@pytest.mark.covers("F6", "REC-b")
def test_a_display_shows_what_the_meter_sends_and_says_nothing():
    async def main():
        async with at_meter([octets(100), octets(200)]) as (display, meter):
            view = await until(display, lambda view: view.telegrams == 2)
            assert (view.power_w, view.line.state) == (200, "connected")
            assert meter.heard == b""

    asyncio.run(main())


def test_a_lost_line_is_taken_up_again():
    async def main():
        async with at_meter([octets(100)]) as (display, meter):
            await until(display, lambda view: view.telegrams == 1)
            meter.lines[-1].abort()
            view = await until(display, lambda view: view.telegrams == 2)
            assert view.power_w == 100
            assert len(meter.lines) == 2

    asyncio.run(main())


@pytest.mark.covers("SEC-04")
def test_an_encrypted_port_is_read_with_its_key():
    frame = encrypt(octets(300), KEY, system_title=b"MWY\0\0\0\0\1", counter=1)

    async def main():
        async with at_meter([frame], key=KEY) as (display, _):
            assert (await until(display, lambda view: view.telegrams == 1)).power_w == 300
        async with at_meter([frame], key=bytes(16)) as (display, _):
            assert (await until(display, lambda view: view.faults)).faults == {"tag": 1}

    asyncio.run(main())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def test_a_meter_that_is_not_there_is_said():
    async def main():
        display = Display(DisplayConfig(port=free_port(), page_port=None))
        display.start()
        view = await until(display, lambda view: view.line.state == "lost")
        assert "cannot be reached" in view.line.message
        await display.stop()

    asyncio.run(main())


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def test_the_page_is_served_until_it_is_cancelled():
    async def main():
        async with at_meter([octets(400)], page_port=0) as (display, _):
            await until(display, lambda view: view.telegrams == 1)
            task = asyncio.get_running_loop().create_task(display.serve_page())
            await until(display, lambda _: display.page_address)
            text = await asyncio.to_thread(fetch, display.page_address)
            assert "MWY7" in text
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_a_taken_page_port_is_said():
    async def main(port):
        await run(DisplayConfig(port=free_port(), page_port=port), panel=False, console=Console(file=io.StringIO()))

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            asyncio.run(main(port))


class Screen(io.StringIO):
    """Says when a text was written to it."""

    def __init__(self, wanted):
        super().__init__()
        self.wanted = wanted
        self.shown = asyncio.Event()

    def write(self, text):
        count = super().write(text)
        if self.wanted in self.getvalue():
            self.shown.set()
        return count


@pytest.mark.parametrize("panel", [True, False])
def test_a_display_runs_with_and_without_a_panel(panel):
    async def main():
        screen = Screen("400 W" if panel else "connected")
        console = Console(file=screen, width=90, force_terminal=panel)
        async with at_meter([octets(400)]) as (display, _):
            config = DisplayConfig(port=display.config.port, page_port=None)
            task = asyncio.get_running_loop().create_task(run(config, panel=panel, console=console))
            async with asyncio.timeout(20):
                await screen.shown.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
