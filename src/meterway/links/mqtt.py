"""The MQTT library, an extra: loaded only where there is a broker, and known by what is used of it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

from meterway.base.errors import ConfigError

__all__ = ["Library", "MqttClient", "MqttMessage", "library"]


class MqttMessage(Protocol):
    """Something that was published."""

    @property
    def topic(self) -> object:
        """Where; its text is the topic."""

    @property
    def payload(self) -> object:
        """What; octets, or whatever the library makes of it."""


class MqttClient(Protocol):
    """What is used of a client that is connected."""

    @property
    def messages(self) -> AsyncIterator[MqttMessage]:
        """What comes in."""

    async def publish(self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False) -> None:
        """Publish, and wait until the broker has it where ``qos`` asks for that."""

    async def subscribe(self, topic: str, qos: int = 0) -> object:
        """Ask for a topic."""


class Library(Protocol):
    """The library, aiomqtt."""

    MqttError: type[Exception]

    def Will(self, topic: str, payload: str, *, qos: int, retain: bool) -> object:  # noqa: N802  its name
        """What the broker is to say for a client that is lost."""

    def Client(self, hostname: str, port: int, **options: object) -> AbstractAsyncContextManager[MqttClient]:  # noqa: N802  its name
        """A client, connected within its context."""


def library(field: str) -> Library:
    """The library; ConfigError, naming the ``field`` of the settings that wants it, if it is not installed."""
    try:
        return cast(Library, importlib.import_module("aiomqtt"))
    except ImportError:
        raise ConfigError(
            f"{field}: the package aiomqtt is not installed (install meterway with its extra 'mqtt')"
        ) from None
