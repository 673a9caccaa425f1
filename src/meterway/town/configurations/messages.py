"""What the field's process and whoever started it say to each other: one JSON line each way."""

from __future__ import annotations

import msgspec

from meterway.base.settings import Secretive

__all__ = ["Carried", "FieldOrder", "FieldReport", "Happening", "Port", "Told", "Way"]


class FieldOrder(Secretive, frozen=True):
    """Which configuration, for how many meters, where files go, what all keys derive from (hex).

    ``push`` is the port, by head end part, on which pushes are taken.
    """

    label: str
    meters: int
    folder: str
    secret: str
    push: dict[str, int] = {}
    speak_s: float = 10.0
    """How often a meter on the air speaks by itself: seconds, within what its band allows."""
    first: int = 0
    """Serial numbers begin after this one."""


class Way(msgspec.Struct, frozen=True):
    """How a head end reaches one device."""

    head_end: str
    part: str
    serial: str
    system_title: str
    utility: str
    profile: str
    port: int
    transport: str = "tcp"
    sap: int = 1
    physical: int = 0
    client: int = 1
    party: str = ""
    """The party as which a gateway is asked; empty for a meter with keys of its own."""
    gateway: str = ""
    """The serial of the gateway whose party keys these are."""
    inside: str = ""
    """The serial of the device whose part it is."""
    waits: bool = False
    """Whether it is not called by itself: something in front of it is to be called first."""
    finds: int = 0
    """How many meters the head end finds behind it by itself."""


class Port(msgspec.Struct, frozen=True):
    """Where a thing that is no device of a head end's finds its other end."""

    part: str
    serial: str
    premises: int
    port: int
    detail: dict[str, str] = {}


class FieldReport(msgspec.Struct, frozen=True):
    """All that is up, or why nothing is."""

    ways: list[Way] = []
    ports: list[Port] = []
    error: str = ""


class Happening(msgspec.Struct, frozen=True):
    """Something that happens to a thing in the field, or (``what`` is ``"look"``) a look at how it is.

    Without a serial nothing happens: the answer tells what went over the interfaces in the field.
    """

    serial: str = ""
    what: str = "look"
    value: float = 0.0


class Carried(msgspec.Struct, frozen=True):
    """What went over one interface within the field so far; ``sessions`` counts frames where there are no sessions."""

    label: str
    between: str
    entities: int
    sessions: int
    octets: int


class Told(msgspec.Struct, frozen=True):
    """How the thing is now, or what was carried, or why nothing happened."""

    facts: dict[str, float] = {}
    carried: list[Carried] = []
    error: str = ""
