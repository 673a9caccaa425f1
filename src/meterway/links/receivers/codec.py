"""What a receiver's stream is to its port: octets become receptions, frames become what the device wants to be told."""

from __future__ import annotations

from typing import Protocol

from meterway.base.errors import LinkError
from meterway.links.radio import Reception

__all__ = ["ReceiverCodec", "bare_body"]


class ReceiverCodec(Protocol):
    """One kind of receiver. ``rejected`` counts what the stream held that is no good frame."""

    @property
    def rejected(self) -> int:
        """How often something was dropped: damaged, cut off, not of this kind."""

    def setup(self) -> bytes:
        """What the device is told when the line is there; empty if nothing."""

    def receive(self, data: bytes, time_s: float) -> list[Reception]:
        """Take octets that came at ``time_s`` (Unix); the frames they complete, in order."""

    def encode(self, octets: bytes, mode: str) -> bytes:
        """What the device is told to send a frame; LinkError if it cannot."""


def bare_body(octets: bytes) -> bytes:
    """A frame without its length octet, for devices that add length and check sums; LinkError if it has check sums."""
    if len(octets) < 11 or octets[0] != len(octets) - 1:
        raise LinkError("the receiver adds the check sums: hand it the frame without them")
    return octets[1:]
