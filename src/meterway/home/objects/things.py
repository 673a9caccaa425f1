"""The objects of a load controller: standard classes wherever one fits, data objects of our own for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.home.device import SCRIPTS, LoadController, RefusedError
from meterway.home.objects.rows import ENERGY, EVENT_CODE, STATUS, event_log, hourly_profile
from meterway.home.objects.table import CONSUMER, GROUP, OPERATORS, Ask, Attr, Method, Thing, fixed
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
from meterway.stacks.dlms.classes.elements import SCALER_UNIT, VALUE_DEFINITION, ActionItem, ScalerUnit, ValueDefinition
from meterway.stacks.dlms.classes.limiter import EmergencyProfile
from meterway.stacks.dlms.classes.schedule import ExecutionTime
from meterway.stacks.dlms.classes.script_table import Script, ScriptAction
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.tabled.table import date_time
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
_CONSUMER_ONLY: Final = frozenset((CONSUMER,))
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


def _data(obis: Obis, read: Attr, *, public: bool = False) -> Thing:
    return Thing(class_id=1, obis=obis, attributes={2: read}, open=public)


def _text(value: str) -> Data:
    return axdr.octets(value.encode())


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
        return Method(lambda ask, _: _called(lambda: ask.device.switch(bits, on=on, now=ask.now)), GROUP)

    return Thing(
        class_id=70,
        obis=obis,
        attributes={
            2: Attr(lambda ask: axdr.boolean(value=any(ask.device.closed[place] for place in places))),
            3: Attr(lambda ask: axdr.enum(_state(ask.device, places))),
            4: fixed(axdr.enum(_MODE)),
        },
        methods={1: switch(on=False), 2: switch(on=True)},
    )


def _relays(ask: Ask) -> Data:
    device = ask.device
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
    return _written(lambda: ask.device.order(LoadOrder.decode(axdr.native(value)), ask.now))


def _last_order(ask: Ask) -> Data:
    return axdr.null() if ask.device.order_taken is None else ask.device.order_taken.encode()


def _override(ask: Ask, value: Data) -> DataAccessResult:
    match axdr.native(value):
        case [int(relay), bool(on)]:
            return _written(lambda: ask.device.override(relay - 1, on=on, now=ask.now))
    return DataAccessResult.TYPE_UNMATCHED


# -- registers -------------------------------------------------------------------------------------------------


def _register(obis: Obis, unit: int, read: Callable[[Ask], int]) -> Thing:
    return Thing(
        class_id=3,
        obis=obis,
        attributes={
            2: Attr(lambda ask: axdr.u32(read(ask) & 0xFFFFFFFF)),
            3: fixed(SCALER_UNIT.untyped(ScalerUnit(scaler=0, unit=unit))),
        },
    )


def _of_relay(place: int) -> list[Thing]:
    return [
        _relay(Obis(0, place + 1, 96, 3, 10), range(place, place + 1), 1 << place),
        _register(Obis(1, place + 1, 1, 7, 0), _W, lambda ask: ask.device.power_w(place, ask.now)),
        _register(Obis(1, place + 1, 1, 8, 0), _WH, lambda ask: ask.device.energy_wh(place)),
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
        settings = replace(ask.device.limiter, **{_FIELDS[attribute]: typed})  # type: ignore[arg-type]
        return _written(lambda: ask.device.limit(settings, ask.now))

    return write


def _profile_of(ask: Ask) -> Data:
    held = ask.device.limiter.emergency or EmergencyProfile(profile_id=0, activation_time=None, duration=0)
    return _LIMITS.attribute(8).type.untyped(held)


def _limiter() -> Thing:
    watched = ValueDefinition(class_id=3, obis=_POWER, attribute=2)

    def number(attribute: int) -> Attr:
        name = _FIELDS[attribute]
        return Attr(lambda ask: axdr.u32(int(getattr(ask.device.limiter, name))), _limit_setter(attribute))

    return Thing(
        class_id=71,
        obis=_LIMITER,
        attributes={
            2: fixed(VALUE_DEFINITION.untyped(watched)),
            3: Attr(lambda ask: axdr.u32(int(ask.device.threshold_w(ask.now)))),
            **{attribute: number(attribute) for attribute in (4, 5, 6, 7)},
            8: Attr(_profile_of, _limit_setter(8), GROUP),
            9: Attr(
                lambda ask: _LIMITS.attribute(9).type.untyped(ask.device.limiter.groups), _limit_setter(9), OPERATORS
            ),
            10: Attr(lambda ask: axdr.boolean(value=ask.device.emergency_active(ask.now))),
            11: Attr(lambda ask: _LIMITS.attribute(11).type.untyped(ask.device.limiter.actions)),
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
        return _called(lambda: ask.device.run_script(number, ask.now))

    listed = table.attribute(2).type.untyped((script(1), script(2)))
    return Thing(class_id=9, obis=SCRIPTS, attributes={2: fixed(listed)}, methods={1: Method(execute, GROUP)})


def _schedule() -> Thing:
    table = interface_class(22)

    def item(ask: Ask) -> Data:
        return table.attribute(2).type.untyped(ActionItem(script_table=SCRIPTS, selector=ask.device.script))

    def choose(ask: Ask, value: Data) -> DataAccessResult:
        try:
            wanted = table.attribute(2).type.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        if not isinstance(wanted, ActionItem) or wanted.script_table != SCRIPTS or wanted.selector not in (1, 2):
            return DataAccessResult.OTHER_REASON
        ask.device.script = wanted.selector
        return DataAccessResult.SUCCESS

    def plan(ask: Ask, value: Data) -> DataAccessResult:
        try:
            times = table.attribute(4).type.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        ask.device.schedule = cast(tuple[ExecutionTime, ...], times)
        return DataAccessResult.SUCCESS

    return Thing(
        class_id=22,
        obis=_SCHEDULE,
        attributes={
            2: Attr(item, choose),
            3: fixed(axdr.enum(5)),
            4: Attr(lambda ask: table.attribute(4).type.untyped(ask.device.schedule), plan),
        },
    )


# -- signals, programme ----------------------------------------------------------------------------------------


def _signals(ask: Ask) -> Data:
    told = ask.device.signals(ask.now)
    return axdr.array(*[axdr.structure(*signal.fields(), axdr.boolean(value=seen)) for signal, seen in told])


def _tell(ask: Ask, value: Data) -> DataAccessResult:
    return _written(lambda: ask.device.tell(Signal.decode(axdr.native(value)), ask.now))


def _acknowledge(ask: Ask, value: Data) -> DataAccessResult:
    ident = value.value
    if not isinstance(ident, int):
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.device.acknowledge(ident, ask.now))


def _enrol(ask: Ask, value: Data) -> DataAccessResult:
    name = value.value
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    if not isinstance(text, str) or len(text) > 64 or not (text.isprintable()):
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.device.enrol(text, ask.now))


def _agree(ask: Ask, value: Data) -> DataAccessResult:
    consent = value.value
    if not isinstance(consent, bool):
        return DataAccessResult.TYPE_UNMATCHED
    return _written(lambda: ask.device.agree(consent=consent, now=ask.now))


# -- clock, names ----------------------------------------------------------------------------------------------


def _set_time(ask: Ask, value: Data) -> DataAccessResult:
    try:
        wanted = interface_class(8).attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    moment = wanted.utc(0) if isinstance(wanted, CosemDateTime) else None
    if moment is None:
        return DataAccessResult.OTHER_REASON
    ask.device.set_clock(moment.timestamp(), ask.now)
    return DataAccessResult.SUCCESS


def _clock() -> Thing:
    never = fixed(axdr.octets(b"\xff" * 12))
    return Thing(
        class_id=8,
        obis=CLOCK,
        attributes={
            2: Attr(lambda ask: date_time(ask.device.clock(ask.now)), _set_time, GROUP),
            3: fixed(axdr.i16(0)),
            4: fixed(axdr.u8(0)),
            5: never,
            6: never,
            7: fixed(axdr.i8(0)),
            8: fixed(axdr.boolean(value=False)),
            9: fixed(axdr.enum(1)),
        },
        open=True,
    )


def _name(device: LoadController) -> Data:
    return axdr.octets(b"MWY" + device.config.serial.encode())


def things_of(device: LoadController) -> dict[tuple[int, Obis], Thing]:
    """All objects of a device but its association and its security setup."""
    places = range(len(device.relays))
    sap = axdr.array(axdr.structure(axdr.u16(1), _name(device)))
    made = [
        _clock(),
        _data(NAME, fixed(_name(device)), public=True),
        _data(_SERIAL, fixed(_text(device.config.serial)), public=True),
        _data(_FIRMWARE, fixed(_text("MWY-HOME-1"))),
        Thing(class_id=17, obis=_SAP, attributes={2: fixed(sap)}, open=True),
        _relay(RELAY_ALL, places, 0),
        *[thing for place in places for thing in _of_relay(place)],
        _register(_POWER, _W, lambda ask: ask.device.total_w(ask.now)),
        _register(ENERGY, _WH, lambda ask: int(sum(ask.device.energy_ws) // 3600)),
        _data(STATUS, Attr(lambda ask: axdr.u8(sum(on << place for place, on in enumerate(ask.device.closed))))),
        _limiter(),
        _scripts(),
        _schedule(),
        _data(EVENT_CODE, Attr(lambda ask: axdr.u8(ask.device.events[-1].code))),
        hourly_profile(),
        event_log(),
        _data(LOAD_ORDER, Attr(_last_order, _order, GROUP)),
        _data(SIGNALS, Attr(_signals, _tell, GROUP)),
        _data(ACKNOWLEDGE, Attr(lambda ask: axdr.u32(ask.device.acknowledged), _acknowledge, _CONSUMER_ONLY)),
        _data(PROGRAMME, Attr(lambda ask: _text(ask.device.programme), _enrol)),
        _data(CONSENT, Attr(lambda ask: axdr.boolean(value=ask.device.consent), _agree, _CONSUMER_ONLY)),
        _data(OVERRIDE, Attr(_relays, _override, _CONSUMER_ONLY)),
        _data(RELAYS, Attr(_relays)),
    ]
    return {thing.key: thing for thing in made}
