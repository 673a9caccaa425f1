"""Settings of virtual meters, typed, from TOML; secrets may come from the environment (``"env:NAME"``).

Every complaint is a ConfigError that names the file, the table and the field.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from meterway.base.errors import ConfigError
from meterway.meter.keys import Keys
from meterway.meter.load import LoadKind
from meterway.meter.zone import CENTRAL_EUROPE, Zone

__all__ = ["H1Config", "HostConfig", "ListenConfig", "MeterConfig", "PushConfig", "load_config", "sample", "seed_of"]

Transport = Literal["tcp", "hdlc", "udp"]
Sharing = Literal["port-per-meter", "wrapper-ports"]
Dialect = Literal["dsmr5", "emucs", "sweden"]


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

    @property
    def load_seed(self) -> int:
        """What its load and history are drawn from."""
        return seed_of(self.serial) if self.seed is None else self.seed

    @property
    def title(self) -> bytes:
        """The system title: 3 letters of the maker and 5 octets that no other serial shares in practice."""
        return self.system_title or self.flag.encode() + hashlib.sha256(self.serial.encode()).digest()[:5]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """Where DLMS clients come in."""

    address: str = "127.0.0.1"
    port: int = 4059
    """First port; 0 takes free ones."""
    transport: Transport = "tcp"
    """``tcp``: wrapper on TCP; ``hdlc``: HDLC on TCP; ``udp``: wrapper on UDP."""
    sharing: Sharing = "port-per-meter"
    """A port each, counted up; or one port, the meters behind wrapper ports (HDLC: upper addresses) 1, 2, 3, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class H1Config:
    """The consumer port: P1 telegrams to every display that connects."""

    address: str = "127.0.0.1"
    port: int = 2001
    """First port; 0 takes free ones. A port for each of the first ``meters`` meters."""
    meters: int = 1
    period_s: float = 1.0
    dialect: Dialect = "dsmr5"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """Where alarms and scheduled data are pushed to."""

    address: str
    port: int
    transport: Literal["tcp", "udp"] = "tcp"
    randomise_s: float = 0.0
    """Each push waits up to this long, so that many meters do not speak at once."""
    retries: int = 3
    retry_delay_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """A process full of meters."""

    meters: tuple[MeterConfig, ...]
    listen: tuple[ListenConfig, ...] = (ListenConfig(),)
    h1: H1Config | None = None
    push: PushConfig | None = None
    counters: Path | None = None
    """File in which invocation counters are reserved ahead; without one they start at the clock's seconds."""


class _Table:
    """One TOML table that remembers where it stands and which fields were asked for."""

    def __init__(self, values: object, place: str) -> None:
        if not isinstance(values, dict):
            raise ConfigError(f"{place} must be a table")
        self.values: dict[str, object] = values
        self.place = place
        self.left = set(values)

    def fail(self, field: str, message: str) -> ConfigError:
        return ConfigError(f"{self.place}.{field}: {message}")

    def text(self, field: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        self.left.discard(field)
        value = self.values.get(field, default)
        if not isinstance(value, str):
            raise self.fail(field, "is missing" if value is None else f"must be text, not {value!r}")
        if choices and value not in choices:
            raise self.fail(field, f"{value!r} is not one of {', '.join(choices)}")
        return value

    def number(self, field: str, default: float, low: float, high: float) -> float:
        self.left.discard(field)
        value = self.values.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(field, f"must be a number, not {value!r}")
        if not low <= value <= high:
            raise self.fail(field, f"{value} is not within {low:g} to {high:g}")
        return value

    def whole(self, field: str, default: int, low: int, high: int) -> int:
        value = self.number(field, default, low, high)
        if not isinstance(value, int):
            raise self.fail(field, f"must be a whole number, not {value!r}")
        return value

    def flag(self, field: str, *, default: bool) -> bool:
        self.left.discard(field)
        value = self.values.get(field, default)
        if not isinstance(value, bool):
            raise self.fail(field, f"must be true or false, not {value!r}")
        return value

    def octets(self, field: str, environ: Mapping[str, str]) -> bytes:
        """Hex digits, or ``env:NAME`` of a variable that holds them; empty if the field is missing."""
        text = self.text(field, "")
        if text.startswith("env:"):
            name = text[4:]
            if name not in environ:
                raise self.fail(field, f"the environment has no {name}")
            text = environ[name]
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise self.fail(field, "must be hex digits or env:NAME") from None

    def tables(self, field: str) -> list[_Table]:
        self.left.discard(field)
        value = self.values.get(field, [])
        rows = value if isinstance(value, list) else [value]
        return [_Table(row, f"{self.place}.{field}[{number}]") for number, row in enumerate(rows)]

    def finish(self) -> None:
        if self.left:
            raise self.fail(min(self.left), "is not a setting")


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> HostConfig:
    """Read a meter host's TOML file; ConfigError names file, table and field."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return _host(_Table(values, str(path)), os.environ if environ is None else environ)


def _host(root: _Table, environ: Mapping[str, str]) -> HostConfig:
    secret = root.octets("secret", environ)
    meters = [meter for table in root.tables("meter") for meter in _meters(table, secret, environ)]
    if not meters:
        raise root.fail("meter", "at least one [[meter]] is needed")
    seen: set[str] = set()
    for meter in meters:
        if meter.serial in seen:
            raise root.fail("meter", f"serial {meter.serial} is there twice")
        seen.add(meter.serial)
    listen = tuple(_listen(table) for table in root.tables("listen")) or (ListenConfig(),)
    h1 = [_h1(table) for table in root.tables("h1")]
    push = [_push(table) for table in root.tables("push")]
    counters = root.text("counters", "")
    root.finish()
    return HostConfig(
        meters=tuple(meters),
        listen=listen,
        h1=h1[0] if h1 else None,
        push=push[0] if push else None,
        counters=Path(counters) if counters else None,
    )


def _meters(table: _Table, secret: bytes, environ: Mapping[str, str]) -> list[MeterConfig]:
    """The meters of one [[meter]] table: one, or ``count`` with serials counted up."""
    serial = table.text("serial")
    count = table.whole("count", 1, 1, 1_000_000)
    given = {name: table.octets(name, environ) for name in ("guek", "gak", "kek")}
    password = table.text("lls", "")
    if password.startswith("env:"):
        password = environ.get(password[4:], "")
    if count > 1 and any(given.values()):
        raise table.fail("count", "keys of many meters are derived from the file's secret, not given")
    summer = table.flag("summer_time", default=True)
    zone = Zone(standard_min=table.whole("utc_offset_min", 60, -720, 840), summer_time=summer)
    kind = LoadKind(table.text("kind", "household", tuple(kind.value for kind in LoadKind)))
    shared = {
        "flag": table.text("flag", "MWY"),
        "system_title": table.octets("system_title", environ),
        "profile_days": table.whole("profile_days", 60, 1, 400),
        "drift_ppm": table.number("drift_ppm", 0.0, -10_000, 10_000),
        "clock_offset_s": table.number("clock_offset_s", 0.0, -1e9, 1e9),
        "disconnect_mode": table.whole("disconnect_mode", 4, 0, 6),
        "country": table.text("country", "idis"),
        "installed": _day(table),
        "seed": table.whole("seed", 0, 0, 2**53) or None,
    }
    table.finish()
    meters = []
    for number in _serials(table, serial, count):
        try:
            keys = Keys(**given, lls=password.encode()) if any(given.values()) else Keys.derive(secret, number)
            meters.append(MeterConfig(serial=number, keys=keys, kind=kind, zone=zone, **shared))  # type: ignore[arg-type]
        except ConfigError as error:
            raise ConfigError(f"{table.place} ({number}): {error}") from None
    return meters


def _serials(table: _Table, serial: str, count: int) -> list[str]:
    if count == 1:
        return [serial]
    match = re.fullmatch(r"(.*?)(\d+)", serial)
    if match is None:
        raise table.fail("serial", "must end in digits to be counted up")
    start = int(match[2])
    return [f"{match[1]}{start + step:0{len(match[2])}}" for step in range(count)]


def _day(table: _Table) -> date:
    table.left.discard("installed")
    value = table.values.get("installed", recently())
    if type(value) is not date or value.year < 2020:
        raise table.fail("installed", f"must be a date from 2020-01-01 on, not {value!r}")
    return value


def _listen(table: _Table) -> ListenConfig:
    config = ListenConfig(
        address=table.text("address", "127.0.0.1"),
        port=table.whole("port", 4059, 0, 65535),
        transport=table.text("transport", "tcp", ("tcp", "hdlc", "udp")),  # type: ignore[arg-type]
        sharing=table.text("sharing", "port-per-meter", ("port-per-meter", "wrapper-ports")),  # type: ignore[arg-type]
    )
    table.finish()
    return config


def _h1(table: _Table) -> H1Config:
    config = H1Config(
        address=table.text("address", "127.0.0.1"),
        port=table.whole("port", 2001, 0, 65535),
        meters=table.whole("meters", 1, 1, 65535),
        period_s=table.number("period_s", 1.0, 0.1, 3600),
        dialect=table.text("dialect", "dsmr5", ("dsmr5", "emucs", "sweden")),  # type: ignore[arg-type]
    )
    table.finish()
    return config


def _push(table: _Table) -> PushConfig:
    config = PushConfig(
        address=table.text("address"),
        port=table.whole("port", -1, 1, 65535),
        transport=table.text("transport", "tcp", ("tcp", "udp")),  # type: ignore[arg-type]
        randomise_s=table.number("randomise_s", 0.0, 0, 86400),
        retries=table.whole("retries", 3, 0, 100),
        retry_delay_s=table.number("retry_delay_s", 5.0, 0.01, 86400),
    )
    table.finish()
    return config


def sample(serial: str = "M0001") -> str:
    """A commented TOML file for one meter, with fresh random keys of its own."""
    return f"""\
# Settings of virtual meters (meterway meter FILE). The keys below were drawn at random when this file was written.

# File in which invocation counters are reserved, so that a restart never uses one again.
counters = "meter-counters.json"

# Keys of meters that give none are derived from this: at least 16 octets of hex, or "env:NAME" of a variable.
# secret = "env:METERWAY_METER_SECRET"

[[meter]]
serial = "{serial}"             # letters and digits, at most 16
# count = 1                 # that many meters, serials counted up; their keys are derived from the secret
kind = "household"          # household, heat pump, pv, business
country = "idis"            # companion profile of its objects
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
sharing = "port-per-meter"  # or wrapper-ports: one port, the meters behind wrapper ports 1, 2, 3, ...

# The consumer port H1: P1 telegrams to every display that connects.
# [h1]
# port = 2001
# period_s = 1.0
# dialect = "dsmr5"         # dsmr5, emucs, sweden

# Where alarms and scheduled pushes go.
# [push]
# address = "127.0.0.1"
# port = 4061
# transport = "tcp"         # or udp
# randomise_s = 0.0
# retries = 3
"""
