"""What a PRIME station can be told, and the names of its devices inside PRIME."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.prime.packet import Version

__all__ = ["PrimeSettings", "eui48_of", "keep_alive_s"]

_FIRST_KEEP_ALIVE_S: Final = {Version.V136: 32, Version.V14: 128}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimeSettings:
    """Times in seconds. All stations of a network need the same ``version``; the rest may differ.

    ``mtu`` is the longest PDU sent, ``window`` the packets in flight at most (up to 31), ``repetitions`` how often what
    is not acknowledged is sent again (each time after twice as long), ``keep_alive`` the code of the keep-alive time (0
    to 7), which is asked for ``keep_alive_polls`` times within that time, ``frame_lifetime_s`` how long the medium may
    hold a frame back. So that a shared medium is not flooded, a base node lets ``most_joining`` devices register and
    ``most_flying`` connections have packets under way at the same time, and a node draws lots for when it registers:
    within ``join_spread_s``, within twice as much after each failure. ConfigError for what cannot work.
    """

    version: Version = Version.V136
    mtu: int = 256
    max_apdu: int = 4096
    window: int = 16
    acknowledge_within_s: float = 8.0
    repetitions: int = 5
    frame_lifetime_s: float = 5.0
    keep_alive: int = 5
    keep_alive_polls: int = 2
    answer_within_s: float = 15.0
    control_repetitions: int = 4
    join_spread_s: float = 30.0
    most_joining: int = 6
    most_flying: int = 6
    beacon_interval_s: float = 60.0
    beacon_guard_s: float = 2.0
    refused_for_s: float = 900.0
    broadcast_gap_s: float = 20.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 64 <= self.mtu <= 524:
            raise ConfigError(f"mtu: {self.mtu}: 64 to 524 octets are wanted")
        if not 1 <= self.window <= 31:
            raise ConfigError(f"window: {self.window}: 1 to 31 packets are wanted")
        if min(self.most_joining, self.most_flying) < 1:
            raise ConfigError("most_joining, most_flying: at least 1 is wanted")
        if not 0 <= self.keep_alive <= 7:
            raise ConfigError(f"keep_alive: {self.keep_alive}: a code from 0 to 7 is wanted")


def keep_alive_s(code: int, version: Version) -> int:
    """The seconds behind a TIME code: 32 s (1.3.6) or 128 s (1.4), doubled with every step; as far as known."""
    return _FIRST_KEEP_ALIVE_S[version] << code


def eui48_of(eui: bytes) -> bytes:
    """The EUI-48 by which PRIME's MAC knows a device of eight octets: a model, since the norm has only EUI-48.

    One that was stretched from an EUI-48 (FF FE in its middle) is shortened again. Any other becomes a locally
    administered address made of its SHA-256; the whole EUI travels as device identifier when the connection opens.
    """
    if len(eui) == 8 and eui[3:5] == b"\xff\xfe":
        return bytes((eui[0] ^ 0x02,)) + eui[1:3] + eui[5:]
    digest = sha256(eui).digest()
    return bytes((digest[0] & 0xFC | 0x02,)) + digest[1:6]
