"""Typed COSEM values in plain JSON form, for the API, the pages and the command line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite

from meterway.base.obis import Obis
from meterway.model.reading import exact_number, iso_utc
from meterway.model.telegram import Json
from meterway.stacks.dlms.axdr import CompactArray, CosemDate, CosemDateTime, CosemTime, Data, native

__all__ = ["plain"]


def plain(value: object) -> Json:
    """A value as JSON knows it: text for printable octets, hex for others, ISO 8601 for moments that are one."""
    match value:
        case None | bool() | str():
            return value
        case Enum():
            return value.name.lower().replace("_", "-")
        case int():
            return value
        case float():
            return value if isfinite(value) else str(value)
        case Decimal():
            return exact_number(value)
        case Obis():
            return str(value)
        case bytes():
            return _octets(value)
        case _:
            return _composed(value)


def _octets(value: bytes) -> str:
    text = value.decode("ascii") if value.isascii() else ""
    return text if text and text.isprintable() else value.hex()


def _composed(value: object) -> Json:
    match value:
        case CosemDateTime():
            moment = value.utc()
            return iso_utc(moment) if moment is not None else value.encode().hex()
        case CosemDate() | CosemTime():
            part = value.date() if isinstance(value, CosemDate) else value.time()
            return part.isoformat() if part is not None else value.encode().hex()
        case datetime() | date() | time():
            return value.isoformat()
        case CompactArray():
            return [plain(native(row)) for row in value.rows()]
        case Data():
            return plain(native(value))
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)
