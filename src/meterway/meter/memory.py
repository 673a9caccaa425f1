"""What a meter remembers over a restart, as plain JSON: settings, switch, clock, calendars, logs, what was cleared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.meter.device import Buffer, Meter, OffPeriod
from meterway.meter.events import Event, Log
from meterway.meter.objects import restore_zone
from meterway.meter.tariff import TARIFFS, TariffPlan, plan_of
from meterway.meter.zone import Zone
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.activity_calendar import Calendar
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.dlms.classes.types import Mismatch

__all__ = ["State", "recall", "remembered"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_FOREVER = -1.0
_PARTS = ((2, "name"), (3, "seasons"), (4, "weeks"), (5, "days"))


class State(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything, with names and numbers as JSON knows them; a moment that never comes is -1."""

    changed: list[tuple[int, str, int, str]] = []
    clock: tuple[float, float] = (0.0, 0.0)
    jumps: list[float] = []
    switch: tuple[int, int] = (1, 4)
    words: tuple[int, int] = (0, 0)
    firmware: str = ""
    plans: list[tuple[float, list[str]]] = []
    off: list[tuple[float, float, bool]] = []
    logged: list[tuple[int, int, int]] = []
    cleared: dict[int, float] = {}
    buffers: dict[str, tuple[float, list[float]]] = {}
    demand_reset_s: float = 0.0
    rates: tuple[int, list[int]] | None = None
    zones: list[tuple[float, int, bool, int, str, str]] = []


def remembered(meter: Meter) -> State:
    """What is to be kept of a meter."""
    return State(
        changed=[(key[0], str(key[1]), key[2], octets.hex()) for key, octets in (meter.changed or {}).items()],
        clock=(meter.clock_offset_s, meter.clock_set_s),
        jumps=list(meter.clock_jumps),
        switch=(int(meter.control_state), meter.control_mode),
        words=(meter.alarms, meter.errors),
        firmware=meter.firmware.hex(),
        plans=[(since, _plan_octets(plan)) for since, plan in meter.plans[1:]],
        off=[(start, end if end != float("inf") else _FOREVER, dark) for start, end, dark in meter.off],
        logged=[(event.unix_s, event.log.value, int(event.code)) for event in meter.logged],
        cleared={log.value: moment for log, moment in (meter.cleared or {}).items()},
        buffers={str(obis): (entry.since, list(entry.captured)) for obis, entry in (meter.buffers or {}).items()},
        demand_reset_s=meter.demand_reset_s,
        zones=[(since, *_zone_parts(zone)) for since, zone in meter.zones[1:]],
        rates=None if meter.tariff_mark is None else (meter.tariff_mark[0], list(meter.tariff_mark[1])),
    )


def recall(meter: Meter, kept: Mapping[str, Any]) -> None:
    """Give a fresh meter what was kept of it; ConfigError for what no meter wrote."""
    try:
        state = msgspec.convert(kept, State, strict=False)
        _recall(meter, state)
    except (msgspec.ValidationError, ValueError, DecodeError, Mismatch, ConfigError) as error:
        raise ConfigError(f"what was kept of meter {meter.serial} makes no sense: {error}") from None


def _recall(meter: Meter, state: State) -> None:
    meter.changed = _or_none({(c, Obis.parse(name), n): bytes.fromhex(text) for c, name, n, text in state.changed})
    meter.clock_offset_s, meter.clock_set_s = state.clock
    meter.clock_jumps = tuple(state.jumps)
    meter.control_state, meter.control_mode = ControlState(state.switch[0]), state.switch[1]
    meter.alarms, meter.errors = state.words
    meter.firmware = bytes.fromhex(state.firmware) or meter.firmware
    meter.plans = (*meter.plans[:1], *[(since, _plan(octets)) for since, octets in state.plans])
    meter.off = tuple(
        OffPeriod(start, float("inf") if end == _FOREVER else end, dark) for start, end, dark in state.off
    )
    meter.logged = tuple(Event(moment, Log(log), code) for moment, log, code in state.logged)
    meter.cleared = _or_none({Log(log): moment for log, moment in state.cleared.items()})
    buffers = {Obis.parse(name): Buffer(since, tuple(captured)) for name, (since, captured) in state.buffers.items()}
    meter.buffers = _or_none(buffers)
    meter.demand_reset_s = state.demand_reset_s
    if state.rates is not None and len(state.rates[1]) == 2 * TARIFFS:
        meter.tariff_mark = state.rates[0], tuple(state.rates[1])
    meter.zones = (*meter.zones[:1], *[(kept[0], _zone(kept)) for kept in state.zones])
    restore_zone(meter)


def _or_none(found: dict[_K, _V]) -> dict[_K, _V] | None:
    return found or None


def _zone_parts(zone: Zone) -> tuple[int, bool, int, str, str]:
    begin, end = (b"" if one is None else one.encode() for one in (zone.begin, zone.end))
    return zone.standard_min, zone.summer_time, zone.saving_min, begin.hex(), end.hex()


def _zone(kept: tuple[float, int, bool, int, str, str]) -> Zone:
    _, standard_min, summer_time, saving_min, *turns = kept
    begin, end = (CosemDateTime.decode(bytes.fromhex(text)) if text else None for text in turns)
    return Zone(standard_min=standard_min, summer_time=summer_time, saving_min=saving_min, begin=begin, end=end)


# -- calendars ---------------------------------------------------------------------------------------------


def _encoder(class_id: int, attribute: int) -> Callable[[object], str]:
    kind = interface_class(class_id).attribute(attribute).type
    return lambda value: axdr.encode(kind.untyped(value)).hex()


def _plan_octets(plan: TariffPlan) -> list[str]:
    """The calendar's four attributes and the special days, encoded."""
    parts = [_encoder(20, number)(getattr(plan.calendar, name)) for number, name in _PARTS]
    return [*parts, _encoder(11, 2)(plan.special)]


def _typed(class_id: int, attribute: int, text: str) -> Any:
    kind = interface_class(class_id).attribute(attribute).type
    return kind.typed(axdr.decode_all(bytes.fromhex(text)), [])


def _plan(octets: list[str]) -> TariffPlan:
    parts = {name: _typed(20, number, text) for (number, name), text in zip(_PARTS, octets[:4], strict=True)}
    return plan_of(Calendar(**parts), _typed(11, 2, octets[4]))
