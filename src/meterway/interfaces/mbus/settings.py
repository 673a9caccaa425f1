"""Settings of radio receivers and of the meters of a white list, for whoever hears M-Bus meters."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive, key_octets
from meterway.interfaces.mbus.meters import Bound, Profile
from meterway.interfaces.mbus.rules import Limits, Window
from meterway.links.receivers.amber import AmberCodec
from meterway.links.receivers.codec import ReceiverCodec
from meterway.links.receivers.imst import ImstCodec
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.radiocrafts import RadiocraftsCodec
from meterway.mapping.drivers.registry import Drivers, drivers_of, read_drivers
from meterway.stacks.mbus.address import Address, manufacturer_code

__all__ = [
    "Channel",
    "HearingConfig",
    "MeterConfig",
    "Port",
    "RadioConfig",
    "Receiver",
    "Seconds",
    "WindowConfig",
    "address_of",
    "ident_of",
    "own_address",
]

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=31_536_000)]
Channel = Annotated[int, msgspec.Meta(ge=1, le=2000)]
Receiver = Literal["simulated", "lines", "im871a", "amb8465", "rc1180"]

_CONTROLLER: Final = 0x31
_BAUD: Final = {"im871a": 57600, "amb8465": 9600, "rc1180": 19200, "lines": 115200}


def address_of(text: str) -> Address:
    """A meter's address from ``KAM-63452869-1B-16``; ConfigError for anything else."""
    return Address.parse(text)


def own_address(flag: str, ident: str) -> Address:
    """Who asks, on the air: a communication controller of that maker and those eight digits."""
    return Address(manufacturer=manufacturer_code(flag), ident=ident, version=1, device_type=_CONTROLLER)


def ident_of(serial: str) -> str:
    """Eight digits that no other serial has in practice: two who ask meters on one air are not to be taken for one."""
    return f"{int.from_bytes(hashlib.sha256(serial.encode()).digest()[:8], 'big') % 10**8:08d}"


class WindowConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """When a radio listens; a gateway on the mains listens always."""

    every_s: Seconds
    length_s: Seconds
    offset_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0

    def window(self) -> Window:
        """The window as the rules know it."""
        return Window(every_s=self.every_s, length_s=self.length_s, offset_s=self.offset_s)


class RadioConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A place on the air: a real receiver, or the simulated air of a radio hub; a place is in metres.

    A receiver's stream comes over one of: a TCP ``port``, a ``serial`` port, a ``file`` that grows or a named pipe, or
    the output of a ``program`` that is started. Text lines (``lines``: rtl_wmbus, rtl_433) come by any of them.
    """

    receiver: Receiver = "simulated"
    host: str = "127.0.0.1"
    port: Port = 0
    serial: str = ""
    file: str = ""
    program: tuple[str, ...] = ()
    baud: Annotated[int, msgspec.Meta(ge=0, le=4_000_000)] = 0
    """Of a serial port; 0 is what the receiver is delivered with."""
    mode: str = "T1"
    """The mode a receiver is set to, or was set to."""
    rssi: bool = False
    """Whether the receiver was set to append the strength (amb8465, rc1180)."""
    retry_s: Seconds = 5.0
    """How long after its end a line is built up again."""
    station: str = ""
    hears: tuple[str, ...] = ("S1", "T1", "C1", "N1a")
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    windows: tuple[WindowConfig, ...] = ()

    def __post_init__(self) -> None:
        ways = {"port": self.port, "serial": self.serial, "file": self.file, "program": self.program}
        given = [name for name, value in ways.items() if value]
        if len(given) != 1:
            said = f"not {' and '.join(given)}" if given else "none is given"
            raise ValueError(f"one of port, serial, file and program is wanted; {said}")
        if self.receiver == "simulated" and not self.port:
            raise ValueError(f"{given[0]}: the simulated air is behind a port; for a real one name the receiver")
        if self.receiver in ("im871a", "amb8465", "rc1180") and (self.file or self.program):
            raise ValueError(f"{given[0]}: the {self.receiver} is on a serial port, or a TCP port")
        try:
            self.codec()
        except ConfigError as error:
            raise ValueError(f"mode: {error}") from None

    def codec(self) -> ReceiverCodec:
        """A codec for one line to the receiver; ConfigError for a mode it does not know."""
        if self.receiver == "im871a":
            return ImstCodec(self.mode)
        if self.receiver == "amb8465":
            return AmberCodec(self.mode, rssi=self.rssi)
        return RadiocraftsCodec(self.mode, rssi=self.rssi) if self.receiver == "rc1180" else LineCodec()

    @property
    def way(self) -> str:
        """Where its stream comes from, in words."""
        if self.port:
            return f"{self.host}:{self.port}"
        return self.serial or self.file or self.program[0]

    @property
    def speed(self) -> int:
        """Baud of its serial port."""
        return self.baud or _BAUD.get(self.receiver, 9600)


class MeterConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A meter of the white list."""

    address: str
    channel: Channel
    key: str = ""
    link: Literal["radio", "wired"] = "radio"
    security: Literal["plain", "A", "B", "D"] = "B"
    """The least protection its telegrams must have."""
    primary: Annotated[int, msgspec.Meta(ge=0, le=250)] | None = None

    def bound(self) -> Bound:
        """The meter as the gateway binds it; ConfigError for a wrong address or key."""
        keys = (key_octets(self.key, field=f"meters, {self.address}, key", least=8),) if self.key else ()
        if self.security != "plain" and not keys:
            raise ConfigError(f"meters, {self.address}: security {self.security} wants a key")
        return Bound(
            address=address_of(self.address), channel=self.channel, link=self.link, keys=keys, primary=self.primary,
            security=Profile[self.security.upper()],
        )  # fmt: skip


def _offsets(zone: str) -> tuple[int, ...]:
    """How many seconds a zone is ahead of UTC in winter and in summer; nothing for one that is not known."""
    try:
        found = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return ()
    offsets = (datetime(2026, month, 1, tzinfo=found).utcoffset() for month in (1, 7))
    return tuple(int(offset.total_seconds()) for offset in offsets if offset is not None)


class HearingConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How meters are heard, judged and kept, by whoever hears them."""

    ident: Annotated[str, msgspec.Meta(pattern="^[0-9]{8}$")] = "00000001"
    """The eight digits of its own address on the air."""
    zone: str = "UTC"
    """The zone of the meters' clocks and of tariff stages."""
    period_s: Annotated[int, msgspec.Meta(ge=60, le=86400)] = 3600
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 60
    limit_mib: Annotated[int, msgspec.Meta(ge=1, le=65536)] = 64
    silent_after_s: Seconds = 86400.0
    order_valid_s: Seconds = 86400.0
    drivers: str = ""
    """A folder of drivers of one's own, as TOML files; they come before those of the package."""
    named_drivers: tuple[str, ...] = ()
    """Drivers that loosen a check, and so are to be asked for by name."""
    most_m3_per_hour: Annotated[float, msgspec.Meta(gt=0)] = 100.0

    def check_period(self) -> None:
        """ValueError for a period of which no reading falls on midnight."""
        if 86400 % self.period_s:
            raise ValueError("period_s: a period divides the day")
        if any(offset_s % self.period_s for offset_s in _offsets(self.zone)):
            raise ValueError(f"period_s: no reading of {self.period_s} s falls on midnight in {self.zone}")

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone; ConfigError if there is none of that name."""
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise ConfigError(f"zone: {self.zone!r} is no zone such as Europe/Berlin") from None

    def meter_drivers(self) -> Drivers:
        """Drivers of the meters; ConfigError names the setting, and the file and field."""
        try:
            return drivers_of(read_drivers(self.drivers) if self.drivers else (), named=self.named_drivers)
        except ConfigError as error:
            raise ConfigError(f"{'named_drivers' if 'no driver' in str(error) else 'drivers'}: {error}") from None

    @property
    def limits(self) -> Limits:
        """Where plausibility ends."""
        others = tuple(row for row in Limits().per_hour if row[0] != 13)
        return Limits(per_hour=((13, self.most_m3_per_hour), *others))
