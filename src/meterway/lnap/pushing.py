"""Alarms upward: protected as the party wants, tried again until the line takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from meterway.base.errors import ConfigError, LinkError
from meterway.links import tcp
from meterway.lnap.links_config import PushConfig
from meterway.lnap.objects import push_notification
from meterway.lnap.objects.logical import CounterStore
from meterway.lnap.site import Site
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.wrapper import WrapperFrame

__all__ = ["Pusher", "protected_push"]


def protected_push(
    site: Site, channel: int, party: str, counters: CounterStore, *, invoke: int, now: float
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
    return found.client, context.protect_general(push_notification(site, channel, invoke=invoke, now=now))


class Pusher:
    """Pushes to one destination: of each channel the alarms as they are when the line takes them."""

    def __init__(self, config: PushConfig, site: Site, counters: CounterStore, now: Callable[[], float]) -> None:
        self._config = config
        self._site = site
        self._counters = counters
        self._now = now
        self._invoke = 0
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.sent = 0
        self.failed = 0

    def push(self, channel: int) -> None:
        """Push the alarms of a channel; one push of a channel is under way at a time."""
        if channel not in self._tasks:
            task = self._tasks[channel] = asyncio.get_running_loop().create_task(self._deliver(channel))
            task.add_done_callback(lambda _: self._tasks.pop(channel, None))

    async def _deliver(self, channel: int) -> None:
        while True:
            self._invoke = (self._invoke + 1) & 0xFFFFFF
            try:
                client, apdu = protected_push(
                    self._site, channel, self._config.party, self._counters, invoke=self._invoke, now=self._now()
                )
                frame = WrapperFrame(source=channel + 1, destination=client, apdu=apdu).encode()
                await tcp.send_once(self._config.host, self._config.port, frame)
            except LinkError:
                self.failed += 1
                await asyncio.sleep(self._config.retry_s)
            except ConfigError:
                return  # the meter left
            else:
                self.sent += 1
                return

    async def drain(self) -> None:
        """Give up on what is under way."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
