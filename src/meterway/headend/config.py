"""The head end's settings, typed, from a TOML file."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import read_settings

__all__ = [
    "BrokerConfig",
    "BulkConfig",
    "CallsConfig",
    "CollectConfig",
    "HeadEndConfig",
    "NeighbourhoodConfig",
    "PushConfig",
    "WebConfig",
    "load_config",
    "sample",
]


_Seconds = Annotated[float, msgspec.Meta(ge=0.001, le=31_536_000)]
_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class WebConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where pages and API are served. Beyond loopback a token is always asked for."""

    host: str = "127.0.0.1"
    port: _Port = 8480
    tokens: str = ""
    """File of API tokens, one ``name sha256-of-token`` a line; made by ``meterway headend --new-token NAME``."""


class PushConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where meters push to; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: _Port = 4061
    enabled: bool = True


class CollectConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What is read, how often, how patiently."""

    every_s: _Seconds = 900.0
    history_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 35
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 32
    connect_timeout_s: _Seconds = 10.0
    response_timeout_s: _Seconds = 10.0
    session_timeout_s: _Seconds = 300.0
    retry_first_s: _Seconds = 30.0
    retry_longest_s: _Seconds = 3600.0
    set_clock_beyond_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    set_clock: bool = True
    """False leaves every device's clock alone."""
    clock_invalid_beyond_s: _Seconds = 86400.0
    enabled: bool = True


class NeighbourhoodConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How patiently devices are asked through a concentrator, and how many of one concentrator at a time."""

    response_timeout_s: _Seconds = 60.0
    session_timeout_s: _Seconds = 1800.0
    parallel: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 8
    client: Annotated[int, msgspec.Meta(ge=1, le=127)] = 1
    """The client SAP to read meters end to end where their row names none: not that of the concentrator itself.

    Commands go with the head end's own SAP.
    """


class BrokerConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """An MQTT broker that concentrators publish reports to; without a host there is none. TLS beyond loopback."""

    host: str = ""
    port: _Port = 8883
    username: str = ""
    password_file: str = ""
    authority: str = ""
    """File of the certificate authority; the machine's own if empty."""
    prefix: str = "meterway"
    client_id: str = "meterway-headend"


class BulkConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where concentrators deliver reports: to the pages' address at ``/g2/reports``, or to a broker."""

    tokens: str = ""
    """File of tokens, each by the name of the concentrator's serial; without one nothing is taken over HTTP."""
    largest: Annotated[int, msgspec.Meta(ge=1024, le=1 << 30)] = 64 << 20
    """Octets that a report may have in clear."""
    broker: BrokerConfig = BrokerConfig()


class CallsConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where devices call in that the head end does not reach by itself; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: _Port = 4063
    enabled: bool = False


class HeadEndConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """All of it. ``system_title`` is hex of 8 octets; ``store`` a path or ``postgresql://`` address."""

    system_title: str = "4d57590000000001"
    client: int = 1
    store: str = "meterway.sqlite"
    master_key: str = "meterway.key"
    web: WebConfig = WebConfig()
    push: PushConfig = PushConfig()
    collect: CollectConfig = CollectConfig()
    neighbourhood: NeighbourhoodConfig = NeighbourhoodConfig()
    bulk: BulkConfig = BulkConfig()
    calls: CallsConfig = CallsConfig()

    @property
    def title(self) -> bytes:
        """The system title; ConfigError if it is not 8 octets of hex."""
        try:
            octets = bytes.fromhex(self.system_title)
        except ValueError:
            octets = b""
        if len(octets) != 8:
            raise ConfigError(f"system_title: 8 octets as hex are wanted, not {self.system_title!r}")
        return octets

    @property
    def store_url(self) -> str:
        """The store as an address; a path stands for SQLite."""
        return self.store if "://" in self.store else f"sqlite:///{self.store}"


_SAMPLE: Final = """\
# Settings of a Meterway head end. Every line that is commented out shows its default.

# The head end's own system title: 8 octets as hex, unique among all clients of your meters. It was drawn at random.
system_title = "{title}"

# The client SAP it associates as (1 is the management client).
# client = 1

# Where everything is kept: a file (SQLite), or postgresql://user@host/database.
# Here and below the names of files count from the folder of these settings.
store = "meterway.sqlite"

# File of the master key that seals the devices' keys; made with mode 0600 at first start. Back it up apart.
master_key = "meterway.key"

[web]
# Pages and API. On loopback pages need no token; anywhere else every request does.
# host = "127.0.0.1"
# port = 8480
# tokens = "meterway.tokens"     # made by: meterway headend --new-token NAME

[push]
# Where meters push alarms and data to.
# host = "127.0.0.1"
# port = 4061
# enabled = true

[collect]
# every_s = 900.0                # each device once in this time, spread evenly
# history_days = 35              # how far back the first collection reads
# concurrency = 32               # associations open at the same time
# connect_timeout_s = 10.0
# response_timeout_s = 10.0
# session_timeout_s = 300.0
# retry_first_s = 30.0           # doubled at each failure up to retry_longest_s
# retry_longest_s = 3600.0
# set_clock = true               # false leaves every device's clock alone
# set_clock_beyond_s = 60.0      # a device's clock further off is set
# clock_invalid_beyond_s = 86400.0  # readings of a device whose clock is further off are not trusted
# enabled = true

[neighbourhood]
# Devices behind a concentrator are asked through it, over a slow medium.
# response_timeout_s = 60.0
# session_timeout_s = 1800.0
# parallel = 8                   # sessions through one concentrator at the same time
# client = 1                     # client SAP to read its meters end to end; not that of the concentrator itself, 5

[bulk]
# Where concentrators deliver reports: POST to /g2/reports of the pages' address, each with a token of its own.
# tokens = "nnap.tokens"         # made by: meterway headend --new-nnap-token SERIAL
# largest = 67108864             # octets of one report in clear

[bulk.broker]
# Or by an MQTT broker, on the topic meterway/SERIAL/reports.
# host = ""
# port = 8883
# username = ""
# password_file = ""
# authority = ""
# prefix = "meterway"
# client_id = "meterway-headend"

[calls]
# Where devices call in that are not reached otherwise; the head end is the client on their line.
# host = "127.0.0.1"
# port = 4063
# enabled = false
"""


def sample() -> str:
    """A commented settings file with a system title of its own: two head ends must never share one."""
    return _SAMPLE.replace("{title}", (b"MWY" + secrets.token_bytes(5)).hex())


def load_config(path: Path) -> HeadEndConfig:
    """Read a settings file; ConfigError names file and line or field.

    Names of files in it count from its folder, so that it means the same from wherever a command is started.
    """
    config = read_settings(path, HeadEndConfig)
    try:
        config.title  # noqa: B018  raises if it is none
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return _placed(config, path.parent)


def _placed(config: HeadEndConfig, folder: Path) -> HeadEndConfig:
    tokens, bulk = config.web.tokens, config.bulk
    broker = msgspec.structs.replace(
        bulk.broker,
        password_file=str(folder / bulk.broker.password_file) if bulk.broker.password_file else "",
        authority=str(folder / bulk.broker.authority) if bulk.broker.authority else "",
    )
    return msgspec.structs.replace(
        config,
        store=config.store if "://" in config.store else str(folder / config.store),
        master_key=str(folder / config.master_key),
        web=msgspec.structs.replace(config.web, tokens=str(folder / tokens) if tokens else ""),
        bulk=msgspec.structs.replace(bulk, tokens=str(folder / bulk.tokens) if bulk.tokens else "", broker=broker),
    )
