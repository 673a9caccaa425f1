"""From M-Bus records to readings: values with unit, time, storage, tariff and subunit.

A record's time is that of the date record with the same storage number (and function); the present values have the
meter's own clock where the telegram holds it. A meter's clock has no zone: the caller may name it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final

from meterway.base.errors import DecodeError
from meterway.model.reading import Reading, Value
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.mbus.address import DEVICE_TYPES
from meterway.stacks.mbus.application import ApplicationError
from meterway.stacks.mbus.link.frames import Ack, LongFrame, ShortFrame
from meterway.stacks.mbus.making import positional
from meterway.stacks.mbus.records.profiles import Stamped
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.security import Protection
from meterway.stacks.mbus.telegram import Telegram
from meterway.stacks.mbus.wireless.frames import RadioFrame

__all__ = ["decoded", "plain_value", "readings", "utc_of"]

_INSTANTANEOUS: Final = "instantaneous"
_reading: Final = positional(Reading)
_LAST_OF_LOWEST: Final = b"\x80"
_POINTS: Final = frozenset(("date", "time"))


def readings(telegram: Telegram, *, zone: tzinfo = UTC) -> tuple[Reading, ...]:
    """The values of a telegram; ``zone`` is that of the meter's clock.

    Values of compact profiles follow, each with its own time.
    """
    records = telegram.content.records
    times = _times(records, zone)
    out = []
    profiles = False
    for record in records:
        head = record.head
        value = record.value
        if head.kind == "profile":
            profiles = True
            continue
        out.append(
            _reading(
                head.summary,
                value if value.__class__ in _PLAIN else plain_value(value),
                head.unit,
                None,
                head.vif,
                times.get((head.function, head.storage)) if times else None,
                head.storage,
                head.tariff,
                head.subunit,
                head.function,
                "" if value.__class__ in _GIVEN and record.data[-1:] != _LAST_OF_LOWEST else record.quality,
            )
        )
    if profiles:
        out += _profiles(telegram, zone)
    return tuple(out)


def _profiles(telegram: Telegram, zone: tzinfo) -> list[Reading]:
    """The values of the compact profiles; those that are malformed stay octets."""
    try:
        return [_stamped(element, zone) for element in telegram.profile_values]
    except DecodeError as error:
        wrong = error.message
    whole = [record for record in telegram.records if record.head.kind == "profile"]
    return [replace(_stamped(Stamped(record=one, time=None), zone), quality=wrong) for one in whole]


_GIVEN: Final = frozenset((int, float, str))
_PLAIN: Final = _GIVEN | {type(None)}


def plain_value(value: object) -> Value:
    """Numbers and texts as they are, dates and times as ISO text, octets as hex."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value.hex().upper() if isinstance(value, bytes) else str(value)


def _times(records: tuple[Record, ...], zone: tzinfo) -> dict[tuple[str, int], datetime]:
    """The points of time in the telegram by function and storage number."""
    times: dict[tuple[str, int], datetime] = {}
    for record in records:
        head = record.head
        if head.kind != "time" or head.notes or head.quantity not in _POINTS or not isinstance(record.value, date):
            continue
        if isinstance(record.value, datetime) or head.storage:
            point = utc_of(record.value, zone, summer=record.summer_time)
            if point is not None:
                times.setdefault((head.function, head.storage), point)
    return times


def utc_of(value: date, zone: tzinfo, *, summer: bool = False) -> datetime | None:
    """A meter's local time in UTC, a day being its first moment; None outside the calendar."""
    local = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if zone is UTC:
        return local.replace(tzinfo=UTC)
    try:
        # of an hour that comes twice in autumn, the bit of summer time names the first
        return local.replace(tzinfo=zone, fold=0 if summer else 1).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _stamped(element: Stamped, zone: tzinfo) -> Reading:
    record = element.record
    head = record.head
    value = record.value
    return Reading(
        name=head.quantity,
        value=plain_value(value),
        unit=head.unit,
        vif=head.vif,
        time=None if element.time is None else utc_of(element.time, zone),
        storage=head.storage,
        tariff=head.tariff,
        subunit=head.subunit,
        function=head.function,
        quality=record.quality,
    )


def decoded(telegram: Telegram, *, zone: tzinfo = UTC) -> DecodedTelegram:
    """A telegram as every decoder hands it on."""
    return DecodedTelegram(
        protocol="m-bus",
        device=_device(telegram),
        readings=readings(telegram, zone=zone),
        layers=_layers(telegram),
        security=_security(telegram),
        quirks=telegram.quirks,
    )


def _device(telegram: Telegram) -> dict[str, Json]:
    device: dict[str, Json] = {}
    address = telegram.device
    if address is not None:
        device = {
            "id": address.ident,
            "manufacturer": address.manufacturer_text if address.manufacturer else "",
            "version": address.version,
            "medium": DEVICE_TYPES.get(address.device_type, address.medium),
            "type": address.device_type,
        }
    if telegram.access is not None:
        device["access"] = telegram.access
    if telegram.tpl is not None and telegram.tpl.header != "none":
        device["status"] = telegram.status
        device["status_text"] = [*telegram.status_words]
    return device


def _layers(telegram: Telegram) -> tuple[dict[str, Json], ...]:
    rows: list[dict[str, Json]] = [_frame(telegram)]
    if telegram.ell is not None:
        ell = telegram.ell
        rows.append({"layer": "ell", "ci": f"{ell.ci:02X}", "control": f"{ell.control:02X}", "access": ell.access})
    if telegram.afl is not None:
        afl = telegram.afl
        rows.append({"layer": "afl", "counter": afl.counter, "fragment": afl.fragment_id, "more": afl.more_fragments})
    if telegram.tpl is not None:
        tpl = telegram.tpl
        rows.append({"layer": "tpl", "ci": f"{tpl.ci:02X}", "header": tpl.header, "config": f"{tpl.config:04X}"})
    application: dict[str, Json] = {"layer": "application", "kind": telegram.kind}
    content = telegram.content
    if content.has_manufacturer_data:
        application["manufacturer_data"] = content.manufacturer_data.hex().upper()
        application["more_follows"] = content.more_follows
    elif telegram.payload and not content.records:
        application["payload"] = telegram.payload.hex().upper()
    if telegram.kind == "application error":
        application["error"] = ApplicationError.decode(telegram.payload).text
    rows.append(application)
    return tuple(rows)


def _frame(telegram: Telegram) -> dict[str, Json]:
    frame = telegram.frame
    if isinstance(frame, RadioFrame):
        return {"layer": "radio", "control": frame.name, "format": frame.coding, "address": str(frame.address)}
    row: dict[str, Json] = {"layer": "wired", "frame": "acknowledgement" if isinstance(frame, Ack) else "short"}
    if isinstance(frame, LongFrame):
        row["frame"] = "long"
    if isinstance(frame, (LongFrame, ShortFrame)):
        row |= {"control": f"{frame.control:02X}", "address": frame.address}
    return row


def _security(telegram: Telegram) -> dict[str, Json]:
    row = _protection(telegram.protection)
    if telegram.link_protection.state != "none":
        link = telegram.link_protection
        row["link"] = {"mode": "AES-128-CTR", "state": link.state, "checks": [*link.checks]}
    return row


def _protection(protection: Protection) -> dict[str, Json]:
    return {
        "mode": protection.mode,
        "name": protection.name,
        "state": protection.state,
        "checks": [*protection.checks],
    }
