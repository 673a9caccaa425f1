"""What the floors above and the pages may ask of a head end; plain values, no rows, no octets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

import msgspec

from meterway.base.errors import ConfigError, StoreError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.headend.chain import Step, chain_of
from meterway.headend.coupling import LOG as TOPOLOGY_LOG
from meterway.headend.coupling import MOVED
from meterway.headend.curve import Curve, CurveChannel, curve_of
from meterway.headend.layout import DeviceLayout
from meterway.headend.route import is_concentrator
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.mapping.obis import describe
from meterway.mapping.profile import load_profile
from meterway.store.audit import Entry as AuditEntry
from meterway.store.contacts import StoredContact
from meterway.store.devices import Device
from meterway.store.events import StoredEvent

__all__ = [
    "AuditRow",
    "ContactRow",
    "Curve",
    "CurveChannel",
    "DayCompleteness",
    "EventRow",
    "Gap",
    "HappeningRow",
    "InterfaceTraffic",
    "MeterPage",
    "MeterRow",
    "Overview",
    "Register",
    "UnknownMeterError",
    "Views",
]

T = TypeVar("T")
_DAY_S: Final = 86400
_EPOCH: Final = date(1970, 1, 1)
_PERIOD_S: Final = 900
_KEEP_S: Final = 10.0
_PUSH_LOG: Final = "push"
_OURS: Final = {"I": "meter – head end", "G1": "LNAP – head end", "G2": "NNAP – head end"}


class UnknownMeterError(StoreError):
    """The registry has no meter of that serial."""


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
class DayCompleteness:
    """How full one UTC day is, 0 to 1."""

    day: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HappeningRow:
    """One thing that happened: its kind in a word, the meter if it was one, what came of it."""

    kind: str
    serial: str
    text: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page: how things stand now."""

    meters: int
    states: dict[str, int]
    completeness: float
    """Share of today's values that should be there by now and are, 0 to 1."""
    days: list[DayCompleteness]
    """The last days with their completeness."""
    values: int
    failures: dict[str, int]
    p50_ms: float
    p95_ms: float
    traffic: list[InterfaceTraffic]
    events: list[EventRow]
    happenings: list[HappeningRow]
    happened: int
    """The number of the last happening."""
    running_s: float
    store_error: str = ""
    """What the store last refused; empty while it takes everything."""


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
    utility: str
    parent: str
    """The serial of the gateway it is behind; empty if it is reached by itself."""


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
class ContactRow:
    """One call of a device: ``result`` is ``ok`` or the cause it failed by."""

    time: str
    kind: str
    result: str
    error: str
    duration_ms: float
    values: int
    octets: int
    quirks: list[str]
    clock_offset_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what to which meter, with what result."""

    number: int
    time: str
    actor: str
    action: str
    serial: str
    result: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A slice of a load profile that is missing: from its first missing interval's end to the first that is there."""

    from_time: str
    to_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPage:
    """All that is known of one meter."""

    row: MeterRow
    system_title: str
    identity: dict[str, str]
    registers: list[Register]
    events: list[EventRow]
    contacts: list[ContactRow]
    commands: list[AuditRow]
    next_contact: str
    has_keys: bool
    behind: list[MeterRow]
    """The meters behind it, if it is a gateway."""
    chain: list[Step]
    """What it is behind, from the outermost gateway to itself; empty if it is behind nothing."""


class Views:
    """Questions to a head end; they block on the store, so a server calls them in a thread."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._hes = head_end
        self._store = head_end.store
        self._kept: dict[str, tuple[float, object]] = {}

    # -- overview -----------------------------------------------------------------------------------------------------

    def overview(self) -> Overview:
        """How things stand now; completeness is at most ten seconds old."""
        progress = self._hes.collector.progress
        durations = sorted(progress.durations_s)
        causes = dict(progress.causes)
        return Overview(
            meters=self._store.devices.count(),
            states=self._store.devices.states(),
            completeness=self._keep("today", self._today),
            days=self._keep("days", lambda: self.completeness(14)),
            values=progress.values,
            failures={cause: count for cause, count in causes.items() if cause != "ok"},
            p50_ms=_percentile(durations, 0.50) * 1000,
            p95_ms=_percentile(durations, 0.95) * 1000,
            traffic=self.traffic(),
            events=self.events(limit=12),
            happened=self._hes.live.total,
            happenings=self._happenings(),
            running_s=time.time() - self._hes.started_s,
            store_error=progress.store_error,
        )

    def _happenings(self) -> list[HappeningRow]:
        return [
            HappeningRow(kind=one.kind, serial=one.serial, text=one.text, time=_text(int(one.time_s * 1000)))
            for one in list(self._hes.live.recent)[-30:]
        ]

    def traffic(self) -> list[InterfaceTraffic]:
        """What went over each interface that somebody here is an end of."""
        rows = []
        for label, between in _OURS.items():
            entities = self._keep(f"entities:{label}", partial(self._entities, label))
            pushed = self._hes.push if label == "I" else None
            row = InterfaceTraffic(
                label=label,
                between=between,
                entities=entities,
                sessions=self._hes.caller.sessions[label] + (pushed.count if pushed else 0),
                octets=self._hes.caller.octets[label] + (pushed.octets if pushed else 0),
            )
            if label == "I" or entities:
                rows.append(row)
        return [*rows, *(row for source in self._hes.extra_traffic for row in source())]

    def _entities(self, label: str) -> int:
        """How many devices are at the far end of one of our own interfaces."""
        devices = self._store.devices
        if label == "I":
            return devices.alone()
        gateways = devices.gateways()
        behind = {each.id for each in gateways}  # one that lives in a meter is reached by itself all the same
        first = [each for each in gateways if each.parent not in behind]
        return sum(1 for each in first if is_concentrator(each.profile) == (label == "G2"))

    def completeness(self, days: int) -> list[DayCompleteness]:
        """How full each of the last whole days is, over the meters reached by themselves; empty days are left out."""
        today = int(time.time() // _DAY_S)
        devices = self._store.devices.direct()
        rows = []
        for row in self._store.blocks.completeness(today - days, today):
            expected = row.expected / row.devices * devices if row.devices else 0
            share = min(1.0, row.present / expected) if expected else 0.0
            rows.append(DayCompleteness(day=_day_text(row.day), share=round(share, 6)))
        return rows

    def _today(self) -> float:
        """Due are the intervals that ended a collection period ago: younger ones may still be on their way."""
        now = time.time()
        day = int(now // _DAY_S)
        counts = self._store.blocks.completeness(day, day + 1)
        devices = self._store.devices.direct()
        if not devices:
            return 0.0
        ended = int((now % _DAY_S - self._hes.config.collect.every_s) // _PERIOD_S) + 1
        if ended <= 0:
            return 1.0
        if not counts or not counts[0].devices:
            return 0.0
        due = counts[0].expected / counts[0].devices * devices * ended * _PERIOD_S / _DAY_S
        return min(1.0, counts[0].present / due)

    def _keep(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gave, up to ten seconds ago."""
        now = time.monotonic()
        until, value = self._kept.get(name, (0.0, None))
        if now >= until:
            value = make()
            self._kept[name] = (now + _KEEP_S, value)
        return value  # type: ignore[return-value]  # one name, one make

    def states(self) -> dict[str, int]:
        """How many meters are in each state."""
        return self._store.devices.states()

    # -- meters -------------------------------------------------------------------------------------------------------

    def meters(
        self, text: str = "", *, state: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[list[MeterRow], int]:
        """Meters whose serial or address matches, and how many there are in all."""
        found = self._store.devices.search(text, state=state, limit=limit, offset=offset)
        parents = self._devices(device.parent for device in found if device.parent is not None)
        return [_row(device, parents.get(device.parent or 0)) for device in found], self._store.devices.count(
            text, state=state
        )

    def device(self, serial: str) -> Device:
        """The registry's row of a meter; UnknownMeterError if there is none."""
        try:
            return self._store.devices.by_serial(serial)
        except StoreError as error:
            if error.__cause__ is not None:
                raise
            raise UnknownMeterError(f"there is no meter {serial!r}") from None

    def meter(self, serial: str) -> MeterPage:
        """All that is known of one meter; UnknownMeterError if there is none."""
        device = self.device(serial)
        parent = self._store.devices.get(device.parent) if device.parent is not None else None
        return MeterPage(
            row=_row(device, parent),
            behind=[_row(child, device) for child in self._store.devices.children(device.id)],
            chain=chain_of(self._store, device),
            system_title=device.system_title.hex().upper() if device.system_title else "",
            identity=self._identity(device),
            registers=self.registers(device.id),
            events=self.events(device=device, limit=30),
            contacts=[_contact(contact) for contact in self._store.contacts.of_device(device.id, limit=10)],
            commands=self._audit_rows(self._store.audit.of_device(device.id, limit=10)),
            next_contact=self._next_contact(device),
            has_keys=device.keys is not None,
        )

    def _identity(self, device: Device) -> dict[str, str]:
        kept = self._store.settings.get(f"layout:{device.id}")
        try:
            identity = DeviceLayout.decode(kept).identity if kept else {}
        except ConfigError:
            return {}
        return {_title(code): text for code, text in identity.items()}

    def _next_contact(self, device: Device) -> str:
        tasks = self._store.tasks.of_device(device.id, limit=10)
        return _text(min((task.due_ms for task in tasks if task.state == "due"), default=None))

    def registers(self, device: int) -> list[Register]:
        """The last value of every register of a device."""
        rows = []
        for reading in self._store.readings.latest(device):
            name = describe(reading.obis)
            rows.append(
                Register(
                    obis=reading.obis.short,
                    name=name.name,
                    title=name.title,
                    value=f"{Decimal(reading.value).scaleb(reading.scaler):f}",
                    unit=symbol_of(reading.unit),
                    time=_text(reading.time_ms),
                )
            )
        return rows

    def curve(self, serial: str, from_day: date, to_day: date) -> Curve:
        """The load curve of one meter between two days (UTC, ``to_day`` exclusive): what each interval brought."""
        device = self.device(serial)
        first, last = _day(from_day), _day(to_day)
        blocks = [stored.block for stored in self._store.blocks.read_range(device.id, first, last + 1)]
        return curve_of(blocks, first * _DAY_S, last * _DAY_S)

    def gaps(self, serial: str, from_day: date, to_day: date) -> list[Gap]:
        """What is missing of a meter's load profile between two days, up to now."""
        device = self.device(serial)
        first, last = _day(from_day), _day(to_day)
        newest = self._store.blocks.read_range(device.id, first, last)[-1:]
        period = newest[0].block.interval_s if newest else _PERIOD_S
        end = min(last * _DAY_S, int(time.time()) // period * period + period)
        found = self._store.blocks.gaps(device.id, first * _DAY_S, end, interval_s=period)
        return [Gap(from_time=_text(start * 1000), to_time=_text(stop * 1000)) for start, stop in found]

    # -- events and audit ---------------------------------------------------------------------------------------------

    def events(self, *, device: Device | None = None, limit: int = 50) -> list[EventRow]:
        """The last events, of one device or of all, the newest first."""
        if device is not None:
            return [_event(device, event) for event in self._store.events.of_device(device.id, limit=limit)]
        found = self._store.events.recent(limit=limit)
        devices = self._devices(event.device for event in found)
        return [_event(devices[event.device], event) for event in found]

    def audit(self, *, device: Device | None = None, limit: int = 50) -> list[AuditRow]:
        """The last commands, about one device or all, the newest first."""
        log = self._store.audit
        return self._audit_rows(log.recent(limit=limit) if device is None else log.of_device(device.id, limit=limit))

    def audit_verified(self) -> int:
        """How many rows the audit log has, all of them unaltered; StoreError names the first that is not."""
        return self._store.audit.verify()

    def _audit_rows(self, entries: Iterable[AuditEntry]) -> list[AuditRow]:
        entries = list(entries)
        devices = self._devices(entry.device for entry in entries if entry.device is not None)
        return [
            AuditRow(
                number=entry.id,
                time=_text(entry.time_ms),
                actor=entry.actor,
                action=entry.action,
                serial=devices[entry.device].serial if entry.device is not None else "",
                result=entry.result,
                detail=entry.detail,
            )
            for entry in entries
        ]

    def _devices(self, ids: Iterable[int]) -> dict[int, Device]:
        return {number: self._store.devices.get(number) for number in set(ids)}


def _percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH.toordinal()


def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _text(time_ms: int | None) -> str:
    if time_ms is None:
        return ""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def _title(code: str) -> str:
    try:
        return describe(Obis.parse(code)).title
    except ConfigError:
        return code


def _row(device: Device, parent: Device | None) -> MeterRow:
    return MeterRow(
        serial=device.serial,
        profile=device.profile,
        transport=device.transport,
        address=f"{device.host}:{device.port}",
        state=device.state,
        seen=_text(device.seen_ms),
        firmware=device.firmware,
        utility=device.utility,
        parent=parent.serial if parent is not None else "",
    )


class _Detail(msgspec.Struct):
    """What the collector notes with a contact."""

    quirks: list[str] = []
    clock_offset_s: float | None = None


def _contact(contact: StoredContact) -> ContactRow:
    try:
        detail = msgspec.json.decode(contact.detail, type=_Detail)
    except msgspec.MsgspecError:
        detail = _Detail()
    return ContactRow(
        time=_text(contact.started_ms),
        kind=contact.kind,
        result=contact.result,
        error=contact.error,
        duration_ms=contact.duration_us / 1000,
        values=contact.values_read,
        octets=contact.octets_in + contact.octets_out,
        quirks=detail.quirks,
        clock_offset_s=detail.clock_offset_s,
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
    if event.log == _PUSH_LOG:
        return event.detail or "push", "warning"
    if event.log == TOPOLOGY_LOG:
        return event.detail, "warning" if event.code == MOVED else "info"
    try:
        profile = load_profile(device.profile or "idis")
        found = profile.objects.get(Obis.parse(event.log))
    except ConfigError:
        return f"Event {event.code}", "warning"
    code = profile.event(found.log if found is not None else "", event.code)
    return code.title, code.severity
