"""What a meter writes into its logs: codes, the seeded past and what really happened."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final, NamedTuple

import numpy as np

from meterway.meter.load import noise, noises
from meterway.meter.zone import Zone

__all__ = ["LOG_NAMES", "Event", "EventCode", "Log", "past_events", "past_power_cuts"]


class Log(Enum):
    """The event logs, by group e of their OBIS codes 0-0:99.98.e (codes in 0-0:96.11.e)."""

    STANDARD = 0
    FRAUD = 1
    DISCONNECTOR = 2
    MBUS = 3
    QUALITY = 4
    COMMUNICATION = 5


LOG_NAMES: Final[dict[str, Log]] = {
    "standard": Log.STANDARD,
    "fraud": Log.FRAUD,
    "disconnector": Log.DISCONNECTOR,
    "mbus": Log.MBUS,
    "power-quality": Log.QUALITY,
    "communication": Log.COMMUNICATION,
}
"""The logs by the names that companion profiles give them."""


class EventCode(IntEnum):
    """Event codes as the interoperable European companion profiles number them."""

    POWER_DOWN = 1
    POWER_UP = 2
    SUMMER_TIME_CHANGED = 3
    CLOCK_ADJUSTED_OLD = 4
    CLOCK_ADJUSTED_NEW = 5
    CLOCK_INVALID = 6
    TARIFF_CALENDAR_ACTIVATED = 9
    ERROR_REGISTER_CLEARED = 10
    ALARM_REGISTER_CLEARED = 11
    FIRMWARE_READY = 17
    FIRMWARE_ACTIVATED = 18
    PASSIVE_CALENDAR_PROGRAMMED = 19
    TERMINAL_COVER_REMOVED = 40
    TERMINAL_COVER_CLOSED = 41
    STRONG_FIELD = 42
    STRONG_FIELD_GONE = 43
    METER_COVER_REMOVED = 44
    METER_COVER_CLOSED = 45
    AUTHENTICATION_FAILED = 46
    PARAMETERS_CHANGED = 47
    GLOBAL_KEYS_CHANGED = 48
    DECRYPTION_FAILED = 49
    REPLAY_ATTACK = 50
    FIRMWARE_VERIFICATION_FAILED = 51
    READY_FOR_RECONNECTION = 59
    MANUAL_DISCONNECTION = 60
    MANUAL_CONNECTION = 61
    REMOTE_DISCONNECTION = 62
    REMOTE_CONNECTION = 63
    LOCAL_DISCONNECTION = 64
    LIMIT_EXCEEDED = 65
    LIMIT_OK = 66
    LIMIT_CHANGED = 67
    DISCONNECTOR_FAILED = 68
    LOCAL_RECONNECTION = 69
    UNDERVOLTAGE_L1 = 76
    UNDERVOLTAGE_L2 = 77
    UNDERVOLTAGE_L3 = 78
    OVERVOLTAGE_L1 = 79
    OVERVOLTAGE_L2 = 80
    OVERVOLTAGE_L3 = 81
    MISSING_VOLTAGE_L1 = 82
    MISSING_VOLTAGE_L2 = 83
    MISSING_VOLTAGE_L3 = 84
    VOLTAGE_NORMAL_L1 = 85
    VOLTAGE_NORMAL_L2 = 86
    VOLTAGE_NORMAL_L3 = 87
    NO_CONNECTION_TIMEOUT = 140
    CONTEXT_ESTABLISHED = 146
    CONTEXT_DESTROYED = 147
    MODEM_RESET = 149
    SIGNAL_LOW = 156
    LOCAL_COMMUNICATION = 158
    LOG_CLEARED = 255


class Event(NamedTuple):
    """Something that was logged at a Unix second."""

    unix_s: int
    log: Log
    code: int


_FEW_DAYS: Final = 6  # below this, plain integers are faster
_CUTS: Final = -1000
_QUALITY: Final = -2000
_MODEM: Final = -3000


def past_power_cuts(seed: int, first_day: int, last_day: int) -> list[tuple[int, int]]:
    """Short supply interruptions of the seeded past, (start, end) in Unix seconds, days since 1970 inclusive.

    About one in forty days; each lasts 4 to 130 seconds, so that no quarter-hour is lost.
    """
    cuts = []
    for day, bits in _drawn(seed ^ _CUTS, first_day, last_day, 40):
        start = day * 86400 + (bits >> 8) % 86000
        cuts.append((start, start + 4 + (bits >> 32) % 127))
    return cuts


def _drawn(seed: int, first_day: int, last_day: int, odds: int) -> list[tuple[int, int]]:
    """One day in ``odds`` with its random bits."""
    if last_day - first_day < _FEW_DAYS:
        drawn = [(day, noise(seed, day)) for day in range(first_day, last_day + 1)]
        return [(day, value) for day, value in drawn if value % odds == 0]
    bits = noises(seed, first_day, max(last_day - first_day + 1, 0))
    hits = np.flatnonzero(bits % np.uint64(odds) == 0)
    return [(first_day + hit, value) for hit, value in zip(hits.tolist(), bits[hits].tolist(), strict=True)]


def past_events(seed: int, zone: Zone, log: Log, *, installed_s: int, first_day: int, last_day: int) -> list[Event]:
    """The seeded past of a log in order of time; days since 1970, inclusive."""
    events = [event for event in _installation(installed_s) if event.log is log]
    if log is Log.STANDARD:
        for start, end in past_power_cuts(seed, first_day, last_day):
            events.append(Event(start, log, EventCode.POWER_DOWN))
            events.append(Event(end, log, EventCode.POWER_UP))
        turns = zone.turns(first_day * 86400, (last_day + 1) * 86400)
        events += [Event(turn, log, EventCode.SUMMER_TIME_CHANGED) for turn in turns]
    elif log is Log.QUALITY:
        for day, bits in _drawn(seed ^ _QUALITY, first_day, last_day, 17):
            events += _sags(bits, day * 86400)
    elif log is Log.COMMUNICATION:
        for day, bits in _drawn(seed ^ _MODEM, first_day, last_day, 9):
            events += _modem(bits, day * 86400)
    events = [event for event in events if event.unix_s >= max(installed_s, first_day * 86400)]
    events.sort(key=lambda event: event.unix_s)
    return events


def _installation(start: int) -> list[Event]:
    return [
        Event(start, Log.STANDARD, EventCode.POWER_UP),
        Event(start, Log.FRAUD, EventCode.TERMINAL_COVER_REMOVED),
        Event(start + 540, Log.FRAUD, EventCode.TERMINAL_COVER_CLOSED),
        Event(start + 600, Log.DISCONNECTOR, EventCode.MANUAL_CONNECTION),
        Event(start + 660, Log.COMMUNICATION, EventCode.CONTEXT_ESTABLISHED),
    ]


def _sags(bits: int, start: int) -> list[Event]:
    phase = (bits >> 8) % 3
    begin = start + (bits >> 16) % 86000
    kind = EventCode.UNDERVOLTAGE_L1 if bits >> 12 & 1 else EventCode.OVERVOLTAGE_L1
    return [
        Event(begin, Log.QUALITY, kind + phase),
        Event(begin + 3 + (bits >> 40) % 240, Log.QUALITY, EventCode.VOLTAGE_NORMAL_L1 + phase),
    ]


def _modem(bits: int, start: int) -> list[Event]:
    begin = start + (bits >> 16) % 86000
    return [
        Event(begin, Log.COMMUNICATION, EventCode.CONTEXT_DESTROYED),
        Event(begin + 5 + (bits >> 40) % 90, Log.COMMUNICATION, EventCode.CONTEXT_ESTABLISHED),
    ]
