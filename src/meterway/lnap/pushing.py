"""Alarms upward: protected as the party wants, in order, each until the line has taken it.

A DataNotification has no answer. One counts as delivered when the receiver has read it to its end and closed the line
in good order; then it leaves the outbox. A power cut, or a line that breaks after the receiver took it, brings it again
under the same long-invoke-id: at least once, and never lost while the outbox has room. Through a concentrator (L) one
counts as delivered when the network has not given it up: what the concentrator does with it nobody tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from meterway.base.errors import ConfigError, LinkError, StoreError
from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.site import Site, Waiting
from meterway.links import tcp
from meterway.lnap.links_config import PushConfig
from meterway.lnap.objects import push_notification
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.tabled import CounterStore
from meterway.stacks.dlms.wrapper import WrapperFrame

__all__ = ["Pusher", "protected_push"]

_LOG: Final = logging.getLogger(__name__)
CarryUp = Callable[[bytes, int, int], Awaitable[None]]
"""Takes an APDU, from a logical device (last) to a client, to whoever it is for; LinkError if it could not."""


def protected_push(
    site: Site,
    channel: int,
    party: str,
    counters: CounterStore[Party],
    *,
    invoke: int,
    now: float,
    alarms: int | None = None,
) -> tuple[int, bytes]:
    """The party's client, and the push as general-glo-ciphering; ConfigError if party or meter is gone."""
    found = next((one for one in site.parties if one.name == party), None)
    if found is None:
        raise ConfigError(f"{party} is no party")
    keys = site.keys(found, channel)
    context = SecurityContext(
        keys=Keys(keys.guek, keys.gak),
        own_title=site.title(channel),
        peer_title=b"",
        send_counter=counters.sending(found, channel),
        received=ReceivedCounter(),
        control=AUTHENTICATED | ENCRYPTED,
    )
    told = push_notification(site, channel, invoke=invoke, now=now, alarms=alarms)
    return found.client, context.protect_general(told)


class Pusher:
    """Pushes to one destination what waits in the outbox, the oldest first; with ``carry`` it takes them there."""

    def __init__(
        self, config: PushConfig, site: Site, counters: CounterStore[Party], carry: CarryUp | None = None
    ) -> None:
        self._config = config
        self._carry = carry
        self._site = site
        self._counters = counters
        self._wake = asyncio.Event()
        self.sent = 0
        self.failed = 0
        self.gone = 0
        """How many were of a meter that has left, and so told nobody anything."""

    def wake(self) -> None:
        """Something may have been put into the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._wake.clear()
            try:
                waiting = self._site.ledger.spool.to_tell()
                if waiting:
                    await self._deliver(*waiting[0])
                    continue
            except (LinkError, StoreError) as error:
                self.failed += 1
                _LOG.info("push: %s", error)
                await asyncio.sleep(self._config.retry_s)
                continue
            await self._wake.wait()

    async def _deliver(self, number: int, row: bytes) -> None:
        waiting = msgspec.msgpack.decode(row, type=Waiting)
        frame = self._frame(number, waiting)
        if frame is None:
            self.gone += 1
        elif self._carry is not None:
            await self._carry(frame.apdu, frame.destination, frame.source)
            self.sent += 1
        else:
            await tcp.deliver(self._config.host, self._config.port, frame.encode(), timeout_s=self._config.answer_s)
            self.sent += 1
        self._site.ledger.spool.was_told(number)

    def _frame(self, number: int, waiting: Waiting) -> WrapperFrame | None:
        """The push as it goes out; None if its meter is not there any more."""
        channel = waiting.channel
        try:
            if self._site.name(channel) != waiting.name:
                return None
            client, apdu = protected_push(
                self._site,
                channel,
                self._config.party,
                self._counters,
                invoke=number & 0xFFFFFF,
                now=waiting.time_s,
                alarms=waiting.alarms,
            )
        except ConfigError:
            return None
        return WrapperFrame(source=self._site.first_sap + channel, destination=client, apdu=apdu)
