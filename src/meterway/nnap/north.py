"""A line northbound: the concentrator's own logical devices, and what is carried to nodes behind the gateway prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.framing import Framing, FramingEvent
from meterway.stacks.dlms.gateway import GatewayAddress, GatewayRequest, GatewaySplitter
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice

__all__ = ["Carry", "NorthLine"]


class Carry(Protocol):
    """How a request is brought to the device it is for."""

    def __call__(self, request: GatewayRequest, answer: Callable[[bytes | None, float], None], now: float) -> None:
        """``answer`` hears the answer, or None if none came, once; LocalProtocolError if it cannot be carried."""


class NorthLine:
    """An engine: a DLMS server on a framing whose prefixed APDUs are carried on.

    ``on_answer`` is called after something was put to be sent outside of ``receive_data``. ``is_known`` says that the
    peer's address is one that may reach nodes; from any other, APDUs for nodes are refused until an association with
    the concentrator stands. ``on_denied`` is told of the first that is. ``hears`` says of a client that is associated
    whether it may hear what nodes say by themselves, ``on_trusted`` is called when somebody is there who may.
    """

    __slots__ = (
        "_carry",
        "_greeted",
        "_hears",
        "_on_answer",
        "_on_trusted",
        "_server",
        "_splitter",
        "_was_denied",
        "heard",
        "is_known",
        "is_listed",
        "on_denied",
    )

    def __init__(
        self,
        framing: Framing,
        device_of: Callable[[int], LogicalDevice | None],
        carry: Carry,
        on_answer: Callable[[], None] = lambda: None,
        hears: Callable[[int], bool] = lambda client: False,
        on_trusted: Callable[[], None] = lambda: None,
    ) -> None:
        self.heard = 0
        """How often something came."""
        self.is_known = True
        self.is_listed = False
        """Whether the address is one that the settings name as the head end's, or a concentrator's above."""
        self.on_denied: Callable[[], None] = lambda: None
        self._greeted = False
        self._was_denied = False
        self._splitter = GatewaySplitter(framing)
        self._server = DlmsServer(self._splitter, device_of)
        self._carry = carry
        self._on_answer = on_answer
        self._hears = hears
        self._on_trusted = on_trusted

    @property
    def is_trusted(self) -> bool:
        """Whether somebody is at the other end who may hear what meters say by themselves."""
        return self._greeted or self.is_listed or any(map(self._hears, self._server.associated))

    def greeted(self) -> None:
        """The concentrator opened the line itself, to an address of its settings, and has said who it is."""
        self._greeted = True
        self._on_trusted()

    def listed(self) -> None:
        """The other end has an address of the settings."""
        self.is_listed = True
        self._on_trusted()

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        self.heard += bool(data)
        was_trusted = self.is_trusted
        self._server.receive_data(data, now)
        if self.is_trusted and not was_trusted:
            self._on_trusted()
        while (request := self._splitter.next_request()) is not None:
            self._take(request, now)

    def _take(self, request: GatewayRequest, now: float) -> None:
        def answer(apdu: bytes | None, at: float) -> None:
            if apdu is None:
                self._splitter.refuse(request, at)
            else:
                self._splitter.answer(request, apdu, at)
            self._on_answer()

        if not (self.is_known or self.is_trusted or self._server.associated):
            self._deny(request, now)
            return
        try:
            self._carry(request, answer, now)
        except LocalProtocolError:
            self._splitter.refuse(request, now)

    def _deny(self, request: GatewayRequest, now: float) -> None:
        self._splitter.refuse(request, now)
        if not self._was_denied:
            self._was_denied = True
            self.on_denied()

    def notify(self, device: GatewayAddress, apdu: bytes, *, client: int, server: int, now: float) -> None:
        """Send what a device behind this concentrator said by itself, with its prefix."""
        self._splitter.notify(device, apdu, client=client, server=server, now=now)
        self._on_answer()

    def next_event(self) -> FramingEvent | None:
        """The next thing the link reported, or None."""
        return self._server.next_event()

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        return self._server.data_to_send()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._server.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Tell the framing that the time has come."""
        self._server.handle_timeout(now)
