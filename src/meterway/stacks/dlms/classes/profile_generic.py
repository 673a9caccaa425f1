"""Profile generic: rows of captured values, and the two ways to ask for a part of them (class 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT, CaptureObject
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    ANY,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG_UNSIGNED,
    Mismatch,
    array,
    enumerated,
    structure,
)

__all__ = [
    "CLASSES",
    "CLOCK_TIME",
    "EntrySelector",
    "RangeSelector",
    "Selector",
    "SortMethod",
    "columns_of",
    "decode_selector",
    "slice_entries",
]

CLOCK_TIME = CaptureObject(class_id=8, obis=Obis(0, 0, 1, 0, 0, 255), attribute=2)
"""The usual first column: the time of the clock."""


class SortMethod(IntEnum):
    """In which order entries stand and which one is dropped when the buffer is full."""

    FIFO = 1
    LIFO = 2
    LARGEST = 3
    SMALLEST = 4
    NEAREST_TO_ZERO = 5
    FARTHEST_FROM_ZERO = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeSelector:
    """Rows whose restricting column lies between two values, both included (access selector 1).

    No ``columns`` means all. The bounds keep their COSEM type; ``moments`` tells them as times.
    """

    selector: ClassVar[int] = 1

    restricting: CaptureObject = CLOCK_TIME
    from_value: Data
    to_value: Data
    columns: tuple[CaptureObject, ...] = ()

    @classmethod
    def between(
        cls,
        start: CosemDateTime,
        end: CosemDateTime,
        *,
        restricting: CaptureObject = CLOCK_TIME,
        columns: tuple[CaptureObject, ...] = (),
    ) -> Self:
        """Rows captured between two times."""
        return cls(
            restricting=restricting,
            from_value=axdr.octets(start.encode()),
            to_value=axdr.octets(end.encode()),
            columns=columns,
        )

    @property
    def moments(self) -> tuple[CosemDateTime | None, CosemDateTime | None]:
        """Both bounds as times; None for one that is not a date-time."""
        return _moment(self.from_value), _moment(self.to_value)

    def encode(self) -> bytes:
        """The octets of the access parameters."""
        return axdr.encode(
            axdr.structure(
                CAPTURE_OBJECT.untyped(self.restricting), self.from_value, self.to_value, _COLUMNS.untyped(self.columns)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelector:
    """Rows and columns by their 1-based number (access selector 2); 0 as an end means the last there is."""

    selector: ClassVar[int] = 2

    from_entry: int = 1
    to_entry: int = 0
    from_value: int = 1
    to_value: int = 0

    def encode(self) -> bytes:
        """The octets of the access parameters."""
        return axdr.encode(_ENTRIES.untyped(self))


Selector = RangeSelector | EntrySelector

_COLUMNS = array(CAPTURE_OBJECT)
_ENTRIES = structure(EntrySelector, DOUBLE_LONG_UNSIGNED, DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED, LONG_UNSIGNED)


def _moment(data: Data) -> CosemDateTime | None:
    value = data.value
    if isinstance(value, CosemDateTime):
        return value
    if data.tag == Tag.OCTET_STRING and isinstance(value, bytes) and len(value) == 12:
        return CosemDateTime.decode(value)
    return None


def decode_selector(selector: int, parameters: bytes) -> Selector:
    """The access parameters of a GET on a buffer; DecodeError(selector) if they are not of the norm's form."""
    data = axdr.decode_all(parameters)
    quirks: list[str] = []
    try:
        if selector == EntrySelector.selector:
            entries = _ENTRIES.typed(data, quirks)
            if isinstance(entries, EntrySelector):
                return entries
        if selector == RangeSelector.selector:
            return _decode_range(data, quirks)
    except Mismatch as error:
        raise DecodeError(f"access parameters: {error}", 0, "selector") from None
    raise DecodeError(f"access selector {selector} is not one of profile generic", 0, "selector")


def _decode_range(data: Data, quirks: list[str]) -> RangeSelector:
    parts = data.value
    if data.tag != Tag.STRUCTURE or not isinstance(parts, tuple) or len(parts) != 4:
        raise Mismatch("a range is a structure of four fields")
    restricting, start, end, columns = parts
    chosen = CAPTURE_OBJECT.typed(restricting, quirks)
    wanted = tuple(item for item in _COLUMNS.typed(columns, quirks) if isinstance(item, CaptureObject))
    if not isinstance(chosen, CaptureObject):
        raise Mismatch("a range names a restricting object")
    return RangeSelector(restricting=chosen, from_value=start, to_value=end, columns=wanted)


def slice_entries(selector: EntrySelector, count: int) -> slice:
    """The rows of a buffer of ``count`` entries that an entry selector asks for."""
    return _window(selector.from_entry, selector.to_entry, count)


def _window(first: int, last: int, count: int) -> slice:
    start = max(first, 1) - 1
    stop = count if last == 0 else min(last, count)
    return slice(min(start, count), max(stop, min(start, count)))


def columns_of(selector: Selector | None, capture_objects: tuple[CaptureObject, ...]) -> tuple[int, ...]:
    """The 0-based columns that a selector asks for, in the buffer's order.

    Raises LocalProtocolError if a range names a column that is not captured.
    """
    every = tuple(range(len(capture_objects)))
    if isinstance(selector, EntrySelector):
        return every[_window(selector.from_value, selector.to_value, len(every))]
    if selector is None or not selector.columns:
        return every
    missing = [column for column in selector.columns if column not in capture_objects]
    if missing:
        raise LocalProtocolError(f"the profile does not capture {missing[0].obis} attribute {missing[0].attribute}")
    return tuple(place for place in every if capture_objects[place] in selector.columns)


_ATTRIBUTES = (
    dynamic("buffer", array(ANY)),
    static("capture_objects", _COLUMNS),
    static("capture_period", DOUBLE_LONG_UNSIGNED),
    static("sort_method", enumerated(SortMethod)),
    static("sort_object", CAPTURE_OBJECT),
    dynamic("entries_in_use", DOUBLE_LONG_UNSIGNED),
    static("profile_entries", DOUBLE_LONG_UNSIGNED),
)
_METHODS = (method("reset", INTEGER), method("capture", INTEGER))

CLASSES = (
    declare(
        7,
        0,
        "Profile generic",
        attributes=_ATTRIBUTES,
        methods=(*_METHODS, method("get_buffer_by_range", ANY), method("get_buffer_by_index", ANY)),
    ),
    declare(7, 1, "Profile generic", attributes=_ATTRIBUTES, methods=_METHODS),
)
