"""A meter's mirrored data as a logical device: the same objects under the same codes, as far as they were read.

Rows of profiles and attributes are the very octets the meter gave. The clock is the meter's, as its error was when it
was last read; ``AGE`` says how long ago that was.
"""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.nnap.node import Series
from meterway.nnap.objects.profile import buffer_of
from meterway.nnap.objects.table import Ask, Attr, Thing
from meterway.nnap.rows import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.tabled.profile import listed, profile_thing
from meterway.stacks.dlms.tabled.table import clock, date_time, fixed, scaler_unit
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["AGE", "mirror_things"]

AGE: Final = Obis(0, 0, 128, 0, 0)
"""Seconds since the meter was last read to the end."""
_SECONDS: Final = 7


def _clock(ask: Ask) -> Data | DataAccessResult:
    error = ask.site.node(ask.channel).mirror.clock_error_s
    return DataAccessResult.OBJECT_UNAVAILABLE if error is None else date_time(ask.now + error)


def _age(ask: Ask) -> Data | DataAccessResult:
    read_s = ask.site.node(ask.channel).turn.read_s
    return axdr.u32(max(int(ask.now - read_s), 0)) if read_s else DataAccessResult.OBJECT_UNAVAILABLE


def _cached(item: AttributeDescriptor) -> Attr:
    def read(ask: Ask) -> bytes | DataAccessResult:
        found = ask.site.ledger.attribute(ask.site.node(ask.channel), item)
        return DataAccessResult.OBJECT_UNAVAILABLE if found is None else found.octets

    return Attr(read)


def _profile(series: Series) -> Thing:
    obis = series.obis

    def buffer(ask: Ask) -> bytes | DataAccessResult:
        number = ask.site.ledger.number(ask.site.node(ask.channel))
        store = ask.site.ledger.store

        def rows(from_s: float, to_s: float) -> list[Row]:
            return store.rows(number, obis, from_s, to_s)

        return buffer_of(ask.selection, series.columns, rows)

    def count(ask: Ask) -> Data:
        ledger = ask.site.ledger
        return axdr.u32(ledger.store.count_rows(ledger.number(ask.site.node(ask.channel)), obis))

    return profile_thing(
        obis,
        buffer=Attr(buffer),
        objects=fixed(listed(series.columns)),
        period=fixed(axdr.u32(series.period_s)),
        count=Attr(count),
    )


def mirror_things(ask: Ask) -> list[Thing]:
    """Every object of the meter's logical device, as far as it is known."""
    node = ask.site.node(ask.channel)
    ledger = ask.site.ledger
    things: dict[tuple[int, Obis], Thing] = {}
    grouped: dict[tuple[int, Obis], dict[int, Attr]] = {}
    for item in ledger.store.attributes(ledger.number(node)):
        if item.class_id not in (7, 8):
            grouped.setdefault((item.class_id, item.obis), {})[item.attribute] = _cached(item)
    for (class_id, obis), attributes in grouped.items():
        thing = Thing(class_id=class_id, obis=obis, attributes=attributes)
        things[thing.key] = thing
    for series in node.mirror.series.values():
        if series.is_known:
            profile = _profile(series)
            things[profile.key] = profile
    unit = fixed(scaler_unit(0, _SECONDS))
    for thing in (clock(Attr(_clock)), Thing(class_id=3, obis=AGE, attributes={2: Attr(_age), 3: unit})):
        things[thing.key] = thing
    return list(things.values())
