"""In what the networks of this family differ, and what an operator may set."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.ieee802154 import MacFrame, SecurityHeader, check_fcs, with_fcs
from meterway.stacks.neighbourhood.lowpan.adaptation import MTU
from meterway.stacks.neighbourhood.lowpan.ip import HEADER_SIZE, UDP_HEADER_SIZE

__all__ = ["MAX_APDU", "PORT", "Framing", "PlainFraming", "Profile", "Settings"]

PORT = 4059
"""The UDP port of the DLMS wrapper."""
MAX_APDU = MTU - HEADER_SIZE - UDP_HEADER_SIZE - 8
"""What an IPv6 packet of 1,280 octets leaves behind the headers of IPv6, UDP and wrapper."""


class Framing(Protocol):
    """What stands around a MAC frame on the medium."""

    def wrap(self, frame: MacFrame, *, urgent: bool) -> bytes:
        """The octets for the medium."""

    def unwrap(self, octets: bytes) -> MacFrame:
        """The MAC frame in them; DecodeError if there is none."""


class PlainFraming:
    """The frame and its FCS, as on the radio."""

    __slots__ = ()

    def wrap(self, frame: MacFrame, *, urgent: bool) -> bytes:
        """The frame with its FCS; the radio knows no urgency."""
        return with_fcs(frame.encode())

    def unwrap(self, octets: bytes) -> MacFrame:
        """The frame; DecodeError(``fcs``), or as of ``MacFrame.decode``."""
        return MacFrame.decode(check_fcs(octets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One network type. ``room``: octets of payload in a frame; ``hops``: a mesh header with that many.

    ``pan_in_iid``: whether the PAN id stands in IPv6 addresses made of short addresses. ``short_nonce``: whether the
    security nonce is made of PAN id and short address, twice, instead of the EUI-64. ``key_offset``: the key index that
    frames give group key 0. ``level``: the security level of frames.
    """

    name: str
    framing: Framing
    room: int
    hops: int | None = None
    pan_in_iid: bool = False
    short_nonce: bool = False
    key_offset: int = 1
    level: int = 5

    def security(self, counter: int, active: int) -> SecurityHeader:
        """The security header of a frame under group key ``active``."""
        return SecurityHeader(level=self.level, counter=counter, key_index=active + self.key_offset)

    def nonce_source(self, pan: int, short: int, eui: bytes) -> bytes:
        """The eight octets of the sender that go into the nonce."""
        if not self.short_nonce:
            return eui
        return (pan.to_bytes(2, "big") + short.to_bytes(2, "big")) * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is set for one network; times in seconds. The defaults suit hundreds of nodes on slow links.

    ``pan``: the PAN id (bit 0x0200 zero, since it is the universal/local bit in addresses of G3). ``spread_s``: nodes
    that begin at the same time spread over it, and over twice that after each attempt that failed, up to ``longest_s``.
    ``answer_s``: until a joining node repeats, growing likewise, ``repeats`` times. ``attempts``: how often it tries
    before it searches again. ``scan_s``: the first pause between searches. ``declined_s``: the pause after a refusal.
    ``beacon_s``: between the coordinator's beacons; a node that hears nothing for ``silence_s`` searches anew.
    ``forget_s``: how long the coordinator keeps a member it does not hear. ``joining``: how many join at once; on slow
    links fewer are faster. ``random(n)``: n random octets.
    """

    pan: int = 0x781D
    spread_s: float = 45.0
    longest_s: float = 1800.0
    answer_s: float = 20.0
    repeats: int = 3
    attempts: int = 6
    scan_s: float = 15.0
    declined_s: float = 600.0
    beacon_s: float = 900.0
    silence_s: float = 7200.0
    forget_s: float = 172800.0
    joining: int = 10
    random: Callable[[int], bytes] = secrets.token_bytes

    def __post_init__(self) -> None:
        if not 0 <= self.pan < 0xFFFF or self.pan & 0x0200:
            raise ConfigError(f"PAN id {self.pan:#06x}: 0 to 0xFFFE with bit 0x0200 zero")

    def chance(self) -> float:
        """A number from 0 to 1 by chance."""
        return int.from_bytes(self.random(4), "big") / 2**32

    def window(self, failures: int) -> float:
        """The seconds over which nodes spread that have failed so often."""
        return min(self.spread_s * 2.0 ** min(failures, 32), self.longest_s)
