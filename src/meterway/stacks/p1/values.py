"""What the texts of a P1 telegram mean: numbers with units, times, messages, logs and peaks.

A number keeps the digits it was sent with (``Decimal``). What is not what must stand there becomes None with a reason,
never a guess. Source: DSMR P1 5.0.2 and 3.0, eMUCS-P1 1.7.1 and 2.1.1, E.ON Hungary P1, by their telegrams.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from meterway.base.obis import Obis
from meterway.stacks.p1.clock import local_time, stamp
from meterway.stacks.p1.telegram import P1Object

__all__ = ["DEVICE_TYPES", "Entry", "P1Value", "Scalar", "number", "text", "value_of"]

Scalar = Decimal | str | datetime | None

_NUMBER: Final = re.compile(r"([+-]?\d{1,18}(?:\.\d{1,12})?)(?:\*([^\s*]{1,12}))?", re.ASCII)
_LONGEST_NUMBER: Final = 45
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SYMBOLS: Final = (
    "W kW MW Wh kWh MWh var kvar Mvar varh kvarh Mvarh VA kVA VAh kVAh V kV A mA Hz s J kJ MJ GJ l °C m³ m³/h"
)
_UNITS: Final = {unit.lower(): unit for unit in _SYMBOLS.split()} | {"m3": "m³", "m3/h": "m³/h", "dm3": "l"}
_KEEP_CASE: Final = frozenset({"MW", "mW", "MWh", "mWh", "MJ", "mJ", "mA", "MA"})

DEVICE_TYPES: Final[dict[int, str]] = {
    0: "other",
    1: "oil",
    2: "electricity",
    3: "gas",
    4: "heat",
    5: "steam",
    6: "warm water",
    7: "water",
    8: "heat cost allocator",
    9: "compressed air",
    10: "cooling",
    11: "cooling",
    12: "heat",
    13: "heat and cooling",
    21: "hot water",
    22: "cold water",
}
"""M-Bus device types (EN 13757-3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of a log, of the peak history or of a list of several values.

    ``time`` (UTC) is when it happened, ``period`` (UTC) the end of the period it belongs to.
    """

    value: Decimal | None
    unit: str = ""
    time: datetime | None = None
    period: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class P1Value:
    """What one object says: a value, or None with the ``reason``; ``time`` (UTC) is when it was captured."""

    value: Scalar
    unit: str = ""
    time: datetime | None = None
    entries: tuple[Entry, ...] = ()
    reason: str = ""


@lru_cache(maxsize=256)
def _unit(spelled: str) -> str:
    """The one spelling of a unit: ``kVAr`` is kvar, ``m3`` is m³; an unknown one stays as it is."""
    return spelled if spelled in _KEEP_CASE else _UNITS.get(spelled.lower(), spelled)


def number(part: str) -> tuple[Decimal, str] | None:
    """``00981.443*m3`` as (981.443, m³); None when it is not a number."""
    match = _NUMBER.fullmatch(part)
    if match is None:
        return None
    digits, unit = match.groups()
    return Decimal(digits), _unit(unit) if unit else ""


def text(part: str) -> str:
    """A message or an identifier: hex-coded characters if that gives readable ones, otherwise as it stands."""
    if _HEX.fullmatch(part):
        octets = bytes.fromhex(part)
        plain = octets.rstrip(b"\0").decode("latin-1")
        if plain and plain.isascii() and plain.isprintable():
            return plain
    return part


def _number_value(parts: tuple[str, ...], offset_h: int) -> P1Value:
    return _plain(parts[-1])


def _plain(part: str) -> P1Value:
    """A number alone."""
    return _remembered(part) if len(part) <= _LONGEST_NUMBER else P1Value(value=None, reason=_no_number(part))


@lru_cache(maxsize=4096)
def _remembered(part: str) -> P1Value:
    """Remembered, because many values of a meter do not change from one telegram to the next."""
    pair = number(part)
    return P1Value(value=None, reason=_no_number(part)) if pair is None else P1Value(value=pair[0], unit=pair[1])


def _no_number(part: str) -> str:
    return f"{part[:40]!r} is not a number" if part else "empty"


def _captured(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """``(time)(number)``: the value of an M-Bus channel or a maximum; some meters send ``(number)(time)``."""
    if len(parts) < 2:
        return _number_value(parts, offset_h)
    time = stamp(parts[0], offset_h)
    if time is None and number(parts[0]) is not None and (late := _some_time(parts[1], offset_h)) is not None:
        return replace(_plain(parts[0]), time=late)
    if time is None:
        return P1Value(value=None, reason=f"no reading yet: {parts[0][:40]!r} is no time")
    pair = number(parts[1])
    if pair is None:
        return P1Value(value=None, time=time, reason=_no_number(parts[1]))
    return P1Value(value=pair[0], unit=pair[1], time=time)


def _some_time(part: str, offset_h: int) -> datetime | None:
    return stamp(part, offset_h) or local_time(part, offset_h)


def _old_channel(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """DSMR 2.2 and 3: ``(time)(status)(period)(count)(code)(unit)(number)``, time without a season letter."""
    time = _some_time(parts[0], offset_h)
    if time is None:
        return P1Value(value=None, reason=f"no reading yet: {parts[0][:40]!r} is no time")
    pair = number(parts[6]) if len(parts) > 6 else None
    if pair is None:
        return P1Value(value=None, time=time, reason="no number in its last part")
    return P1Value(value=pair[0], unit=_unit(parts[5]), time=time)


def _clock(parts: tuple[str, ...], offset_h: int) -> P1Value:
    time = _some_time(parts[0], offset_h)
    return P1Value(value=time, time=time, reason="" if time else f"{parts[0][:40]!r} is no time")


def _text_value(parts: tuple[str, ...], offset_h: int) -> P1Value:
    return P1Value(value=text(parts[0]))


def _raw_value(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """A text that is never hex-coded: codes of a version or a tariff."""
    return P1Value(value=parts[0])


def _log(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """``(count)(code)`` and count times ``(time)(duration)``: the log of long power failures."""
    rows = tuple(_entry(parts[index], parts[index + 1], offset_h) for index in range(2, len(parts) - 1, 2))
    return _counted(parts, rows)


def _peaks(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """``(count)(code)(code)`` and count times ``(period)(time)(number)``; Hungary: ``(period)`` and its numbers."""
    period = stamp(parts[0], offset_h)
    if period is not None:
        return P1Value(
            value=None,
            time=period,
            entries=tuple(_entry("", part, offset_h, period=period) for part in parts[1:]),
            reason="a list: see its entries",
        )
    rows = tuple(
        _entry(parts[index + 1], parts[index + 2], offset_h, period=stamp(parts[index], offset_h))
        for index in range(3, len(parts) - 2, 3)
    )
    return _counted(parts, rows)


def _counted(parts: tuple[str, ...], rows: tuple[Entry, ...]) -> P1Value:
    pair = number(parts[0])
    if pair is None:
        return P1Value(value=None, entries=rows, reason=f"{parts[0][:40]!r} is not a count" if parts[0] else "empty")
    wrong = "" if int(pair[0]) == len(rows) else f"{pair[0]} rows announced, {len(rows)} sent"
    return P1Value(value=pair[0], entries=rows, reason=wrong)


def _entry(time: str, part: str, offset_h: int, *, period: datetime | None = None) -> Entry:
    when = stamp(time, offset_h) if time else None
    pair = number(part)
    if pair is None:
        return Entry(value=None, time=when, period=period, reason=_no_number(part))
    wrong = f"{time[:40]!r} is no time" if time and when is None else ""
    return Entry(value=pair[0], unit=pair[1], time=when, period=period, reason=wrong)


def _limits(parts: tuple[str, ...], offset_h: int) -> P1Value:
    """Several numbers in one line (Luxembourg: fuse limits of import and export)."""
    first = _number_value(parts[:1], offset_h)
    return P1Value(
        value=first.value,
        unit=first.unit,
        reason=first.reason,
        entries=tuple(_entry("", part, offset_h) for part in parts[1:]),
    )


Reader = Callable[[tuple[str, ...], int], P1Value]


@lru_cache(maxsize=4096)
def _reader(obis: Obis) -> Reader:
    """How an object is read, by its code alone."""
    if obis.a == 1:
        if obis[2:4] == (99, 97):
            return _log
        if obis[2:4] in ((0, 2), (0, 0), (96, 5)):
            return _raw_value
        if obis.c == 96:
            return _text_value
        return _captured if obis.d == 6 else _number_value
    return _ABSTRACT.get(obis[2:4]) or _ABSTRACT_GROUPS.get(obis.c, _number_value)


_ABSTRACT: Final[dict[tuple[int, ...], Reader]] = {
    (1, 0): _clock,
    (2, 0): _raw_value,
    (24, 1): _number_value,
    (24, 3): _old_channel,
    (24, 2): _captured,
    (42, 0): _text_value,
    (96, 1): _text_value,
    (96, 3): _number_value,
    (96, 5): _raw_value,
    (96, 7): _number_value,
    (96, 13): _text_value,
    (96, 14): _number_value,
    (98, 1): _peaks,
}
_ABSTRACT_GROUPS: Final[dict[int, Reader]] = {96: _text_value}


def value_of(entry: P1Object, *, offset_h: int = 1) -> P1Value:
    """Read one object; ``offset_h`` is the country's standard time in hours east of UTC (CET 1, Finland 2)."""
    parts = entry.parts
    reader = _reader(entry.obis)
    if reader is _number_value:
        if len(parts) == 1:
            return _plain(parts[0])
        reader = _captured if parts[0][-1:] in ("S", "W") else _limits
    return reader(parts, offset_h)
