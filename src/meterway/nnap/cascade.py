"""Concentrators behind one another (N): the one below over TCP or over the medium, the one above by its uplink.

APDUs pass as they are: the one above takes the prefix that names the one below off, what is left begins with the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.interfaces.stationed import Stationed
from meterway.links import tcp
from meterway.links.node import NodeClock, NodePort
from meterway.links.pump import EngineProtocol
from meterway.mapping.neighbourhood import NodeRole, NodeRow, NodeState
from meterway.nnap.config import ChildConfig
from meterway.nnap.matching import Relays
from meterway.nnap.north import Carry, NorthLine
from meterway.stacks.dlms.framing import ApduReceived, Disconnected, FramingEvent, Role
from meterway.stacks.dlms.server import LogicalDevice
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Left, Station, StationEvent

__all__ = ["ChildLink", "Uplink", "cascade_row"]

_MOST_LINES: Final = 16
_MOST_WAITING: Final = 256


class _ChildEngine:
    """The client side of the line to a child: APDUs of any pair both ways."""

    def __init__(self, take: Callable[[ApduReceived], None]) -> None:
        self.framing = WrapperFraming(0, 0, role=Role.CLIENT, any_pair=True)
        self._take = take

    def receive_data(self, data: bytes, now: float) -> None:
        self.framing.receive_data(data, now)

    def next_event(self) -> FramingEvent | None:
        event = self.framing.next_event()
        if isinstance(event, ApduReceived):
            self._take(event)
        return event

    def data_to_send(self) -> bytes:
        return self.framing.data_to_send()

    def next_timeout(self) -> float | None:
        return None

    def handle_timeout(self, now: float) -> None:
        """Nothing waits here."""


class ChildLink:
    """A concentrator below, over TCP. ``now`` gives Unix seconds; who owns it connects it again when it is lost.

    ``on_notification`` hears what the child, or something behind it, says without having been asked.
    """

    def __init__(self, host: str, port: int, now: Callable[[], float], *, answer_s: float = 60.0) -> None:
        self.on_notification: Callable[[ApduReceived], None] = lambda event: None
        self.joined_s = 0.0
        """Since when there is a line, Unix seconds; 0: there was none yet."""
        self.heard_s = 0.0
        self.carried = self.octets = 0
        """APDUs that went over the line, both ways, and their octets."""
        self._host = host
        self._port = port
        self._now = now
        self._answer_s = answer_s
        self._protocol: EngineProtocol[FramingEvent] | None = None
        self._engine: _ChildEngine | None = None
        self._relays = Relays()

    @property
    def connected(self) -> bool:
        """Whether there is a line."""
        return self._protocol is not None and self._protocol.connected

    async def connect(self) -> None:
        """Make the line; LinkError if the child is not there."""
        engine = _ChildEngine(self._took)
        protocol: EngineProtocol[FramingEvent] = EngineProtocol(
            engine, self._on_event, on_lost=lambda _: self._lost("the line to the child was lost")
        )
        await tcp.connect(self._host, self._port, lambda: protocol)
        self._engine, self._protocol = engine, protocol
        self.joined_s = self.heard_s = self._now()

    def close(self) -> None:
        """Give the line up."""
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.abort()
        self._lost("closed")

    def carry(
        self, apdu: bytes, *, client: int, server: int, answer: Callable[[bytes | None, float], None]
    ) -> None:  # fmt: skip
        """Send an APDU to the child; LocalProtocolError if there is no line, or too many wait for their answer."""
        if self._protocol is None or self._engine is None or not self.connected:
            raise LocalProtocolError(f"no line to the concentrator at {self._host}:{self._port}")
        if len(self._relays) >= _MOST_WAITING:
            raise LocalProtocolError(f"{_MOST_WAITING} APDUs wait for their answer already")
        self._relays.add((client, server), apdu, answer, self._now() + self._answer_s)
        self._count(apdu)
        self._engine.framing.reply(apdu, client=client, server=server)
        self._protocol.flush()

    def expire(self) -> None:
        """Answers that did not come in time do not come any more."""
        self._relays.expire(self._now())

    def _on_event(self, event: FramingEvent) -> None:
        if isinstance(event, Disconnected):
            self._lost("the child closed the line")

    def _took(self, event: ApduReceived) -> None:
        self.heard_s = self._now()
        self._count(event.apdu)
        if not self._relays.take((event.client, event.server), event.apdu, self.heard_s):
            self.on_notification(event)

    def _count(self, apdu: bytes) -> None:
        self.carried += 1
        self.octets += len(apdu)

    def _lost(self, _: str) -> None:
        self._relays.end(self._now())


def cascade_row(settings: ChildConfig, link: ChildLink) -> NodeRow:
    """A concentrator below over TCP, in the node table; without a line it is away."""
    return NodeRow(
        serial=settings.serial,
        system_title=bytes.fromhex(settings.title or ""),
        eui=bytes.fromhex(settings.eui),
        state=NodeState.CASCADE if link.connected else NodeState.AWAY,
        quality=100 if link.connected else 0,
        heard=int(link.heard_s),
        joined=int(link.joined_s),
        role=NodeRole.NNAP,
    )


class Uplink:
    """The concentrator as a node of the network of one above: served there as it is on a line northbound."""

    def __init__(
        self,
        station: Station,
        port: NodePort,
        clock: NodeClock,
        device_of: Callable[[int], LogicalDevice | None],
        carry: Carry,
    ) -> None:
        self._stationed = Stationed(station, port, clock, self._on_event)
        self._station = station
        self._clock = clock
        self._device_of = device_of
        self._carry = carry
        self._lines: dict[tuple[bytes, int, int], tuple[StationFraming, NorthLine]] = {}

    def start(self) -> None:
        """Begin to look for the network above."""
        self._stationed.start()

    def close(self) -> None:
        """Leave it without a word."""
        self._stationed.close()
        self._lines.clear()

    def _on_event(self, event: StationEvent) -> None:
        if isinstance(event, Left):
            self._lines.clear()
        elif isinstance(event, Apdu) and not event.is_broadcast:
            framing, line = self._line(event)
            framing.take(event)
            line.receive_data(b"\0", self._clock.now())

    def _line(self, event: Apdu) -> tuple[StationFraming, NorthLine]:
        """One for each pair of addresses, so that answers that come later find their way."""
        key = (event.eui, event.client, event.server)
        found = self._lines.get(key)
        if found is None:
            if len(self._lines) >= _MOST_LINES:
                del self._lines[next(iter(self._lines))]
            framing = StationFraming(self._station, *key, role=Role.SERVER)
            line = NorthLine(framing, self._device_of, self._carry, self._stationed.flush)
            found = self._lines[key] = framing, line
        return found
