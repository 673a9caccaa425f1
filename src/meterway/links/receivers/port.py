"""A real receiver as a place on the air: its codec on a TCP connection or a serial port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

from meterway.base.errors import LinkError
from meterway.links import tcp
from meterway.links.radio import OnReception
from meterway.links.receivers.codec import ReceiverCodec
from meterway.links.serial import open_serial

__all__ = ["ReceiverPort", "open_serial_receiver", "open_tcp_receiver"]


class ReceiverPort(asyncio.Protocol):
    """A receiver's stream; frames are handed on as they come. ``on_lost`` hears once that the line ended.

    A delay before sending is counted by this machine's clock: good for hundredths of a second, not for windows of
    milliseconds, which only the device itself can keep.
    """

    def __init__(
        self,
        codec: ReceiverCodec,
        *,
        on_lost: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.codec = codec
        self._on_lost = on_lost
        self._clock = clock
        self._transport: asyncio.WriteTransport | None = None
        self._on_reception: OnReception | None = None
        self._waiting: list[asyncio.TimerHandle] = []

    @property
    def connected(self) -> bool:
        """Whether the line is there."""
        return self._transport is not None

    def listen(self, on_reception: OnReception) -> None:
        """Hand every frame heard from now on to ``on_reception``."""
        self._on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        """Send one frame after ``delay_s``; LinkError if the device cannot or the line is gone."""
        if self._transport is None:
            raise LinkError("the receiver is not there")
        command = self.codec.encode(octets, mode)
        if delay_s <= 0:
            self._transport.write(command)
            return
        loop = asyncio.get_running_loop()
        self._waiting = [handle for handle in self._waiting if handle.when() > loop.time()]
        self._waiting.append(loop.call_later(delay_s, self._write, command))

    def close(self) -> None:
        """Hear and send no more."""
        self._on_reception = None
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the line and set the device up (called by the loop)."""
        self._transport = cast(asyncio.WriteTransport, transport)  # one that can only be read is never written to
        setup = self.codec.setup()
        if setup:
            self._transport.write(setup)

    def data_received(self, data: bytes) -> None:
        """Take octets (called by the loop)."""
        for reception in self.codec.receive(data, self._clock()):
            if self._on_reception is not None:
                self._on_reception(reception)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the line (called by the loop)."""
        self._transport = None
        if self._on_lost is not None:
            self._on_lost(str(exc or "the receiver closed the line"))

    def _write(self, command: bytes) -> None:
        if self._transport is not None:
            self._transport.write(command)


async def open_tcp_receiver(
    codec: ReceiverCodec,
    port: int,
    host: str | None = None,
    *,
    on_lost: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> ReceiverPort:
    """A receiver behind a TCP port (ser2net, or ``rtl_wmbus | nc``); LinkError names the address if that fails."""
    return await tcp.connect(host, port, lambda: ReceiverPort(codec, on_lost=on_lost, clock=clock))


async def open_serial_receiver(
    codec: ReceiverCodec,
    device: str,
    *,
    baud: int = 9600,
    on_lost: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> ReceiverPort:
    """A receiver on a serial port, 8N1 (iM871A 57600, AMB8465 9600, RC1180 19200 baud); LinkError if that fails."""
    return await open_serial(device, lambda: ReceiverPort(codec, on_lost=on_lost, clock=clock), baud=baud, parity="N")
