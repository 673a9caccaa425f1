"""Sending pushes: protected, after a random wait, again if the line fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from meterway.base.errors import LinkError
from meterway.base.obis import Obis
from meterway.links import tcp, udp
from meterway.meter.config import PushConfig
from meterway.meter.device import Meter
from meterway.meter.objects import CounterStore, push_notification, send_counter
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.wrapper import WrapperFrame

__all__ = ["Pusher", "protected_push"]

_CLIENT = 1


def protected_push(meter: Meter, setup: Obis, counters: CounterStore, *, invoke: int, now: float) -> bytes:
    """The push as general-glo-ciphering under the meter's encryption key."""
    context = SecurityContext(
        keys=Keys(meter.keys.guek, meter.keys.gak),
        own_title=meter.title,
        peer_title=b"",
        send_counter=send_counter(meter, counters),
        received=ReceivedCounter(),
        control=AUTHENTICATED | ENCRYPTED,
    )
    return context.protect_general(push_notification(meter, setup, invoke, now))


class Pusher:
    """Sends what meters want to push to one destination. ``sent`` and ``failed`` count."""

    def __init__(self, config: PushConfig, counters: CounterStore, unix: Callable[[float], float]) -> None:
        self._config = config
        self._counters = counters
        self._unix = unix
        self._invoke = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.failed = 0

    def push(self, meter: Meter, setup: Obis, now: float) -> None:
        """Send one push; the values are those of the moment it goes out."""
        task = asyncio.get_running_loop().create_task(self._deliver(meter, setup))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, meter: Meter, setup: Obis) -> None:
        wait = random.uniform(0, self._config.randomise_s)  # noqa: S311  spreads load, protects nothing
        for attempt in range(self._config.retries + 1):
            await asyncio.sleep(wait)
            try:
                await self._send(self._frame(meter, setup))
            except LinkError:
                wait = self._config.retry_delay_s * 2**attempt
            else:
                self.sent += 1
                return
        self.failed += 1

    def _frame(self, meter: Meter, setup: Obis) -> bytes:
        self._invoke = (self._invoke + 1) & 0xFFFFFF
        now = self._unix(asyncio.get_running_loop().time())
        apdu = protected_push(meter, setup, self._counters, invoke=self._invoke, now=now)
        return WrapperFrame(source=1, destination=_CLIENT, apdu=apdu).encode()

    async def _send(self, octets: bytes) -> None:
        config = self._config
        if config.transport == "udp":
            endpoint = await udp.connect_udp(config.address, config.port, lambda *_: None)
            endpoint.send(octets)
            endpoint.close()
            return
        await tcp.send_once(config.address, config.port, octets)

    async def drain(self, timeout_s: float) -> None:
        """Wait for what is under way, then give up on the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in tuple(self._tasks):
            task.cancel()
