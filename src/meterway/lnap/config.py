"""The gateway's settings, typed, from a TOML file; a secret may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import key_octets, read_settings
from meterway.lnap.device import Bound, Profile
from meterway.lnap.keys import title_of
from meterway.lnap.rules import Limits, Party, Right, Window
from meterway.lnap.tariff import Stage, TariffCase
from meterway.stacks.mbus.address import Address, manufacturer_code

__all__ = [
    "SAMPLE",
    "BusConfig",
    "LnapConfig",
    "MeterConfig",
    "MqttConfig",
    "PartyConfig",
    "PushConfig",
    "RadioConfig",
    "SideConfig",
    "TariffConfig",
    "WindowConfig",
    "address_of",
    "load_config",
    "sample",
]

_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=31_536_000)]
_Channel = Annotated[int, msgspec.Meta(ge=1, le=2000)]


def address_of(text: str) -> Address:
    """A meter's address from ``KAM-63452869-1B-16``; ConfigError for anything else."""
    return Address.parse(text)


class SideConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A port on which parties of one side are served; without one nobody of that side is."""

    host: str = "127.0.0.1"
    port: _Port = 4059


class PartyConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Somebody who may ask; what is not given is denied."""

    name: str
    client: Annotated[int, msgspec.Meta(ge=1, le=127)]
    secret: str
    """At least 16 octets as hex, or ``env:NAME``; the party's keys for each logical device derive from it."""
    side: Literal["wan", "home", "local"] = "wan"
    channels: tuple[_Channel, ...] | Literal["all"] = ()
    rights: tuple[Literal["read", "command", "configure"], ...] = ("read",)
    sees_gateway: bool = False

    def party(self, cases: tuple[str, ...]) -> Party:
        """The party as the rules know it."""
        rights = Right(0)
        for word in self.rights:
            rights |= Right[word.upper()]
        channels = None if self.channels == "all" else frozenset(int(number) for number in self.channels)
        return Party(
            name=self.name, client=self.client, side=self.side, channels=channels, rights=rights, cases=cases,
            sees_gateway=self.sees_gateway,
        )  # fmt: skip

    @property
    def octets(self) -> bytes:
        """The secret; ConfigError if there is none or it is short."""
        return key_octets(self.secret, field=f"parties, {self.name}, secret", most=64)


class MeterConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A meter of the white list."""

    address: str
    channel: _Channel
    key: str = ""
    link: Literal["radio", "wired"] = "radio"
    security: Literal["plain", "A", "B", "D"] = "B"
    """The least protection its telegrams must have."""
    primary: Annotated[int, msgspec.Meta(ge=0, le=250)] | None = None

    def bound(self) -> Bound:
        """The meter as the gateway binds it; ConfigError for a wrong address or key."""
        keys = (key_octets(self.key, field=f"meters, {self.address}, key"),) if self.key else ()
        if self.security != "plain" and not keys:
            raise ConfigError(f"meters, {self.address}: security {self.security} wants a key")
        return Bound(
            address=address_of(self.address), channel=self.channel, link=self.link, keys=keys, primary=self.primary,
            security=Profile[self.security.upper()],
        )  # fmt: skip


class StageConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A tariff stage: in force from one local time of day to another."""

    number: Annotated[int, msgspec.Meta(ge=1, le=63)]
    begin: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    end: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-4]):[0-5][0-9]$")] = "24:00"
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)

    def stage(self) -> Stage:
        """The stage as the rules know it."""
        return Stage(
            number=self.number, from_min=_minute(self.begin), to_min=_minute(self.end), weekdays=self.weekdays
        )  # fmt: skip


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


class TariffConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A tariff use case of one party on one channel."""

    case: Literal["TAF1", "TAF2", "TAF6", "TAF7", "TAF9", "TAF10", "TAF14"]
    party: str
    channel: _Channel
    period_s: Annotated[int, msgspec.Meta(ge=1, le=86400)] = 3600
    deadband: Annotated[int, msgspec.Meta(ge=0)] = 0
    stages: tuple[StageConfig, ...] = ()

    def tariff(self) -> TariffCase:
        """The case as the rules know it; ConfigError if it lacks something."""
        return TariffCase(
            case=self.case, party=self.party, channel=self.channel, period_s=self.period_s, deadband=self.deadband,
            stages=tuple(stage.stage() for stage in self.stages),
        )  # fmt: skip


class WindowConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """When a radio listens; a gateway on the mains listens always."""

    every_s: _Seconds
    length_s: _Seconds
    offset_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0

    def window(self) -> Window:
        """The window as the rules know it."""
        return Window(every_s=self.every_s, length_s=self.length_s, offset_s=self.offset_s)


class RadioConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The simulated air of a radio hub; the station's place is in metres."""

    host: str = "127.0.0.1"
    port: _Port
    station: str = ""
    hears: tuple[str, ...] = ("S1", "T1", "C1", "N1a")
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    windows: tuple[WindowConfig, ...] = ()


class BusConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A two-wire bus behind a TCP port: a level converter on the network, or the simulated bus."""

    host: str = "127.0.0.1"
    port: _Port
    baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400] = 2400
    latency_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.1
    poll_s: _Seconds = 900.0
    search: Literal["", "secondary-first", "primary-first"] = ""
    """Search the bus at the start; what is found is proposed, never bound."""


class PushConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where events go: the head end's push port."""

    host: str = "127.0.0.1"
    port: _Port
    party: str
    """The party whose keys protect the pushes."""
    retry_s: _Seconds = 30.0


class MqttConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A home's MQTT broker. Without ``authority`` the system's roots are trusted; TLS is off on loopback only."""

    host: str = "127.0.0.1"
    port: _Port = 8883
    username: str = ""
    password: str = ""
    """The password, or ``env:NAME``."""
    tls: bool = True
    authority: str = ""
    certificate: str = ""
    key: str = ""
    prefix: str = "meterway"
    discovery: str = "homeassistant"
    channels: tuple[_Channel, ...] | Literal["all"] = "all"
    every_s: _Seconds = 60.0

    def __post_init__(self) -> None:
        if not self.tls and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("mqtt: without TLS only a broker on this machine is spoken to")

    @property
    def secret(self) -> str:
        """The password."""
        return os.environ.get(self.password[4:], "") if self.password.startswith("env:") else self.password


class LnapConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """All of it."""

    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    flag: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "MWY"
    ident: Annotated[str, msgspec.Meta(pattern="^[0-9]{8}$")] = "00000001"
    """The eight digits of its own address on the air."""
    firmware: str = "MWY-LNAP-1"
    store: str = "lnap.sqlite"
    master_key: str = "lnap.key"
    zone: str = "UTC"
    """The zone of the meters' clocks and of tariff stages."""
    period_s: Annotated[int, msgspec.Meta(ge=60, le=86400)] = 3600
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 60
    limit_mib: Annotated[int, msgspec.Meta(ge=1, le=65536)] = 64
    silent_after_s: _Seconds = 86400.0
    order_valid_s: _Seconds = 86400.0
    most_m3_per_hour: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    wan: SideConfig | None = SideConfig()
    home: SideConfig | None = None
    local: SideConfig | None = None
    parties: tuple[PartyConfig, ...] = ()
    meters: tuple[MeterConfig, ...] = ()
    tariffs: tuple[TariffConfig, ...] = ()
    radios: tuple[RadioConfig, ...] = ()
    buses: tuple[BusConfig, ...] = ()
    push: PushConfig | None = None
    mqtt: MqttConfig | None = None

    def __post_init__(self) -> None:
        names = [party.name for party in self.parties]
        places = [(party.side, party.client) for party in self.parties]
        if len(set(names)) < len(names) or len(set(places)) < len(places):
            raise ValueError("parties: a name, and a client on one side, belong to one party only")
        unknown = {tariff.party for tariff in self.tariffs} - set(names)
        if self.push is not None:
            unknown |= {self.push.party} - set(names)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is no party")
        if 86400 % self.period_s:
            raise ValueError("period_s: a period divides the day")

    @property
    def title(self) -> bytes:
        """The system title of the gateway itself."""
        return title_of(self.flag, self.serial)

    @property
    def address(self) -> Address:
        """Its own address on the air: a communication controller."""
        return Address(manufacturer=manufacturer_code(self.flag), ident=self.ident, version=1, device_type=0x31)

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone; ConfigError if there is none of that name."""
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise ConfigError(f"zone: {self.zone!r} is no zone such as Europe/Berlin") from None

    @property
    def limits(self) -> Limits:
        """Where plausibility ends."""
        others = tuple(row for row in Limits().per_hour if row[0] != 13)
        return Limits(per_hour=((13, self.most_m3_per_hour), *others))

    def cases_of(self, party: str) -> tuple[str, ...]:
        """The tariff use cases a party has, on any channel."""
        return tuple(dict.fromkeys(tariff.case for tariff in self.tariffs if tariff.party == party))


SAMPLE: Final = """\
# Settings of a Meterway gateway (LNAP). Every line that is commented out shows its default or an example.

# Unique among your gateways; system titles and keys derive from it.
serial = "LNAP00000001"
# ident = "00000001"               # eight digits: its own address on the air
# zone = "UTC"                     # of the meters' clocks and of tariff stages, e.g. "Europe/Berlin"

# White list, sealed keys, counters, orders, events and the spool of readings.
# store = "lnap.sqlite"
# master_key = "lnap.key"          # seals the meters' keys; made with mode 0600 at first start. Back it up apart.
# period_s = 3600                  # one reading of every register in this time
# keep_days = 60
# limit_mib = 64                   # 60 days of hours of 500 meters with one register take 14 MiB
# silent_after_s = 86400.0
# order_valid_s = 86400.0          # how long an order waits for a meter to wake
# most_m3_per_hour = 100.0         # a volume that rises faster is not plausible

# Three networks, kept apart: who is listed for one side is served on its port alone. Without a table: no port.
[wan]
# host = "127.0.0.1"
# port = 4059
# [home]
# [local]

[[parties]]
name = "operator"
client = 1
secret = "env:LNAP_OPERATOR"       # at least 16 octets as hex, or env:NAME that holds them
channels = "all"                   # or a list: [1, 2]; nothing is given by itself
rights = ["read", "command", "configure"]
sees_gateway = true
# side = "wan"                     # wan, home or local

# [[meters]]
# address = "MWY-10000001-01-03"   # manufacturer, number, version, device type
# channel = 1
# key = "env:GAS_KEY"
# security = "B"                   # the least that is accepted: plain, A, B or D
# link = "radio"                   # or "wired"

# [[tariffs]]                      # a party with a tariff gets what its cases let out, and nothing more
# case = "TAF7"                    # TAF1 TAF2 TAF6 TAF7 TAF9 TAF10 TAF14
# party = "supplier"
# channel = 1
# stages = [{ number = 1, begin = "06:00", end = "22:00" }, { number = 2, begin = "22:00", end = "06:00" }]

# [[radios]]                       # the simulated air of a radio hub
# port = 4870
# hears = ["S1", "T1", "C1", "N1a"]

# [[buses]]                        # a two-wire bus behind a TCP port
# port = 10001
# baud = 2400
# poll_s = 900.0
# search = "secondary-first"       # found meters are proposed, never bound

# [push]
# host = "127.0.0.1"
# port = 4061
# party = "operator"

# [mqtt]                           # Home Assistant finds the meters by itself
# host = "broker.home"
# port = 8883
# username = "lnap"
# password = "env:MQTT_PASSWORD"
# authority = "ca.pem"
"""


def sample() -> str:
    """A commented settings file with a serial and a secret of its own."""
    serial = f"LNAP{secrets.randbelow(10**8):08d}"
    return SAMPLE.replace("LNAP00000001", serial).replace("env:LNAP_OPERATOR", secrets.token_hex(16))


def load_config(path: Path) -> LnapConfig:
    """Read a settings file; ConfigError names file and field. Names of files in it count from its folder."""
    config = read_settings(path, LnapConfig)
    return msgspec.structs.replace(
        config, store=str(path.parent / config.store), master_key=str(path.parent / config.master_key)
    )
