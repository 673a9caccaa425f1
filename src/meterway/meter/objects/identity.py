"""Objects that say who the meter is and how it is: names, versions, status words, clock, ports."""

from __future__ import annotations

from typing import Final

from meterway.meter.device import STATUS_CLOCK_INVALID, STATUS_SUMMER, Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.table import Ask, Attr, CosemObject, fixed, moment, settable, u32
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["IDENTITY"]

_SUNDAY: Final = 7
_MARCH, _OCTOBER = 3, 10


def _data(obis: str, attribute: Attr) -> CosemObject:
    return CosemObject(1, obis, {2: attribute})


def _octets(value: bytes) -> bytes:
    return bytes((Tag.OCTET_STRING,)) + axdr.encode_length(len(value)) + value


# -- clock -------------------------------------------------------------------------------------------------


def _time(ask: Ask) -> bytes:
    return b"\x09\x0c" + moment(ask.meter, ask.meter.clock(ask.now))


def _set_time(meter: Meter, value: Data, now: float) -> DataAccessResult:
    if value.tag == Tag.DATE_TIME and isinstance(value.value, CosemDateTime):
        wanted = value.value
    elif value.tag == Tag.OCTET_STRING and isinstance(value.value, bytes) and len(value.value) == 12:
        wanted = CosemDateTime.decode(value.value)
    else:
        return DataAccessResult.TYPE_UNMATCHED
    local = wanted.local()
    if local is None:
        return DataAccessResult.OTHER_REASON
    utc = wanted.utc()
    meter.set_clock(float(meter.load.zone.unix(local)) if utc is None else utc.timestamp(), now)
    return DataAccessResult.SUCCESS


def _clock_status(ask: Ask) -> bytes:
    return bytes((Tag.UNSIGNED, 0x80 * ask.meter.load.zone.is_summer(ask.meter.clock(ask.now))))


def _turn(month: int, hour: int) -> Data:
    """The last Sunday of a month, every year."""
    template = CosemDateTime(month=month, day=0xFE, weekday=_SUNDAY, hour=hour, minute=0, second=0, hundredths=0)
    return axdr.octets(template.encode())


def _set_to(meter: Meter, clock: float, period_s: int, now: float) -> ActionResult:
    meter.set_clock((clock + period_s / 2) // period_s * period_s, now)
    return ActionResult.SUCCESS


def _adjust(period_s: int) -> object:
    def adjust(meter: Meter, parameter: Data, now: float) -> ActionResult:
        return _set_to(meter, meter.clock(now), period_s, now)

    return adjust


def _shift(meter: Meter, parameter: Data, now: float) -> ActionResult:
    seconds = parameter.value
    if parameter.tag not in (Tag.LONG, Tag.INTEGER) or not isinstance(seconds, int):
        return ActionResult.TYPE_UNMATCHED
    if abs(seconds) > 900:
        return ActionResult.OTHER_REASON
    meter.set_clock(meter.clock(now) + seconds, now)
    return ActionResult.SUCCESS


_CLOCK = CosemObject(
    8,
    "0-0:1.0.0*255",
    {
        2: Attr(_time, writable=True, write=_set_time),
        3: Attr(lambda ask: b"\x10" + (-ask.meter.load.zone.standard_min).to_bytes(2, "big", signed=True)),
        4: Attr(_clock_status),
        5: fixed(_turn(_MARCH, 2)),
        6: fixed(_turn(_OCTOBER, 3)),
        7: fixed(axdr.i8(60)),
        8: Attr(lambda ask: bytes((Tag.BOOLEAN, ask.meter.load.zone.summer_time))),
        9: fixed(axdr.enum(1)),
    },
    {1: _adjust(900), 2: _adjust(900), 3: _adjust(60), 6: _shift},  # type: ignore[dict-item]
)


# -- status words ------------------------------------------------------------------------------------------


def _amr_status(ask: Ask) -> bytes:
    meter, now = ask.meter, ask.now
    status = STATUS_SUMMER * meter.load.zone.is_summer(now)
    if abs(meter.clock_error_s(now)) >= 86400:
        status |= STATUS_CLOCK_INVALID
    return bytes((Tag.UNSIGNED, status))


def _last_code(log: Log) -> Attr:
    def read(ask: Ask) -> bytes:
        found = ask.meter.log_events(log, ask.now - 30 * 86400, ask.now + 86400, ask.now)
        return bytes((Tag.UNSIGNED, found[-1].code if found else 0))

    return Attr(read)


def _clear_alarms(meter: Meter, value: Data, now: float) -> DataAccessResult:
    """Bits written as 0 are cleared; none is ever set from outside."""
    if value.tag != Tag.DOUBLE_LONG_UNSIGNED or not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    meter.alarms &= value.value
    meter.log(now, Log.STANDARD, EventCode.ALARM_REGISTER_CLEARED)
    return DataAccessResult.SUCCESS


def _clear_errors(meter: Meter, value: Data, now: float) -> DataAccessResult:
    if value.tag != Tag.DOUBLE_LONG_UNSIGNED or not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    meter.errors &= value.value
    meter.log(now, Log.STANDARD, EventCode.ERROR_REGISTER_CLEARED)
    return DataAccessResult.SUCCESS


def _counter(client: int) -> Attr:
    def read(ask: Ask) -> bytes:
        received = (ask.meter.received or {}).get(client)
        return u32(0 if received is None else max(received.last, 0))

    return Attr(read)


def _tariff(ask: Ask) -> bytes:
    return _octets(b"%04d" % ask.meter.tariff(ask.now))


_STATUS_MAP = axdr.structure(axdr.u8(1), axdr.u16(1))

IDENTITY: Final[tuple[CosemObject, ...]] = (
    _CLOCK,
    _data("0-0:42.0.0*255", Attr(lambda ask: _octets(ask.meter.logical_device_name))),
    _data("0-0:96.1.0*255", Attr(lambda ask: _octets(ask.meter.serial.encode()))),
    _data("0-0:96.1.1*255", settable(axdr.octets(b""))),
    _data("1-0:0.0.0*255", Attr(lambda ask: _octets(ask.meter.serial.encode()))),
    _data("1-0:0.2.0*255", Attr(lambda ask: _octets(ask.meter.firmware))),
    _data("1-0:0.2.8*255", fixed(axdr.octets(b"MWY-METROLOGY-1"))),
    _data("1-0:0.8.4*255", fixed(axdr.u32(900))),
    _data("0-0:96.14.0*255", Attr(_tariff)),
    _data("0-0:96.10.1*255", Attr(_amr_status)),
    _data("0-0:96.10.2*255", Attr(_amr_status)),
    _data("0-0:96.10.3*255", Attr(_amr_status)),
    _data("0-0:97.97.0*255", Attr(lambda ask: u32(ask.meter.errors), writable=True, write=_clear_errors)),
    _data("0-0:97.98.0*255", Attr(lambda ask: u32(ask.meter.alarms), writable=True, write=_clear_alarms)),
    _data("0-0:97.98.10*255", settable(axdr.u32(0xFFFFFFFF))),
    _data("0-0:96.13.0*255", settable(axdr.octets(b""))),
    *[_data(f"0-0:96.11.{log.value}*255", _last_code(log)) for log in Log],
    _data("0-0:43.1.0*255", _counter(1)),
    _data("0-0:43.1.1*255", _counter(3)),
    CosemObject(63, "0-0:96.5.1*255", {2: Attr(lambda ask: u32(ask.meter.alarms)), 3: fixed(_STATUS_MAP)}),
    CosemObject(
        17,
        "0-0:41.0.0*255",
        {
            2: Attr(
                lambda ask: b"\x01\x01\x02\x02\x12\x00\x01" + _octets(ask.meter.logical_device_name),
            )
        },
    ),
    CosemObject(
        19,
        "0-0:20.0.0*255",
        {
            2: fixed(axdr.enum(1)),
            3: fixed(axdr.enum(0)),
            4: fixed(axdr.enum(5)),
            5: fixed(axdr.enum(0)),
            6: Attr(lambda ask: _octets(ask.meter.serial.encode())),
            7: fixed(axdr.octets(b"")),
            8: fixed(axdr.octets(b"")),
            9: fixed(axdr.octets(b"")),
        },
        version=1,
    ),
    CosemObject(
        23,
        "0-0:22.0.0*255",
        {
            2: settable(axdr.enum(5)),
            3: settable(axdr.u8(1)),
            4: settable(axdr.u8(1)),
            5: settable(axdr.u16(128)),
            6: settable(axdr.u16(128)),
            7: settable(axdr.u16(25)),
            8: settable(axdr.u16(120)),
            9: settable(axdr.u16(17)),
        },
        version=1,
    ),
    CosemObject(
        41,
        "0-0:25.0.0*255",
        {
            2: settable(axdr.u16(4059)),
            3: fixed(axdr.octets(bytes(6))),
            4: settable(axdr.u16(576)),
            5: settable(axdr.u8(1)),
            6: settable(axdr.u16(180)),
        },
    ),
)
