"""Parity of an image transfer in a meter, an option of ours (see the mapping): missing blocks are worked out."""

from __future__ import annotations

from meterway.base.erasure import recover
from meterway.mapping.image_parity import GROUP, ParitySymbol, groups
from meterway.stacks.dlms.classes.image_transfer import ImageStatus, ImageTransfer

__all__ = ["ImageParity"]


class ImageParity:
    """The symbols that came for one image, by group; those of a group that is whole are let go of."""

    __slots__ = ("_image", "_symbols")

    def __init__(self, image: ImageTransfer) -> None:
        self._image = image
        self._symbols: dict[int, dict[int, bytes]] = {}

    def take(self, symbol: ParitySymbol) -> bool:
        """Take a symbol; False if it is none of this image."""
        image = self._image
        group = self._group(symbol.first)
        if image.status != ImageStatus.INITIATED or symbol.first != group.start or symbol.count != len(group):
            return False
        if len(symbol.value) != image.block_size:
            return False
        if self._lost(group):
            self._symbols.setdefault(group.start, {})[symbol.number] = symbol.value
            self._work_out(group)
        return True

    def heard(self, number: int) -> None:
        """A block came: it may have been the one that was wanted to work out the others."""
        group = self._group(number)
        if group.start in self._symbols:
            self._work_out(group)

    def wanting(self) -> bytes:
        """For each group how many more blocks or symbols are wanted; empty while there is no image."""
        count = len(self._image.received)
        return bytes(len(self._lost(group)) - len(self._symbols.get(group.start, ())) for group in groups(count))

    def _group(self, number: int) -> range:
        first = number - number % GROUP
        return range(first, max(first, min(first + GROUP, len(self._image.received))))

    def _lost(self, group: range) -> list[int]:
        received = self._image.received
        return [number for number in group if not received[number]]

    def _work_out(self, group: range) -> None:
        image, size = self._image, self._image.block_size
        symbols, lost = self._symbols[group.start], self._lost(group)
        if len(symbols) < len(lost):
            return
        blocks = [
            bytes(image.image[number * size : (number + 1) * size]).ljust(size, b"\0")
            if image.received[number]
            else None
            for number in group
        ]
        del self._symbols[group.start]
        for number, block in zip(group, recover(blocks, symbols) or (), strict=False):
            if not image.received[number]:
                image.transfer_block(number, block[: len(image.image) - number * size])
