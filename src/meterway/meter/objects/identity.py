"""What the meter says of itself, bound to objects by their OBIS codes: names, versions, status words, counts, ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.obis import Obis
from meterway.mapping.companion import CompanionProfile, ProfileObject
from meterway.meter.device import Meter
from meterway.meter.events import Event, EventCode, Log
from meterway.meter.objects.table import Ask, Behaviour, Live, encoded_octets, u32
from meterway.meter.profile_rows import STATUS_CLOCK_INVALID, STATUS_SUMMER
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["LOAD_PROFILE", "PORTS", "STATUS_WORDS", "data_behaviour", "status_map_behaviour"]

LOAD_PROFILE: Final = Obis(1, 0, 99, 1, 0)
STATUS_WORDS: Final = frozenset(Obis(0, 0, 96, 10, e) for e in (1, 2, 3))
"""The status octets of profiles."""
_PERIOD: Final = Obis(1, 0, 0, 8, 4)
_COUNTERS: Final = (Obis(0, 0, 43, 1, 0), Obis(0, 0, 43, 1, 1))
_LONG_S: Final = 180
_RECENT_S: Final = 30 * 86400

_Text = Callable[[Meter], bytes]


def _of(text: _Text) -> Behaviour:
    return Behaviour(live={2: Live(lambda ask: encoded_octets(text(ask.meter)))})


# -- status words ------------------------------------------------------------------------------------------


def _amr_status(ask: Ask) -> bytes:
    meter, now = ask.meter, ask.now
    status = STATUS_SUMMER * meter.zone.is_summer(now)
    if abs(meter.clock_error_s(now)) >= 86400:
        status |= STATUS_CLOCK_INVALID
    return bytes((Tag.UNSIGNED, status))


def _last_code(log: Log) -> Behaviour:
    def read(ask: Ask) -> bytes:
        found = ask.meter.log_events(log, ask.now - _RECENT_S, ask.now + 86400, ask.now)
        return bytes((Tag.UNSIGNED, found[-1].code if found else 0))

    return Behaviour(live={2: Live(read)})


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


# -- counts ------------------------------------------------------------------------------------------------


def _failures(ask: Ask) -> bytes:
    return u32(sum(event.code == EventCode.POWER_DOWN for event in _all(ask, Log.STANDARD)))


def _long_failures(ask: Ask) -> bytes:
    """Those that lasted longer than three minutes."""
    count, since = 0, float("inf")
    for event in _all(ask, Log.STANDARD):
        if event.code == EventCode.POWER_DOWN:
            since = event.unix_s
        elif event.code == EventCode.POWER_UP:
            count += event.unix_s - since > _LONG_S
            since = float("inf")
    return u32(count)


def _quality(first: EventCode, phase: int) -> Behaviour:
    def read(ask: Ask) -> bytes:
        return u32(sum(event.code == first + phase for event in _all(ask, Log.QUALITY)))

    return Behaviour(live={2: Live(read)})


def _all(ask: Ask, log: Log) -> list[Event]:
    return ask.meter.log_events(log, ask.meter.installed_s, ask.now, ask.now, days=None)


# -- binding -----------------------------------------------------------------------------------------------


def _counter(obis: Obis, profile: CompanionProfile) -> Behaviour:
    """The highest counter that came; the first object is that of the client that configures, the next of the other."""
    ciphered = [entry for entry in profile.associations if entry.authentication == "hls5"]
    ciphered.sort(key=lambda entry: not entry.configure)
    place = _COUNTERS.index(obis)
    client = ciphered[place].client if place < len(ciphered) else -1

    def read(ask: Ask) -> bytes:
        received = (ask.meter.received or {}).get(client)
        return u32(0 if received is None else max(received.last, 0))

    return Behaviour(live={2: Live(read)})


def _recording_period(ask: Ask) -> bytes:
    return ask.meter.changed.get((7, LOAD_PROFILE, 4), b"") if ask.meter.changed else b""


def _period(profile: CompanionProfile) -> Behaviour:
    """The capture period of the load profile, in s."""
    load = profile.objects.get(LOAD_PROFILE)
    period = load.static.get(4) if load is not None else None
    factory = u32(period if isinstance(period, int) else 900)
    return Behaviour(live={2: Live(lambda ask: _recording_period(ask) or factory)})


_FIXED: Final[dict[Obis, Behaviour]] = {
    Obis(0, 0, 42, 0, 0): _of(lambda meter: meter.logical_device_name),
    Obis(0, 0, 96, 1, 0): _of(lambda meter: meter.serial.encode()),
    Obis(0, 0, 96, 1, 1): Behaviour(factory={2: axdr.octets(b"")}),
    Obis(1, 0, 0, 0, 0): _of(lambda meter: meter.serial.encode()),
    Obis(1, 0, 0, 2, 0): _of(lambda meter: meter.firmware),
    Obis(1, 0, 0, 2, 8): Behaviour(factory={2: axdr.octets(b"MWY-METROLOGY-1")}),
    Obis(0, 0, 96, 14, 0): Behaviour(
        live={2: Live(lambda ask: encoded_octets(b"%04d" % ask.meter.tariff(ask.now)))},
    ),
    Obis(0, 0, 97, 97, 0): Behaviour(live={2: Live(lambda ask: u32(ask.meter.errors), _clear_errors)}),
    Obis(0, 0, 97, 98, 0): Behaviour(live={2: Live(lambda ask: u32(ask.meter.alarms), _clear_alarms)}),
    Obis(0, 0, 97, 98, 10): Behaviour(factory={2: axdr.u32(0xFFFFFFFF)}),
    Obis(0, 0, 96, 13, 0): Behaviour(factory={2: axdr.octets(b"")}),
    Obis(0, 0, 96, 7, 21): Behaviour(live={2: Live(_failures)}),
    Obis(0, 0, 96, 7, 9): Behaviour(live={2: Live(_long_failures)}),
    **{obis: Behaviour(live={2: Live(_amr_status)}) for obis in STATUS_WORDS},
    **{Obis(0, 0, 96, 11, log.value): _last_code(log) for log in Log},
    **{Obis(1, 0, c, 32, 0): _quality(EventCode.UNDERVOLTAGE_L1, phase) for phase, c in enumerate((32, 52, 72))},
    **{Obis(1, 0, c, 36, 0): _quality(EventCode.OVERVOLTAGE_L1, phase) for phase, c in enumerate((32, 52, 72))},
}


def data_behaviour(item: ProfileObject, profile: CompanionProfile) -> Behaviour:
    """What the meter says in a Data object."""
    if item.obis in _COUNTERS:
        return _counter(item.obis, profile)
    return _period(profile) if item.obis == _PERIOD else _FIXED.get(item.obis, Behaviour())


def status_map_behaviour(item: ProfileObject) -> Behaviour:
    """The alarms as a status mapping."""
    if item.obis != Obis(0, 0, 96, 5, 1):
        return Behaviour()
    mapping = axdr.structure(axdr.u8(1), axdr.u16(1))
    return Behaviour(live={2: Live(lambda ask: u32(ask.meter.alarms))}, factory={3: mapping})


def _sap_list(ask: Ask) -> bytes:
    return b"\x01\x01\x02\x02\x12\x00\x01" + encoded_octets(ask.meter.logical_device_name)


PORTS: Final[dict[int, Behaviour]] = {
    17: Behaviour(live={2: Live(_sap_list)}),
    19: Behaviour(
        live={6: Live(lambda ask: encoded_octets(ask.meter.serial.encode()))},
        factory={
            2: axdr.enum(1),
            3: axdr.enum(0),
            4: axdr.enum(5),
            5: axdr.enum(0),
            **{number: axdr.octets(b"") for number in (7, 8, 9)},
        },
    ),
    23: Behaviour(
        factory={
            2: axdr.enum(5),
            3: axdr.u8(1),
            4: axdr.u8(1),
            5: axdr.u16(128),
            6: axdr.u16(128),
            7: axdr.u16(25),
            8: axdr.u16(120),
            9: axdr.u16(17),
        }
    ),
    41: Behaviour(
        factory={
            2: axdr.u16(4059),
            3: axdr.octets(bytes(6)),
            4: axdr.u16(576),
            5: axdr.u8(1),
            6: axdr.u16(180),
        }
    ),
}
"""By class, what the meter's ports are set to."""
