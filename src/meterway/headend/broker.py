"""Bulk reports over an MQTT broker: reports in on one topic, receipts out on another.

Who delivers is told by the topic, ``<prefix>/<serial>/reports``: the broker must let each concentrator write to its own
only. The receipt goes to ``<prefix>/<serial>/receipts`` when the report is on disk, or says that it is refused; until
then it is kept there.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError, MeterwayError
from meterway.headend.bulk import BulkError
from meterway.headend.config import BrokerConfig
from meterway.headend.delivery import Delivery
from meterway.links.mqtt import MqttClient, library
from meterway.model.report import Receipt, encode_receipt

__all__ = ["Broker"]

_LOG: Final = logging.getLogger(__name__)
_RETRY_S: Final = 5.0
_MOST_WAITING: Final = 64


class Broker:
    """Stays on the broker until cancelled; ``error`` says why it is not there."""

    def __init__(self, config: BrokerConfig, delivery: Delivery) -> None:
        self._config = config
        self._delivery = delivery
        self._mqtt = library("bulk.broker")
        self._password = _password(config.password_file)
        self._tls = _tls(config)
        self.connected = False
        self.error = ""

    async def run(self) -> None:
        """Take what is published, for as long as this runs."""
        while True:
            try:
                await self._session()
            except self._mqtt.MqttError as error:
                self.error = str(error)
                _LOG.warning("broker %s:%d: %s", self._config.host, self._config.port, error)
            finally:
                self.connected = False
            await asyncio.sleep(_RETRY_S)

    async def _session(self) -> None:
        config = self._config
        client = self._mqtt.Client(
            config.host,
            config.port,
            username=config.username or None,
            password=self._password or None,
            identifier=config.client_id,
            clean_session=False,  # what came while we were away is kept for us
            tls_context=self._tls,
            max_queued_incoming_messages=_MOST_WAITING,  # what is beyond gets no receipt, so it comes again
        )
        async with client as broker:
            await broker.subscribe(f"{config.prefix}/+/reports", qos=1)
            self.connected, self.error = True, ""
            async for message in broker.messages:
                await self._take(broker, str(message.topic), message.payload)

    async def _take(self, broker: MqttClient, topic: str, payload: object) -> None:
        sender = topic.removeprefix(f"{self._config.prefix}/").removesuffix("/reports")
        if not isinstance(payload, bytes | bytearray):
            return
        try:
            receipt = await self._delivery.take(bytes(payload), sender)
        except BulkError as error:
            _LOG.warning("a report of %s was refused: %s", sender, error)
            if not error.report:
                return
            receipt = Receipt(id=error.report, result="refused", reason=str(error)[:500])
        except MeterwayError as error:  # no receipt: it will come again
            _LOG.warning("a report of %s was refused: %s", sender, error)
            return
        await broker.publish(f"{self._config.prefix}/{sender}/receipts", encode_receipt(receipt), qos=1)


def _password(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip() if path else ""
    except OSError as error:
        raise ConfigError(f"bulk.broker.password_file: {path}: {error.strerror or error}") from None


def _tls(config: BrokerConfig) -> ssl.SSLContext | None:
    if config.host in ("127.0.0.1", "::1", "localhost") and not config.authority:
        return None
    try:
        return ssl.create_default_context(cafile=config.authority or None)
    except OSError as error:
        raise ConfigError(f"bulk.broker.authority: {config.authority}: {error.strerror or error}") from None
