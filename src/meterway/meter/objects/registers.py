"""Objects that show what is measured: energies, tariffs, demand, power, voltage, current."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.meter.device import Meter
from meterway.meter.load import SLOT_S, Network
from meterway.meter.objects.table import Ask, Attr, CosemObject, fixed, moment, u32
from meterway.meter.tariff import TARIFFS
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["REGISTERS"]

_WH, _VARH, _W, _VAR, _V, _A, _HZ = 30, 32, 27, 29, 35, 33, 44


def _unit(scaler: int, unit: int) -> Data:
    return axdr.structure(axdr.i8(scaler), axdr.enum(unit))


def _register(obis: str, value: Callable[[Meter, float], bytes], unit: int, scaler: int = 0) -> CosemObject:
    return CosemObject(3, obis, {2: Attr(lambda ask: value(ask.meter, ask.now)), 3: fixed(_unit(scaler, unit))})


def _energy(channel: int) -> Callable[[Meter, float], bytes]:
    return lambda meter, now: u32(meter.energy_at(now)[channel])


def _rate(place: int) -> Callable[[Meter, float], bytes]:
    return lambda meter, now: u32(meter.rates_at(now)[place])


def _power(of: Callable[[Network], int]) -> Callable[[Meter, float], bytes]:
    return lambda meter, now: u32(of(meter.network(now)))


def _voltage(phase: int) -> Callable[[Meter, float], bytes]:
    return lambda meter, now: b"\x12" + round(meter.network(now).voltages_v[phase] * 10).to_bytes(2, "big")


def _current(phase: int) -> Callable[[Meter, float], bytes]:
    return lambda meter, now: b"\x12" + (round(meter.network(now).currents_a[phase] * 100) & 0xFFFF).to_bytes(2, "big")


def _hertz(meter: Meter, now: float) -> bytes:
    return b"\x12" + round(meter.network(now).frequency_hz * 100).to_bytes(2, "big")


def _month_peak(ask: Ask) -> tuple[int, int]:
    return ask.meter.demand_max(ask.meter.load.zone.month_start(ask.now), ask.now)


def _running(ask: Ask) -> bytes:
    """The average over the whole period, of what has flowed since it began."""
    start = ask.now // SLOT_S * SLOT_S
    return u32((ask.meter.energy_at(ask.now)[0] - ask.meter.energy_at(start)[0]) * 4)


def _last(ask: Ask) -> bytes:
    end = ask.now // SLOT_S * SLOT_S
    return u32((ask.meter.energy_at(end)[0] - ask.meter.energy_at(end - SLOT_S)[0]) * 4)


def _stamp(ask: Ask, unix_s: float) -> bytes:
    return b"\x09\x0c" + moment(ask.meter, unix_s)


def _not_legal(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """Communication never resets what the metrology counts."""
    return ActionResult.READ_WRITE_DENIED


_PEAK = CosemObject(
    4,
    "1-0:1.6.0*255",
    {
        2: Attr(lambda ask: u32(_month_peak(ask)[0])),
        3: fixed(_unit(0, _W)),
        4: fixed(axdr.null()),
        5: Attr(lambda ask: _stamp(ask, _month_peak(ask)[1])),
    },
    {1: _not_legal},
)
_DEMAND = CosemObject(
    5,
    "1-0:1.4.0*255",
    {
        2: Attr(_running),
        3: Attr(_last),
        4: fixed(_unit(0, _W)),
        5: fixed(axdr.null()),
        6: Attr(lambda ask: _stamp(ask, ask.now // SLOT_S * SLOT_S)),
        7: Attr(lambda ask: _stamp(ask, ask.now // SLOT_S * SLOT_S)),
        8: fixed(axdr.u32(SLOT_S)),
        9: fixed(axdr.u16(1)),
    },
    {1: _not_legal, 2: _not_legal},
)

REGISTERS: Final[tuple[CosemObject, ...]] = (
    _register("1-0:1.8.0*255", _energy(0), _WH),
    *[_register(f"1-0:1.8.{rate + 1}*255", _rate(rate), _WH) for rate in range(TARIFFS)],
    _register("1-0:2.8.0*255", _energy(1), _WH),
    *[_register(f"1-0:2.8.{rate + 1}*255", _rate(TARIFFS + rate), _WH) for rate in range(TARIFFS)],
    _register("1-0:3.8.0*255", _energy(2), _VARH),
    _register("1-0:4.8.0*255", _energy(3), _VARH),
    _register("1-0:1.7.0*255", _power(lambda live: live.import_w), _W),
    _register("1-0:2.7.0*255", _power(lambda live: live.export_w), _W),
    _register("1-0:3.7.0*255", _power(lambda live: live.import_var), _VAR),
    _register("1-0:4.7.0*255", _power(lambda live: live.export_var), _VAR),
    _register("1-0:32.7.0*255", _voltage(0), _V, -1),
    _register("1-0:52.7.0*255", _voltage(1), _V, -1),
    _register("1-0:72.7.0*255", _voltage(2), _V, -1),
    _register("1-0:31.7.0*255", _current(0), _A, -2),
    _register("1-0:51.7.0*255", _current(1), _A, -2),
    _register("1-0:71.7.0*255", _current(2), _A, -2),
    _register("1-0:14.7.0*255", _hertz, _HZ, -2),
    _PEAK,
    _DEMAND,
)
