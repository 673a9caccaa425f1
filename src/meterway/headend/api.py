"""What the floors above and the pages may ask of a head end; plain values, no rows, no octets."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from meterway.base.errors import ConfigError, StoreError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.headend.chain import Step, chain_of
from meterway.headend.curve import Curve, CurveChannel, curve_of
from meterway.headend.layout import DeviceLayout
from meterway.headend.load_state import LoadState, kept_load
from meterway.headend.overview import DayCompleteness, Overview, Standing
from meterway.headend.rows import (
    AuditRow,
    ContactRow,
    EventRow,
    Gap,
    HappeningRow,
    MeterRow,
    Register,
    contact_row,
    event_row,
    meter_row,
    time_text,
)
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.mapping.obis import describe
from meterway.store.audit import Entry as AuditEntry
from meterway.store.devices import Device

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

_DAY_S: Final = 86400
_EPOCH: Final = date(1970, 1, 1)
_PERIOD_S: Final = 900


class UnknownMeterError(StoreError):
    """The registry has no meter of that serial."""


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
    load: LoadState | None = None
    """Of a load controller, how it stood when it was last called."""


class Views:
    """Questions to a head end; they block on the store, so a server calls them in a thread."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._hes = head_end
        self._store = head_end.store
        self._standing = Standing(head_end)

    # -- overview -----------------------------------------------------------------------------------------------------

    def overview(self) -> Overview:
        """How things stand now; completeness is at most ten seconds old."""
        return self._standing.overview(self.events(limit=12))

    def traffic(self) -> list[InterfaceTraffic]:
        """What went over each interface that somebody here is an end of."""
        return self._standing.traffic()

    def completeness(self, days: int) -> list[DayCompleteness]:
        """How full each of the last whole days is, over the meters reached by themselves; empty days are left out."""
        return self._standing.completeness(days)

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
        return [meter_row(device, parents.get(device.parent or 0)) for device in found], self._store.devices.count(
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
            row=meter_row(device, parent),
            behind=[meter_row(child, device) for child in self._store.devices.children(device.id)],
            chain=chain_of(self._store, device),
            system_title=device.system_title.hex().upper() if device.system_title else "",
            identity=self._identity(device),
            registers=self.registers(device.id),
            events=self.events(device=device, limit=30),
            contacts=[contact_row(contact) for contact in self._store.contacts.of_device(device.id, limit=10)],
            commands=self._audit_rows(self._store.audit.of_device(device.id, limit=10)),
            next_contact=self._next_contact(device),
            has_keys=device.keys is not None,
            load=kept_load(self._store, device.id),
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
        return time_text(min((task.due_ms for task in tasks if task.state == "due"), default=None))

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
                    time=time_text(reading.time_ms),
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
        return [Gap(from_time=time_text(start * 1000), to_time=time_text(stop * 1000)) for start, stop in found]

    # -- events and audit ---------------------------------------------------------------------------------------------

    def events(self, *, device: Device | None = None, limit: int = 50) -> list[EventRow]:
        """The last events, of one device or of all, the newest first."""
        if device is not None:
            return [event_row(device, event) for event in self._store.events.of_device(device.id, limit=limit)]
        found = self._store.events.recent(limit=limit)
        devices = self._devices(event.device for event in found)
        return [event_row(devices[event.device], event) for event in found]

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
                time=time_text(entry.time_ms),
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


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH.toordinal()


def _title(code: str) -> str:
    try:
        return describe(Obis.parse(code)).title
    except ConfigError:
        return code
