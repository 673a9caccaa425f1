"""Readings in an ACCESS response that repeats what was asked for: each value under the code of its attribute."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.dlms_push import readings_of, unit_of
from meterway.model.reading import Reading
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.xdlms.access import AccessItem, AccessResponse

__all__ = ["readings_of_access"]

_GETS: Final = frozenset((1, 4))
_VALUE, _UNIT = 2, 3
_MOMENT_SIZE: Final = 12
_SINGLE_VALUES: Final = frozenset((1, 3, 4, 8))
_WITH_UNIT: Final = frozenset((3, 4))


def readings_of_access(response: AccessResponse) -> tuple[Reading, ...]:
    """The values that were read: attribute 2 of data, clocks and registers, with the unit if it was read too.

    Empty if the response does not repeat the request. DecodeError if a value is malformed.
    """
    read = [
        (item.descriptor, axdr.decode_all(data))
        for item, data, (_, result) in zip(response.request or (), response.data, response.results, strict=False)
        if _is_read(item) and result == 0
    ]
    units = {
        (attribute.class_id, attribute.obis): unit_of(data)
        for attribute, data in read
        if attribute.class_id in _WITH_UNIT and attribute.attribute == _UNIT
    }
    time = _time(response.date_time)
    readings: list[Reading] = []
    for attribute, data in read:
        if attribute.attribute == _VALUE and attribute.class_id in _SINGLE_VALUES:
            readings += _readings(attribute.obis, data, units.get((attribute.class_id, attribute.obis)), time)
    return tuple(readings)


def _is_read(item: AccessItem) -> bool:
    return item.kind in _GETS


def _readings(obis: Obis, data: Data, unit: tuple[int, int] | None, time: datetime | None) -> tuple[Reading, ...]:
    parts = [axdr.octets(bytes(obis)), data]
    if unit is not None:
        parts.append(axdr.structure(axdr.i8(unit[0]), axdr.enum(unit[1])))
    return readings_of(axdr.structure(*parts), time=time)


def _time(octets: bytes) -> datetime | None:
    if len(octets) != _MOMENT_SIZE:
        return None
    try:
        moment = CosemDateTime.decode(octets)
    except DecodeError:
        return None
    return moment.utc() if moment.deviation_min is not None else None
