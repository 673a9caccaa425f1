"""A telegram read with a driver: readings of the manufacturer's octets, and records under their true names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.mapping.drivers.driver import Block, Driver, Field, RecordRule, Repeat, Tags
from meterway.mapping.drivers.transforms import TRANSFORMS
from meterway.mapping.drivers.values import Read, from_table, month_shifted, read_field, scaled
from meterway.mapping.mbus import plain_value, utc_of
from meterway.model.reading import Reading
from meterway.stacks.mbus.records.read import Value
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.telegram import Telegram

__all__ = ["driven_readings"]

_MOST: Final = 1024
_DATES: Final = frozenset(("date", "time"))
_NOWHERE: Final = 1 << 30


def driven_readings(
    driver: Driver, telegram: Telegram, generic: Sequence[Reading], *, keys: Sequence[bytes] = (), zone: tzinfo = UTC
) -> tuple[Reading, ...]:
    """What the telegram says with the driver's knowledge; ``generic`` are its readings without.

    Octets that the driver does not know stay octets, with the reason as quality.
    """
    readings = _with_rules(driver, telegram, generic, zone)
    if driver.histories:
        readings = _dated(driver, readings, zone)
    for place, vif, octets in _sources(driver, telegram):
        found = _block_readings(driver, telegram, (place, vif), octets, keys=keys, zone=zone)
        readings = [one for one in readings if place != "record" or one.vif != vif] + found
    return tuple(readings)


# -- records ----------------------------------------------------------------------------------------------------------


def _with_rules(driver: Driver, telegram: Telegram, generic: Sequence[Reading], zone: tzinfo) -> list[Reading]:
    """The generic readings, those of records with a rule under it."""
    readings = list(generic)
    if not driver.records:
        return readings
    records = [record for record in telegram.content.records if record.head.kind != "profile"]
    for place, record in enumerate(records):
        rule = _rule(driver, record)
        if rule is not None:
            readings[place] = _ruled(driver, rule, record, readings[place], zone)
    return readings


def _rule(driver: Driver, record: Record) -> RecordRule | None:
    head = record.head
    for rule in driver.records.get(head.vif, ()):
        wanted = (rule.tariff, rule.subunit, rule.function)
        actual = (head.tariff, head.subunit, head.function)
        stored = not rule.storages or any(first <= head.storage <= last for first, last in rule.storages)
        if stored and all(want is None or want == have for want, have in zip(wanted, actual, strict=True)):
            return rule
    return None


def _ruled(driver: Driver, rule: RecordRule, record: Record, reading: Reading, zone: tzinfo) -> Reading:
    value, quality = _rule_value(driver, rule, record, reading)
    return replace(
        reading,
        name=rule.name or reading.name,
        value=value,
        unit=reading.unit if rule.unit is None else rule.unit,
        tariff=reading.tariff if rule.to_tariff is None else rule.to_tariff,
        quality=quality,
    )


def _rule_value(
    driver: Driver, rule: RecordRule, record: Record, reading: Reading
) -> tuple[int | float | str | None, str]:
    if rule.distrust:
        return None, rule.distrust
    data = record.data[1:] if record.head.size < 0 else record.data
    if int.from_bytes(data, "little") in rule.invalid:
        return None, "the meter has no value"
    if rule.field is not None:
        value, quality = read_field(replace(rule.field, size=max(len(data), 1)), data, {}, driver.tables)
    elif rule.table:
        value, quality = (int.from_bytes(data, "little"), "")
    elif isinstance(record.value, (int, float)):
        return scaled(record.value, rule.scale), reading.quality
    else:
        value, quality = record.value, reading.quality
    if rule.table and isinstance(value, int):
        value, quality = from_table(driver.tables[rule.table], value)
    shown = plain_value(value)
    return shown if isinstance(shown, (int, float, str)) else None, quality


def _dated(driver: Driver, readings: list[Reading], zone: tzinfo) -> list[Reading]:
    """Stored values get the time that is counted from the date of another storage number."""
    dates = {one.storage: one.time for one in reversed(readings) if one.time is not None and one.name in _DATES}
    out = []
    for reading in readings:
        for history in driver.histories:
            base = dates.get(history.base)
            if history.first <= reading.storage <= history.last and reading.time is None and base is not None:
                months = history.months * (reading.storage - history.base)
                reading = replace(reading, time=_shifted(base, months, zone))
                break
        out.append(reading)
    return out


def _shifted(moment: datetime, months: int, zone: tzinfo) -> datetime | None:
    """Months later by the meter's own calendar."""
    local = month_shifted(moment.astimezone(zone).replace(tzinfo=None), months)
    return None if local is None else utc_of(local, zone)


# -- blocks -----------------------------------------------------------------------------------------------------------


def _sources(driver: Driver, telegram: Telegram) -> Iterator[tuple[str, str, bytes]]:
    """The blocks of octets in the telegram that the driver speaks of: place, name of the place, octets."""
    places = {block.place for block in driver.blocks}
    content = telegram.content
    if "payload" in places and telegram.tpl is not None and not content.records:
        yield "payload", f"{telegram.tpl.ci:02X}", telegram.payload
    if "manufacturer data" in places and content.has_manufacturer_data and content.manufacturer_data:
        yield "manufacturer data", "1F" if content.more_follows else "0F", content.manufacturer_data
    if "record" in places:
        vifs = {block.vif for block in driver.blocks}
        for record in content.records:
            if record.head.vif in vifs:
                yield "record", record.head.vif, record.data[1:] if record.head.size < 0 else record.data


def _block_readings(
    driver: Driver,
    telegram: Telegram,
    source: tuple[str, str],
    octets: bytes,
    *,
    keys: Sequence[bytes],
    zone: tzinfo,
) -> list[Reading]:
    place, vif = source
    for block in driver.blocks:
        if block.place != place or (place == "record" and block.vif != vif):
            continue
        plain = octets
        if block.transform:
            try:
                plain = TRANSFORMS[block.transform](octets, telegram, keys)
            except (DecodeError, SecurityError) as error:
                return [_octets(vif, octets, error.message)]
        if block.fits(plain):
            return _Reader(driver, block, vif, zone).read(plain)
    return [_octets(vif, octets, f"driver {driver.name} does not know this layout")]


def _octets(vif: str, octets: bytes, reason: str) -> Reading:
    return Reading(name="manufacturer data", value=octets.hex().upper(), vif=vif, quality=reason)


@dataclass(slots=True)
class _Reader:
    """One block while it is read."""

    driver: Driver
    block: Block
    vif: str
    zone: tzinfo
    seen: dict[str, Value] = field(default_factory=dict)
    out: list[tuple[Field, int, Reading]] = field(default_factory=list)

    def read(self, octets: bytes) -> list[Reading]:
        parts: dict[int | None, bytes] = {None: octets}
        extra: list[Reading] = []
        if self.block.tags is not None:
            tagged, problem = _tagged(self.block.tags, octets)
            parts |= tagged
            if problem:
                extra.append(_octets(self.vif, octets, problem))
        for one in self.block.fields:
            part = parts.get(one.tag)
            if part is not None and all(condition.holds(part) for condition in one.when):
                self._take(one, part)
        return [self._timed(one, step, reading) for one, step, reading in self.out] + extra

    def _take(self, one: Field, octets: bytes) -> None:
        repeat = one.repeat
        if repeat is None:
            self._keep(one, 0, read_field(one, octets, self.seen, self.driver.tables))
            return
        for step in range(repeat.count or _fitting(one, repeat, octets)):
            moved = replace(one, places=tuple(_moved(place, step * repeat.step) for place in one.places))
            self._keep(moved, step, read_field(moved, octets, self.seen, self.driver.tables))

    def _keep(self, one: Field, step: int, read: Read) -> None:
        value, quality = read
        if one.id and not step:
            self.seen[one.id] = value
        repeat = one.repeat
        reading = Reading(
            name=repeat.names[step] if repeat is not None and repeat.names else one.name,
            value=plain_value(value),
            unit=one.unit,
            vif=self.vif,
            storage=one.storage + (step * repeat.storage_step if repeat is not None else 0),
            tariff=one.tariff,
            subunit=one.subunit,
            function=one.function,
            quality=quality,
        )
        self.out.append((one, step, reading))

    def _timed(self, one: Field, step: int, reading: Reading) -> Reading:
        value = self.seen.get(one.time) if one.time else None
        if not isinstance(value, date):
            return reading
        time: datetime | None = utc_of(value, self.zone)
        if time is not None and one.repeat is not None and one.repeat.months:
            time = _shifted(time, step * one.repeat.months, self.zone)
        return replace(reading, time=time)


def _moved(place: int, octets: int) -> int:
    """A place further on; one that would cross the edge of the block is put where no octet is."""
    moved = place + octets
    return moved if (moved < 0) == (place < 0) else _NOWHERE


def _fitting(one: Field, repeat: Repeat, octets: bytes) -> int:
    """How often a field fits from its first place to the end of the block."""
    first = max(one.places)
    start = first if first >= 0 else len(octets) + first
    left = len(octets) - start - one.size if repeat.step > 0 else start
    return 0 if left < 0 else min(left // abs(repeat.step) + 1, _MOST)


def _tagged(tags: Tags, octets: bytes) -> tuple[Mapping[int | None, bytes], str]:
    """The parts of a block by tag, the first of each; and what is wrong with it, if anything is."""
    parts: dict[int | None, bytes] = {}
    place, end = tags.start, len(octets) - tags.end
    while place < end:
        tag = octets[place]
        place += 1
        if tag in tags.stops:
            break
        size = tags.sizes.get(tag)
        if size is None:
            return parts, f"part 0x{tag:02X} is not known; what follows it cannot be read"
        if place + size > end:
            return parts, f"part 0x{tag:02X} is cut off"
        parts.setdefault(tag, octets[place : place + size])
        place += size
    return parts, ""
