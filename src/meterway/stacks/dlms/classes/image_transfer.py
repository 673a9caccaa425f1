"""Image transfer: new firmware in blocks, checked, then activated (class 18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    BIT_STRING,
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    OCTETS,
    array,
    enumerated,
    structure,
)
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["CLASSES", "ImageBlock", "ImageInitiate", "ImageStatus", "ImageToActivate", "ImageTransfer"]


class ImageStatus(IntEnum):
    """How far the transfer is."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFICATION_INITIATED = 2
    VERIFICATION_SUCCESSFUL = 3
    VERIFICATION_FAILED = 4
    ACTIVATION_INITIATED = 5
    ACTIVATION_SUCCESSFUL = 6
    ACTIVATION_FAILED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToActivate:
    """An image that stands ready: its size, name and signature."""

    size: int
    identification: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInitiate:
    """The parameter of ``image_transfer_initiate``."""

    identifier: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBlock:
    """The parameter of ``image_block_transfer``; the first block has number 0."""

    number: int
    value: bytes


@dataclass(slots=True, kw_only=True)
class ImageTransfer:
    """The meter's side of one image transfer.

    All fields together are its state: what is stored and loaded again goes on where it stopped. ``image``
    holds the octets, ``received`` one octet a block (0 missing, 1 there). Methods return an action result.
    """

    block_size: int = 128
    max_size: int = 16 * 1024 * 1024
    enabled: bool = False
    status: ImageStatus = ImageStatus.NOT_INITIATED
    identifier: bytes = b""
    image: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    to_activate: tuple[ImageToActivate, ...] = ()

    def initiate(self, identifier: bytes, size: int) -> ActionResult:
        """Begin a new transfer; what was there of another is forgotten."""
        if not self.enabled:
            return ActionResult.OTHER_REASON
        if not 0 < size <= self.max_size:
            return ActionResult.OTHER_REASON
        self.identifier, self.to_activate = identifier, ()
        self.image = bytearray(size)
        self.received = bytearray(-(-size // self.block_size))
        self.status = ImageStatus.INITIATED
        return ActionResult.SUCCESS

    def transfer_block(self, number: int, value: bytes) -> ActionResult:
        """Take one block, in any order, again if need be; only the last block may be shorter."""
        if not self.enabled or self.status != ImageStatus.INITIATED:
            return ActionResult.OTHER_REASON
        start = number * self.block_size
        size = min(self.block_size, len(self.image) - start)
        if not 0 <= number < len(self.received) or len(value) != size:
            return ActionResult.OTHER_REASON
        self.image[start : start + size] = value
        self.received[number] = 1
        return ActionResult.SUCCESS

    @property
    def first_not_transferred(self) -> int:
        """The number of the first missing block; the count of blocks when none is missing."""
        place = self.received.find(0)
        return len(self.received) if place < 0 else place

    @property
    def complete(self) -> bool:
        """Whether every block is there."""
        return bool(self.received) and 0 not in self.received

    @property
    def blocks_status(self) -> str:
        """The bit-string of the blocks, ``1`` where a block is there, block 0 first."""
        return "".join("1" if flag else "0" for flag in self.received)

    def missing_blocks(self) -> tuple[int, ...]:
        """The numbers of all missing blocks."""
        return tuple(number for number, flag in enumerate(self.received) if not flag)

    def verify(self, check: Callable[[bytes], bytes | None]) -> ActionResult:
        """Check the whole image; ``check`` returns its signature, or None if it is not genuine."""
        if not self.enabled or not self.complete or self.status in _BUSY:
            return ActionResult.OTHER_REASON
        signature = check(bytes(self.image))
        if signature is None:
            self.status, self.to_activate = ImageStatus.VERIFICATION_FAILED, ()
            return ActionResult.OTHER_REASON
        self.status = ImageStatus.VERIFICATION_SUCCESSFUL
        self.to_activate = (ImageToActivate(size=len(self.image), identification=self.identifier, signature=signature),)
        return ActionResult.SUCCESS

    def activate(self, check: Callable[[bytes], bytes | None]) -> ActionResult:
        """Begin the activation; an image not yet verified is verified first. ``finish_activation`` ends it."""
        if self.status != ImageStatus.VERIFICATION_SUCCESSFUL:
            result = self.verify(check)
            if result != ActionResult.SUCCESS:
                return result
        if not self.enabled:
            return ActionResult.OTHER_REASON
        self.status = ImageStatus.ACTIVATION_INITIATED
        return ActionResult.TEMPORARY_FAILURE

    def finish_activation(self, *, successful: bool) -> None:
        """The meter has started the new image, or gone back to the old one."""
        if self.status == ImageStatus.ACTIVATION_INITIATED:
            self.status = ImageStatus.ACTIVATION_SUCCESSFUL if successful else ImageStatus.ACTIVATION_FAILED


_BUSY = frozenset({ImageStatus.NOT_INITIATED, ImageStatus.ACTIVATION_INITIATED, ImageStatus.ACTIVATION_SUCCESSFUL})

CLASSES = (
    declare(
        18,
        0,
        "Image transfer",
        attributes=(
            static("image_block_size", DOUBLE_LONG_UNSIGNED),
            dynamic("image_transferred_blocks_status", BIT_STRING),
            dynamic("image_first_not_transferred_block_number", DOUBLE_LONG_UNSIGNED),
            static("image_transfer_enabled", BOOLEAN),
            dynamic("image_transfer_status", enumerated(ImageStatus)),
            dynamic("image_to_activate_info", array(structure(ImageToActivate, DOUBLE_LONG_UNSIGNED, OCTETS, OCTETS))),
        ),
        methods=(
            method("image_transfer_initiate", structure(ImageInitiate, OCTETS, DOUBLE_LONG_UNSIGNED)),
            method("image_block_transfer", structure(ImageBlock, DOUBLE_LONG_UNSIGNED, OCTETS)),
            method("image_verify", INTEGER),
            method("image_activate", INTEGER),
        ),
    ),
)
