"""Nodes of a process on a simulated neighbourhood network: there as long as its hub is, and back when that is back."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from meterway.base.errors import LinkError
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.node import NodePort

__all__ = ["Comer", "HubStay"]

_AGAIN_S: Final = 5.0
_LOG: Final = logging.getLogger(__name__)


class Comer(Protocol):
    """What comes onto the network and vanishes from it."""

    def enter_after(self, seconds: float) -> None:
        """Come a little later."""

    def leave(self) -> None:
        """Vanish without a word."""


class HubStay:
    """Has ``nodes`` enter while the hub is there, each at a moment of its own within ``spread_s``; ``open`` begins."""

    def __init__(self, address: str, port: int, nodes: Callable[[], Iterable[Comer]], *, spread_s: float) -> None:
        self._address = address
        self._port = port
        self._nodes = nodes
        self._spread_s = spread_s
        self._client: NeighbourhoodClient | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the hub is there."""
        return self._client is not None and self._client.connected

    def join(self, number: int) -> NodePort:
        """A node's place; LinkError while the hub is away."""
        if self._client is None:
            raise LinkError("the neighbourhood hub is not there")
        return self._client.join(number)

    def open(self) -> None:
        """Begin to look for the hub."""
        self._seeking = asyncio.get_running_loop().create_task(self._seek())

    async def stop(self) -> None:
        """Look for it no more; what is on the network stays until ``close``."""
        if self._seeking is not None:
            self._seeking.cancel()
            await asyncio.gather(self._seeking, return_exceptions=True)
            self._seeking = None

    def close(self) -> None:
        """Let go of the hub; whoever is still there has left before."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _seek(self) -> None:
        while True:
            self._lost.clear()
            client = NeighbourhoodClient(self._gone)
            try:
                await client.connect(self._port, self._address)
            except LinkError as error:
                _LOG.warning("network: %s", error)
            else:
                self._client = client
                for node in self._nodes():
                    node.enter_after(random.uniform(0.0, self._spread_s))  # noqa: S311  spreads load, protects nothing
                await self._lost.wait()
            await asyncio.sleep(_AGAIN_S)

    def _gone(self, reason: str) -> None:
        """The hub is not there any more: nobody may go on to send."""
        if self._client is not None:
            _LOG.warning("network: %s", reason)
            self._client = None
            for node in self._nodes():
                node.leave()
        self._lost.set()
