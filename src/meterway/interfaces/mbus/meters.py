"""The meters of a gateway: those of its white list, those that ask to be on it, and how each stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.stacks.mbus.address import Address

__all__ = ["Bound", "KeyStatus", "Link", "Profile", "Proposal", "check_key"]

Link = Literal["radio", "wired"]


class Profile(IntEnum):
    """The least protection a meter's telegrams must have; a higher one is accepted."""

    PLAIN = 0
    A = 5
    """Encrypted (mode 5, or the extended link layer)."""
    B = 7
    """Encrypted and authenticated with a message counter (mode 7 and above)."""
    D = 10
    """AEAD with a message counter."""


class KeyStatus(IntEnum):
    """The ``encryption_key_status`` of an M-Bus client."""

    NONE = 0
    SET = 1
    TRANSFERRED = 2
    SET_AND_TRANSFERRED = 3
    IN_USE = 4


@dataclass(slots=True, kw_only=True, eq=False)
class Bound:
    """A meter of the white list and how it stands. ``keys`` are tried in order; the first is the one in use."""

    address: Address
    channel: int
    link: Link = "radio"
    security: Profile = Profile.B
    keys: tuple[bytes, ...] = ()
    primary: int | None = None
    key_status: KeyStatus = KeyStatus.NONE
    status: int = 0
    alarm: int = 0
    access: int = 0
    config: int = 0
    heard_s: float = 0.0
    rssi_dbm: float | None = None
    mode: str = ""
    asked: int = 0
    """The access number of the last order or question to it."""
    listens: bool = False
    """Whether it listened after its last telegram: a one-way meter never does."""
    telegrams: int = 0
    refused: int = 0
    silent: bool = False
    valve: int | None = None
    """0 closed, 1 open, 2 released, as the meter reports it; None for one without a valve."""
    converts: bool = False
    kind: int | None = None
    """The device type as its driver reads it, where that is not the one in the address."""
    protection: int = 0
    """The security mode its telegrams have; what is sent to it has the same."""
    sent: int = 0
    """The last message counter that was used towards it, and the last that is reserved on the disk."""
    reserved: int = 0
    recent: tuple[tuple[float, bytes], ...] = ()
    good: dict[Obis, Mirrored] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Bound({self.address}, channel={self.channel})"

    @property
    def name(self) -> str:
        """The address as text."""
        return str(self.address)

    @property
    def device_type(self) -> int:
        """What it measures, as EN 13757-7 numbers it."""
        return self.address.device_type if self.kind is None else self.kind


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A meter that asked to be installed (SND-IR) or was found on the bus, waiting for somebody to decide."""

    address: Address
    link: Link
    first_s: float
    last_s: float
    count: int = 1
    primary: int | None = None
    rssi_dbm: float | None = None


def check_key(*keys: bytes) -> None:
    """ConfigError for a key that a meter cannot have."""
    if any(len(key) not in (16, 8) for key in keys):
        raise ConfigError("a meter's key has 16 octets (8 for a manufacturer's own scrambling)")
