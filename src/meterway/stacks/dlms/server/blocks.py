"""Long values on the server side: one outgoing and one incoming at a time."""

from __future__ import annotations

from meterway.stacks.dlms.xdlms.parts import DataBlock

__all__ = ["IncomingBlocks", "OutgoingBlocks"]


class OutgoingBlocks:
    """Cuts a long value into numbered blocks; ``service`` is the tag of the response that carries them."""

    __slots__ = ("_octets", "_offset", "_size", "number", "service")

    def __init__(self, octets: bytes, size: int, service: int) -> None:
        self.service = service
        self._octets = octets
        self._size = size
        self._offset = 0
        self.number = 0

    def next(self) -> DataBlock:
        """The next block; its number is one above the last."""
        start = self._offset
        self._offset = start + self._size
        self.number += 1
        return DataBlock(self._offset >= len(self._octets), self.number, self._octets[start : self._offset])


class IncomingBlocks:
    """Joins the blocks of a long request."""

    __slots__ = ("_limit", "_octets", "number", "request")

    def __init__(self, request: object, limit: int = 1 << 22) -> None:
        self.request = request
        self._octets = bytearray()
        self._limit = limit
        self.number = 0

    def add(self, block: DataBlock) -> bool:
        """Whether the block was the next one and there was room for it."""
        if block.number != self.number + 1 or len(self._octets) + len(block.octets) > self._limit:
            return False
        self.number = block.number
        self._octets += block.octets
        return True

    @property
    def octets(self) -> bytes:
        """All that came."""
        return bytes(self._octets)
