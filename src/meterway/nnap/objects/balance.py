"""The balance of the transformer as objects: a profile of days, and the last day's parts one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from meterway.mapping.transformer import BALANCES, COLUMNS, DayBalance
from meterway.nnap.objects.table import Ask, Attr, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.tabled.profile import listed, profile_thing, wanted_of
from meterway.stacks.dlms.tabled.table import LATEST_S, fixed, scaler_unit
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["balance_things"]

_DAY_S = 86400
_WH = 30


def _fields(balance: DayBalance) -> Sequence[Data]:
    value = balance.encode().value
    return [part for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []


def _buffer(ask: Ask) -> Data | DataAccessResult:
    wanted = wanted_of(ask.selection, COLUMNS)
    if isinstance(wanted, DataAccessResult):
        return wanted
    days = ask.site.ledger.store.balances(wanted.from_s, wanted.to_s)
    rows = [_fields(day) for day in days[wanted.part(len(days))]]
    return axdr.array(*[axdr.structure(*[row[place] for place in wanted.chosen]) for row in rows])


def _last(ask: Ask, place: int) -> Data | DataAccessResult:
    days = ask.site.ledger.store.balances()
    return _fields(days[-1])[place] if days else DataAccessResult.OBJECT_UNAVAILABLE


def balance_things() -> list[Thing]:
    """The profile, and an object for each column but its clock; there are values once a day was judged."""
    unit = fixed(scaler_unit(0, _WH))
    parts = [
        Thing(
            class_id=column.class_id,
            obis=column.obis,
            attributes={2: Attr(partial(_last, place=place)), **({3: unit} if column.class_id == 3 else {})},
        )
        for place, column in enumerate(COLUMNS)
        if place
    ]
    profile: Thing = profile_thing(
        BALANCES,
        buffer=Attr(_buffer),
        objects=fixed(listed(COLUMNS)),
        period=fixed(axdr.u32(_DAY_S)),
        count=Attr(lambda ask: axdr.u32(len(ask.site.ledger.store.balances(0.0, LATEST_S)))),
    )
    return [profile, *parts]
