"""What is measured, bound to registers by their OBIS codes: energies, tariffs, demand, power, voltage, current."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import Meter
from meterway.meter.load import SLOT_S, Network
from meterway.meter.objects.table import Ask, Behaviour, Live, encoded_octets, moment
from meterway.meter.tariff import TARIFFS
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes.elements import SCALER_UNIT, ScalerUnit
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["PLACES", "Scale", "energy_scale", "register_behaviour"]

_WH, _VARH, _W, _VAR, _V, _A, _HZ = 30, 32, 27, 29, 35, 33, 44

_Value = Callable[[Meter, float], int]


class Scale(NamedTuple):
    """From what the meter counts in to what a register shows: times ``up``, then whole parts of ``down``."""

    up: int = 1
    down: int = 1

    def of(self, value: int) -> int:
        """What the register shows."""
        return value * self.up // self.down


class _Quantity(NamedTuple):
    """What is measured: a whole number of ``unit`` times ten to the ``scaler``, shown in ``octets`` octets."""

    unit: int
    scaler: int
    octets: int
    value: _Value


def _energy(channel: int) -> _Value:
    return lambda meter, now: meter.energy_at(now)[channel]


def _rate(place: int) -> _Value:
    return lambda meter, now: meter.rates_at(now)[place]


def _live(of: Callable[[Network], float], scale: int = 1) -> _Value:
    return lambda meter, now: round(of(meter.network(now)) * scale)


def _voltage(phase: int) -> _Value:
    return _live(lambda live: live.voltages_v[phase], 10)


def _current(phase: int) -> _Value:
    return _live(lambda live: live.currents_a[phase], 100)


def _phase_power(phase: int, sign: int) -> _Value:
    def watts(meter: Meter, now: float) -> int:
        live = meter.network(now)
        return round(max(sign * live.phase_w(phase), 0.0))

    return watts


def _register(c: int, d: int, e: int = 0) -> Obis:
    return Obis(1, 0, c, d, e)


PLACES: Final[dict[Obis, int]] = {
    **{_register(channel + 1, 8): channel for channel in range(4)},
    **{_register(1, 8, rate + 1): 4 + rate for rate in range(TARIFFS)},
    **{_register(2, 8, rate + 1): 4 + TARIFFS + rate for rate in range(TARIFFS)},
}
"""The energy registers that rows of profiles hold, by their place in ``Rows.values``."""

_QUANTITIES: Final[dict[Obis, _Quantity]] = {
    **{
        _register(channel + 1, 8): _Quantity((_WH, _VARH)[channel // 2], 0, 4, _energy(channel)) for channel in range(4)
    },
    **{_register(1, 8, rate + 1): _Quantity(_WH, 0, 4, _rate(rate)) for rate in range(TARIFFS)},
    **{_register(2, 8, rate + 1): _Quantity(_WH, 0, 4, _rate(TARIFFS + rate)) for rate in range(TARIFFS)},
    _register(1, 7): _Quantity(_W, 0, 4, _live(lambda live: live.import_w)),
    _register(2, 7): _Quantity(_W, 0, 4, _live(lambda live: live.export_w)),
    _register(3, 7): _Quantity(_VAR, 0, 4, _live(lambda live: live.import_var)),
    _register(4, 7): _Quantity(_VAR, 0, 4, _live(lambda live: live.export_var)),
    _register(14, 7): _Quantity(_HZ, -2, 2, _live(lambda live: live.frequency_hz, 100)),
    **{_register(c, 7): _Quantity(_V, -1, 2, _voltage(phase)) for phase, c in enumerate((32, 52, 72))},
    **{_register(c, 7): _Quantity(_A, -2, 2, _current(phase)) for phase, c in enumerate((31, 51, 71))},
    **{_register(c, 7): _Quantity(_W, 0, 4, _phase_power(phase, 1)) for phase, c in enumerate((21, 41, 61))},
    **{_register(c, 7): _Quantity(_W, 0, 4, _phase_power(phase, -1)) for phase, c in enumerate((22, 42, 62))},
}
_MAX_DEMAND: Final = _register(1, 6)
_DEMAND: Final = _register(1, 4)


def _scale(item: ProfileObject, unit: int, scaler: int, attribute: int) -> Scale:
    """How the profile wants a quantity shown; ConfigError if it asks for another unit."""
    wanted = item.static.get(attribute)
    if not isinstance(wanted, ScalerUnit):
        return Scale()
    if wanted.unit != unit:
        raise ConfigError(f"{item.obis} ({item.name}) is measured in {symbol_of(unit)}, not in {wanted.symbol}")
    steps = scaler - wanted.scaler
    return Scale(up=10**steps) if steps >= 0 else Scale(down=10**-steps)


def energy_scale(item: ProfileObject) -> Scale:
    """How a profile's column shows one of the registers in ``PLACES``."""
    quantity = _QUANTITIES[item.obis]
    return _scale(item, quantity.unit, quantity.scaler, 3)


def _unit(scaler: int, unit: int) -> Data:
    return SCALER_UNIT.untyped(ScalerUnit(scaler=scaler, unit=unit))


def register_behaviour(item: ProfileObject) -> Behaviour:
    """What the meter does for a register, an extended register or a demand register."""
    if item.class_id == 4 and item.obis == _MAX_DEMAND:
        return _max_demand(item)
    if item.class_id == 5 and item.obis == _DEMAND:
        return _running_demand(item)
    quantity = _QUANTITIES.get(item.obis) if item.class_id == 3 else None
    if quantity is None:
        return Behaviour()
    read = _reader(quantity, _scale(item, quantity.unit, quantity.scaler, 3))
    return Behaviour(live={2: Live(read)}, factory={3: _unit(quantity.scaler, quantity.unit)})


def _reader(quantity: _Quantity, scale: Scale) -> Callable[[Ask], bytes]:
    tag = bytes((Tag.DOUBLE_LONG_UNSIGNED if quantity.octets == 4 else Tag.LONG_UNSIGNED,))
    octets, value = quantity.octets, quantity.value
    mask = (1 << 8 * octets) - 1
    return lambda ask: tag + (scale.of(value(ask.meter, ask.now)) & mask).to_bytes(octets, "big")


def _watts(scale: Scale, of: Callable[[Ask], int]) -> Live:
    return Live(lambda ask: b"\x06" + (scale.of(of(ask)) & 0xFFFFFFFF).to_bytes(4, "big"))


def _stamp(of: Callable[[Ask], float]) -> Live:
    return Live(lambda ask: encoded_octets(moment(ask.meter, of(ask))))


# -- demand ------------------------------------------------------------------------------------------------


def _peak(ask: Ask) -> tuple[int, int]:
    meter = ask.meter
    return meter.demand_max(max(meter.zone.month_start(ask.now), meter.demand_reset_s), ask.now)


def _reset_peak(meter: Meter, parameter: Data, now: float) -> ActionResult:
    meter.reset_demand(now)
    return ActionResult.SUCCESS


def _max_demand(item: ProfileObject) -> Behaviour:
    scale = _scale(item, _W, 0, 3)
    return Behaviour(
        live={2: _watts(scale, lambda ask: _peak(ask)[0]), 5: _stamp(lambda ask: _peak(ask)[1])},
        methods={1: _reset_peak},
        factory={3: _unit(0, _W), 4: axdr.null()},
    )


def _slot(ask: Ask) -> float:
    return ask.now // SLOT_S * SLOT_S


def _running(ask: Ask) -> int:
    """The average over the whole period, of what has flowed since it began."""
    return (ask.meter.energy_at(ask.now)[0] - ask.meter.energy_at(_slot(ask))[0]) * 4


def _last(ask: Ask) -> int:
    end = _slot(ask)
    return (ask.meter.energy_at(end)[0] - ask.meter.energy_at(end - SLOT_S)[0]) * 4


def _not_now(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """The demand period follows the clock alone."""
    return ActionResult.OTHER_REASON


def _running_demand(item: ProfileObject) -> Behaviour:
    if item.static.get(8, SLOT_S) != SLOT_S or item.static.get(9, 1) != 1:
        raise ConfigError(f"{item.obis} ({item.name}): demand is averaged over one period of {SLOT_S} s")
    scale = _scale(item, _W, 0, 4)
    return Behaviour(
        live={2: _watts(scale, _running), 3: _watts(scale, _last), 6: _stamp(_slot), 7: _stamp(_slot)},
        methods={1: _not_now, 2: _not_now},
        factory={4: _unit(0, _W), 5: axdr.null(), 8: axdr.u32(SLOT_S), 9: axdr.u16(1)},
    )
