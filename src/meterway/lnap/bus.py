"""The gateway on a two-wire bus, by a serial port or over TCP: it polls on schedule, delivers orders, searches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from meterway.base.errors import LinkError, MeterwayError
from meterway.interfaces.mbus.answers import bus_firmware, bus_order
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.mirror import Order, OrderState
from meterway.interfaces.mbus.rules import next_poll, search_order
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.links.serial import open_serial
from meterway.lnap.links_config import BusConfig
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Found, LineSpeed, Procedure
from meterway.stacks.mbus.link.frames import LongFrame
from meterway.stacks.mbus.link.master import Done, Failed, Master, MasterEvent
from meterway.stacks.mbus.link.procedures import read, send
from meterway.stacks.mbus.link.search import address_in, scan_primary, search_secondary

__all__ = ["Bus"]

_LOG: Final = logging.getLogger(__name__)
_IDLE_S: Final = 1.0
_PIECE: Final = 64
"""Requests of an image between two readings."""
_LONGEST_S: Final = 600.0


class Bus:
    """One bus. ``unix`` gives Unix seconds. ``wanted`` are the channels to be read now, before any schedule.

    ``place`` is its place in the settings, which messages name.
    """

    def __init__(self, config: BusConfig, ledger: Ledger, unix: Callable[[], float], *, place: int = 0) -> None:
        self._setting = f"buses[{place}]"
        self._config = config
        self._ledger = ledger
        self._unix = unix
        self._due: dict[int, float] = {}
        self._wake = asyncio.Event()
        self._done: asyncio.Future[object] | None = None
        self._protocol: EngineProtocol[MasterEvent] | None = None
        self.wanted: list[int] = []
        self.polls = 0
        self.failures = 0

    def poll(self, channel: int) -> bool:
        """Read a meter as soon as the bus is free; False if there is no line."""
        if self._protocol is None or not self._protocol.connected:
            return False
        if channel not in self.wanted:
            self.wanted.append(channel)
        self._wake.set()
        return True

    async def run(self) -> None:
        """Poll until cancelled; a line that breaks is built up again."""
        searched = not self._config.search
        while True:
            try:
                await self._connect()
                if not searched:
                    await self.search(self._config.search)
                    searched = True
                await self._work()
            except MeterwayError as error:
                _LOG.warning("%s: %s: %s", self._setting, self._config.way, error)
            finally:
                if self._protocol is not None:
                    self._protocol.abort()
                    self._protocol = None
            await asyncio.sleep(self._config.retry_s)

    async def _connect(self) -> None:
        master = Master(baud=self._config.baud, latency_s=self._config.latency_s)

        def make() -> EngineProtocol[MasterEvent]:
            return EngineProtocol(master, self._event, on_lost=self._lost)

        config = self._config
        if config.serial:
            self._protocol = await open_serial(config.serial, make, baud=config.baud, parity=config.parity)
        else:
            self._protocol = await tcp.connect(config.host, config.port, make)

    # -- procedures -------------------------------------------------------------------------------------------

    async def _run(self, make: Callable[[Master], Procedure[Any]]) -> Any:
        """Run one procedure to its end; its error, or LinkError when the line is gone."""
        protocol = self._protocol
        if protocol is None or not protocol.connected or not isinstance(protocol.engine, Master):
            raise LinkError("the bus is not connected")
        self._done = asyncio.get_running_loop().create_future()
        protocol.engine.start(make(protocol.engine), protocol.now())
        protocol.flush()
        try:
            async with asyncio.timeout(_LONGEST_S):
                return await self._done
        except TimeoutError:
            raise LinkError(f"a procedure took more than {_LONGEST_S:g} s") from None

    def _event(self, event: MasterEvent) -> None:
        done = self._done
        if isinstance(event, Found | LineSpeed) or done is None or done.done():
            return
        if isinstance(event, Done):
            done.set_result(event.result)
        elif isinstance(event, Failed):
            done.set_exception(event.error)

    def _lost(self, error: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(LinkError(f"the bus was cut off: {error or 'closed'}"))
        self._wake.set()

    # -- polling ----------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while self._protocol is not None and self._protocol.connected:
            meter = self._next()
            if meter is None:
                self._wake.clear()
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                continue
            await self._visit(meter)

    def _next(self) -> Bound | None:
        channels = self._ledger.gateway.channels
        now = self._unix()
        while self.wanted:
            found = channels.get(self.wanted.pop(0))
            if found is not None and found.link == "wired":
                return found
        for channel, meter in channels.items():
            if meter.link == "wired" and now >= self._due.get(channel, 0.0):
                self._due[channel] = next_poll(now, every_s=self._config.poll_s, name=meter.name)
                return meter
        return None

    async def _visit(self, meter: Bound) -> None:
        """Read a meter and deliver what waits for it."""
        try:
            await self._read(meter)
            while (order := self._ledger.gateway.mailbox.next(meter.channel, self._unix())) is not None:
                await self._deliver(meter, order)
            await self._firmware(meter)
        except MeterwayError as error:
            self.failures += 1
            _LOG.info("%s: %s", meter.name, error)
            if self._protocol is None or not self._protocol.connected:
                raise LinkError(str(error)) from None

    async def _read(self, meter: Bound) -> None:
        target = _target(meter)
        frames = await self._run(lambda master: read(master.bits, target))
        self.polls += 1
        for frame in frames:
            heard = self._ledger.gateway.receive(frame.encode(), link="wired", now=self._unix(), asked=meter)
            self._ledger.heard(heard)

    async def _deliver(self, meter: Bound, order: Order) -> None:
        """Send, then read: an order is done when the meter answers with data and not with an error."""
        ci, data = bus_order(meter, order)
        self._ledger.about_to_send(meter)
        target = _target(meter)
        await self._send(target, ci, data)
        await self._read(meter)
        if order.is_open:
            self._ledger.gateway.close(order, OrderState.DONE, self._unix(), "done")

    async def _send(self, target: int | Address, ci: int, data: bytes) -> None:
        await self._run(lambda master: send(master.bits, target, ci, data))

    async def _firmware(self, meter: Bound) -> None:
        """Hand down a piece of an image; the rest follows after the other meters that wait."""
        gateway, target = self._ledger.gateway, _target(meter)
        request = gateway.firmware_request(meter.channel, None)
        for _ in range(_PIECE):
            if request is None:
                break
            ci, data = bus_firmware(meter, request)
            self._ledger.about_to_send(meter)
            await self._send(target, ci, data)
            delivery = gateway.delivery(meter.channel)
            if not request.answered:
                request = delivery.acknowledged()
                continue
            frames = await self._run(lambda master: read(master.bits, target))
            heard = gateway.receive(frames[0].encode(), link="wired", now=self._unix(), asked=meter)
            self._ledger.heard(heard)
            request = gateway.firmware_request(meter.channel, heard.telegram) if heard.telegram is not None else None
        self._ledger.settle_firmware(meter, self._unix())
        if request is not None:
            self.poll(meter.channel)

    # -- search -----------------------------------------------------------------------------------------------

    async def search(self, priority: str) -> int:
        """Search by the methods in order until one finds a meter; what is found is proposed. How many were."""
        came: list[str] = []
        count = 0
        for method in search_order(priority):
            if method not in search_order(priority, came):
                break
            found = await (self._primaries() if method == "primary" else self._secondaries())
            if found:
                came.append(method)
            for address, primary in found:
                if self._ledger.gateway.propose(address, link="wired", now=self._unix(), primary=primary) is not None:
                    count += 1
        self._ledger.flush()
        return count

    async def _secondaries(self) -> list[tuple[Address, int | None]]:
        found = await self._run(lambda master: search_secondary(master.bits))
        return [(one.secondary, None) for one in found if one.secondary is not None]

    async def _primaries(self) -> list[tuple[Address, int | None]]:
        found = await self._run(lambda master: scan_primary(master.bits))
        named: list[tuple[Address, int | None]] = []
        for one in found:
            if one.primary is None or one.conflict:
                continue
            address = await self._ask_name(one.primary)
            if address is not None:
                named.append((address, one.primary))
        return named

    async def _ask_name(self, primary: int) -> Address | None:
        try:
            frames = await self._run(lambda master: read(master.bits, primary))
        except MeterwayError:
            return None
        first = frames[0] if frames else None
        return address_in(first) if isinstance(first, LongFrame) else None


def _target(meter: Bound) -> int | Address:
    """By secondary address, unless the meter was given a primary one."""
    return meter.address if meter.primary is None or meter.primary == 0 else meter.primary
