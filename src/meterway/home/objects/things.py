"""The objects of a load controller: standard classes wherever one fits, data objects of our own for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.home.device import SCRIPTS, LoadController, RefusedError
from meterway.home.objects.rows import ENERGY, EVENT_CODE, STATUS, event_log, hourly_profile
from meterway.home.objects.table import Ask, Attr, Method, Thing
from meterway.home.rules import Cause
from meterway.mapping.home import (
    ACKNOWLEDGE,
    CONSENT,
    LOAD_ORDER,
    OVERRIDE,
    PROGRAMME,
    RELAY_ALL,
    RELAYS,
    SIGNALS,
    LoadOrder,
    Signal,
)
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.elements import VALUE_DEFINITION, ActionItem, ValueDefinition
from meterway.stacks.dlms.classes.limiter import EmergencyProfile
from meterway.stacks.dlms.classes.schedule import ExecutionTime
from meterway.stacks.dlms.classes.script_table import Script, ScriptAction
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import clock, data_object, date_time, fixed, scaler_unit, text
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CLOCK", "NAME", "things_of"]

CLOCK: Final = Obis(0, 0, 1, 0, 0)
NAME: Final = Obis(0, 0, 42, 0, 0)
_SERIAL: Final = Obis(0, 0, 96, 1, 0)
_FIRMWARE: Final = Obis(1, 0, 0, 2, 0)
_SAP: Final = Obis(0, 0, 41, 0, 0)
_LIMITER: Final = Obis(0, 0, 17, 0, 0)
_SCHEDULE: Final = Obis(0, 0, 15, 0, 1)
_POWER: Final = Obis(1, 0, 1, 7, 0)
_W, _WH = 27, 30
_OF_SERIAL: Final = 11
_MODE: Final = 5
"""Control mode: remote disconnection leaves the relay ready for a hand, as far as the hand has the right."""


def _written(step: Callable[[], None]) -> DataAccessResult:
    try:
        step()
    except RefusedError as refusal:
        return DataAccessResult.READ_WRITE_DENIED if refusal.is_denied else DataAccessResult.OTHER_REASON
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    return DataAccessResult.SUCCESS


def _called(step: Callable[[], None]) -> ActionResult:
    result = _written(step)
    return {
        DataAccessResult.SUCCESS: ActionResult.SUCCESS,
        DataAccessResult.READ_WRITE_DENIED: ActionResult.READ_WRITE_DENIED,
        DataAccessResult.TYPE_UNMATCHED: ActionResult.TYPE_UNMATCHED,
    }.get(result, ActionResult.OTHER_REASON)


# -- relays ----------------------------------------------------------------------------------------------------


def _state(device: LoadController, places: range) -> int:
    """0 disconnected, 1 connected, 2 ready for the consumer's hand."""
    if any(device.closed[place] for place in places):
        return 1
    free = (device.causes[place] < Cause.LIMIT and device.config.relays[place].may_override for place in places)
    return 2 if all(free) else 0


def _relay(obis: Obis, places: range, bits: int) -> Thing:
    """The output is what the contacts say: of several relays, connected if any is."""

    def switch(*, on: bool) -> Method:
        return Method(lambda ask, _: _called(lambda: ask.site.switch(bits, on=on, now=ask.now)), Right.COMMAND)

    return Thing(
        class_id=70,
        obis=obis,
        attributes={
            2: Attr(lambda ask: axdr.boolean(value=any(ask.site.closed[place] for place in places))),
            3: Attr(lambda ask: axdr.enum(_state(ask.site, places))),
            4: fixed(axdr.enum(_MODE)),
        },
        methods={1: switch(on=False), 2: switch(on=True)},
    )


def _relays(ask: Ask) -> Data:
    device = ask.site
    return axdr.array(
        *[
            axdr.structure(
                axdr.u8(place + 1),
                axdr.boolean(value=device.closed[place]),
                axdr.enum(device.causes[place]),
                axdr.u32(device.power_w(place, ask.now)),
            )
            for place in range(len(device.relays))
        ]
    )


def _order(ask: Ask, value: Data) -> DataAccessResult:
    return _written(lambda: ask.site.order(LoadOrder.decode(axdr.native(value)), ask.now))


def _last_order(ask: Ask) -> Data:
    return axdr.null() if ask.site.order_taken is None else ask.site.order_taken.encode()


def _override(ask: Ask, value: Data) -> DataAccessResult:
    match axdr.native(value):
        case [int(relay), bool(on)]:
            return _written(lambda: ask.site.override(relay - 1, on=on, now=ask.now))
    return DataAccessResult.TYPE_UNMATCHED


# -- registers -------------------------------------------------------------------------------------------------


def _register(obis: Obis, unit: int, read: Callable[[Ask], int]) -> Thing:
    return Thing(
        class_id=3,
        obis=obis,
        attributes={
            2: Attr(lambda ask: axdr.u32(read(ask) & 0xFFFFFFFF)),
            3: fixed(scaler_unit(0, unit)),
        },
    )


def _of_relay(place: int) -> list[Thing]:
    return [
        _relay(Obis(0, place + 1, 96, 3, 10), range(place, place + 1), 1 << place),
        _register(Obis(1, place + 1, 1, 7, 0), _W, lambda ask: ask.site.power_w(place, ask.now)),
        _register(Obis(1, place + 1, 1, 8, 0), _WH, lambda ask: ask.site.energy_wh(place)),
    ]


# -- limiter ---------------------------------------------------------------------------------------------------

_LIMITS: Final = interface_class(71)
_FIELDS: Final = {
    4: "threshold_normal", 5: "threshold_emergency", 6: "min_over_s", 7: "min_under_s", 8: "emergency", 9: "groups",
}  # fmt: skip


def _limit_setter(attribute: int) -> Callable[[Ask, Data], DataAccessResult]:
    kind = _LIMITS.attribute(attribute).type

    def write(ask: Ask, value: Data) -> DataAccessResult:
        try:
            typed = kind.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        if attribute in (4, 5) and not (isinstance(typed, int) and typed >= 0):
            return DataAccessResult.TYPE_UNMATCHED
        settings = replace(ask.site.limiter, **{_FIELDS[attribute]: typed})  # type: ignore[arg-type]
        return _written(lambda: ask.site.limit(settings, ask.now))

    return write


def _profile_of(ask: Ask) -> Data:
    held = ask.site.limiter.emergency or EmergencyProfile(profile_id=0, activation_time=None, duration=0)
    return _LIMITS.attribute(8).type.untyped(held)


def _limiter() -> Thing:
    watched = ValueDefinition(class_id=3, obis=_POWER, attribute=2)

    def number(attribute: int) -> Attr:
        name = _FIELDS[attribute]
        return Attr(lambda ask: axdr.u32(int(getattr(ask.site.limiter, name))), _limit_setter(attribute))

    return Thing(
        class_id=71,
        obis=_LIMITER,
        attributes={
            2: fixed(VALUE_DEFINITION.untyped(watched)),
            3: Attr(lambda ask: axdr.u32(int(ask.site.threshold_w(ask.now)))),
            **{attribute: number(attribute) for attribute in (4, 5, 6, 7)},
            8: Attr(_profile_of, _limit_setter(8), Right.COMMAND),
            9: Attr(lambda ask: _LIMITS.attribute(9).type.untyped(ask.site.limiter.groups), _limit_setter(9)),
            10: Attr(lambda ask: axdr.boolean(value=ask.site.emergency_active(ask.now))),
            11: Attr(lambda ask: _LIMITS.attribute(11).type.untyped(ask.site.limiter.actions)),
        },
    )


# -- scripts, schedule -----------------------------------------------------------------------------------------


def _scripts() -> Thing:
    table = interface_class(9)

    def script(number: int) -> Script:
        step = ScriptAction(service=2, class_id=70, obis=RELAY_ALL, index=number, parameter=0)
        return Script(identifier=number, actions=(step,))

    def execute(ask: Ask, value: Data) -> ActionResult:
        number = value.value
        if not isinstance(number, int):
            return ActionResult.TYPE_UNMATCHED
        return _called(lambda: ask.site.run_script(number, ask.now))

    listed = table.attribute(2).type.untyped((script(1), script(2)))
    return Thing(class_id=9, obis=SCRIPTS, attributes={2: fixed(listed)}, methods={1: Method(execute, Right.COMMAND)})


def _schedule() -> Thing:
    table = interface_class(22)

    def item(ask: Ask) -> Data:
        return table.attribute(2).type.untyped(ActionItem(script_table=SCRIPTS, selector=ask.site.script))

    def choose(ask: Ask, value: Data) -> DataAccessResult:
        try:
            wanted = table.attribute(2).type.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        if not isinstance(wanted, ActionItem) or wanted.script_table != SCRIPTS or wanted.selector not in (1, 2):
            return DataAccessResult.OTHER_REASON
        ask.site.script = wanted.selector
        return DataAccessResult.SUCCESS

    def plan(ask: Ask, value: Data) -> DataAccessResult:
        try:
            times = table.attribute(4).type.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        ask.site.schedule = cast(tuple[ExecutionTime, ...], times)
        return DataAccessResult.SUCCESS

    return Thing(
        class_id=22,
        obis=_SCHEDULE,
        attributes={
            2: Attr(item, choose),
            3: fixed(axdr.enum(5)),
            4: Attr(lambda ask: table.attribute(4).type.untyped(ask.site.schedule), plan),
        },
    )


# -- signals, programme ----------------------------------------------------------------------------------------


def _signals(ask: Ask) -> Data:
    told = ask.site.signals(ask.now)
    return axdr.array(*[axdr.structure(*signal.fields(), axdr.boolean(value=seen)) for signal, seen in told])


def _tell(ask: Ask, value: Data) -> DataAccessResult:
    return _written(lambda: ask.site.tell(Signal.decode(axdr.native(value)), ask.now))


def _acknowledge(ask: Ask, value: Data) -> DataAccessResult:
    ident = value.value
    if not isinstance(ident, int):
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.site.acknowledge(ident, ask.now))


def _enrol(ask: Ask, value: Data) -> DataAccessResult:
    name = value.value
    programme = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    if not isinstance(programme, str) or len(programme) > 64 or not programme.isprintable():
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.site.enrol(programme, ask.now))


def _agree(ask: Ask, value: Data) -> DataAccessResult:
    consent = value.value
    if not isinstance(consent, bool):
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.site.agree(consent=consent, now=ask.now))


# -- clock, names ----------------------------------------------------------------------------------------------


def _set_time(ask: Ask, value: Data) -> DataAccessResult:
    try:
        wanted = interface_class(8).attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    moment = wanted.utc(0) if isinstance(wanted, CosemDateTime) else None
    if moment is None:
        return DataAccessResult.OTHER_REASON
    ask.site.set_clock(moment.timestamp(), ask.now)
    return DataAccessResult.SUCCESS


def _name(device: LoadController) -> Data:
    """At most 16 octets: maker, what such devices have in common, and as much of the serial's end as there is room."""
    return axdr.octets(b"MWYH-" + device.config.serial.encode()[-_OF_SERIAL:])


def things_of(device: LoadController) -> list[Thing]:
    """All objects of a device but its association and its security setup."""
    places = range(len(device.relays))
    sap = axdr.array(axdr.structure(axdr.u16(1), _name(device)))
    return [
        clock(Attr(lambda ask: date_time(ask.site.clock(ask.now)), _set_time, Right.COMMAND), is_public=True),
        data_object(NAME, fixed(_name(device)), is_public=True),
        data_object(_SERIAL, fixed(text(device.config.serial)), is_public=True),
        data_object(_FIRMWARE, fixed(text("MWY-HOME-1"))),
        Thing(class_id=17, obis=_SAP, attributes={2: fixed(sap)}, is_public=True),
        _relay(RELAY_ALL, places, 0),
        *[thing for place in places for thing in _of_relay(place)],
        _register(_POWER, _W, lambda ask: ask.site.total_w(ask.now)),
        _register(ENERGY, _WH, lambda ask: int(sum(ask.site.energy_ws) // 3600)),
        data_object(STATUS, Attr(lambda ask: axdr.u8(sum(on << place for place, on in enumerate(ask.site.closed))))),
        _limiter(),
        _scripts(),
        _schedule(),
        data_object(EVENT_CODE, Attr(lambda ask: axdr.u8(ask.site.events[-1].code))),
        hourly_profile(),
        event_log(),
        data_object(LOAD_ORDER, Attr(_last_order, _order, Right.COMMAND)),
        data_object(SIGNALS, Attr(_signals, _tell, Right.COMMAND)),
        data_object(ACKNOWLEDGE, Attr(lambda ask: axdr.u32(ask.site.acknowledged), _acknowledge, Right.CONSENT)),
        data_object(PROGRAMME, Attr(lambda ask: text(ask.site.programme), _enrol)),
        data_object(CONSENT, Attr(lambda ask: axdr.boolean(value=ask.site.consent), _agree, Right.CONSENT)),
        data_object(OVERRIDE, Attr(_relays, _override, Right.CONSENT)),
        data_object(RELAYS, Attr(_relays)),
    ]
