"""A gateway with devices behind it, in memory and at once: for the tests of both sides of the gateway prefix."""

from __future__ import annotations

from meterway.links.memory import MemoryLine
from meterway.stacks.dlms.framing import FramingEvent, Role
from meterway.stacks.dlms.gateway import GatewayRequest, GatewaySplitter
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import HEADER_SIZE, encode_frame

__all__ = ["Gateway", "Member", "MemoryLine"]


class Member:
    """A device behind a gateway: whole APDUs in and out, between the pair of addresses that came with them."""

    def __init__(self, devices: dict[int, LogicalDevice]) -> None:
        self._server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), devices.get)

    def carry(self, request: GatewayRequest, now: float) -> bytes:
        """What the device answers."""
        self._server.receive_data(encode_frame(request.client, request.server, request.apdu), now)
        return self._server.data_to_send()[HEADER_SIZE:]


class Gateway:
    """An engine: a server for ``devices`` of its own, which carries to ``members`` (by address) at once.

    ``carried`` is what was for them. A member may be a gateway too.
    """

    def __init__(self, devices: dict[int, LogicalDevice], members: dict[bytes, Member | Gateway]) -> None:
        self.splitter = GatewaySplitter(WrapperFraming(0, 0, role=Role.SERVER))
        self.carried: list[GatewayRequest] = []
        self._server = DlmsServer(self.splitter, devices.get)
        self._members = members

    def receive_data(self, data: bytes, now: float) -> None:
        self._server.receive_data(data, now)
        while (request := self.splitter.next_request()) is not None:
            self.carried.append(request)
            member = self._members.get(request.device.address)
            answer = b"" if member is None else member.carry(request, now)
            if answer:
                self.splitter.answer(request, answer, now)
            else:
                self.splitter.refuse(request, now)

    def carry(self, request: GatewayRequest, now: float) -> bytes:
        """What this gateway answers as a member of another."""
        self.receive_data(encode_frame(request.client, request.server, request.apdu), now)
        return self._server.data_to_send()[HEADER_SIZE:]

    def next_event(self) -> FramingEvent | None:
        return self._server.next_event()

    def data_to_send(self) -> bytes:
        return self._server.data_to_send()

    def next_timeout(self) -> float | None:
        return self._server.next_timeout()

    def handle_timeout(self, now: float) -> None:
        self._server.handle_timeout(now)
