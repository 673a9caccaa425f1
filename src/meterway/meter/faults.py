"""Simulated faults of a meter's communication, for those who test head ends. Each has a name and is off by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from meterway.stacks.dlms.axdr import encode_length
from meterway.stacks.dlms.framing import Framing, FramingEvent
from meterway.stacks.dlms.server import DlmsServer, LogicalDevice, ServerSession

__all__ = ["CutLine", "Fault", "FaultyServer"]


class Fault(StrEnum):
    """What goes wrong."""

    HANG = "hang"
    """Takes requests and never answers."""
    CLOSE_MID_FRAME = "close-mid-frame"
    """Sends half of an answer, then closes the line."""
    WRONG_INVOKE_ID = "wrong-invoke-id"
    """Answers with another invoke id than it was asked with."""
    ENDLESS_BLOCKS = "endless-blocks"
    """Answers every GET with blocks of which none is the last."""
    CLOCK_YEARS_OFF = "clock-years-off"
    """Its clock is ten years slow."""
    WRONG_KEY = "wrong-key"
    """Its encryption key is not the one that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutLine:
    """The engine wants its line closed now."""


_GET_RESPONSE: Final = 0xC4
_GET_REQUEST: Final = 0xC0
_NEXT: Final = 2
_WITH_INVOKE: Final = frozenset({0xC4, 0xC5, 0xC7})
_FILLER: Final = bytes(64)


class _FaultySession(ServerSession):
    """Spoils the answers to services, before they are protected."""

    __slots__ = ("_block", "_fault")

    def __init__(self, device: LogicalDevice, client: int, fault: Fault) -> None:
        super().__init__(device, client)
        self._fault = fault
        self._block = 0

    def service(self, plain: bytes, now: float) -> bytes:
        """The answer, spoilt."""
        if self._fault is Fault.ENDLESS_BLOCKS and plain[:1] == bytes((_GET_REQUEST,)) and len(plain) > 2:
            self._block = self._block + 1 if plain[1] == _NEXT else 1
            head = bytes((_GET_RESPONSE, 2, plain[2], 0)) + self._block.to_bytes(4, "big")
            return head + b"\x00" + encode_length(len(_FILLER)) + _FILLER
        answer = super().service(plain, now)
        is_read = plain[:1] == bytes((_GET_REQUEST,))
        if self._fault is Fault.WRONG_INVOKE_ID and is_read and answer[0] in _WITH_INVOKE:
            return answer[:2] + bytes((answer[2] ^ 0x01,)) + answer[3:]
        return answer


class FaultyServer(DlmsServer):
    """A server engine with one fault. Emits ``CutLine`` when the line is to be closed."""

    __slots__ = ("_cut", "_fault")

    def __init__(self, framing: Framing, device_of: Callable[[int], LogicalDevice | None], fault: Fault) -> None:
        super().__init__(framing, device_of, session=lambda device, client: _FaultySession(device, client, fault))
        self._fault = fault
        self._cut = False

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets, unless it hangs."""
        if self._fault is not Fault.HANG or not data:
            super().receive_data(data, now)

    def data_to_send(self) -> bytes:
        """What is to go out, or half of it."""
        octets = super().data_to_send()
        if self._fault is Fault.CLOSE_MID_FRAME and octets:
            self._cut = True
            return octets[: max(len(octets) // 2, 1)]
        return octets

    def next_event(self) -> FramingEvent | None:
        """The next thing the link reported; ``CutLine`` comes after the half answer."""
        if self._cut:
            self._cut = False
            return CutLine()  # type: ignore[return-value]  # an event of this engine's own
        return super().next_event()
