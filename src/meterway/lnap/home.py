"""The gateway on a home's MQTT broker: sensors that Home Assistant finds by itself; TLS, the home's own login."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from meterway.base.errors import MeterwayError
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.site import Site
from meterway.links.mqtt import MqttClient, library
from meterway.links.tls import client_context
from meterway.lnap.discovery import Messages, announcements, states, topics_of
from meterway.lnap.links_config import MqttConfig

__all__ = ["Home"]

_LOG: Final = logging.getLogger(__name__)
_RETRY_S: Final = 5.0
_GOODBYE_S: Final = 2.0
_KEPT: Final = "mqtt"


class Home:
    """Publishes until it is cancelled. ``connected`` and ``error`` say how it stands; ``published`` counts messages.

    A broker that is away or refuses is asked again every few seconds; what changed meanwhile is told then.
    """

    def __init__(self, config: MqttConfig, site: Site, now: Callable[[], float]) -> None:
        self._config = config
        self._site = site
        self._now = now
        self._mqtt = library("mqtt")
        self._tls = self._context()
        self._told: Messages = {}
        self.connected = False
        self.error = ""
        self.published = 0

    def _context(self) -> ssl.SSLContext | None:
        config = self._config
        if not config.tls:
            return None
        paths = [Path(name) if name else None for name in (config.authority, config.certificate, config.key)]
        return client_context(authority=paths[0], certificate=paths[1], key=paths[2])

    async def run(self) -> None:
        """Stay on the broker."""
        while True:
            try:
                await self._session()
            except (self._mqtt.MqttError, MeterwayError) as error:
                self.error = str(error)
                _LOG.warning("mqtt %s:%d: %s", self._config.host, self._config.port, error)
            finally:
                self.connected = False
            await asyncio.sleep(min(_RETRY_S, self._config.every_s * 5))

    async def _session(self) -> None:
        config = self._config
        status = topics_of(self._site, config.prefix, config.discovery).status()
        client = self._mqtt.Client(
            config.host,
            config.port,
            username=config.username or None,
            password=config.secret or None,
            identifier=f"meterway-{self._site.serial}",
            tls_context=self._tls,
            will=self._mqtt.Will(status, "offline", qos=1, retain=True),
        )
        async with client as broker:
            self.connected, self.error, self._told = True, "", {}
            await broker.subscribe(f"{config.discovery}/status")
            births = asyncio.create_task(self._births(broker))
            try:
                await self._publish(broker, {status: "online"})
                while not births.done():
                    await self._refresh(broker)
                    await asyncio.wait([births], timeout=config.every_s)
                await births
            finally:
                births.cancel()
                await asyncio.gather(births, return_exceptions=True)
                await self._say_goodbye(broker, status)

    async def _say_goodbye(self, broker: MqttClient, status: str) -> None:
        """An orderly end does not make the broker speak for us: say it, if the line still takes it."""
        with suppress(self._mqtt.MqttError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._publish(broker, {status: "offline"})

    async def _births(self, broker: MqttClient) -> None:
        """Home Assistant came up: tell everything again."""
        async for message in broker.messages:
            if message.payload == b"online":
                self._told.clear()

    def meters(self) -> list[Bound]:
        """The meters of this home."""
        wanted = self._config.channels
        bound = self._site.ledger.gateway.channels
        return [bound[number] for number in sorted(bound) if wanted == "all" or number in wanted]

    async def _refresh(self, broker: MqttClient) -> None:
        """Announcements before states, only what changed; a meter that left is taken back."""
        config, meters = self._config, self.meters()
        names = {"prefix": config.prefix, "discovery": config.discovery}
        known = announcements(self._site, meters, **names) | states(self._site, meters, now=self._now(), **names)
        kept = self._kept()
        if kept != set(known):
            self._site.ledger.spool.keep_state(_KEPT, json.dumps(sorted(known)).encode())
        await self._publish(broker, {**{topic: "" for topic in kept if topic not in known}, **known})

    def _kept(self) -> set[str]:
        kept = self._site.ledger.spool.state(_KEPT)
        return set(json.loads(kept)) if kept else set()

    async def _publish(self, broker: MqttClient, messages: Messages) -> None:
        for topic, payload in messages.items():
            if self._told.get(topic) != payload:
                await broker.publish(topic, payload, qos=1, retain=True)
                self._told[topic] = payload
                self.published += 1
