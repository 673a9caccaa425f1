"""Settings of what a gateway is attached to: sides, radios, buses, where events go, the home's broker."""

from __future__ import annotations

import os
from typing import Annotated, Final, Literal

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import key_octets
from meterway.links.receivers.amber import AmberCodec
from meterway.links.receivers.codec import ReceiverCodec
from meterway.links.receivers.imst import ImstCodec
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.radiocrafts import RadiocraftsCodec
from meterway.lnap.rules import Window
from meterway.stacks.neighbourhood.profiles import PROFILES

__all__ = [
    "BusConfig",
    "Channel",
    "MqttConfig",
    "Port",
    "PushConfig",
    "RadioConfig",
    "Receiver",
    "Seconds",
    "SideConfig",
    "UplinkConfig",
    "WindowConfig",
]

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=31_536_000)]
Channel = Annotated[int, msgspec.Meta(ge=1, le=2000)]
Receiver = Literal["simulated", "lines", "im871a", "amb8465", "rc1180"]

_BAUD: Final = {"im871a": 57600, "amb8465": 9600, "rc1180": 19200, "lines": 115200}


class SideConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A port on which parties of one side are served; without one nobody of that side is."""

    host: str = "127.0.0.1"
    port: Port = 4059


class UplinkConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
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
    """Where events go: the head end's push port."""

    host: str = "127.0.0.1"
    port: Port
    party: str
    """The party whose keys protect the pushes."""
    retry_s: Seconds = 30.0
    answer_s: Seconds = 10.0
    """How long the receiver may take to close the line, which is how it says that it has read the push."""
    keep: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """How many pushes wait at most while the line is down; the oldest go first, and are counted."""


class MqttConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
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
