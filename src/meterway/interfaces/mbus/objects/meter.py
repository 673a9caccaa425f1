"""A meter as a logical device: its registers under the codes of its medium, their times and age, its profiles."""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.interfaces.mbus.objects.client import mbus_client, valve_control
from meterway.interfaces.mbus.objects.image import meter_image
from meterway.interfaces.mbus.objects.profile import STATUS, RegisterRows, joined, register_profile, united
from meterway.interfaces.mbus.objects.shared import shared
from meterway.interfaces.mbus.objects.table import Ask, Attr, Read, Thing
from meterway.interfaces.mbus.rules import is_cumulative
from meterway.interfaces.mbus.series import registers_for
from meterway.interfaces.mbus.tariff import FAST_CASES, TariffCase, view
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import date_time, fixed, number, scaler_unit, text
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["AGE", "HOURLY", "ORDERS", "extended_register", "meter_things", "registers_of"]

AGE: Final = Obis(0, 0, 128, 0, 0)
"""Seconds since the last telegram of the meter was received."""
ORDERS: Final = Obis(0, 0, 128, 1, 0)
"""The orders of the meter: number, kind, state, tries, times, detail."""
HOURLY: Final = Obis(0, 1, 24, 3, 0)
_MONTHLY, _DAILY = Obis(0, 0, 98, 1, 0), Obis(0, 0, 98, 2, 0)
_SECONDS: Final = 7
_BILLING: Final = ("TAF1", "TAF2", "TAF6", "TAF7")
_SHOWS_BILLED: Final = ("TAF6", "TAF7")
_FAST: Final = {"TAF9": 9, "TAF10": 10, "TAF14": 14}
"""Group E of the profile of each case with a period of its own: 0-1:24.3.9, .10 and .14."""


def registers_of(ask: Ask) -> tuple[Obis, ...]:
    """The registers of the meter that were heard and that the party may know of, those that are billed first."""
    meter = ask.site.meter(ask.channel)
    heard = ask.site.ledger.registers(meter)
    main = ask.site.ledger.main(meter)
    ordered = (*[one for one in main if one in heard], *[one for one in heard if one not in main])
    if not ask.party.cases:
        return ordered
    billed = _billed(ask) if ask.site.case(ask.party, ask.channel, *_BILLING) is not None else ()
    return tuple(one for one in ordered if one in billed or _may_see_now(ask, one))


def _billed(ask: Ask) -> tuple[Obis, ...]:
    meter, ledger = ask.site.meter(ask.channel), ask.site.ledger
    heard = ledger.registers(meter)
    return tuple(one for one in ledger.main(meter) if one in heard and is_cumulative(one))


# -- present values ---------------------------------------------------------------------------------------


def _may_see_now(ask: Ask, obis: Obis) -> bool:
    """Whether the party's tariff use cases let the present value of a register out."""
    if not ask.party.cases:
        return True
    meter, ledger = ask.site.meter(ask.channel), ask.site.ledger
    for case in ask.site.cases(ask.party, ask.channel):
        if case.case in _SHOWS_BILLED and obis in _billed(ask):
            return True
        if case.case in FAST_CASES and registers_for(case.case, (obis,), ledger.main(meter)):
            return True
    return False


def _shown(obis: Obis, attribute: int) -> Read:
    def read(ask: Ask) -> Data | DataAccessResult:
        found = ask.site.ledger.shown(ask.site.meter(ask.channel), obis)
        if found is None:
            return DataAccessResult.OBJECT_UNAVAILABLE
        value, scaler, unit = found
        if attribute == 3:
            return scaler_unit(scaler, unit)
        return _value(value, attribute) if _may_see_now(ask, obis) else DataAccessResult.READ_WRITE_DENIED

    return read


def _value(value: Mirrored, attribute: int) -> Data:
    if attribute == 2:
        return number(value.raw)
    return axdr.u8(value.quality) if attribute == 4 else date_time(value.measured_s)


def _register(obis: Obis) -> Thing:
    return Thing(class_id=3, obis=obis, attributes={place: Attr(_shown(obis, place)) for place in (2, 3)})


def extended_register(obis: Obis, shown_as: Obis) -> Thing:
    """A register with its quality and the time it was measured."""
    return Thing(class_id=4, obis=shown_as, attributes={place: Attr(_shown(obis, place)) for place in (2, 3, 4, 5)})


def _age(ask: Ask) -> Data | DataAccessResult:
    age = ask.site.ledger.gateway.mirror.age_s(ask.channel, ask.now)
    return DataAccessResult.OBJECT_UNAVAILABLE if age is None else axdr.u32(age)


def _quality(ask: Ask) -> Data:
    values = ask.site.ledger.gateway.mirror.of(ask.channel)
    quality = 0
    for value in values:
        quality |= value.quality
    return axdr.u8(quality)


def _orders(ask: Ask) -> Data:
    found = ask.site.ledger.gateway.mailbox.of(ask.channel)
    rows = [
        axdr.structure(
            axdr.u32(order.number),
            text(order.kind),
            axdr.enum(int(order.state)),
            axdr.u8(min(order.tries, 255)),
            date_time(order.created_s),
            date_time(order.closed_s or order.expires_s),
            text(order.detail),
        )
        for order in found
    ]
    return axdr.array(*rows)


# -- profiles ---------------------------------------------------------------------------------------------


def _case(ask: Ask, *names: str) -> TariffCase | None:
    """How the rows are let out; a party that has no tariffs gets them as the first of the names has them."""
    if ask.party.cases:
        return ask.site.case(ask.party, ask.channel, *names)
    return TariffCase(case=names[0], party="", channel=ask.channel, period_s=ask.site.ledger.period_s)


def _rows(ask: Ask, from_s: float, to_s: float, *names: str) -> RegisterRows:
    """Readings of the billed registers, as far as the party's case lets them out; none without a case."""
    case = _case(ask, *names)
    billed = _billed(ask)
    if case is None or not billed:
        return RegisterRows([], [], tuple([] for _ in billed))
    meter, ledger = ask.site.meter(ask.channel), ask.site.ledger
    found = [ledger.rows(meter, obis, from_s, to_s) for obis in billed]
    return joined([view(case, rows, now=ask.now, zone=ask.site.zone) for rows in found])


def _hourly(ask: Ask, from_s: float, to_s: float) -> RegisterRows:
    return _rows(ask, from_s, to_s, "TAF7")


def _monthly(ask: Ask, from_s: float, to_s: float) -> RegisterRows:
    return _rows(ask, from_s, to_s, "TAF1", "TAF2")


def _daily(ask: Ask, from_s: float, to_s: float) -> RegisterRows:
    return _rows(ask, from_s, to_s, "TAF6")


def _period(ask: Ask) -> int:
    case = _case(ask, "TAF7")
    return ask.site.ledger.period_s if case is None else max(case.period_s, ask.site.ledger.period_s)


def _fast_registers(ask: Ask, name: str) -> tuple[Obis, ...]:
    meter, ledger = ask.site.meter(ask.channel), ask.site.ledger
    return registers_for(name, ledger.registers(meter), ledger.main(meter))


def _fast(ask: Ask, name: str) -> Thing:
    """The readings of a case at its own period; a moment at which a register did not come has null-data there."""

    def rows(asked: Ask, from_s: float, to_s: float) -> RegisterRows:
        case = asked.site.case(asked.party, asked.channel, name)
        meter, registers = asked.site.meter(asked.channel), _fast_registers(asked, name)
        if case is None or not registers:
            return RegisterRows([], [], tuple([] for _ in registers))
        found = (asked.site.ledger.fast_rows(meter, obis, from_s, to_s) for obis in registers)
        return united([view(case, one, now=asked.now, zone=asked.site.zone) for one in found])

    case = ask.site.case(ask.party, ask.channel, name)
    period_s = 0 if case is None else case.step_s
    return register_profile(
        Obis(0, 1, 24, 3, _FAST[name]), lambda asked: _fast_registers(asked, name), rows, lambda _: period_s
    )


# -- tariff stages ----------------------------------------------------------------------------------------


def _stage_registers(ask: Ask) -> list[Thing]:
    """What fell into each stage of a time-variable tariff, as registers of the tariffs; 63 is the error register."""
    case = ask.site.case(ask.party, ask.channel, "TAF2")
    billed = _billed(ask)[:1]
    if case is None or not billed:
        return []
    things = []
    for stage in ask.site.ledger.stage_amounts(case):
        obis = billed[0]._replace(e=stage or 63)
        amount = Attr(lambda asked, stage=stage: number(asked.site.ledger.stage_amounts(case)[stage]))  # type: ignore[misc]
        things.append(Thing(class_id=3, obis=obis, attributes={2: amount, 3: Attr(_shown(billed[0], 3))}))
    return things


def _may_act(ask: Ask) -> bool:
    """Whether the party has to do with the meter itself, beyond what its tariff use cases let out."""
    party = ask.party
    return not party.cases or party.may(Right.COMMAND, ask.channel) or party.may(Right.CONFIGURE, ask.channel)


def _operated(ask: Ask) -> list[Thing]:
    """What is there for whoever looks after the meter: its orders, its client, its firmware, its valve."""
    things = [
        Thing(class_id=1, obis=ORDERS, attributes={2: Attr(_orders)}),
        mbus_client(ask.channel, shown_as=1),
        *meter_image(),
    ]
    if ask.site.meter(ask.channel).valve is not None:
        things.append(valve_control(ask.channel, shown_as=1))
    return things


def meter_things(ask: Ask) -> list[Thing]:
    """Every object of the meter's logical device, as the party is to see it."""
    registers = registers_of(ask)
    shown = [extended_register(obis, Obis(0, 1, 24, 2, place)) for place, obis in enumerate(registers, 1)]
    age: dict[int, Attr] = {2: Attr(_age), 3: fixed(scaler_unit(0, _SECONDS))}
    fast = [_fast(ask, case.case) for case in ask.site.cases(ask.party, ask.channel) if case.case in FAST_CASES]
    return [
        *shared(ask.channel),
        *[_register(obis) for obis in registers],
        *_stage_registers(ask),
        *shown,
        Thing(class_id=3, obis=AGE, attributes=age),
        Thing(class_id=1, obis=STATUS, attributes={2: Attr(_quality)}),
        register_profile(HOURLY, _billed, _hourly, _period),
        register_profile(_DAILY, _billed, _daily, lambda _: 86400),
        register_profile(_MONTHLY, _billed, _monthly, lambda _: 0),
        *fast,
        *(_operated(ask) if _may_act(ask) else ()),
    ]
