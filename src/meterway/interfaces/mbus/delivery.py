"""Firmware on its way to a meter: taken whole from above, handed down when the meter listens. Pure.

What makes an image genuine only the meter can say: it validates, and activates or refuses. Where the meter is, is where
a delivery goes on after the gateway lost its power.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.mbus.image import ImageRequest, ImageSender

__all__ = ["Delivery", "digest"]

_BLOCK: Final = 128
_UPWARD_BLOCK: Final = 512


def digest(image: bytes) -> bytes:
    """What an image is shown by before the meter has validated it: its SHA-256."""
    return hashlib.sha256(image).digest()


def _transfer() -> ImageTransfer:
    return ImageTransfer(enabled=True, block_size=_UPWARD_BLOCK)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One meter's. ``transfer`` is what comes from above; ``sender`` is there once it was activated."""

    transfer: ImageTransfer = field(default_factory=_transfer)
    sender: ImageSender | None = None
    asked: ImageRequest | None = None
    """What was sent and not yet answered."""
    told: str = ""
    """How the last one ended."""

    def begin(self) -> None:
        """Hand it down; LocalProtocolError if M-Bus cannot carry it."""
        self.sender = ImageSender(bytes(self.transfer.image), self.transfer.identifier, block_size=_BLOCK)
        self.asked, self.told = None, ""

    @property
    def is_under_way(self) -> bool:
        """Whether something is still to be told to the meter."""
        return self.sender is not None and self.sender.result is None

    def wake(self) -> ImageRequest | None:
        """The meter listens: what to send first, None if nothing."""
        if self.sender is None:
            return None
        self.sender.open()
        return self._next()

    def acknowledged(self) -> ImageRequest | None:
        """The link acknowledged; what to send next. None if that was no block: its answer is still to come."""
        if self.sender is None or self.asked is None or self.asked.answered:
            return None
        self.sender.acknowledged()
        return self._next()

    def answered(self, payload: bytes) -> ImageRequest | None:
        """The meter answered; what to send next, None if the session is over."""
        if self.sender is None or self.asked is None or not self.asked.answered:
            return None
        self.sender.received(payload)
        return self._next()

    def refused(self, reason: str) -> None:
        """The meter does not do this."""
        if self.sender is not None and self.asked is not None:
            self.sender.refused(reason)
            self.asked = None

    def _next(self) -> ImageRequest | None:
        self.asked = None if self.sender is None else self.sender.next_request()
        return self.asked

    def finish(self) -> tuple[bool, str] | None:
        """How it ended, once: whether it is in force, and the identification or the reason. None while it goes on."""
        result = None if self.sender is None else self.sender.result
        if result is None:
            return None
        name = self.transfer.identifier.decode("ascii", "replace")
        self.transfer.finish_activation(successful=result.done)
        self.told = name if result.done else f"{name}: {result.reason}"
        self.sender = self.asked = None
        return result.done, self.told
