"""What acts, bound by class: switch, limiter, scripts and their schedules, calendar, firmware, keys, pushes."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final, cast

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.image_parity import ParitySymbol
from meterway.meter.device import ALARM_PUSH, Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.firmware import image_signature
from meterway.meter.image_parity import ImageParity
from meterway.meter.objects.table import Ask, Behaviour, Call, CosemObject, Live, encoded_octets, typed_of, u32
from meterway.meter.tariff import TARIFF_SCRIPTS, TariffPlan, plan_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.activity_calendar import Calendar, DayProfile, Season, SpecialDay, WeekProfile
from meterway.stacks.dlms.classes.disconnect_control import ControlState, Mover, Supply
from meterway.stacks.dlms.classes.elements import ActionItem
from meterway.stacks.dlms.classes.image_transfer import ImageBlock, ImageInitiate, ImageStatus, ImageTransfer
from meterway.stacks.dlms.classes.key_transfer import key_transfers, unwrapped_keys
from meterway.stacks.dlms.classes.security_setup import KeyId
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "CONTROLS",
    "PARITY",
    "activate_calendar",
    "activation_behaviour",
    "push_behaviour",
    "run_script",
    "schedule_behaviour",
    "script_behaviour",
]

_SWITCH_SCRIPTS: Final = Obis(0, 0, 10, 0, 106)
_IMAGE_SCRIPTS: Final = Obis(0, 0, 10, 0, 107)
_PUSH_SCRIPTS: Final = Obis(0, 0, 10, 0, 108)


def _ok(done: bool) -> ActionResult:
    return ActionResult.SUCCESS if done else ActionResult.OTHER_REASON


def _parameter(class_id: int, version: int, method: int, data: Data) -> object:
    """The typed parameter of a method; None if it is not of that type."""
    try:
        return interface_class(class_id, version).method(method).type.typed(data, [])
    except Mismatch:
        return None


# -- supply ------------------------------------------------------------------------------------------------


def _switch(supply: Supply) -> Call:
    return lambda meter, _, now: _ok(meter.move(Mover.REMOTE, supply, now))


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
        return _ok(meter.move(mover, Supply.OFF if selector == 1 else Supply.ON, now))
    if table == _IMAGE_SCRIPTS and selector == 1:
        return _activate(meter, axdr.i8(0), now)
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


# -- tariffs -----------------------------------------------------------------------------------------------


def _active(attribute: int) -> Live:
    names = {2: "name", 3: "seasons", 4: "weeks", 5: "days"}

    def read(ask: Ask) -> bytes:
        value = getattr(ask.meter.plans[-1][1].calendar, names[attribute])
        return axdr.encode(interface_class(20).attribute(attribute).type.untyped(value))

    return Live(read)


def _programmed(meter: Meter, now: float) -> None:
    meter.log(now, Log.STANDARD, EventCode.PASSIVE_CALENDAR_PROGRAMMED)


def activate_calendar(calendar: CosemObject, meter: Meter, now: float) -> ActionResult:
    """Put the passive calendar of a meter into force."""
    parts = [typed_of(calendar, attribute, meter, now) for attribute in (6, 7, 8, 9)]
    if None in parts or not parts[3]:
        return ActionResult.OTHER_REASON
    passive = Calendar(
        name=cast(bytes, parts[0]),
        seasons=cast(tuple[Season, ...], parts[1]),
        weeks=cast(tuple[WeekProfile, ...], parts[2]),
        days=cast(tuple[DayProfile, ...], parts[3]),
    )
    meter.activate(plan_of(passive, meter.plans[-1][1].special), now)
    return ActionResult.SUCCESS


_CALENDAR: Final = Behaviour(
    live={attribute: _active(attribute) for attribute in (2, 3, 4, 5)},
    factory={
        6: axdr.octets(b""),
        7: axdr.array(),
        8: axdr.array(),
        9: axdr.array(),
        10: axdr.octets(CosemDateTime().encode()),
    },
    after={6: _programmed},
)


def _special_days(ask: Ask) -> bytes:
    return axdr.encode(interface_class(11).attribute(2).type.untyped(ask.meter.plans[-1][1].special))


def _new_special(meter: Meter, special: tuple[SpecialDay, ...], now: float) -> None:
    plan: TariffPlan = meter.plans[-1][1]
    meter.activate(plan_of(plan.calendar, tuple(sorted(special, key=lambda day: day.index))), now)


def _set_special(meter: Meter, value: Data, now: float) -> DataAccessResult:
    try:
        special = interface_class(11).attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    _new_special(meter, cast(tuple[SpecialDay, ...], special), now)
    return DataAccessResult.SUCCESS


def _insert_special(meter: Meter, parameter: Data, now: float) -> ActionResult:
    day = _parameter(11, 0, 1, parameter)
    if not isinstance(day, SpecialDay):
        return ActionResult.TYPE_UNMATCHED
    others = tuple(entry for entry in meter.plans[-1][1].special if entry.index != day.index)
    _new_special(meter, (*others, day), now)
    return ActionResult.SUCCESS


def _delete_special(meter: Meter, parameter: Data, now: float) -> ActionResult:
    index = _parameter(11, 0, 2, parameter)
    kept = tuple(entry for entry in meter.plans[-1][1].special if entry.index != index)
    if len(kept) == len(meter.plans[-1][1].special):
        return ActionResult.OTHER_REASON
    _new_special(meter, kept, now)
    return ActionResult.SUCCESS


_SPECIAL: Final = Behaviour(
    live={2: Live(_special_days, _set_special)}, methods={1: _insert_special, 2: _delete_special}
)
_RATES: Final = [Obis(1, 0, direction, 8, rate) for direction in (1, 2) for rate in (1, 2, 3, 4)]
_MASKS: Final = {b"RATE%d" % rate: rate for rate in (1, 2, 3, 4)}


def _set_mask(meter: Meter, value: Data, now: float) -> DataAccessResult:
    """Let a tariff hold until the calendar switches to the next one."""
    if value.tag != Tag.OCTET_STRING:
        return DataAccessResult.TYPE_UNMATCHED
    rate = _MASKS.get(cast(bytes, value.value))
    if rate is None:
        return DataAccessResult.OTHER_REASON
    meter.force_tariff(rate, now)
    return DataAccessResult.SUCCESS


def activation_behaviour(registers: Container[Obis]) -> Behaviour:
    """Which of the tariff registers that there are counts under which mask."""
    rates = [obis for obis in _RATES if obis in registers]
    masks = [
        axdr.structure(
            axdr.octets(name), axdr.array(*[axdr.u8(n) for n, obis in enumerate(rates, 1) if obis.e == rate])
        )
        for name, rate in _MASKS.items()
    ]
    return Behaviour(
        live={4: Live(lambda ask: b"\x09\x05RATE%d" % ask.meter.tariff(ask.now), _set_mask)},
        factory={
            2: axdr.array(*[axdr.structure(axdr.u16(3), axdr.octets(obis.encode())) for obis in rates]),
            3: axdr.array(*masks),
        },
    )


# -- firmware ----------------------------------------------------------------------------------------------


def _image(meter: Meter) -> ImageTransfer:
    if meter.image is None:
        meter.image = ImageTransfer(enabled=True)
    return meter.image


_IDLE: Final = ImageTransfer(enabled=True)


def _of_image(attribute: int, value: Callable[[ImageTransfer], object]) -> Live:
    kind = interface_class(18).attribute(attribute).type
    return Live(lambda ask: axdr.encode(kind.untyped(value(ask.meter.image or _IDLE))))


def _initiate(meter: Meter, parameter: Data, now: float) -> ActionResult:
    wanted = _parameter(18, 0, 1, parameter)
    if not isinstance(wanted, ImageInitiate):
        return ActionResult.TYPE_UNMATCHED
    meter.image_parity = None
    return _image(meter).initiate(wanted.identifier, wanted.size)


def _take_block(meter: Meter, parameter: Data, now: float) -> ActionResult:
    block = _parameter(18, 0, 2, parameter)
    if not isinstance(block, ImageBlock):
        return ActionResult.TYPE_UNMATCHED
    result = _image(meter).transfer_block(block.number, block.value)
    if meter.image_parity is not None and result is ActionResult.SUCCESS:
        meter.image_parity.heard(block.number)
    return result


def _verify(meter: Meter, parameter: Data, now: float) -> ActionResult:
    result = _image(meter).verify(image_signature)
    good = result is ActionResult.SUCCESS
    meter.log(now, Log.STANDARD, EventCode.FIRMWARE_READY if good else EventCode.FIRMWARE_VERIFICATION_FAILED)
    return result


def _activate(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """A virtual meter starts its new firmware at once."""
    image = _image(meter)
    result = image.activate(image_signature)
    if image.status is not ImageStatus.ACTIVATION_INITIATED:
        return result
    image.finish_activation(successful=True)
    meter.firmware = image.identifier
    meter.log(now, Log.STANDARD, EventCode.FIRMWARE_ACTIVATED)
    return ActionResult.SUCCESS


def _enable(meter: Meter, value: Data, now: float) -> DataAccessResult:
    if value.tag != Tag.BOOLEAN:
        return DataAccessResult.TYPE_UNMATCHED
    _image(meter).enabled = bool(value.value)
    return DataAccessResult.SUCCESS


_FIRMWARE: Final = Behaviour(
    live={
        2: _of_image(2, lambda image: image.block_size),
        3: _of_image(3, lambda image: image.blocks_status),
        4: _of_image(4, lambda image: image.first_not_transferred),
        5: _of_image(5, lambda image: image.enabled)._replace(write=_enable),
        6: _of_image(6, lambda image: image.status),
        7: _of_image(7, lambda image: image.to_activate),
    },
    methods={1: _initiate, 2: _take_block, 3: _verify, 4: _activate},
)


def _take_symbol(meter: Meter, value: Data, now: float) -> DataAccessResult:
    try:
        symbol = ParitySymbol.decode(axdr.native(value))
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    if meter.image_parity is None:
        meter.image_parity = ImageParity(_image(meter))
    return DataAccessResult.SUCCESS if meter.image_parity.take(symbol) else DataAccessResult.OTHER_REASON


PARITY: Final = Behaviour(
    live={
        2: Live(
            lambda ask: encoded_octets((ask.meter.image_parity or ImageParity(ask.meter.image or _IDLE)).wanting()),
            _take_symbol,
        )
    }
)
"""Only in companion profiles that name the object: an option of ours."""


# -- keys --------------------------------------------------------------------------------------------------

_KEY_FIELDS: Final[dict[int, str]] = {
    KeyId.GLOBAL_UNICAST_ENCRYPTION: "guek",
    KeyId.GLOBAL_BROADCAST_ENCRYPTION: "gbek",
    KeyId.AUTHENTICATION: "gak",
    KeyId.MASTER: "kek",
}


def _transfer_keys(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """All keys or none; associations that are open go on with the old ones.

    A new encryption key starts its invocation counters afresh; without one, they go on.
    """
    wanted = key_transfers(parameter)
    if wanted is None:
        return ActionResult.TYPE_UNMATCHED
    fresh = unwrapped_keys(meter.keys.kek, wanted, _KEY_FIELDS)
    if fresh is None:
        return ActionResult.OTHER_REASON
    meter.change_keys(fresh, now)
    return ActionResult.SUCCESS


def _stronger(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """The policy is the strongest there is already; activating that again is no change."""
    return _ok(parameter.tag == Tag.ENUM and parameter.value == 3)


_SECURITY: Final = Behaviour(
    live={5: Live(lambda ask: b"\x09\x08" + ask.meter.title)},
    methods={1: _stronger, 2: _transfer_keys},
    factory={2: axdr.enum(3), 3: axdr.enum(0), 4: axdr.octets(b"")},
)


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
    11: _SPECIAL,
    18: _FIRMWARE,
    20: _CALENDAR,
    21: _MONITOR,
    64: _SECURITY,
    70: _SWITCH,
    71: _LIMITER,
}
"""By class, what the meter does for the one object of it."""
