"""How an object is made: attributes that are read, some that are set, methods, and who needs which right for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Flag
from typing import Final, Generic, NamedTuple, TypeVar

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes.elements import SCALER_UNIT, ScalerUnit
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "LATEST_S",
    "Ask",
    "Attr",
    "Method",
    "Right",
    "Thing",
    "clock",
    "data_object",
    "date_time",
    "fixed",
    "number",
    "scaler_unit",
    "text",
]

LATEST_S: Final = 253402214400.0
"""The last moment that a COSEM date-time can say in every deviation, Unix seconds."""

SiteT = TypeVar("SiteT")
PartyT = TypeVar("PartyT")
AskT = TypeVar("AskT")
AskInT = TypeVar("AskInT", contravariant=True)


class Right(Flag):
    """What a party may do: whoever has the same right is a set of clients."""

    EVERY_PARTY = 0
    """What needs no right; the public is no party."""
    READ = 1
    COMMAND = 2
    """Orders to meters and loads."""
    CONFIGURE = 4
    """Who is behind it, clock, firmware."""
    CONSENT = 8
    """What is the consumer's alone to decide."""


class Ask(NamedTuple, Generic[SiteT, PartyT]):
    """One question: of which site and logical device (0 the entity), when (Unix seconds), by whom, which part."""

    site: SiteT
    channel: int
    now: float
    party: PartyT
    selection: Selection | None = None


class Attr(NamedTuple, Generic[AskInT]):
    """An attribute: how it is read and, if it can be, set, and the right that setting wants."""

    read: Callable[[AskInT], Data | bytes | DataAccessResult]
    write: Callable[[AskInT, Data], DataAccessResult] | None = None
    right: Right = Right.CONFIGURE


class Method(NamedTuple, Generic[AskInT]):
    """A method and the right it wants."""

    call: Callable[[AskInT, Data], ActionResult]
    right: Right = Right.CONFIGURE


@dataclass(frozen=True, kw_only=True)  # not slotted: calling Thing[…] of a frozen, slotted one is an error in Python
class Thing(Generic[AskInT]):
    """One object: class, logical name, version, attributes from 2 on, methods.

    ``readers`` is the right that reading wants; what is ``is_public`` may be read without keys too.
    """

    class_id: int
    obis: Obis
    version: int = 0
    attributes: Mapping[int, Attr[AskInT]]
    methods: Mapping[int, Method[AskInT]] = field(default_factory=dict)
    readers: Right = Right.READ
    is_public: bool = False

    @property
    def key(self) -> tuple[int, Obis]:
        """Class and logical name."""
        return self.class_id, self.obis


def fixed(data: Data) -> Attr[object]:
    """An attribute that never changes."""
    encoded = axdr.encode(data)
    return Attr(lambda _: encoded)


def data_object(obis: Obis, attribute: Attr[AskT], *, is_public: bool = False) -> Thing[AskT]:
    """A data object (class 1) with this value."""
    return Thing(class_id=1, obis=obis, attributes={2: attribute}, is_public=is_public)


def clock(time: Attr[AskT], *, is_public: bool = False) -> Thing[AskT]:
    """A clock (class 8) that shows UTC."""
    return Thing(
        class_id=8,
        obis=Obis(0, 0, 1, 0, 0),
        is_public=is_public,
        attributes={
            2: time,
            3: fixed(axdr.i16(0)),
            4: fixed(axdr.u8(0)),
            5: fixed(axdr.octets(b"\xff" * 12)),
            6: fixed(axdr.octets(b"\xff" * 12)),
            7: fixed(axdr.i8(0)),
            8: fixed(axdr.boolean(value=False)),
            9: fixed(axdr.enum(1)),
        },
    )


def number(value: int) -> Data:
    """A register's number: double-long-unsigned where it fits, long64 otherwise."""
    return axdr.u32(value) if 0 <= value < 1 << 32 else axdr.i64(value)


def text(value: str) -> Data:
    """A text as octet-string."""
    return axdr.octets(value.encode())


def scaler_unit(scaler: int, unit: int) -> Data:
    """A register's scaler_unit."""
    return SCALER_UNIT.untyped(ScalerUnit(scaler=scaler, unit=unit))


def date_time(unix_s: float) -> Data:
    """A moment in UTC as the 12 octets of COSEM."""
    moment = datetime.fromtimestamp(min(max(unix_s, 0.0), LATEST_S), UTC)
    return axdr.octets(CosemDateTime.from_utc(moment, 0).encode())
