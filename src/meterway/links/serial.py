"""Serial ports as transports of asyncio: device names, ``COM3``, ``rfc2217://host:port``, ``socket://host:port``.

Wants pyserial, which is loaded when a port is opened. 8E1 as the two-wire M-Bus has it unless told otherwise.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable
from typing import Final, Literal, Protocol, TypeVar, cast

from meterway.base.errors import ConfigError, LinkError

__all__ = ["SerialTransport", "open_serial"]

_WAIT_S: Final = 0.2
"""How long a reader waits for octets before it looks whether the port is to be closed."""

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)


class _Port(Protocol):
    """What is used of a port of pyserial."""

    baudrate: int
    in_waiting: int

    def read(self, size: int) -> bytes:
        """Wait for octets."""

    def write(self, data: bytes) -> int | None:
        """Send octets."""

    def close(self) -> None:
        """Let go of the device."""


class _Library(Protocol):
    """What is used of pyserial."""

    def serial_for_url(self, url: str, **settings: object) -> _Port:
        """Open a port by its address."""


class SerialTransport(asyncio.Transport):
    """A serial port under a protocol; a thread of its own reads it, as not every port can be waited for otherwise."""

    def __init__(self, port: _Port, protocol: asyncio.Protocol, name: str) -> None:
        super().__init__({"peername": name})
        self._port = port
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._failure: Exception | None = None
        self._reading = threading.Event()
        self._reading.set()
        self._thread = threading.Thread(target=self._read, name=f"serial {name}", daemon=True)
        protocol.connection_made(self)
        self._thread.start()

    def set_baud(self, baud: int) -> None:
        """Switch the speed of the line."""
        self._port.baudrate = baud

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets; an error ends the line."""
        if self._closing:
            return
        try:
            self._port.write(bytes(data))
        except OSError as error:
            self._failure = error
            self.close()

    def close(self) -> None:
        """Close the port; the protocol hears of it once the reader has stopped."""
        self._closing = True
        self._reading.set()

    def abort(self) -> None:
        """Close the port."""
        self.close()

    def is_closing(self) -> bool:
        """Whether the port is being closed."""
        return self._closing

    def pause_reading(self) -> None:
        """Leave octets in the system's buffer."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Go on reading."""
        self._reading.set()

    def _read(self) -> None:
        """Read until the port is to be closed or fails (in a thread of its own)."""
        try:
            while not self._closing:
                self._reading.wait()
                octets = self._port.read(max(1, min(self._port.in_waiting, 4096)))
                if octets:
                    self._loop.call_soon_threadsafe(self._hand_over, octets)
        except OSError as error:  # pyserial's own errors are of this kind
            self._failure = self._failure or error
        self._port.close()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lost)

    def _hand_over(self, octets: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(octets)

    def _lost(self) -> None:
        self._closing = True
        self._protocol.connection_lost(self._failure)


async def open_serial(
    device: str,
    factory: Callable[[], ProtocolT],
    *,
    baud: int = 2400,
    parity: Literal["N", "E", "O"] = "E",
) -> ProtocolT:
    """Open a port and return the protocol that ``factory`` made.

    ConfigError if pyserial is missing or a setting is wrong, LinkError naming the device if it cannot be opened.
    """
    try:
        library = cast(_Library, importlib.import_module("serial"))
    except ImportError as error:
        raise ConfigError("serial ports want pyserial: install meterway[serial]") from error

    def reach() -> _Port:
        return library.serial_for_url(device, baudrate=baud, bytesize=8, parity=parity, stopbits=1, timeout=_WAIT_S)

    try:
        port = await asyncio.get_running_loop().run_in_executor(None, reach)
    except ValueError as error:
        raise ConfigError(f"{device}: {error}") from error
    except OSError as error:
        raise LinkError(f"{device} cannot be opened: {error.strerror or error}") from error
    protocol = factory()
    SerialTransport(port, cast(asyncio.Protocol, protocol), device)
    return protocol
