"""What a load controller in a home shows beyond the standard classes: orders to its loads, signals, its programme.

All are data objects (class 1) with codes of our own (OBIS group C 128 and above is the manufacturer's). The octets are
fixed here, because load controller and head end both speak them. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

__all__ = [
    "ACKNOWLEDGE", "CAUSES", "CONSENT", "LOAD_ORDER", "OVERRIDE", "PROGRAMME", "RELAYS", "RELAY_ALL", "SIGNALS",
    "LoadOrder", "Signal", "SignalKind",
]  # fmt: skip

LOAD_ORDER: Final = Obis(0, 0, 128, 32, 0)
"""Data, value: written with one ``LoadOrder``, read as the last one taken (null-data before)."""
SIGNALS: Final = Obis(0, 0, 128, 33, 0)
"""Data, value: written with one ``Signal``, read as an array of structures: the signal's fields, acknowledged."""
ACKNOWLEDGE: Final = Obis(0, 0, 128, 34, 0)
"""Data, value: the consumer writes the id of a signal that was seen; read as the last one."""
PROGRAMME: Final = Obis(0, 0, 128, 35, 0)
"""Data, value: name of the programme the device is registered in; the operator writes it, empty to deregister."""
CONSENT: Final = Obis(0, 0, 128, 36, 0)
"""Data, value: boolean that only the consumer writes."""
OVERRIDE: Final = Obis(0, 0, 128, 37, 0)
"""Data, value: the consumer writes a structure of relay and boolean (on), as the button of the device does."""
RELAYS: Final = Obis(0, 0, 128, 38, 0)
"""Data, value: array of structures: relay, on, cause (0 nothing, 1 order, 2 override, 3 limit, 4 emergency), W."""
CAUSES: Final = ("nothing", "order", "override", "limit", "emergency")
"""Why a relay stands as it does, by number."""
RELAY_ALL: Final = Obis(0, 64, 96, 3, 10)
"""Disconnect control of all relays at once; a meter has no such object, so an order to it is none to a meter."""

_U32: Final = 0xFFFFFFFF
_TEXT: Final = 160


class SignalKind(IntEnum):
    """What a signal is about: the unit of its value."""

    PRICE = 0
    """Thousandths of the currency's hundredth a kWh."""
    TARIFF = 1
    """Number of the rate."""
    LIMIT = 2
    """W that all loads together may take; the device keeps it if it takes part in a programme."""
    MESSAGE = 3
    """Text; the value says nothing."""
    FLEXIBILITY = 4
    """W that are wanted more, negative less; for an energy manager to act on."""


def _whole(given: object, most: int, least: int = 0) -> int:
    if isinstance(given, int) and least <= given <= most:
        return int(given)
    raise DecodeError(f"a number from {least} to {most} is wanted, not {given!r}", 0, "home")


def _text(given: object) -> str:
    if isinstance(given, bytes):
        try:
            given = given.decode("utf-8")
        except UnicodeDecodeError:
            raise DecodeError("text is UTF-8", 0, "home") from None
    if isinstance(given, str) and len(given) <= _TEXT and given.isprintable():
        return given
    raise DecodeError(f"printable text of at most {_TEXT} characters is wanted", 0, "home")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """Hold loads on or off for a time. ``relays`` has a bit for each (bit 0: relay 1), 0 means all.

    ``start`` 0 is at once, ``duration_s`` 0 as long as the device holds an order by itself. Each relay waits a random
    part of ``offset_s`` before it switches, and as long again at the end. Whoever hears an order after ``expires``
    (0: never) does not take it. ``emergency`` only cuts, at once and against any override; with ``on`` it ends that.
    """

    ident: int
    relays: int = 0
    on: bool = False
    start: int = 0
    duration_s: int = 0
    offset_s: int = 0
    expires: int = 0
    emergency: bool = False

    def encode(self) -> Data:
        """One structure of eight."""
        return axdr.structure(
            axdr.u32(self.ident),
            axdr.u8(self.relays),
            axdr.boolean(value=self.on),
            axdr.u32(self.start),
            axdr.u32(self.duration_s),
            axdr.u16(self.offset_s),
            axdr.u32(self.expires),
            axdr.boolean(value=self.emergency),
        )

    @classmethod
    def decode(cls, native: object) -> Self:
        """From the native form of the structure; DecodeError for anything else."""
        match native:
            case [ident, relays, on, start, duration_s, offset_s, expires, emergency]:
                return cls(
                    ident=_whole(ident, _U32),
                    relays=_whole(relays, 0xFF),
                    on=bool(_whole(on, 1)),
                    start=_whole(start, _U32),
                    duration_s=_whole(duration_s, _U32),
                    offset_s=_whole(offset_s, 0xFFFF),
                    expires=_whole(expires, _U32),
                    emergency=bool(_whole(emergency, 1)),
                )
        raise DecodeError("a load order is a structure of eight", 0, "home")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What the consumer or an energy manager is told from ``start`` to ``end``; ``wants_answer``: acknowledged."""

    ident: int
    kind: SignalKind
    value: int = 0
    start: int = 0
    end: int = _U32
    text: str = ""
    wants_answer: bool = False

    def fields(self) -> tuple[Data, ...]:
        """The seven fields."""
        return (
            axdr.u32(self.ident),
            axdr.enum(self.kind),
            axdr.i32(self.value),
            axdr.u32(self.start),
            axdr.u32(self.end),
            axdr.octets(self.text.encode()),
            axdr.boolean(value=self.wants_answer),
        )

    def encode(self) -> Data:
        """One structure of seven."""
        return axdr.structure(*self.fields())

    @classmethod
    def decode(cls, native: object) -> Self:
        """From the native form of the structure; DecodeError for anything else."""
        match native:
            case [ident, kind, value, start, end, text, wants_answer]:
                found = cls(
                    ident=_whole(ident, _U32),
                    kind=SignalKind(_whole(kind, max(SignalKind))),
                    value=_whole(value, 0x7FFFFFFF, -0x80000000),
                    start=_whole(start, _U32),
                    end=_whole(end, _U32),
                    text=_text(text),
                    wants_answer=bool(_whole(wants_answer, 1)),
                )
                if found.end <= found.start:
                    raise DecodeError("a signal ends after it starts", 0, "home")
                return found
        raise DecodeError("a signal is a structure of seven", 0, "home")
