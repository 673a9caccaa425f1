"""Image transfer (EN 13757-3, annex on image transfer; CI C0, C1, C2): new firmware in blocks.

``ImageSender`` is the side of the gateway; that of the meter is ``image_receiver``.

The steps are those of the annex: prepare, synchronise, transfer, completion, validate, activate, terminate, and the
state. Of the annex only the CI octets and the names of the steps are public: the octets below are this project's own
and will not be understood by another maker's meter until they are set against the text of the norm.

A request is application data under CI C0 (long header). A block is only acknowledged by the link; everything else is
answered under CI C1 or C2. A request is one octet of function and its fields, an answer the function with bit 7 set,
one octet of status, and fields; numbers go low octet first:

    01 prepare      size (4), block size (2), identification (1 + n)    answer: block size (2)
    02 synchronise  first block (2), count (2)                          answer: how many it takes now (2)
    03 transfer     number (2), octets                                  no answer
    04 completion   first block (2)                                     answer: first block (2), bits, 1 = there
    05 state, 06 validate, 07 activate, 08 terminate                    answer: state (1), active identification (1 + n)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError

__all__ = [
    "ANSWER",
    "CI_ANSWER_LONG",
    "CI_ANSWER_SHORT",
    "CI_REQUEST",
    "MAX_BLOCK",
    "MAX_BLOCKS",
    "ImageFunction",
    "ImageRequest",
    "ImageResult",
    "ImageSender",
    "ImageState",
    "ImageStatus",
    "is_name",
    "name_at",
    "named",
    "number_at",
    "u16",
]

CI_REQUEST: Final = 0xC0
CI_ANSWER_SHORT: Final = 0xC1
CI_ANSWER_LONG: Final = 0xC2
MAX_BLOCK: Final = 192
"""Octets of a block that fit one frame under every security mode."""

ANSWER: Final = 0x80
"""The bit that tells the function of an answer from that of a request."""
_MAX_NAME: Final = 32
MAX_BLOCKS: Final = 0xFFFF


class ImageFunction(IntEnum):
    """What is asked."""

    PREPARE = 1
    SYNCHRONISE = 2
    TRANSFER = 3
    COMPLETION = 4
    STATE = 5
    VALIDATE = 6
    ACTIVATE = 7
    TERMINATE = 8


class ImageStatus(IntEnum):
    """How a request went."""

    DONE = 0
    NOT_PREPARED = 1
    TOO_LARGE = 2
    INCOMPLETE = 3
    NOT_GENUINE = 4
    LATER = 5
    """Not now: the battery, or work that is not finished."""
    MALFORMED = 6


class ImageState(IntEnum):
    """How far the receiver is."""

    IDLE = 0
    RECEIVING = 1
    COMPLETE = 2
    VALID = 3
    REFUSED = 4
    ACTIVE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """Application data to send under CI C0; ``answered`` false for a block, which only the link acknowledges."""

    payload: bytes
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """How a transfer ended: ``done`` and the identification the meter now runs, or the reason why not."""

    done: bool
    reason: str = ""
    active: bytes = b""


def u16(number: int) -> bytes:
    """Two octets, low one first."""
    return number.to_bytes(2, "little")


def named(name: bytes) -> bytes:
    """An identification behind its length."""
    return bytes((len(name),)) + name


def number_at(payload: bytes, start: int, size: int) -> int:
    """A number of ``size`` octets; DecodeError(truncated) if they are not there."""
    if start + size > len(payload):
        raise DecodeError("the image transfer message is cut off", start, "truncated")
    return int.from_bytes(payload[start : start + size], "little")


def is_name(name: bytes) -> bool:
    """Whether this can identify an image: 1 to 32 printable ASCII characters."""
    return 0 < len(name) <= _MAX_NAME and all(0x21 <= octet <= 0x7E for octet in name)


def name_at(payload: bytes, start: int) -> bytes:
    """The identification that ends a message; DecodeError(length) if it has another length."""
    end = start + 1 + number_at(payload, start, 1)
    if end != len(payload):
        raise DecodeError("the identification of the image has another length", start, "length")
    return payload[start + 1 : end]


class ImageSender:
    """The side of the gateway: one image to one meter, over as many sessions as it takes.

    ``open`` says that the meter listens (a radio window, or the bus is free). Then ask ``next_request`` until it gives
    None, and tell after each request what became of it: ``acknowledged``, ``received``, ``refused`` or ``lost``. A
    request that was lost comes again, ``attempts`` times in a session. ``result`` is there when all is over. A sender
    made anew goes on where the meter is. ``identification`` is 1 to 32 printable ASCII characters.

    LocalProtocolError if an image, its identification or its blocks cannot be sent.
    """

    def __init__(self, image: bytes, identification: bytes, *, block_size: int = 128, attempts: int = 3) -> None:
        if not image or not is_name(identification) or not 0 < block_size <= MAX_BLOCK:
            raise LocalProtocolError("an image, its identification or the size of its blocks cannot be sent")
        if -(-len(image) // block_size) > MAX_BLOCKS:
            raise LocalProtocolError(f"an image has at most {MAX_BLOCKS} blocks")
        self.result: ImageResult | None = None
        self._image = image
        self._identification = identification
        self._wanted_size = self._block_size = block_size
        self._attempts = attempts
        self._function = ImageFunction.PREPARE
        self._left = 0
        self._allowed = 0
        self._page = 0
        self._missing: list[int] = []
        self._found: list[int] = []

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-len(self._image) // self._block_size)

    @property
    def missing(self) -> int:
        """How many blocks the meter is not known to have."""
        known = self._function not in (ImageFunction.PREPARE, ImageFunction.COMPLETION)
        return len(self._missing) if known or self._missing else self.blocks

    @property
    def step(self) -> ImageFunction:
        """What is done next."""
        return self._function

    def open(self) -> None:
        """A session begins."""
        self._left = self._attempts
        self._allowed = 0
        if self._function is ImageFunction.TRANSFER:
            self._function = ImageFunction.SYNCHRONISE

    def abort(self) -> None:
        """Give up: the meter is told to forget what it has, in this session or the next."""
        if self.result is None:
            self._function = ImageFunction.TERMINATE

    def next_request(self) -> ImageRequest | None:
        """What to send; None if the session is over for now, or all is."""
        if self.result is not None or not self._left:
            return None
        function = self._function
        return ImageRequest(
            payload=bytes((function,)) + self._fields(function), answered=function is not ImageFunction.TRANSFER
        )

    def _fields(self, function: ImageFunction) -> bytes:
        if function is ImageFunction.PREPARE:
            return len(self._image).to_bytes(4, "little") + u16(self._wanted_size) + named(self._identification)
        if function is ImageFunction.SYNCHRONISE:
            return u16(self._missing[0]) + u16(len(self._missing))
        if function is ImageFunction.TRANSFER:
            number = self._missing[0]
            start = number * self._block_size
            return u16(number) + self._image[start : start + self._block_size]
        return u16(self._page) if function is ImageFunction.COMPLETION else b""

    def lost(self) -> None:
        """Nothing came back."""
        self._left = max(self._left - 1, 0)

    def acknowledged(self) -> None:
        """The link acknowledged a block: the next one, until the meter's allowance is used up."""
        if self._function is not ImageFunction.TRANSFER:
            return
        self._left = self._attempts
        self._allowed -= 1
        self._missing.pop(0)
        if not self._missing:
            self._ask_completion()
        elif self._allowed < 1:
            self._left = 0

    def refused(self, reason: str) -> None:
        """The meter gave an application error: it does not do this."""
        self.result = ImageResult(done=False, reason=reason)

    def received(self, payload: bytes) -> None:
        """Take the answer's application data; an answer to something else, or a malformed one, counts as lost."""
        try:
            function, status = number_at(payload, 0, 1), number_at(payload, 1, 1)
            if function != self._function | ANSWER:
                raise DecodeError("this answers another request", 0, "function")
            self._answered(ImageStatus(status), payload)
        except (DecodeError, ValueError):
            self.lost()

    def _answered(self, status: ImageStatus, payload: bytes) -> None:
        function = self._function
        if function is ImageFunction.TERMINATE:
            self.result = ImageResult(done=False, reason="aborted")
        elif status is ImageStatus.LATER:
            self._left = 0
        elif status is ImageStatus.NOT_PREPARED:
            self._function, self._missing = ImageFunction.PREPARE, []
            self.lost()
        elif status is ImageStatus.INCOMPLETE:
            self._ask_completion()
            self.lost()
        elif status is not ImageStatus.DONE:
            self.result = ImageResult(done=False, reason=status.name.lower().replace("_", " "))
        else:
            self._went_on(function, payload)
            self._left = self._attempts if self._left else 0

    def _went_on(self, function: ImageFunction, payload: bytes) -> None:
        if function is ImageFunction.PREPARE:
            self._prepared(payload)
        elif function is ImageFunction.COMPLETION:
            self._told_completion(payload)
        elif function is ImageFunction.SYNCHRONISE:
            self._synchronised(payload)
        elif function is ImageFunction.VALIDATE:
            self._function = ImageFunction.ACTIVATE
        elif function is ImageFunction.ACTIVATE:
            self._activated(payload)

    def _prepared(self, payload: bytes) -> None:
        size = number_at(payload, 2, 2)
        if not 0 < size <= self._wanted_size or -(-len(self._image) // size) > MAX_BLOCKS:
            self.result = ImageResult(done=False, reason=f"the meter takes blocks of {size} octets")
            return
        self._block_size = size
        self._ask_completion()

    def _ask_completion(self) -> None:
        self._function, self._page, self._found = ImageFunction.COMPLETION, 0, []

    def _told_completion(self, payload: bytes) -> None:
        first = number_at(payload, 2, 2)
        bits = payload[4:]
        if first != self._page or not bits:
            raise DecodeError("the completion is of other blocks", 2, "completion")
        last = min(first + 8 * len(bits), self.blocks)
        self._found += [n for n in range(first, last) if not bits[(n - first) // 8] >> (n - first) % 8 & 1]
        self._page = last
        if last == self.blocks:
            self._missing, self._found = self._found, []
            self._function = ImageFunction.SYNCHRONISE if self._missing else ImageFunction.VALIDATE

    def _synchronised(self, payload: bytes) -> None:
        self._allowed = number_at(payload, 2, 2)
        self._function = ImageFunction.TRANSFER
        if not self._allowed:
            self._left = 0

    def _activated(self, payload: bytes) -> None:
        active = name_at(payload, 3)
        done = active == self._identification
        self.result = ImageResult(done=done, reason="" if done else "the meter runs another image", active=active)
