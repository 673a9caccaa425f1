"""How a master comes to the simulated bus: a TCP port like that of a serial converter, or a pty like a serial port."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from meterway.base.errors import ConfigError
from meterway.links import tcp
from meterway.links.medium.bus import SimulatedBus
from meterway.links.pump import EngineProtocol

__all__ = ["BusPty", "BusTcp"]

_READ: Final = 4096
_BAUDS: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400)


class BusTcp:
    """The bus behind a TCP port; one master at a time, as the bus has one. A second one is turned away."""

    def __init__(self, bus: SimulatedBus) -> None:
        self.bus = bus
        self._listener: tcp.Listener | None = None
        self._master: EngineProtocol[None] | None = None

    async def open(self, host: str | None = None, port: int = 0) -> int:
        """Begin to listen; returns the port. ConfigError names host and port if taken."""
        self._listener = await tcp.listen(host, port, self._make)
        return self._listener.port

    async def close(self) -> None:
        """Cut the master off and free the port."""
        if self._listener is not None:
            self._listener.close()
        if self._master is not None:
            self._master.abort()
        if self._listener is not None:
            await self._listener.wait_closed()
            self._listener = None

    def _make(self) -> asyncio.Protocol:
        if self._master is not None:
            return _TurnedAway()
        self._master = EngineProtocol[None](self.bus, lambda event: None, on_lost=self._lost)
        return self._master

    def _lost(self, error: Exception | None) -> None:
        self._master = None


class _TurnedAway(asyncio.Protocol):
    """Closes at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class BusPty:
    """The bus behind a pty: ``path`` is opened by the master like any serial port.

    The speed that the master sets on its port becomes the speed of the bus. Where there are no ptys, ``open`` raises
    ConfigError.
    """

    def __init__(self, bus: SimulatedBus) -> None:
        self.bus = bus
        self.path = ""
        self._ours = -1
        self._theirs = -1
        self._waiting = b""
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> str:
        """Make the pty; returns the path of its device. Wants a running loop."""
        try:
            import tty  # does not exist everywhere

            self._ours, self._theirs = os.openpty()
        except (ImportError, AttributeError, OSError) as error:
            raise ConfigError(f"no pty can be made here: {error}") from error
        tty.setraw(self._theirs)
        _set_speed(self._theirs, self.bus.baud)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self.path

    def close(self) -> None:
        """Take the pty away."""
        if self._ours < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._ours)
        loop.remove_writer(self._ours)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def _read(self) -> None:
        try:
            octets = os.read(self._ours, _READ)
        except BlockingIOError:
            return
        speed = _speed(self._theirs)
        if speed is not None:
            self.bus.baud = speed
        if octets:
            self.bus.receive_data(octets, asyncio.get_running_loop().time())
            self._flush()

    def _flush(self) -> None:
        self._waiting += self.bus.data_to_send()
        self._write()
        due = self.bus.next_timeout()
        if due is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._fire)

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            count = os.write(self._ours, self._waiting) if self._waiting else 0
        except BlockingIOError:
            count = 0
        self._waiting = self._waiting[count:]
        if self._waiting:
            loop.add_writer(self._ours, self._write)
        else:
            loop.remove_writer(self._ours)

    def _fire(self) -> None:
        self._timer = None
        self.bus.handle_timeout(asyncio.get_running_loop().time())
        self._flush()


def _codes() -> dict[int, int]:
    """What the system calls the speeds of the bus."""
    import termios

    return {baud: getattr(termios, f"B{baud}") for baud in _BAUDS}


def _set_speed(port: int, baud: int) -> None:
    import termios

    state = termios.tcgetattr(port)
    state[4] = state[5] = _codes().get(baud, state[5])
    termios.tcsetattr(port, termios.TCSANOW, state)


def _speed(port: int) -> int | None:
    """The speed that a terminal is set to; None if it is none of the bus."""
    import termios

    code = termios.tcgetattr(port)[5]
    return next((baud for baud, known in _codes().items() if known == code), None)
