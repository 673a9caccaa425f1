"""The meter's side of an image transfer, as an engine; the messages are those of ``image``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.image import (
    ANSWER,
    MAX_BLOCK,
    MAX_BLOCKS,
    ImageFunction,
    ImageState,
    ImageStatus,
    is_name,
    name_at,
    named,
    number_at,
    u16,
)

__all__ = ["ImageReceiver"]

_PAGE: Final = 128
"""Octets of completion bits in one answer."""

Answer = tuple[ImageStatus, bytes]


class ImageReceiver:
    """Takes one image and gives an answer to every request but a block.

    ``verify`` says whether a complete image is genuine; ``active`` is the identification of what runs, changed by an
    activation. ``per_session`` is how many blocks it takes in one session (None: any number), which ``open`` begins.
    """

    __slots__ = (
        "_block_size",
        "_does",
        "_left",
        "_max_size",
        "_per_session",
        "_there",
        "_verify",
        "active",
        "identification",
        "image",
        "state",
    )

    def __init__(
        self,
        verify: Callable[[bytes], bool],
        *,
        active: bytes = b"",
        max_size: int = 1 << 20,
        per_session: int | None = None,
    ) -> None:
        self.active = active
        self.state = ImageState.IDLE
        self.identification = b""
        self.image = bytearray()
        self._verify = verify
        self._max_size = max_size
        self._block_size = MAX_BLOCK
        self._per_session = MAX_BLOCKS if per_session is None else per_session
        self._left = self._per_session
        self._there = bytearray()
        self._does: dict[ImageFunction, Callable[[bytes], Answer]] = {
            ImageFunction.PREPARE: self._prepare,
            ImageFunction.SYNCHRONISE: self._synchronise,
            ImageFunction.COMPLETION: self._completion,
            ImageFunction.STATE: lambda _: self._told(ImageStatus.DONE),
            ImageFunction.VALIDATE: lambda _: self._told(self._validate()),
            ImageFunction.ACTIVATE: lambda _: self._told(self._activate()),
            ImageFunction.TERMINATE: lambda _: self._told(self._terminate()),
        }

    def open(self) -> None:
        """A session begins: blocks are taken again."""
        self._left = self._per_session

    def take(self, payload: bytes) -> bytes | None:
        """Do what a request asks and give the answer; None for a block, whether it was taken or not."""
        try:
            function = ImageFunction(number_at(payload, 0, 1))
            if function is ImageFunction.TRANSFER:
                self._block(number_at(payload, 1, 2), payload[3:])
                return None
            status, fields = self._does[function](payload)
        except (DecodeError, ValueError):
            return bytes(((payload[0] if payload else 0) | ANSWER, ImageStatus.MALFORMED))
        return bytes((function | ANSWER, status)) + fields

    def _prepare(self, payload: bytes) -> Answer:
        size, wanted, name = number_at(payload, 1, 4), number_at(payload, 5, 2), name_at(payload, 7)
        block = min(wanted, MAX_BLOCK)
        if not size or not block or not is_name(name):
            return ImageStatus.MALFORMED, b""
        count = -(-size // block)
        if size > self._max_size or count > MAX_BLOCKS:
            return ImageStatus.TOO_LARGE, b""
        same = (name, size, block) == (self.identification, len(self.image), self._block_size)
        if not same:
            self.identification, self._block_size, self.image = name, block, bytearray(size)
        if not same or self.state is ImageState.REFUSED:
            self._there = bytearray(count)
            self.state = ImageState.RECEIVING
        return ImageStatus.DONE, u16(block)

    def _synchronise(self, payload: bytes) -> Answer:
        count = number_at(payload, 3, 2)
        if self.state is ImageState.IDLE:
            return ImageStatus.NOT_PREPARED, b""
        return ImageStatus.DONE, u16(min(self._left, count))

    def _block(self, number: int, octets: bytes) -> None:
        start = number * self._block_size
        if self.state is not ImageState.RECEIVING or number >= len(self._there) or not self._left:
            return
        if len(octets) != min(self._block_size, len(self.image) - start):
            return
        self._left -= 1
        self.image[start : start + len(octets)] = octets
        self._there[number] = 1
        if 0 not in self._there:
            self.state = ImageState.COMPLETE

    def _completion(self, payload: bytes) -> Answer:
        first = number_at(payload, 1, 2)
        if self.state is ImageState.IDLE:
            return ImageStatus.NOT_PREPARED, b""
        there = self._there[first : first + 8 * _PAGE]
        bits = sum(flag << place for place, flag in enumerate(there))
        return ImageStatus.DONE, u16(first) + bits.to_bytes(-(-len(there) // 8), "little")

    def _told(self, status: ImageStatus) -> Answer:
        return status, bytes((self.state,)) + named(self.active)

    def _validate(self) -> ImageStatus:
        if self.state is ImageState.IDLE:
            return ImageStatus.NOT_PREPARED
        if self.state is ImageState.RECEIVING:
            return ImageStatus.INCOMPLETE
        if self.state is ImageState.COMPLETE:
            self.state = ImageState.VALID if self._verify(bytes(self.image)) else ImageState.REFUSED
        return ImageStatus.NOT_GENUINE if self.state is ImageState.REFUSED else ImageStatus.DONE

    def _activate(self) -> ImageStatus:
        status = self._validate()
        if status is ImageStatus.DONE:
            self.state, self.active = ImageState.ACTIVE, self.identification
        return status

    def _terminate(self) -> ImageStatus:
        self.state, self.identification = ImageState.IDLE, b""
        self.image, self._there = bytearray(), bytearray()
        return ImageStatus.DONE
