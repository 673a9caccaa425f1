"""The lines that pages and programs are shown: plain values made of the rows of the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.coupling import CLAIMED, MOVED
from meterway.headend.coupling import LOG as TOPOLOGY_LOG
from meterway.mapping.profile import load_profile
from meterway.store.contacts import StoredContact
from meterway.store.devices import Device
from meterway.store.events import StoredEvent

__all__ = [
    "AuditRow", "ContactRow", "EventRow", "Gap", "HappeningRow", "MeterRow", "Register",
    "contact_row", "event_row", "meter_row", "time_text",
]  # fmt: skip

_PUSH_LOG: Final = "push"


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
class HappeningRow:
    """One thing that happened: its kind in a word, the meter if it was one, what came of it."""

    kind: str
    serial: str
    text: str
    time: str


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


def time_text(time_ms: int | None) -> str:
    """UTC to the second as ISO 8601; empty for no time, and for one that no calendar has."""
    if time_ms is None:
        return ""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def meter_row(device: Device, parent: Device | None) -> MeterRow:
    """A device with the gateway it is behind."""
    return MeterRow(
        serial=device.serial,
        profile=device.profile,
        transport=device.transport,
        address=f"{device.host}:{device.port}",
        state=device.state,
        seen=time_text(device.seen_ms),
        firmware=device.firmware,
        utility=device.utility,
        parent=parent.serial if parent is not None else "",
    )


class _Detail(msgspec.Struct):
    """What the collector notes with a contact."""

    quirks: list[str] = []
    clock_offset_s: float | None = None


def contact_row(contact: StoredContact) -> ContactRow:
    """A contact; a detail that cannot be read is left out."""
    try:
        detail = msgspec.json.decode(contact.detail, type=_Detail)
    except msgspec.MsgspecError:
        detail = _Detail()
    return ContactRow(
        time=time_text(contact.started_ms),
        kind=contact.kind,
        result=contact.result,
        error=contact.error,
        duration_ms=contact.duration_us / 1000,
        values=contact.values_read,
        octets=contact.octets_in + contact.octets_out,
        quirks=detail.quirks,
        clock_offset_s=detail.clock_offset_s,
    )


def event_row(device: Device, event: StoredEvent) -> EventRow:
    """An event with what its profile calls it; without one, its number."""
    title, severity = _meaning(device, event)
    return EventRow(
        serial=device.serial,
        time=time_text(event.time_ms),
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
        return event.detail, "warning" if event.code in (MOVED, CLAIMED) else "info"
    try:
        profile = load_profile(device.profile or "idis")
        found = profile.objects.get(Obis.parse(event.log))
    except ConfigError:
        return f"Event {event.code}", "warning"
    code = profile.event(found.log if found is not None else "", event.code)
    return code.title, code.severity
