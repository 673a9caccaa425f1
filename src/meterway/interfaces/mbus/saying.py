"""What a telegram says: readings in words, values as registers; with the meter's driver if it has one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from meterway.interfaces.mbus.meters import Bound
from meterway.mapping.drivers.registry import Drivers
from meterway.mapping.mbus import readings
from meterway.mapping.mbus_cosem import Measured, is_converting, measured, measured_reading
from meterway.model.reading import Reading
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.telegram import Telegram

__all__ = ["told_by"]


def told_by(
    telegram: Telegram, meter: Bound, drivers: Drivers, zone: tzinfo
) -> tuple[Sequence[Reading], list[Measured]]:
    """Readings and registers; the meter's valve, kind and conversion are noted."""
    address, records = telegram.device, telegram.records
    meter.valve = next((_position(record) for record in records if _is_valve(record)), meter.valve)
    if address is not None and telegram.tpl is not None and drivers.find(address, telegram.tpl.ci) is not None:
        said = drivers.decoded(telegram, keys=meter.keys, zone=zone)
        kind = said.device.get("type")
        meter.kind = kind if isinstance(kind, int) else None
        driven = (measured_reading(one, meter.device_type, converts=meter.converts) for one in said.readings)
        return said.readings, _first_of_each(driven)
    if not records:
        return (), []
    meter.converts = meter.converts or is_converting(records, meter.device_type)
    found = (measured(record, meter.device_type, converts=meter.converts) for record in records)
    return readings(telegram, zone=zone), [one for one in found if one is not None]


def _first_of_each(found: Iterable[Measured | None]) -> list[Measured]:
    """One value of each register: a driver may know the same twice, from a record and from a block."""
    return list({one.obis: one for one in reversed([one for one in found if one is not None])}.values())[::-1]


def _is_valve(record: Record) -> bool:
    return record.head.vif in ("FD1A", "FD1F") and not record.head.storage and isinstance(record.value, int)


def _position(record: Record) -> int:
    return int(record.value) if isinstance(record.value, int) else 0
