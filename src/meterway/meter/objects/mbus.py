"""The gas meter behind an M-Bus channel, as the electricity meter shows it."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import Meter
from meterway.meter.gas import HOUR_S, gas_litres_at
from meterway.meter.load import noise
from meterway.meter.objects.table import Ask, Behaviour, Live, encoded_octets, moment, u32
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.elements import SCALER_UNIT, ScalerUnit

__all__ = ["channel_of_status", "channel_of_value", "mbus_client_behaviour", "mbus_value_behaviour", "status_behaviour"]

_M3, _SCALER = 13, -3
_GAS: Final = 3
_CHANNELS: Final = range(1, 5)
_DAY_KEY: Final = 0x6A5


def channel_of_value(obis: Obis) -> int | None:
    """The channel whose measured value an object holds, or None."""
    return obis.b if obis.b in _CHANNELS and obis == Obis(0, obis.b, 24, 2, 1) else None


def channel_of_status(obis: Obis) -> int | None:
    """The channel whose profile status an object holds, or None."""
    return obis.b if obis.b in _CHANNELS and obis == Obis(0, obis.b, 96, 10, 3) else None


def status_behaviour() -> Behaviour:
    """The status of a gas meter's rows: nothing is ever wrong with them."""
    return Behaviour(factory={2: axdr.u8(0)})


def mbus_value_behaviour(item: ProfileObject, channel: int) -> Behaviour:
    """The volume the gas meter told last, and when."""
    wanted = item.static.get(3)
    if wanted is not None and wanted != ScalerUnit(scaler=_SCALER, unit=_M3):
        raise ConfigError(f"{item.obis} ({item.name}): a gas meter tells thousandths of m³")

    def value(ask: Ask) -> bytes:
        return u32(gas_litres_at(ask.meter.load, channel, ask.now))

    def told(ask: Ask) -> bytes:
        return encoded_octets(moment(ask.meter, ask.now // HOUR_S * HOUR_S))

    return Behaviour(
        live={2: Live(value), 5: Live(told)},
        factory={3: SCALER_UNIT.untyped(ScalerUnit(scaler=_SCALER, unit=_M3)), 4: axdr.u8(0)},
    )


def _identification(meter: Meter, channel: int) -> int:
    """Eight digits, as an M-Bus meter writes them: one in each half octet."""
    return int(f"{noise(meter.load.seed, _DAY_KEY + channel) % 10**8:08d}", 16)


def mbus_client_behaviour(item: ProfileObject) -> Behaviour:
    """The channel itself: who the gas meter is."""
    channel = item.obis.b
    if channel not in _CHANNELS or item.obis != Obis(0, channel, 24, 1, 0):
        return Behaviour()
    maker = ord("M") - 64 << 10 | ord("W") - 64 << 5 | ord("Y") - 64
    return Behaviour(
        live={6: Live(lambda ask: u32(_identification(ask.meter, channel)))},
        factory={
            2: axdr.octets(Obis(0, 0, 24, 6, 0).encode()),
            3: axdr.array(),
            4: axdr.u32(HOUR_S),
            5: axdr.u8(channel),
            7: axdr.u16(maker),
            8: axdr.u8(1),
            9: axdr.u8(_GAS),
            10: axdr.u8(0),
            11: axdr.u8(0),
            12: axdr.u8(0),
            13: axdr.u16(0),
            14: axdr.enum(0),
        },
    )
