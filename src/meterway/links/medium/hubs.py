"""What every hub of a simulated medium does: listen, know whose station is whose, wake when something is due."""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from meterway.base.errors import LinkError
from meterway.links import tcp
from meterway.links.medium.messages import Closed, MessageEngine
from meterway.links.pump import EngineProtocol

__all__ = ["Hub", "HubClient", "HubLine"]

MessageT = TypeVar("MessageT")
KeyT = TypeVar("KeyT")
_LOG = logging.getLogger(__name__)


class HubLine(Generic[MessageT, KeyT]):
    """One client's connection: the stations it put there, by the client's own numbers, and whether it watches."""

    __slots__ = ("protocol", "stations", "touched", "watches", "wire")

    def __init__(self, protocol: EngineProtocol[MessageT | Closed], wire: MessageEngine[MessageT]) -> None:
        self.protocol = protocol
        self.wire = wire
        self.stations: dict[int, KeyT] = {}
        self.watches = False
        self.touched = False


class Hub(ABC, Generic[MessageT, KeyT]):
    """A simulated medium behind a TCP port (loopback unless another host is named).

    ``clock`` gives Unix time. A client that says what the protocol does not know is cut off.
    """

    name = "hub"

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: set[HubLine[MessageT, KeyT]] = set()
        self._listener: tcp.Listener | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf
        self._touched: list[HubLine[MessageT, KeyT]] = []

    async def open(self, host: str | None = None, port: int = 0) -> int:
        """Begin to listen; returns the port. ConfigError names host and port if taken."""
        self._listener = await tcp.listen(host, port, self._made)
        return self._listener.port

    async def close(self) -> None:
        """Cut everyone off and free the port."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._listener is not None:
            self._listener.close()
        for line in tuple(self._lines):
            line.protocol.abort()
        if self._listener is not None:
            await self._listener.wait_closed()
            self._listener = None

    # -- what a medium of its own kind does ----------------------------------------------------------

    @abstractmethod
    def _engine(self) -> MessageEngine[MessageT]:
        """The engine of a new line."""

    @abstractmethod
    def _ask(self, line: HubLine[MessageT, KeyT], message: MessageT) -> bool:
        """Do what a client asks for; False if that is nothing a client says."""

    @abstractmethod
    def _part(self, key: KeyT) -> None:
        """Take a station off the medium; its client has gone."""

    @abstractmethod
    def _next_due(self) -> float | None:
        """When the medium is to be settled."""

    @abstractmethod
    def _settle(self, now: float) -> None:
        """Hand out what has happened, by ``_tell``."""

    # -- for it --------------------------------------------------------------------------------------

    def _tell(self, line: HubLine[MessageT, KeyT], message: MessageT) -> None:
        """Say something; it goes out at the end of ``_settle``, or of what the client asked for."""
        line.wire.tell(message)
        if not line.touched:
            line.touched = True
            self._touched.append(line)

    def _watchers(self) -> list[HubLine[MessageT, KeyT]]:
        return [line for line in self._lines if line.watches]

    def _arm(self, now: float) -> None:
        """Wake up when the medium is due."""
        due = self._next_due()
        if due is None or due >= self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - now), self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_due = None, math.inf
        now = self._clock()
        self._settle(now)
        self._flush()
        self._arm(now)

    def _flush(self) -> None:
        touched, self._touched = self._touched, []
        for line in touched:
            line.touched = False
            line.protocol.flush()

    def _made(self) -> EngineProtocol[MessageT | Closed]:
        wire = self._engine()
        protocol = EngineProtocol[MessageT | Closed](
            wire, lambda message: self._said(line, message), on_lost=lambda error: self._lost(line)
        )
        line: HubLine[MessageT, KeyT] = HubLine(protocol, wire)
        self._lines.add(line)
        return protocol

    def _lost(self, line: HubLine[MessageT, KeyT]) -> None:
        self._lines.discard(line)
        for key in line.stations.values():
            self._part(key)
        line.stations.clear()

    def _said(self, line: HubLine[MessageT, KeyT], message: MessageT | Closed) -> None:
        if isinstance(message, Closed):
            if not message.reason:
                return
        elif self._ask(line, message):
            self._flush()
            return
        _LOG.warning("%s: %s is cut off: %s", self.name, line.protocol.peer(), message)
        line.protocol.abort()


class HubClient(ABC, Generic[MessageT]):
    """A connection to a hub. ``on_lost`` hears once that it ended; ``problems`` are the hub's refusals in words."""

    name = "hub"

    def __init__(self, wire: MessageEngine[MessageT], on_lost: Callable[[str], None] | None = None) -> None:
        self.problems: list[str] = []
        self._on_lost = on_lost
        self._wire = wire
        self._protocol: EngineProtocol[MessageT | Closed] | None = None
        self._reason = ""

    async def connect(self, port: int, host: str | None = None, *, timeout_s: float = 10.0) -> None:
        """Connect to the hub; LinkError names the address if that fails."""
        self._protocol = await tcp.connect(host, port, self._make, timeout_s=timeout_s)

    @property
    def connected(self) -> bool:
        """Whether the hub is there."""
        return self._protocol is not None and self._protocol.connected

    def close(self) -> None:
        """Leave the hub, with all stations."""
        if self._protocol is not None:
            self._protocol.close()

    @abstractmethod
    def _told(self, message: MessageT) -> bool:
        """Take what the hub said; False if that is nothing a hub says."""

    def _problem(self, text: str) -> None:
        self.problems.append(text)
        _LOG.warning("%s: %s", self.name, text)
        del self.problems[:-100]

    def _tell(self, message: MessageT) -> None:
        if self._protocol is None or not self._protocol.connected:
            raise LinkError(f"the {self.name} is not there")
        self._wire.tell(message)
        self._protocol.flush()

    def _make(self) -> EngineProtocol[MessageT | Closed]:
        return EngineProtocol(self._wire, self._said, on_lost=self._lost)

    def _lost(self, error: Exception | None) -> None:
        if self._on_lost is not None:
            self._on_lost(self._reason or str(error or f"the {self.name} closed the line"))

    def _said(self, message: MessageT | Closed) -> None:
        if isinstance(message, Closed):
            if message.reason:
                self._leave(message.reason)
        elif not self._told(message):
            self._leave("the hub said what only a client says")

    def _leave(self, reason: str) -> None:
        self._reason = reason
        if self._protocol is not None:
            self._protocol.abort()
