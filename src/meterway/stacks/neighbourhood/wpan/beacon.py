"""Beacon request and beacon: how a node finds a network (IEEE 802.15.4, without beacon intervals).

The beacon's payload is G3's two octets of route cost (from memory; zero at the coordinator), then four octets of our
own: a random number that the coordinator draws when it begins, by which its members learn that it has begun anew.
Neither is authenticated: who forges a beacon can make nodes join again, but not join him.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.ieee802154 import BROADCAST, FrameKind, MacFrame

__all__ = ["BEACON_REQUEST", "Beacon", "beacon_request"]

BEACON_REQUEST: Final = 0x07
"""The MAC command that asks for beacons."""
# No beacon interval, no superframe, all of it contention; a PAN coordinator that lets devices join.
_SUPERFRAME: Final = bytes.fromhex("ffcf")
_NO_SLOTS: Final = b"\x00\x00"


def beacon_request(sequence: int) -> MacFrame:
    """The frame that asks everyone."""
    payload = bytes([BEACON_REQUEST])
    return MacFrame(kind=FrameKind.COMMAND, sequence=sequence, pan=BROADCAST, destination=BROADCAST, payload=payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """What a beacon says: PAN, the coordinator's incarnation (four octets)."""

    pan: int
    incarnation: bytes

    @classmethod
    def of(cls, frame: MacFrame) -> Self | None:
        """What a beacon frame says, None if it is of another kind of network; DecodeError(``truncated``)."""
        reader = Reader(frame.payload)
        superframe, slots = reader.take(2, "superframe"), reader.take(2, "slots")
        if superframe != _SUPERFRAME or slots != _NO_SLOTS or frame.source_pan is None or frame.source != 0:
            return None
        reader.u16("route cost")
        return cls(pan=frame.source_pan, incarnation=reader.take(4, "incarnation"))

    def frame(self, sequence: int) -> MacFrame:
        """The frame of the coordinator, whose short address is 0."""
        payload = _SUPERFRAME + _NO_SLOTS + bytes(2) + self.incarnation
        return MacFrame(kind=FrameKind.BEACON, sequence=sequence, source_pan=self.pan, source=0, payload=payload)
