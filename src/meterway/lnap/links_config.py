"""Settings of what a gateway is attached to: sides, buses, where events go, the home's broker."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import msgspec

from meterway.base.settings import Secretive, key_octets
from meterway.interfaces.mbus.settings import Channel, Port, Seconds
from meterway.stacks.neighbourhood.profiles import PROFILES

__all__ = ["BusConfig", "MqttConfig", "PushConfig", "SideConfig", "UplinkConfig"]


class SideConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A port on which parties of one side are served; without one nobody of that side is."""

    host: str = "127.0.0.1"
    port: Port = 4059


class UplinkConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The neighbourhood network of a concentrator, on which the gateway is a node: the simulated medium of a hub."""

    profile: str = "prime"
    host: str = "127.0.0.1"
    port: Port
    node: Annotated[int, msgspec.Meta(ge=1, le=65534)]
    key: str = ""
    """For joining, where the profile has a key: 16 octets as hex, or ``env:NAME``."""
    retry_s: Seconds = 5.0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"uplink: {self.profile!r} is no profile: {', '.join(PROFILES)}")

    @property
    def octets(self) -> bytes:
        """The key; empty if there is none."""
        return key_octets(self.key, field="uplink, key") if self.key else b""


class BusConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A two-wire bus: a level converter on a ``serial`` port or behind a TCP ``port``, or the simulated bus there."""

    host: str = "127.0.0.1"
    port: Port = 0
    serial: str = ""
    parity: Literal["E", "N"] = "E"
    """Of a serial port; the norm has even parity."""
    baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400] = 2400
    latency_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.1
    poll_s: Seconds = 900.0
    retry_s: Seconds = 5.0
    search: Literal["", "secondary-first", "primary-first"] = ""
    """Search the bus at the start; what is found is proposed, never bound."""

    def __post_init__(self) -> None:
        if bool(self.port) == bool(self.serial):
            raise ValueError(f"one of port and serial is wanted; {'not both' if self.port else 'none is given'}")

    @property
    def way(self) -> str:
        """Where it is, in words."""
        return self.serial or f"{self.host}:{self.port}"


class PushConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where events go: the head end's push port, or with ``over = "uplink"`` through the concentrator above."""

    over: Literal["line", "uplink"] = "line"
    host: str = "127.0.0.1"
    port: Port = 0
    party: str
    """The party whose keys protect the pushes."""
    retry_s: Seconds = 30.0
    answer_s: Seconds = 10.0
    """How long the receiver may take to close the line, which is how it says that it has read the push. Over the
    uplink: how long the network has to say that it could not deliver."""
    keep: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """How many pushes wait at most while the line is down; the oldest go first, and are counted."""

    def __post_init__(self) -> None:
        if self.over == "line" and not self.port:
            raise ValueError("push: port is wanted")


class MqttConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A home's MQTT broker. Without ``authority`` the system's roots are trusted; TLS is off on loopback only."""

    host: str = "127.0.0.1"
    port: Port = 8883
    username: str = ""
    password: str = ""
    """The password, or ``env:NAME``."""
    tls: bool = True
    authority: str = ""
    certificate: str = ""
    key: str = ""
    prefix: str = "meterway"
    discovery: str = "homeassistant"
    channels: tuple[Channel, ...] | Literal["all"] = "all"
    every_s: Seconds = 60.0

    def __post_init__(self) -> None:
        if not self.tls and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("mqtt: without TLS only a broker on this machine is spoken to")

    @property
    def secret(self) -> str:
        """The password."""
        return os.environ.get(self.password[4:], "") if self.password.startswith("env:") else self.password
