"""A module on a meter of old: from time to time it reads the optical port it sits on, and speaks for the meter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from meterway.base.errors import ConfigError, LinkError, MeterwayError
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.meter.mbus.device import UNREAD, MbusMeter
from meterway.meter.mbus.read_usage import ReadUsage
from meterway.stacks.iec21.exchange import Event, Reader, ReadFailed, ReadOut
from meterway.stacks.iec21.messages import DataMessage

__all__ = ["Module", "energy_of", "read_port"]

_TOTAL: Final = ("1.8.0", "1-0:1.8.0*255", "1-0:1.8.0", "1-1:1.8.0")
_WH: Final = {"Wh": 1, "kWh": 1000, "MWh": 1_000_000}
_SESSION_S: Final = 30.0


def energy_of(data: DataMessage) -> int | None:
    """The imported energy of a readout in Wh; None if there is none, or none with a unit of energy."""
    for address in _TOTAL:
        found = data.find(address)
        if found is not None and found.number is not None and found.unit in _WH:
            return int(found.number * Decimal(_WH[found.unit]))
    return None


async def read_port(host: str, port: int) -> DataMessage:
    """Read out the meter at an optical port; LinkError or ProtocolError if nothing comes of it."""
    done: asyncio.Future[ReadOut | ReadFailed] = asyncio.get_running_loop().create_future()
    reader = Reader()

    def happened(event: Event) -> None:
        if isinstance(event, ReadOut | ReadFailed) and not done.done():
            done.set_result(event)

    def make() -> EngineProtocol[Event]:
        return EngineProtocol(reader, happened, on_made=lambda protocol: reader.open(protocol.now()))

    protocol = await tcp.connect(host, port, make)
    try:
        async with asyncio.timeout(_SESSION_S):
            event = await done
    except TimeoutError:
        raise LinkError(f"the readout at {host}:{port} did not end within {_SESSION_S:g} s") from None
    finally:
        protocol.close()
    if isinstance(event, ReadFailed):
        raise event.error
    return event.data


class Module:
    """Reads for one meter of ours that is a module; ``on_change`` is called after every attempt."""

    def __init__(self, meter: MbusMeter, now: Callable[[], float], on_change: Callable[[MbusMeter], None]) -> None:
        host, _, port = meter.config.reads.rpartition(":")
        if not host or not port.isdecimal() or not isinstance(meter.usage, ReadUsage):
            raise ConfigError(f"meter {meter.config.ident}: reads = {meter.config.reads!r} is no HOST:PORT")
        self._meter = meter
        self._usage = meter.usage
        self._place = host, int(port)
        self._now = now
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read once, and from then on from time to time."""
        await self.read()
        self._task = asyncio.get_running_loop().create_task(self._keep_reading())

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def read(self) -> None:
        """Read the meter now; where that fails the module says so in its error flags, and keeps what it had."""
        try:
            energy = energy_of(await read_port(*self._place))
        except MeterwayError:
            energy = None
        if energy is None:
            self._meter.error_flags |= UNREAD
        else:
            self._meter.error_flags &= ~UNREAD
            self._usage.take(self._now(), energy)
        self._on_change(self._meter)

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(self._meter.config.reads_every_s)
            await self.read()
