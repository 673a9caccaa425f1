"""The types that hold others: array, structure, choice, and any type at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime, Data, Tag
from meterway.stacks.dlms.classes.scalars import SCALARS, Mismatch, Type, tag_name, unfit

__all__ = ["ANY", "Array", "Choice", "Structure", "array", "choice", "structure"]


@dataclass(frozen=True, slots=True)
class Array:
    """An array (or compact array) of one type; typed as a tuple."""

    element: Type

    @property
    def name(self) -> str:
        """``array of`` the element."""
        return f"array of {self.element.name}"

    def typed(self, data: Data, quirks: list[str]) -> tuple[object, ...]:
        """The elements; null-data is an empty array (quirk ``null-data``)."""
        value = data.value
        if isinstance(value, axdr.CompactArray):
            value = value.rows()
        elif data.tag == Tag.NULL_DATA:
            quirks.append("null-data")
            return ()
        if data.tag not in (Tag.ARRAY, Tag.COMPACT_ARRAY) or not isinstance(value, tuple):
            raise Mismatch(f"{tag_name(data.tag)} where an array must be")
        return tuple([self.element.typed(item, quirks) for item in value])

    def untyped(self, value: object) -> Data:
        """From any sequence but text."""
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise unfit(value, self.name)
        return axdr.array(*[self.element.untyped(item) for item in value])


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure of named fields; typed as a frozen dataclass."""

    kind: type
    names: tuple[str, ...]
    types: tuple[Type, ...]

    @property
    def name(self) -> str:
        """The name of the dataclass."""
        return self.kind.__name__

    def typed(self, data: Data, quirks: list[str]) -> object:
        """The dataclass; more or fewer fields than the norm has are a mismatch."""
        value = data.value
        if data.tag != Tag.STRUCTURE or not isinstance(value, tuple):
            raise Mismatch(f"{tag_name(data.tag)} where the structure {self.name} must be")
        if len(value) != len(self.types):
            raise Mismatch(f"{self.name} has {len(self.types)} fields, not {len(value)}")
        items = [kind.typed(item, quirks) for kind, item in zip(self.types, value, strict=True)]
        return self.kind(**dict(zip(self.names, items, strict=True)))

    def untyped(self, value: object) -> Data:
        """From the dataclass or a mapping of its fields."""
        if isinstance(value, Mapping):
            try:
                value = self.kind(**value)
            except TypeError:
                raise LocalProtocolError(f"{self.name} has the fields {', '.join(self.names)}") from None
        if not isinstance(value, self.kind):
            raise unfit(value, self.name)
        return axdr.structure(
            *[kind.untyped(getattr(value, name)) for kind, name in zip(self.types, self.names, strict=True)]
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several types; the first that fits exactly, else the first that fits with quirks."""

    types: tuple[Type, ...]

    @property
    def name(self) -> str:
        """``a or b``."""
        return " or ".join(kind.name for kind in self.types)

    def typed(self, data: Data, quirks: list[str]) -> object:
        """The value by the type that fits."""
        loose: list[tuple[object, list[str]]] = []
        for kind in self.types:
            noted: list[str] = []
            try:
                value = kind.typed(data, noted)
            except Mismatch:
                continue
            if not noted:
                return value
            loose.append((value, noted))
        if not loose:
            raise Mismatch(f"{tag_name(data.tag)} where {self.name} must be")
        quirks += loose[0][1]
        return loose[0][0]

    def untyped(self, value: object) -> Data:
        """By the first type that takes the value."""
        for kind in self.types:
            try:
                return kind.untyped(value)
            except LocalProtocolError:
                continue
        raise unfit(value, self.name)


@dataclass(frozen=True, slots=True)
class _Anything:
    """CHOICE of every type: typed is what ``axdr.native`` gives."""

    name: str = "any"

    def typed(self, data: Data, quirks: list[str]) -> object:
        return axdr.native(data)

    def untyped(self, value: object) -> Data:
        """``Data`` as it is; ``{"long-unsigned": 5}`` names the type; else the type is chosen by the value."""
        if isinstance(value, Data):
            return value
        if isinstance(value, Mapping) and len(value) == 1:
            ((word, inner),) = value.items()
            if word in _NAMED:
                return _NAMED[word].untyped(inner)
        return _by_value(value)


def _by_value(value: object) -> Data:
    """The COSEM data that a plain value most likely means; lists become structures."""
    if value is None:
        return axdr.null()
    if isinstance(value, bool):
        return axdr.boolean(value)
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        return axdr.float64(value)
    if isinstance(value, str):
        return axdr.visible(value) if value.isascii() else axdr.utf8(value)
    if isinstance(value, bytes):
        return axdr.octets(value)
    if isinstance(value, Obis | CosemDateTime | CosemDate | CosemTime):
        return axdr.octets(value.encode())
    if isinstance(value, list | tuple):
        return axdr.structure(*[ANY.untyped(item) for item in value])
    raise unfit(value, "any")


def _integer(value: int) -> Data:
    for make in (axdr.u32, axdr.i32, axdr.u64):
        try:
            return make(value)
        except LocalProtocolError:
            continue
    return axdr.i64(value)


ANY: Type = _Anything()


def array(element: Type) -> Array:
    """An array of ``element``."""
    return Array(element)


def structure(kind: type, *types: Type) -> Structure:
    """A structure whose fields are those of the dataclass ``kind``, in order."""
    names = tuple(entry.name for entry in fields(kind))
    if len(names) != len(types):
        raise TypeError(f"{kind.__name__} has {len(names)} fields, {len(types)} types given")
    return Structure(kind, names, types)


def choice(*types: Type) -> Choice:
    """One of several types."""
    return Choice(types)


_NAMED: Final[dict[str, Type]] = {kind.name: kind for kind in SCALARS}
_NAMED["array"] = Array(ANY)
