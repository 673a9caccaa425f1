"""Settings of virtual meters, typed, from TOML; secrets may come from the environment (``"env:NAME"``).

Every complaint is a ConfigError that names the file and the field.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive, read_settings, secret_octets, secret_text
from meterway.meter.keys import Keys, derive_join_key
from meterway.meter.load import LoadKind
from meterway.meter.zone import CENTRAL_EUROPE, Zone
from meterway.stacks.neighbourhood.profiles import PROFILES

__all__ = [
    "H1Config",
    "HostConfig",
    "ListenConfig",
    "MeterConfig",
    "NetworkConfig",
    "PushConfig",
    "load_config",
    "sample",
    "seed_of",
]

Transport = Literal["tcp", "hdlc", "udp"]
Sharing = Literal["port-per-meter", "wrapper-ports"]
Dialect = Literal["dsmr5", "emucs", "sweden"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


def recently() -> date:
    """The first day of the month before last: enough history to fill a load profile of 60 days."""
    today = datetime.now(UTC).date()
    months = today.year * 12 + today.month - 3
    return date(months // 12, months % 12 + 1, 1)


def seed_of(serial: str) -> int:
    """The seed that a serial number stands for when none is given."""
    return int.from_bytes(hashlib.sha256(serial.encode()).digest()[:7], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One meter: who it is, what lives behind it, how good its clock is."""

    serial: str
    """1 to 16 letters and digits; also the end of the logical device name."""
    keys: Keys
    flag: str = "MWY"
    """Three letters of the manufacturer."""
    system_title: bytes = b""
    """8 octets; empty: flag and a number made of the serial."""
    kind: LoadKind = LoadKind.HOUSEHOLD
    seed: int | None = None
    zone: Zone = CENTRAL_EUROPE
    installed: date = field(default_factory=recently)
    """Where its history starts; give it, if tariff registers are to go on over a restart in a later month."""
    profile_days: int = 60
    drift_ppm: float = 0.0
    clock_offset_s: float = 0.0
    disconnect_mode: int = 4
    country: str = "idis"
    join_key: bytes = field(default=b"", repr=False)
    """For joining a neighbourhood network whose profile wants one, 16 octets."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]{1,16}", self.serial):
            raise ConfigError(f"serial {self.serial!r} must be 1 to 16 letters and digits")
        if not re.fullmatch(r"[A-Z]{3}", self.flag):
            raise ConfigError(f"flag {self.flag!r} must be three capital letters")
        if self.system_title and len(self.system_title) != 8:
            raise ConfigError(f"system_title must have 8 octets, it has {len(self.system_title)}")
        if not 0 <= self.disconnect_mode <= 6:
            raise ConfigError(f"disconnect_mode {self.disconnect_mode} is not 0 to 6")
        if not 1 <= self.profile_days <= 400:
            raise ConfigError(f"profile_days {self.profile_days} is not 1 to 400")
        if len(self.join_key) not in (0, 16):
            raise ConfigError(f"join_key must have 16 octets, it has {len(self.join_key)}")

    @property
    def load_seed(self) -> int:
        """What its load and history are drawn from."""
        return seed_of(self.serial) if self.seed is None else self.seed

    @property
    def title(self) -> bytes:
        """The system title: 3 letters of the maker and 5 octets that no other serial shares in practice."""
        return self.system_title or self.flag.encode() + hashlib.sha256(self.serial.encode()).digest()[:5]


class ListenConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where DLMS clients come in."""

    address: str = "127.0.0.1"
    port: Port = 4059
    """First port; 0 takes free ones."""
    transport: Transport = "tcp"
    """``tcp``: wrapper on TCP; ``hdlc``: HDLC on TCP; ``udp``: wrapper on UDP."""
    sharing: Sharing = "port-per-meter"
    """A port each, counted up; or one port, the meters behind wrapper ports (HDLC: upper addresses) 1, 2, 3, ..."""
    is_local: bool = False
    """A port at the meter itself, for a hand-held: it is there when the line to the head end is not."""

    def __post_init__(self) -> None:
        if self.is_local and (self.transport == "udp" or self.sharing != "port-per-meter"):
            raise ValueError("listen: a local port is one meter's own, by tcp or hdlc")


class H1Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The consumer port: P1 telegrams to every display that connects."""

    address: str = "127.0.0.1"
    port: Port = 2001
    """First port; 0 takes free ones. A port for each of the first ``meters`` meters."""
    meters: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1
    period_s: Annotated[float, msgspec.Meta(ge=0.01, le=3600)] = 1.0
    dialect: Dialect = "dsmr5"


class PushConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where alarms and scheduled data are pushed to."""

    address: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    transport: Literal["tcp", "udp"] = "tcp"
    randomise_s: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 0.0
    """Each push waits up to this long, so that many meters do not speak at once."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3
    retry_delay_s: Annotated[float, msgspec.Meta(ge=0.01, le=86400)] = 5.0


class NetworkConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A neighbourhood network that the meters are nodes of: the hub of its simulated medium, and the profile on it."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    address: str = "127.0.0.1"
    profile: str = "prime"
    node: Annotated[int, msgspec.Meta(ge=0, le=65534)] = 1
    """The number of the first meter's node; the others' are counted up."""
    spread_s: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 10.0
    """Each comes onto the network after a random time up to this."""
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 5.0
    """How long one goes on after its supply has gone."""
    time_factor: Annotated[float, msgspec.Meta(ge=0.01, le=1000)] = 1.0
    """How many times less stations wait: that of the hub, where frames are as much faster."""

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"{self.profile!r} is no profile: {', '.join(PROFILES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """A process full of meters."""

    meters: tuple[MeterConfig, ...]
    listen: tuple[ListenConfig, ...] = (ListenConfig(),)
    h1: H1Config | None = None
    push: PushConfig | None = None
    network: NetworkConfig | None = None
    counters: Path | None = None
    """File that keeps counters, keys and settings over a restart; without one counters start at the clock's seconds."""


# -- the file --------------------------------------------------------------------------------------------------


class _MeterTable(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One [[meter]]: a meter, or ``count`` of them with serials counted up."""

    serial: str
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    guek: str = ""
    gak: str = ""
    kek: str = ""
    lls: str = ""
    join_key: str = ""
    flag: str = "MWY"
    system_title: str = ""
    kind: LoadKind = LoadKind.HOUSEHOLD
    utc_offset_min: Annotated[int, msgspec.Meta(ge=-720, le=840)] = 60
    summer_time: bool = True
    profile_days: Annotated[int, msgspec.Meta(ge=1, le=400)] = 60
    drift_ppm: Annotated[float, msgspec.Meta(ge=-10_000, le=10_000)] = 0.0
    clock_offset_s: Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)] = 0.0
    disconnect_mode: Annotated[int, msgspec.Meta(ge=0, le=6)] = 4
    country: str = "idis"
    installed: date = msgspec.field(default_factory=recently)
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None

    def __post_init__(self) -> None:
        if self.installed < _EARLIEST:
            raise ValueError(f"installed: a date from {_EARLIEST} on is wanted, not {self.installed}")
        if self.count > 1 and not re.fullmatch(r".*\d", self.serial):
            raise ValueError("serial: it must end in digits to be counted up")
        if self.count > 1 and (self.guek or self.gak or self.kek):
            raise ValueError("count: keys of many meters are derived from the file's secret, not given")

    def serials(self) -> list[str]:
        """The serials of all its meters."""
        digits = re.search(r"\d+$", self.serial)
        if self.count == 1 or digits is None:
            return [self.serial]
        head, start = self.serial[: digits.start()], int(digits[0])
        return [f"{head}{start + step:0{len(digits[0])}}" for step in range(self.count)]


_EARLIEST = date(2020, 1, 1)


class _File(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The whole file."""

    meter: Annotated[list[_MeterTable], msgspec.Meta(min_length=1)]
    secret: str = ""
    counters: str = ""
    listen: list[ListenConfig] = []
    h1: H1Config | None = None
    push: PushConfig | None = None
    network: NetworkConfig | None = None


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> HostConfig:
    """Read a meter host's TOML file; ConfigError names file and field. ``counters`` counts from the file's folder."""
    file = read_settings(path, _File)
    try:
        return _host(file, path.parent, os.environ if environ is None else environ)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _host(file: _File, folder: Path, environ: Mapping[str, str]) -> HostConfig:
    secret = secret_octets(file.secret, field="secret", environ=environ)
    meters = [
        meter
        for number, table in enumerate(file.meter)
        for meter in _meters(table, secret, environ, f"meter[{number}]")
    ]
    seen: set[str] = set()
    for meter in meters:
        if meter.serial in seen:
            raise ConfigError(f"meter: serial {meter.serial} is there twice")
        seen.add(meter.serial)
    return HostConfig(
        meters=tuple(meters),
        listen=tuple(file.listen) or (() if file.network else (ListenConfig(),)),
        h1=file.h1,
        push=file.push,
        network=file.network,
        counters=folder / file.counters if file.counters else None,
    )


def _meters(table: _MeterTable, secret: bytes, environ: Mapping[str, str], place: str) -> list[MeterConfig]:
    keys = _given_keys(table, environ, place)
    title = secret_octets(table.system_title, field=f"{place}.system_title", environ=environ)
    join_key = secret_octets(table.join_key, field=f"{place}.join_key", environ=environ)
    try:
        return [
            MeterConfig(
                serial=serial,
                keys=keys or Keys.derive(secret, serial),
                flag=table.flag,
                system_title=title,
                kind=table.kind,
                seed=table.seed,
                zone=Zone(standard_min=table.utc_offset_min, summer_time=table.summer_time),
                installed=table.installed,
                profile_days=table.profile_days,
                drift_ppm=table.drift_ppm,
                clock_offset_s=table.clock_offset_s,
                disconnect_mode=table.disconnect_mode,
                country=table.country,
                join_key=join_key or (derive_join_key(secret, serial) if secret else b""),
            )
            for serial in table.serials()
        ]
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def _given_keys(table: _MeterTable, environ: Mapping[str, str], place: str) -> Keys | None:
    """The keys that are given one by one; None where they are to be derived."""
    if not (table.guek or table.gak or table.kek):
        return None
    guek, gak, kek = (
        secret_octets(getattr(table, name), field=f"{place}.{name}", environ=environ) for name in ("guek", "gak", "kek")
    )
    lls = secret_text(table.lls, field=f"{place}.lls", environ=environ)
    try:
        return Keys(guek=guek, gak=gak, kek=kek, lls=lls.encode())
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def sample(serial: str = "M0001") -> str:
    """A commented TOML file for one meter, with fresh random keys of its own."""
    return f"""\
# Settings of virtual meters (meterway meter FILE). The keys below were drawn at random when this file was written.

# File that keeps counters, transferred keys and settings, so that a restart never uses a counter again.
counters = "meter-counters.json"

# Keys of meters that give none are derived from this: at least 16 octets of hex, or "env:NAME" of a variable.
# secret = "env:METERWAY_METER_SECRET"

[[meter]]
serial = "{serial}"             # letters and digits, at most 16
# count = 1                 # that many meters, serials counted up; their keys are derived from the secret
kind = "household"          # household, heat pump, pv, business
country = "idis"            # companion profile of its objects: idis, smr5, or a .toml file of your own
# flag = "MWY"              # three letters of the maker
# utc_offset_min = 60       # standard time
# summer_time = true        # one hour more from the last Sunday of March to that of October
installed = {recently()}      # the history starts here
# profile_days = 60         # capacity of the load profile
# drift_ppm = 0.0           # how fast its clock goes wrong
# clock_offset_s = 0.0      # how wrong it is at the start
# disconnect_mode = 4       # control mode of the disconnector, 0 to 6
# Each key is 16 octets of hex, or "env:NAME".
guek = "{secrets.token_hex(16)}"
gak = "{secrets.token_hex(16)}"
kek = "{secrets.token_hex(16)}"
lls = "{secrets.token_hex(8)}"   # password of the reading client

[[listen]]
address = "127.0.0.1"
port = 4059                 # 0 takes a free port
transport = "tcp"           # tcp (wrapper), hdlc (HDLC on TCP), udp (wrapper)
sharing = "port-per-meter"  # or wrapper-ports: one port, the meters behind
                            # wrapper ports (hdlc: upper addresses) 1, 2, 3, ...

# The port at the meter itself, for a hand-held (meterway local read).
# [[listen]]
# port = 4159
# transport = "hdlc"
# is_local = true

# The consumer port H1: P1 telegrams to every display that connects.
# [h1]
# port = 2001
# period_s = 1.0
# dialect = "dsmr5"         # dsmr5, emucs, sweden

# The neighbourhood network (power line, radio mesh) that the meters are nodes of; "meterway neighbourhood" simulates
# one. With it the [[listen]] above may be left out. A [[meter]] needs a join_key (16 octets) if the profile wants one.
# [network]
# port = 10200              # of the hub
# profile = "prime"         # prime, g3, rf-mesh, s-fsk
# node = 1                  # the first meter's number, the others' are counted up
# spread_s = 10.0           # meters come onto the network within this time
# time_factor = 1.0         # as of "meterway neighbourhood --time-factor": joining takes minutes at 1

# Where alarms and scheduled pushes go; without it, up the network.
# [push]
# address = "127.0.0.1"
# port = 4061
# transport = "tcp"         # or udp
# randomise_s = 0.0
# retries = 3
"""
