"""The home automation of a town: it hears on the broker what the gateways tell of their homes, and counts it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from meterway.headend.traffic import InterfaceTraffic
from meterway.interfaces import Entity, Network, label_of
from meterway.links.tls import client_context
from meterway.town.broker import WATCHER, BrokerAccess

__all__ = ["Automation"]

_LABEL: Final = label_of(Entity.LNAP, Entity.HOME, Network.LOCAL)
_RETRY_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class Automation:
    """``told`` holds the last payload of each topic; a retained message that was read once is counted once."""

    def __init__(self) -> None:
        self.told: dict[str, bytes] = {}
        self.messages = 0
        self.octets = 0
        self._homes = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, access: BrokerAccess) -> None:
        """Begin to listen."""
        self._homes = len(access.passwords) - 1
        self._task = asyncio.create_task(self._listen(access))

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def traffic(self) -> list[InterfaceTraffic]:
        """Messages and octets (topics and payloads) from gateways to home automation."""
        return [
            InterfaceTraffic(
                label=_LABEL,
                between="LNAP – home automation",
                entities=self._homes,
                sessions=self.messages,
                octets=self.octets,
            )
        ]

    async def _listen(self, access: BrokerAccess) -> None:
        import aiomqtt

        tls = client_context(authority=Path(access.authority))
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    access.port,
                    username=WATCHER,
                    password=access.passwords[WATCHER],
                    identifier=WATCHER,
                    tls_context=tls,
                ) as client:
                    await client.subscribe("#", qos=1)
                    async for message in client.messages:
                        self._hear(str(message.topic), bytes(message.payload or b""))
            except aiomqtt.MqttError as error:
                _LOG.warning("the homes' broker: %s", error)
            await asyncio.sleep(_RETRY_S)

    def _hear(self, topic: str, payload: bytes) -> None:
        self.told[topic] = payload
        self.messages += 1
        self.octets += len(topic.encode()) + len(payload)
