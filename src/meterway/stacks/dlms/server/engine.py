"""The server engine: a framing and the logical devices behind it."""

from __future__ import annotations

from collections.abc import Callable

from meterway.stacks.dlms.association import State
from meterway.stacks.dlms.framing import ApduReceived, Disconnected, Framing, FramingEvent, PairedFraming
from meterway.stacks.dlms.server.host import LogicalDevice
from meterway.stacks.dlms.server.session import ServerSession

__all__ = ["DlmsServer"]


class DlmsServer:
    """Serves every (client, logical device) pair that comes over one link.

    ``device_of`` gives the logical device of a server address (wrapper port or HDLC upper address), or None. Events are
    those of the framing, for whoever counts them. ``session`` makes the session of a device with a client.
    """

    __slots__ = ("_device_of", "_events", "_framing", "_paired", "_session", "_sessions")

    def __init__(
        self,
        framing: Framing,
        device_of: Callable[[int], LogicalDevice | None],
        *,
        session: Callable[[LogicalDevice, int], ServerSession] = ServerSession,
    ) -> None:
        self._framing = framing
        self._paired = framing if isinstance(framing, PairedFraming) else None
        self._device_of = device_of
        self._session = session
        self._sessions: dict[tuple[int, int], ServerSession] = {}
        self._events: list[FramingEvent] = []

    @property
    def associated(self) -> frozenset[int]:
        """The addresses of the clients that have an association open, whatever they had to prove for it."""
        return frozenset(key[0] for key, session in self._sessions.items() if session.state is State.ASSOCIATED)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        framing = self._framing
        framing.receive_data(data, now)
        while (event := framing.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self._answer(event, now)
            else:
                self._passed(event)

    def _answer(self, event: ApduReceived, now: float) -> None:
        key = (event.client, event.server)
        session = self._sessions.get(key)
        if session is None:
            device = self._device_of(event.server)
            if device is None:
                return
            session = self._sessions[key] = self._session(device, event.client)
        answer = session.handle(event.apdu, now)
        if self._paired is not None:
            # Several requests may have come at once: each is answered to the pair it came from.
            self._paired.reply(answer, client=event.client, server=event.server)
        else:
            self._framing.send(answer, now)

    def _passed(self, event: FramingEvent) -> None:
        if isinstance(event, Disconnected):
            for session in self._sessions.values():
                session.lost()
            self._sessions.clear()
        self._events.append(event)

    def next_event(self) -> FramingEvent | None:
        """The next thing the link reported, or None."""
        return self._events.pop(0) if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        return self._framing.data_to_send()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._framing.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Tell the framing that the time has come."""
        self._framing.handle_timeout(now)
        while (event := self._framing.next_event()) is not None:
            self._passed(event)
