"""What acts, bound by class: switch, limiter, scripts and their schedules, pushes; and all that other modules bind."""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.image import IMAGE, activate_image
from meterway.meter.objects.keys import SECURITY_SETUP
from meterway.meter.objects.table import (
    Ask,
    Behaviour,
    Call,
    Live,
    done_or_not,
    u32,
)
from meterway.meter.objects.tariffs import CALENDAR, SPECIAL_DAYS
from meterway.meter.tariff import TARIFF_SCRIPTS
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes.disconnect_control import ControlState, Mover, Supply
from meterway.stacks.dlms.classes.elements import ActionItem
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "CONTROLS",
    "push_behaviour",
    "run_script",
    "schedule_behaviour",
    "script_behaviour",
]

_SWITCH_SCRIPTS: Final = Obis(0, 0, 10, 0, 106)
_IMAGE_SCRIPTS: Final = Obis(0, 0, 10, 0, 107)
_PUSH_SCRIPTS: Final = Obis(0, 0, 10, 0, 108)


# -- supply ------------------------------------------------------------------------------------------------


def _switch(supply: Supply) -> Call:
    return lambda meter, _, now: done_or_not(meter.move(Mover.REMOTE, supply, now))


def _set_mode(meter: Meter, value: Data, now: float) -> DataAccessResult:
    if value.tag != Tag.ENUM or not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    if not 0 <= value.value <= 6:
        return DataAccessResult.OTHER_REASON
    meter.control_mode = value.value
    meter.log(now, Log.STANDARD, EventCode.PARAMETERS_CHANGED)
    return DataAccessResult.SUCCESS


_SWITCH: Final = Behaviour(
    live={
        2: Live(lambda ask: bytes((Tag.BOOLEAN, ask.meter.control_state is ControlState.CONNECTED))),
        3: Live(lambda ask: bytes((Tag.ENUM, ask.meter.control_state))),
        4: Live(lambda ask: bytes((Tag.ENUM, ask.meter.control_mode)), _set_mode),
    },
    methods={1: _switch(Supply.OFF), 2: _switch(Supply.ON)},
)


def _limit_changed(meter: Meter, now: float) -> None:
    meter.log(now, Log.DISCONNECTOR, EventCode.LIMIT_CHANGED)


def _active_threshold(ask: Ask) -> bytes:
    """The normal one: it is taken over as it is set."""
    changed = ask.meter.changed or {}
    return next((octets for key, octets in changed.items() if (key[0], key[2]) == (71, 4)), u32(_NO_LIMIT))


_NO_LIMIT: Final = 0xFFFFFFFF
_LIMITER: Final = Behaviour(
    live={
        3: Live(_active_threshold),
        10: Live(lambda ask: bytes((Tag.BOOLEAN, bool(ask.meter.limiter and ask.meter.limiter.over)))),
    },
    factory={
        4: axdr.u32(_NO_LIMIT),
        5: axdr.u32(_NO_LIMIT),
        6: axdr.u32(60),
        7: axdr.u32(60),
        8: axdr.structure(axdr.u16(0), axdr.octets(CosemDateTime().encode()), axdr.u32(0)),
        9: axdr.array(),
    },
    after={4: _limit_changed, 5: _limit_changed},
)
_MONITOR: Final = Behaviour(factory={2: axdr.array(), 4: axdr.array()})


# -- scripts -----------------------------------------------------------------------------------------------


def _push_of(selector: int) -> Obis:
    return ALARM_PUSH if selector == 4 else Obis(0, selector, 25, 9, 0)


def run_script(meter: Meter, action: ActionItem, now: float, mover: Mover = Mover.REMOTE) -> ActionResult:
    """Do what a script of one of the meter's script tables does."""
    table, selector = action.script_table, action.selector
    if table == _SWITCH_SCRIPTS and selector in (1, 2):
        return done_or_not(meter.move(mover, Supply.OFF if selector == 1 else Supply.ON, now))
    if table == _IMAGE_SCRIPTS and selector == 1:
        return activate_image(meter, axdr.i8(0), now)
    if table == _PUSH_SCRIPTS and 1 <= selector <= 4:
        return _push(_push_of(selector))(meter, axdr.i8(0), now)
    return ActionResult.OBJECT_UNAVAILABLE


def _execute(table: Obis) -> Call:
    def execute(meter: Meter, parameter: Data, now: float) -> ActionResult:
        if parameter.tag != Tag.LONG_UNSIGNED or not isinstance(parameter.value, int):
            return ActionResult.TYPE_UNMATCHED
        return run_script(meter, ActionItem(script_table=table, selector=parameter.value), now)

    return execute


def _script(number: int, class_id: int, obis: Obis, method: int) -> Data:
    step = axdr.structure(axdr.enum(2), axdr.u16(class_id), axdr.octets(obis.encode()), axdr.i8(method), axdr.i8(0))
    return axdr.structure(axdr.u16(number), axdr.array(step))


def _tariff_script(number: int) -> Data:
    mask = axdr.octets(b"RATE%d" % number)
    step = axdr.structure(axdr.enum(1), axdr.u16(6), axdr.octets(Obis(0, 0, 14, 0, 0).encode()), axdr.i8(4), mask)
    return axdr.structure(axdr.u16(number), axdr.array(step))


_SCRIPTS: Final[dict[Obis, Data]] = {
    TARIFF_SCRIPTS: axdr.array(*[_tariff_script(number) for number in (1, 2, 3, 4)]),
    _SWITCH_SCRIPTS: axdr.array(*[_script(number, 70, Obis(0, 0, 96, 3, 10), number) for number in (1, 2)]),
    _IMAGE_SCRIPTS: axdr.array(_script(1, 18, Obis(0, 0, 44, 0, 0), 4)),
    _PUSH_SCRIPTS: axdr.array(*[_script(number, 40, _push_of(number), 1) for number in (1, 2, 3, 4)]),
}
_SCHEDULED: Final[dict[Obis, Obis]] = {
    Obis(0, 0, 15, 0, 1): _SWITCH_SCRIPTS,
    Obis(0, 0, 15, 0, 2): _IMAGE_SCRIPTS,
    Obis(0, 0, 15, 0, 4): _PUSH_SCRIPTS,
}


def script_behaviour(table: Obis) -> Behaviour:
    """The scripts of one of the meter's tables."""
    scripts = _SCRIPTS.get(table)
    return Behaviour() if scripts is None else Behaviour(methods={1: _execute(table)}, factory={2: scripts})


def schedule_behaviour(obis: Obis) -> Behaviour:
    """A schedule that runs the first script of its table."""
    table = _SCHEDULED.get(obis)
    if table is None:
        return Behaviour()
    script = axdr.structure(axdr.octets(table.encode()), axdr.u16(1))
    return Behaviour(factory={2: script, 3: axdr.enum(1), 4: axdr.array()})


# -- pushes ------------------------------------------------------------------------------------------------


def _push(obis: Obis) -> Call:
    def push(meter: Meter, parameter: Data, now: float) -> ActionResult:
        if meter.on_push is None:
            return ActionResult.TEMPORARY_FAILURE
        meter.on_push(meter, obis, now)
        return ActionResult.SUCCESS

    return push


def _captured(class_id: int, obis: Obis) -> Data:
    return axdr.structure(axdr.u16(class_id), axdr.octets(obis.encode()), axdr.i8(2), axdr.u16(0))


def _self(obis: Obis) -> tuple[Data, ...]:
    """A push starts with the name of its own setup, so that the receiver knows what it got."""
    return axdr.u16(40), axdr.octets(obis.encode()), axdr.i8(1), axdr.u16(0)


_ALARMS: Final = ((1, Obis(0, 0, 97, 98, 0)),)
_POWER: Final = tuple((3, Obis(1, 0, c, 7, 0)) for c in (1, 2))
_ENERGY: Final = tuple((3, Obis(1, 0, c, 8, 0)) for c in (1, 2))
_PUSHED: Final[dict[Obis, tuple[tuple[int, Obis], ...]]] = {
    _push_of(1): (*_ENERGY, *_POWER),
    _push_of(2): _ALARMS,
    _push_of(3): _ENERGY,
    ALARM_PUSH: _ALARMS,
}
_HEAD: Final = ((1, Obis(0, 0, 42, 0, 0)), (8, Obis(0, 0, 1, 0, 0)))


def push_behaviour(obis: Obis) -> Behaviour:
    """A push setup: what it sends unless told otherwise, and sending it."""
    listed = [_captured(*entry) for entry in (*_HEAD, *_PUSHED.get(obis, _ENERGY))]
    return Behaviour(
        methods={1: _push(obis)},
        factory={
            2: axdr.array(_captured(40, obis)._replace(value=_self(obis)), *listed),
            3: axdr.structure(axdr.enum(0), axdr.octets(b""), axdr.enum(0)),
            4: axdr.array(),
            5: axdr.u16(0),
            6: axdr.u8(3),
            7: axdr.u16(5),
        },
    )


CONTROLS: Final[dict[int, Behaviour]] = {
    11: SPECIAL_DAYS,
    18: IMAGE,
    20: CALENDAR,
    21: _MONITOR,
    64: SECURITY_SETUP,
    70: _SWITCH,
    71: _LIMITER,
}
"""By class, what the meter does for the one object of it."""
