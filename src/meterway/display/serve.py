"""The I/O of a display: one line from the meter, the page, the panel. It never sends anything to the meter."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import uvicorn
from rich.console import Console

from meterway.base.errors import ConfigError, LinkError
from meterway.display.config import DisplayConfig
from meterway.display.device import DisplayDevice, Line, View
from meterway.display.page import page
from meterway.display.panel import show
from meterway.links.pump import EngineProtocol
from meterway.links.tcp import connect
from meterway.stacks.p1.stream import Noticed, P1Stream, TelegramReceived

__all__ = ["Display", "run"]


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Display:
    """One display: keeps its line to the meter, and a view for whoever looks.

    ``start`` and ``stop`` take and let go of the line; ``serve_page`` shows the page as long as it runs.
    """

    def __init__(self, config: DisplayConfig, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.config = config
        self._clock = clock
        self._device = DisplayDevice(utc_offset_h=config.utc_offset_h)
        self._changed = asyncio.Event()
        self._counters: dict[bytes, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.page_address = ""

    def view(self) -> View:
        """Everything there is to show now."""
        return self._device.view(self._clock())

    def start(self) -> None:
        """Begin to connect; a lost line is tried again, ever more slowly."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep(), name="display line")

    async def stop(self) -> None:
        """Let go of the line."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def changes(self, *, at_most_s: float = 5.0) -> AsyncIterator[View]:
        """A view now and after every change, at least every ``at_most_s`` seconds."""
        while True:
            changed = self._changed
            yield self.view()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(at_most_s):
                    await changed.wait()

    async def serve_page(self) -> None:
        """Show the page until cancelled; ConfigError if its port cannot be had."""
        config = self.config
        listener = _listen(config.page_host, config.page_port or 0)
        self.page_address = f"http://{config.page_host}:{listener.getsockname()[1]}/"
        app = page(self.view, self.changes, hosts=_hosts(config.page_host))
        server = _Server(
            uvicorn.Config(app, log_level="error", lifespan="off", access_log=False, timeout_graceful_shutdown=1)
        )
        with listener:
            await _until_cancelled(server, listener)

    def _change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _say(self, state: str, message: str) -> None:
        self._device.line = Line(state=state, message=message)
        self._change()

    async def _keep(self) -> None:
        pause = self.config.retry_min_s
        while True:
            heard = await self._once()
            pause = self.config.retry_min_s if heard else min(2 * pause, self.config.retry_max_s)
            await asyncio.sleep(pause)

    async def _once(self) -> bool:
        """One line from connect to loss; whether a telegram came over it."""
        config = self.config
        before = self._device.view(self._clock()).telegrams
        lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        engine = P1Stream(key=config.key, auth_key=config.auth_key, counters=self._counters)

        def made() -> EngineProtocol[TelegramReceived | Noticed]:
            return EngineProtocol(engine, self._event, on_lost=lambda reason: _settle(lost, reason))

        try:
            line = await connect(config.host, config.port, made)
        except LinkError as error:
            self._say("lost", str(error))
            return False
        self._say("connected", f"{config.host}:{config.port}")
        try:
            reason = await lost
        finally:
            line.abort()
        self._say("lost", str(reason or "the meter closed the line"))
        return self._device.view(self._clock()).telegrams > before

    def _event(self, event: TelegramReceived | Noticed) -> None:
        if isinstance(event, TelegramReceived):
            self._device.take(event.telegram, self._clock(), octets=len(event.octets))
        else:
            self._device.fault(event.kind)
        self._change()


def _settle(lost: asyncio.Future[Exception | None], error: Exception | None) -> None:
    if not lost.done():
        lost.set_result(error)


class _Server(uvicorn.Server):
    """Leaves the signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _until_cancelled(server: _Server, listener: socket.socket) -> None:
    """Serve; when cancelled, let the server close its connections before the cancellation goes on."""
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await task
        raise


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(f"the page cannot listen on {host}:{port}: {error.strerror or error}") from error


def _hosts(host: str) -> list[str] | None:
    """On loopback only its own names are answered, so that no web site elsewhere can read the page."""
    loopback = ["127.0.0.1", "localhost", "::1"]
    return loopback if host in loopback else None


async def run(config: DisplayConfig, *, panel: bool, console: Console | None = None) -> None:
    """Run a display until cancelled: its line, its page if it has one, and the panel in the terminal."""
    console = console or Console()
    display = Display(config)
    display.start()
    try:
        async with asyncio.TaskGroup() as group:
            if config.page_port is not None:
                group.create_task(display.serve_page())
            if panel:
                group.create_task(show(display.changes, console, address=lambda: display.page_address))
            else:
                group.create_task(_tell(display, console))
    except* ConfigError as errors:
        raise errors.exceptions[0] from None
    finally:
        await display.stop()


async def _tell(display: Display, console: Console) -> None:
    """One line of text whenever the state of the line changes, for a program without a terminal."""
    said = None
    async for view in display.changes():
        state = (view.line, display.page_address)
        if state != said and view.line.state != "waiting":
            said = state
            console.print(f"{view.line.state}: {view.line.message}", display.page_address, markup=False)
