"""What the floors above and the pages may ask of a head end; plain values, no rows, no octets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.headend.live import Happening
from meterway.headend.serve import HeadEnd
from meterway.mapping.obis import describe
from meterway.mapping.profile import load_profile
from meterway.store.contacts import StoredContact
from meterway.store.devices import Device
from meterway.store.events import StoredEvent

__all__ = ["Curve", "EventRow", "InterfaceTraffic", "MeterPage", "MeterRow", "Overview", "Register", "Views"]

_DAY_S: Final = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event with its meaning."""

    serial: str
    time: str
    log: str
    code: int
    title: str
    severity: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceTraffic:
    """What went over one interface of the reference figure since the start."""

    label: str
    between: str
    entities: int
    sessions: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page: how things stand now."""

    meters: int
    states: dict[str, int]
    completeness: float
    """Share of today's values that should be there by now and are, 0 to 1."""
    days: list[tuple[str, float]]
    """The last days with their completeness."""
    values: int
    failures: dict[str, int]
    p50_ms: float
    p95_ms: float
    traffic: list[InterfaceTraffic]
    events: list[EventRow]
    happenings: list[Happening]
    running_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    """One line of the list of meters."""

    serial: str
    profile: str
    transport: str
    address: str
    state: str
    seen: str
    firmware: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The last value of one register, scaled."""

    obis: str
    name: str
    title: str
    value: str
    unit: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPage:
    """All that is known of one meter."""

    row: MeterRow
    system_title: str
    identity: dict[str, str]
    registers: list[Register]
    events: list[EventRow]
    contacts: list[StoredContact]
    has_keys: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A load curve: Unix seconds and, for each channel, energy of the interval (None where it is missing)."""

    times_s: list[int]
    period_s: int
    channels: list[tuple[str, str, list[float | None]]]
    """(name, unit, values)"""


class Views:
    """Questions to a head end; they block on the store, so a server calls them in a thread."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._hes = head_end
        self._store = head_end.store

    # -- overview -----------------------------------------------------------------------------------------------------

    def overview(self) -> Overview:
        """How things stand now."""
        progress = self._hes.collector.progress
        durations = sorted(progress.durations_s)
        return Overview(
            meters=self._store.devices.count(),
            states=self._store.devices.states(),
            completeness=self._today(),
            days=self._days(14),
            values=progress.values,
            failures={cause: count for cause, count in progress.causes.items() if cause != "ok"},
            p50_ms=_percentile(durations, 0.50) * 1000,
            p95_ms=_percentile(durations, 0.95) * 1000,
            traffic=self.traffic(),
            events=self.events(limit=20),
            happenings=list(self._hes.live.recent)[-30:],
            running_s=time.time() - self._hes.started_s,
        )

    def traffic(self) -> list[InterfaceTraffic]:
        """What went over each interface this head end is an end of."""
        caller = self._hes.caller
        return [
            InterfaceTraffic(
                label="I",
                between="meter – head end",
                entities=self._store.devices.count(),
                sessions=caller.sessions + self._hes.push.count,
                octets=caller.octets + self._hes.push.octets,
            )
        ]

    def _today(self) -> float:
        now = time.time()
        day = int(now // _DAY_S)
        counts = self._store.blocks.completeness(day, day + 1)
        devices = self._store.devices.count()
        if not counts or not devices:
            return 0.0
        row = counts[0]
        elapsed = (now % _DAY_S) / _DAY_S
        per_device = row.expected / row.devices if row.devices else 0
        due = max(1.0, per_device * elapsed * devices)
        return min(1.0, row.present / due)

    def _days(self, many: int) -> list[tuple[str, float]]:
        today = int(time.time() // _DAY_S)
        devices = self._store.devices.count()
        rows = []
        for row in self._store.blocks.completeness(today - many, today):
            expected = row.expected / row.devices * devices if row.devices else 0
            rows.append((_day_text(row.day), row.present / expected if expected else 0.0))
        return rows

    # -- meters -------------------------------------------------------------------------------------------------------

    def meters(
        self, text: str = "", *, state: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[list[MeterRow], int]:
        """Meters whose serial matches, and how many there are in all."""
        found = self._store.devices.search(text, state=state, limit=limit, offset=offset)
        return [_row(device) for device in found], self._store.devices.count(text, state=state)

    def meter(self, serial: str) -> MeterPage:
        """All that is known of one meter; StoreError if there is none of that serial."""
        device = self._store.devices.by_serial(serial)
        entry = self._hes.fleet.by_serial(serial)
        return MeterPage(
            row=_row(device),
            system_title=device.system_title.hex().upper() if device.system_title else "",
            identity=dict(entry.layout.identity) if entry.layout is not None else {},
            registers=self.registers(device.id),
            events=self.events(device=device, limit=50),
            contacts=self._store.contacts.of_device(device.id, limit=10),
            has_keys=entry.has_keys,
        )

    def registers(self, device: int) -> list[Register]:
        """The last value of every register of a device."""
        rows = []
        for reading in self._store.readings.latest(device):
            name = describe(reading.obis)
            value = reading.value * 10.0**reading.scaler if reading.scaler else reading.value
            rows.append(
                Register(
                    obis=reading.obis.short,
                    name=name.name,
                    title=name.title,
                    value=f"{value:g}" if isinstance(value, float) else str(value),
                    unit=symbol_of(reading.unit),
                    time=_text(reading.time_ms),
                )
            )
        return rows

    def curve(self, serial: str, from_day: date, to_day: date) -> Curve:
        """The load curve of one meter between two days (UTC, ``to_day`` exclusive): energy of each interval."""
        device = self._store.devices.by_serial(serial)
        first, last = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (from_day, to_day))
        blocks = [stored.block for stored in self._store.blocks.read_range(device.id, first, last)]
        if not blocks:
            return Curve(times_s=[], period_s=0, channels=[])
        times = [int(t) for block in blocks for t in block.times_s]
        channels = []
        for index, channel in enumerate(blocks[0].channels):
            column = channel.column
            values: list[float | None] = []
            for block in blocks:
                values += _cells(block.channels[index].values, block.channels[index].present)
            scale = 10.0**column.scaler
            channels.append((describe(column.obis).name, symbol_of(column.unit), _differences(values, scale)))
        return Curve(times_s=times, period_s=blocks[0].interval_s, channels=channels)

    # -- events -------------------------------------------------------------------------------------------------------

    def events(self, *, device: Device | None = None, limit: int = 50) -> list[EventRow]:
        """The last events, of one device or of all, the newest first."""
        if device is not None:
            found = self._store.events.of_device(device.id, limit=limit)
            return [_event(device, event) for event in found]
        found = self._store.events.recent(limit=limit)
        return [_event(self._hes.fleet.of(event.device).device, event) for event in found]


def _cells(values: object, present: object) -> list[float | None]:
    return [int(v) if p else None for v, p in zip(values, present, strict=True)]  # type: ignore[call-overload]


def _differences(values: list[float | None], scale: float) -> list[float | None]:
    """Energy of each interval from the register at its end; None where either end is missing."""
    result: list[float | None] = [None]
    for before, after in zip(values, values[1:], strict=False):
        result.append(None if before is None or after is None else (after - before) * scale)
    return result


def _percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _day_text(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _text(time_ms: int | None) -> str:
    if time_ms is None:
        return ""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(device: Device) -> MeterRow:
    return MeterRow(
        serial=device.serial,
        profile=device.profile,
        transport=device.transport,
        address=f"{device.host}:{device.port}",
        state=device.state,
        seen=_text(device.seen_ms),
        firmware=device.firmware,
    )


def _event(device: Device, event: StoredEvent) -> EventRow:
    title, severity = _meaning(device, event)
    return EventRow(
        serial=device.serial,
        time=_text(event.time_ms),
        log=event.log,
        code=event.code,
        title=title,
        severity=severity,
        source=event.source,
    )


def _meaning(device: Device, event: StoredEvent) -> tuple[str, str]:
    if event.log == "push":
        return event.detail or "push", "warning"
    obis = Obis.parse(event.log)
    profile = load_profile(device.profile or "idis")
    found = profile.objects.get(obis)
    code = profile.event(found.log if found is not None else "", event.code)
    return code.title, code.severity
