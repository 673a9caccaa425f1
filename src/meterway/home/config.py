"""Settings of load controllers: what hangs on their relays, their rights and keys, where they are reached."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive, read_settings, secret_octets
from meterway.home.load import LoadKind
from meterway.stacks.neighbourhood.profiles import PROFILES

__all__ = [
    "HomeConfig", "HomeKeys", "HostConfig", "ListenConfig", "NetworkConfig", "RelayConfig", "load_config", "sample",
]  # fmt: skip

_KEY: Final = 16
_TITLE: Final = 8
_SERIAL: Final = "^[A-Za-z0-9]{1,16}$"
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=7 * 86400)]


class RelayConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A relay and the simulated load on it. The first relay is the last to be shed."""

    kind: LoadKind = LoadKind.WATER_HEATER
    rated_w: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2000
    may_override: bool = True
    """Whether the consumer's button does anything."""


@dataclass(slots=True, kw_only=True)
class HomeKeys:
    """What one load controller keeps secret, 16 octets each; the fields change when keys are transferred.

    The operator's pair and the consumer's are different, so that neither can speak for the other.
    """

    guek: bytes
    gak: bytes
    kek: bytes
    consumer_guek: bytes
    consumer_gak: bytes
    gbek: bytes = b""
    """Broadcast encryption key, or none."""
    gbak: bytes = b""
    """Authentication key of broadcasts; empty: ``gak``."""

    def __post_init__(self) -> None:
        for name in ("guek", "gak", "kek", "consumer_guek", "consumer_gak"):
            if len(getattr(self, name)) != _KEY:
                raise ConfigError(f"{name}: {_KEY} octets are wanted, not {len(getattr(self, name))}")
        for name in ("gbek", "gbak"):
            if len(getattr(self, name)) not in (0, _KEY):
                raise ConfigError(f"{name}: {_KEY} octets or none are wanted")
        if self.guek == self.consumer_guek:
            raise ConfigError("consumer_guek: it must not be the operator's")

    @classmethod
    def random(cls) -> HomeKeys:
        """Keys that nobody else has."""
        return cls(
            **{name: secrets.token_bytes(_KEY) for name in ("guek", "gak", "kek", "consumer_guek", "consumer_gak")}
        )

    def __repr__(self) -> str:
        return "HomeKeys(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeConfig:
    """One load controller.

    An order without a duration holds ``hold_s``, none more than ``longest_s``. ``offset_s`` is how long a relay waits
    at most after a command that names no offset, and after an emergency. An override lasts ``override_s`` at most,
    ``overrides_per_day`` times a day (UTC). ``groups`` are the emergency profiles that it obeys.
    """

    serial: str
    keys: HomeKeys
    relays: tuple[RelayConfig, ...] = (RelayConfig(),)
    seed: int = 0
    system_title: bytes = b""
    join_key: bytes = field(default=b"", repr=False)
    programme: str = ""
    consent: bool = False
    hold_s: int = 4 * 3600
    longest_s: int = 24 * 3600
    offset_s: int = 300
    override_s: int = 4 * 3600
    overrides_per_day: int = 3
    groups: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        if not 1 <= len(self.relays) <= _TITLE:
            raise ConfigError(f"{self.serial}: a load controller has 1 to 8 relays")
        if len(self.system_title) not in (0, _TITLE):
            raise ConfigError(f"{self.serial}: a system title has 8 octets")

    @property
    def title(self) -> bytes:
        """Its system title and EUI: as given, or MWY and five octets that follow from the serial."""
        return self.system_title or b"MWY" + hashlib.sha256(b"home|" + self.serial.encode()).digest()[:5]


class ListenConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The local TCP port (DLMS wrapper): logical devices 1, 2, … are the controllers in the order of the file."""

    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    address: str = "127.0.0.1"


class NetworkConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The neighbourhood network that the controllers are nodes of: the hub of its simulated medium, and the profile."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    address: str = "127.0.0.1"
    profile: str = "prime"
    node: Annotated[int, msgspec.Meta(ge=0, le=65534)] = 1
    """The number of the first one's node; the others' are counted up."""
    spread_s: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 10.0
    """Each comes onto the network after a random time up to this."""
    time_factor: Annotated[float, msgspec.Meta(ge=0.01, le=1000)] = 1.0
    """How many times less the stations wait: that of the hub, where frames are as much faster."""

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"network: {self.profile!r} is no profile: {', '.join(PROFILES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """A process of load controllers. ``memory`` is a file for what outlives it."""

    devices: tuple[HomeConfig, ...]
    listen: ListenConfig | None = None
    network: NetworkConfig | None = None
    memory: Path | None = None


class _DeviceTable(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    serial: Annotated[str, msgspec.Meta(pattern=_SERIAL)]
    guek: str
    gak: str
    kek: str
    consumer_guek: str
    consumer_gak: str
    gbek: str = ""
    gbak: str = ""
    join_key: str = ""
    system_title: str = ""
    relays: Annotated[list[RelayConfig], msgspec.Meta(min_length=1, max_length=8)] = msgspec.field(
        default_factory=lambda: [RelayConfig()]
    )
    seed: int = 0
    programme: str = ""
    consent: bool = False
    hold_s: _Seconds = 4 * 3600
    longest_s: _Seconds = 24 * 3600
    offset_s: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 300
    override_s: _Seconds = 4 * 3600
    overrides_per_day: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 3
    groups: list[Annotated[int, msgspec.Meta(ge=0, le=65535)]] = msgspec.field(default_factory=lambda: [1])


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    device: Annotated[list[_DeviceTable], msgspec.Meta(min_length=1)]
    listen: ListenConfig | None = None
    network: NetworkConfig | None = None
    memory: str = ""


_PLAIN: Final = (
    "serial", "seed", "programme", "consent", "hold_s", "longest_s", "offset_s", "override_s", "overrides_per_day",
)  # fmt: skip
_KEYS: Final = ("guek", "gak", "kek", "consumer_guek", "consumer_gak", "gbek", "gbak")


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> HostConfig:
    """A settings file; ConfigError says what is wrong with it, and where."""
    file = read_settings(path, _File)
    if file.listen is None and file.network is None:
        raise ConfigError(f"{path}: [listen] or [network] is wanted, or nobody reaches the devices")
    known = os.environ if environ is None else environ
    devices = tuple(_device(table, known, f"device {number}") for number, table in enumerate(file.device, 1))
    serials = [one.serial for one in devices]
    if len(set(serials)) != len(serials):
        raise ConfigError(f"{path}: a serial comes twice")
    memory = path.parent / file.memory if file.memory else None
    return HostConfig(devices=devices, listen=file.listen, network=file.network, memory=memory)


def _device(table: _DeviceTable, environ: Mapping[str, str], place: str) -> HomeConfig:
    def key(name: str) -> bytes:
        return secret_octets(getattr(table, name), field=f"{place}.{name}", environ=environ)

    try:
        return HomeConfig(
            keys=HomeKeys(**{name: key(name) for name in _KEYS}),
            relays=tuple(table.relays),
            groups=tuple(table.groups),
            join_key=key("join_key"),
            system_title=key("system_title"),
            **{name: getattr(table, name) for name in _PLAIN},
        )
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def sample(serial: str = "H0001") -> str:
    """A commented TOML file for one load controller, with fresh random keys of its own."""
    keys = "\n".join(f'{name} = "{secrets.token_hex(_KEY)}"' for name in (*_KEYS[:5], "join_key"))
    return f"""\
# Settings of load controllers (meterway home FILE). The keys below were drawn at random when this file was written.

# File that keeps counters, consent, programme, orders and energy over a restart.
memory = "home-memory.json"

[[device]]
serial = "{serial}"           # letters and digits, at most 16
# Each key is 16 octets of hex, or "env:NAME". The consumer's are for the local port only.
{keys}
# gbek = "env:METERWAY_GBEK"  # broadcast key of the group, and its authentication key
# gbak = "env:METERWAY_GBAK"
# programme = ""              # registered in it from the start; an operator can do so later
# consent = false             # the consumer's: without it and a programme only emergencies are obeyed
# offset_s = 300              # random delay of commands that name none, at most
# hold_s = 14400              # how long an order without a duration holds
# longest_s = 86400           # none holds longer
# override_s = 14400          # how long the consumer's override lasts
# overrides_per_day = 3
# groups = [1]                # emergency profiles that are obeyed

# Relays 1, 2, …: the first is the last to be shed. What hangs on them is simulated.
[[device.relays]]
kind = "water heater"         # water heater, ev charger, heat pump
rated_w = 2000

[[device.relays]]
kind = "ev charger"
rated_w = 7400
# may_override = true         # whether the consumer's button does anything

# The local port: DLMS over TCP, for the consumer and for tests.
[listen]
address = "127.0.0.1"
port = 4070                   # 0 takes a free port

# The neighbourhood network behind a concentrator; "meterway neighbourhood" simulates one.
# [network]
# port = 10200                # of the hub
# profile = "prime"           # prime, g3, rf-mesh, s-fsk
# node = 1                    # the first device's number, the others' are counted up
# time_factor = 1.0           # as of "meterway neighbourhood --time-factor": joining takes minutes at 1
"""
