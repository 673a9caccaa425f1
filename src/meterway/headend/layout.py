"""What the head end learns of a device at first contact and keeps: scalers, units, the shape of its profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.mbus.address import Address

__all__ = ["CLOCK", "Behind", "Channel", "DeviceLayout", "ProfileLayout", "profile_layout"]

CLOCK: Final = Obis(0, 0, 1, 0, 0)
_CLOCK_CLASS: Final = 8
_DAY_S: Final = 86400
_REGISTER_CLASSES: Final = frozenset((3, 4, 5))


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of a profile that holds a quantity: where it stands, what it measures."""

    column: int
    obis: str
    scaler: int
    unit: int


@dataclass(frozen=True, slots=True)
class ProfileLayout:
    """The columns of a profile: the clock, the status octet if any, the quantities. ``period_s`` 0: not periodic.

    A period that does not divide the day is none: its rows are kept as single readings.
    """

    obis: str
    period_s: int
    clock: int
    status: int | None
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class DeviceLayout:
    """All that is kept of one device. ``scalers`` maps a register's OBIS code to (scaler, unit).

    ``pushes`` maps the code of a push setup to what it sends: (class, OBIS code, attribute) in order. ``refused`` are
    the codes of what the device did not tell when this was learnt, at ``learnt_s`` (Unix seconds).
    """

    identity: dict[str, str]
    scalers: dict[str, tuple[int, int]]
    profiles: dict[str, ProfileLayout]
    pushes: dict[str, tuple[tuple[int, str, int], ...]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    learnt_s: float = 0.0

    def is_stale(self, now_s: float, *, after_s: float = 86400.0) -> bool:
        """Whether to learn it anew: something was refused, and that is long enough ago to ask again."""
        return bool(self.refused) and now_s - self.learnt_s >= after_s

    @classmethod
    def decode(cls, text: str) -> Self:
        """From its JSON form; ConfigError if it is not one (it is then learnt anew)."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise ConfigError(f"the kept layout of a device is unreadable: {error}") from None

    def encode(self) -> str:
        """Its JSON form."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A meter behind a gateway: ``channel`` names its M-Bus client there, ``sap`` its own logical device."""

    channel: int
    sap: int
    address: Address

    @property
    def serial(self) -> str:
        """What it is called in the registry: ``MWY-10000001-01-03``."""
        return str(self.address)


def profile_layout(
    obis: Obis, period_s: int, captured: tuple[CaptureObject, ...], scalers: dict[str, tuple[int, int]]
) -> ProfileLayout:
    """Make sense of the capture objects; ConfigError if there is no clock among them."""
    clock = next((i for i, item in enumerate(captured) if item.class_id == _CLOCK_CLASS and item.attribute == 2), None)
    if clock is None:
        raise ConfigError(f"profile {obis} captures no clock: its rows have no time")
    status = next((i for i, item in enumerate(captured) if item.class_id == 1 and item.obis.d == 10), None)
    channels = tuple(
        Channel(i, str(item.obis), *scalers.get(str(item.obis), (0, 255)))
        for i, item in enumerate(captured)
        if item.class_id in _REGISTER_CLASSES and item.attribute == 2
    )
    if not 0 < period_s <= _DAY_S or _DAY_S % period_s:
        period_s = 0
    return ProfileLayout(str(obis), period_s, clock, status, channels)
