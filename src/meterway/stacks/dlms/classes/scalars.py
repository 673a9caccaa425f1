"""The types of single values: numbers, enums, texts, octets, logical names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.base.units import UNIT_CODES
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag

__all__ = [
    "BIT_STRING",
    "BOOLEAN",
    "DOUBLE_LONG",
    "DOUBLE_LONG_UNSIGNED",
    "ENUM",
    "INTEGER",
    "LONG",
    "LONG_UNSIGNED",
    "NULL",
    "OBIS",
    "OCTETS",
    "SCALARS",
    "UNIT",
    "UNSIGNED",
    "UTF8",
    "VISIBLE",
    "Enumerated",
    "Integer",
    "Mismatch",
    "Type",
    "enumerated",
    "tag_name",
    "unfit",
]

_INTEGERS: Final = frozenset(
    {
        Tag.INTEGER,
        Tag.LONG,
        Tag.DOUBLE_LONG,
        Tag.LONG64,
        Tag.UNSIGNED,
        Tag.LONG_UNSIGNED,
        Tag.DOUBLE_LONG_UNSIGNED,
        Tag.LONG64_UNSIGNED,
        Tag.ENUM,
    }
)


class Mismatch(Exception):  # noqa: N818  a finding of ``Type.typed``; whoever calls that catches it
    """Data does not have the type that the table says."""


class Type(Protocol):
    """A type of the tables."""

    @property
    def name(self) -> str:
        """The norm's word for the type."""

    def typed(self, data: Data, quirks: list[str]) -> object:
        """The plain typed value; Mismatch if the data is of another type."""

    def untyped(self, value: object) -> Data:
        """COSEM data of a typed or plain value; LocalProtocolError if it does not fit."""


def unfit(value: object, name: str) -> LocalProtocolError:
    """Return (not raise) the error for a value that does not fit a type."""
    return LocalProtocolError(f"{value!r} is not of type {name}")


def tag_name(tag: int) -> str:
    """The norm's word for a tag, ``double-long-unsigned``."""
    try:
        return Tag(tag).name.lower().replace("_", "-")
    except ValueError:
        return f"tag {tag}"


@dataclass(frozen=True, slots=True)
class Integer:
    """One of the integer types; another width is a quirk (``integer-width``)."""

    tag: Tag
    make: Callable[[int], Data]

    @property
    def name(self) -> str:
        """``long-unsigned`` and the like."""
        return tag_name(self.tag)

    def typed(self, data: Data, quirks: list[str]) -> int:
        """The number."""
        if data.tag != self.tag:
            if data.tag not in _INTEGERS:
                raise Mismatch(f"{tag_name(data.tag)} where {self.name} must be")
            quirks.append("integer-width")
        return data.value  # type: ignore[return-value]  # the tag says that it is an int

    def untyped(self, value: object) -> Data:
        """The number with this tag; it must fit the width."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise unfit(value, self.name)
        return self.make(int(value))


@dataclass(frozen=True, slots=True)
class Enumerated:
    """An enum whose members are named; a number without a name stays an int."""

    members: type[IntEnum]

    @property
    def name(self) -> str:
        """The name of the enumeration."""
        return f"enum {self.members.__name__}"

    def typed(self, data: Data, quirks: list[str]) -> int:
        """The member, or the number if the norm gives it no name."""
        number = ENUM.typed(data, quirks)
        try:
            return self.members(number)
        except ValueError:
            return number

    def untyped(self, value: object) -> Data:
        """From a member, a number or a member's name."""
        if isinstance(value, str):
            member = self.members.__members__.get(value.replace("-", "_").replace(" ", "_").upper())
            if member is None:
                raise unfit(value, self.name)
            value = member
        return ENUM.untyped(value)


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str = "unit"

    def typed(self, data: Data, quirks: list[str]) -> int:
        return ENUM.typed(data, quirks)

    def untyped(self, value: object) -> Data:
        if isinstance(value, str):
            if value not in UNIT_CODES:
                raise unfit(value, self.name)
            value = UNIT_CODES[value]
        return ENUM.untyped(value)


@dataclass(frozen=True, slots=True)
class _Plain:
    """A type whose value is used as it is: boolean, bit-string, texts, null-data."""

    tag: Tag
    kind: type
    make: Callable[[Any], Data]

    @property
    def name(self) -> str:
        return tag_name(self.tag)

    def typed(self, data: Data, quirks: list[str]) -> object:
        if data.tag == self.tag:
            return data.value
        if self.kind is str and data.tag == Tag.OCTET_STRING and isinstance(data.value, bytes):
            quirks.append("text-type")
            return data.value.decode("latin-1")
        raise Mismatch(f"{tag_name(data.tag)} where {self.name} must be")

    def untyped(self, value: object) -> Data:
        if not isinstance(value, self.kind):
            raise unfit(value, self.name)
        return self.make(value)


@dataclass(frozen=True, slots=True)
class _Octets:
    name: str = "octet-string"

    def typed(self, data: Data, quirks: list[str]) -> bytes:
        if data.tag == Tag.VISIBLE_STRING and isinstance(data.value, str):
            quirks.append("text-type")
            return data.value.encode("latin-1")
        if data.tag == Tag.NULL_DATA:
            quirks.append("null-data")
            return b""
        if data.tag != Tag.OCTET_STRING:
            raise Mismatch(f"{tag_name(data.tag)} where octet-string must be")
        return data.value  # type: ignore[return-value]  # the tag says that it is bytes

    def untyped(self, value: object) -> Data:
        if isinstance(value, str):
            try:
                value = bytes.fromhex(value[2:]) if value.startswith("0x") else value.encode()
            except ValueError:
                raise unfit(value, self.name) from None
        if not isinstance(value, bytes | bytearray):
            raise unfit(value, self.name)
        return axdr.octets(bytes(value))


@dataclass(frozen=True, slots=True)
class _ObisType:
    name: str = "logical name"

    def typed(self, data: Data, quirks: list[str]) -> Obis:
        octets = OCTETS.typed(data, quirks)
        if len(octets) != 6:
            raise Mismatch(f"{len(octets)} octets where a logical name must be")
        return Obis(*octets)

    def untyped(self, value: object) -> Data:
        if isinstance(value, str):
            try:
                value = Obis.parse(value)
            except ConfigError as error:
                raise LocalProtocolError(str(error)) from None
        if not isinstance(value, Obis):
            raise unfit(value, self.name)
        return axdr.octets(value.encode())


BOOLEAN = _Plain(Tag.BOOLEAN, bool, axdr.boolean)
BIT_STRING = _Plain(Tag.BIT_STRING, str, axdr.bits)
VISIBLE = _Plain(Tag.VISIBLE_STRING, str, axdr.visible)
UTF8 = _Plain(Tag.UTF8_STRING, str, axdr.utf8)
FLOAT32 = _Plain(Tag.FLOAT32, float, axdr.float32)
FLOAT64 = _Plain(Tag.FLOAT64, float, axdr.float64)
NULL = _Plain(Tag.NULL_DATA, type(None), lambda _: axdr.null())
INTEGER = Integer(Tag.INTEGER, axdr.i8)
LONG = Integer(Tag.LONG, axdr.i16)
DOUBLE_LONG = Integer(Tag.DOUBLE_LONG, axdr.i32)
UNSIGNED = Integer(Tag.UNSIGNED, axdr.u8)
LONG_UNSIGNED = Integer(Tag.LONG_UNSIGNED, axdr.u16)
DOUBLE_LONG_UNSIGNED = Integer(Tag.DOUBLE_LONG_UNSIGNED, axdr.u32)
LONG64 = Integer(Tag.LONG64, axdr.i64)
LONG64_UNSIGNED = Integer(Tag.LONG64_UNSIGNED, axdr.u64)
ENUM = Integer(Tag.ENUM, axdr.enum)
UNIT: Type = _Unit()
OCTETS = _Octets()
OBIS: Type = _ObisType()


SCALARS: Final[tuple[Type, ...]] = (
    BOOLEAN,
    BIT_STRING,
    VISIBLE,
    UTF8,
    FLOAT32,
    FLOAT64,
    INTEGER,
    LONG,
    DOUBLE_LONG,
    UNSIGNED,
    LONG_UNSIGNED,
    DOUBLE_LONG_UNSIGNED,
    LONG64,
    LONG64_UNSIGNED,
    ENUM,
    OCTETS,
)


def enumerated(members: type[IntEnum]) -> Enumerated:
    """An enum with named members."""
    return Enumerated(members)
