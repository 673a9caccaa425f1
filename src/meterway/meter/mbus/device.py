"""One M-Bus meter: who it is, what happened to it, and what it measures now. Pure; time comes in.

A flyweight: consumption is ``usage``; kept are only keys, counters, alarms, the valve and what disturbed the flow.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntFlag
from typing import Final, NamedTuple

import numpy as np

from meterway.base.errors import ConfigError
from meterway.meter.firmware import image_signature
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.read_usage import ReadUsage
from meterway.meter.mbus.usage import DAY_S, HOUR_S, Ints, Usage, Utility
from meterway.meter.mbus.valve import LEAK_TEST_S, Input, Valve, after
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.image_receiver import ImageReceiver

__all__ = [
    "CLOCK_SET",
    "CONDITIONS",
    "LATCHED",
    "LEAK_TEST_FAILED",
    "UNREAD",
    "Alarm",
    "Condition",
    "Episode",
    "Folded",
    "MbusMeter",
]

_MAX_EPISODES: Final = 64
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAYS_PER_YEAR: Final = 365.25
_POWER_LOW_YEARS: Final = 1.0
_FOREVER: Final = math.inf
_RESERVE_MAS: Final = 3600.0 * 2400.0
"""What the battery holds for the radio beside what the meter itself needs over its life: 2400 mAh, in mA s."""


class Alarm(IntFlag):
    """What a meter complains of: the octet of its alarm telegram, and the low octet of its error flags."""

    LEAK = 0x01
    BURST = 0x02
    BACK_FLOW = 0x04
    TAMPER = 0x08
    MAGNET = 0x10
    DRY = 0x20
    AIR = 0x40
    FAULT = 0x80
    """Hardware: stays until the meter is exchanged."""


_ABNORMAL: Final = Alarm.BURST | Alarm.TAMPER | Alarm.MAGNET
_TEMPORARY: Final = Alarm.LEAK | Alarm.BURST | Alarm.BACK_FLOW | Alarm.DRY | Alarm.AIR
LATCHED: Final = Alarm.TAMPER | Alarm.MAGNET | Alarm.BURST
"""Alarms that stay until somebody resets them."""
LEAK_TEST_FAILED: Final = 0x100
CLOCK_SET: Final = 0x200
UNREAD: Final = 0x400
"""A module could not read the meter it is fitted to."""


class Condition(Enum):
    """What can disturb the flow behind a meter; injected by whoever plays with it."""

    LEAK = "leak"
    BURST = "burst"
    BACK_FLOW = "back-flow"
    DRY = "dry"
    AIR = "air"
    CLOSED = "closed"
    """The valve is shut: nothing flows."""


_ALARM_OF: Final[dict[Condition, Alarm]] = {
    Condition.LEAK: Alarm.LEAK,
    Condition.BURST: Alarm.BURST,
    Condition.BACK_FLOW: Alarm.BACK_FLOW,
    Condition.DRY: Alarm.DRY,
    Condition.AIR: Alarm.AIR,
}
_DEFAULT_RATE: Final[dict[Condition, float]] = {
    Condition.LEAK: 12.0,
    Condition.BURST: 2400.0,
    Condition.BACK_FLOW: 30.0,
}
_STOPPED: Final = (Condition.CLOSED, Condition.DRY)
_SPILLS: Final = (Condition.LEAK, Condition.BURST)
_OF_CIRCUITS: Final = (Condition.DRY, Condition.AIR)
CONDITIONS: Final[dict[Utility, tuple[Condition, ...]]] = {
    Utility.GAS: (Condition.LEAK,),
    Utility.WATER: (Condition.LEAK, Condition.BURST, Condition.BACK_FLOW, Condition.DRY, Condition.AIR),
    Utility.HEAT: _OF_CIRCUITS,
    Utility.COOLING: _OF_CIRCUITS,
    Utility.HEAT_COOLING: _OF_CIRCUITS,
    Utility.HEAT_COST: (),
    Utility.ELECTRICITY: (),
}
"""What can be injected into which meter; closing is the valve's."""


class Episode(NamedTuple):
    """A condition from ``start_s`` to ``end_s`` (infinity while it lasts), at ``rate`` register units an hour."""

    start_s: int
    end_s: float
    condition: Condition
    rate: float = 0.0


class Folded(NamedTuple):
    """What episodes that are no longer remembered one by one did, until when: to each register, and backwards."""

    until_s: int
    units: tuple[int, ...]
    back: int = 0


class MbusMeter:
    """A meter; ``changed`` is set by whatever must outlive a restart, and reset by whoever keeps it."""

    __slots__ = (
        "address",
        "alarms",
        "answer",
        "application",
        "changed",
        "clock_offset_s",
        "config",
        "counter",
        "episodes",
        "error_flags",
        "firmware",
        "folded",
        "image",
        "image_blocks",
        "key",
        "primary",
        "received",
        "test_ends_s",
        "usage",
        "used_mas",
        "valve",
    )

    def __init__(self, config: MeterConfig) -> None:
        self.config = config
        self.address: Address = config.address
        self.key = config.secret
        kind = ReadUsage if config.reads else Usage
        self.usage: Usage = kind(seed=config.usage_seed, utility=config.utility, offset_min=config.utc_offset_min)
        self.clock_offset_s = config.clock_offset_s
        self.primary = config.primary
        self.counter = 0
        """The message counter: of the last message sent under the present key; its low octet is the access number."""
        self.received = -1
        """The last message counter taken from a partner."""
        self.alarms = Alarm(0)
        self.error_flags = 0
        self.application = 0
        self.firmware = config.firmware.encode()
        self.image: ImageReceiver | None = None
        """The image that is being transferred, if one was announced since the last restart."""
        self.image_blocks: int | None = None
        """How many blocks of an image it takes in one session; None: as many as come."""
        self.answer = b""
        """What it tells of an image transfer in the place of its next data."""
        self.episodes: tuple[Episode, ...] = ()
        self.folded = Folded(0, (0,) * self.usage.channels)
        self.valve = Valve.OPEN
        self.test_ends_s = 0.0
        self.used_mas = 0.0
        """Charge taken from the battery by the radio, mA s."""
        self.changed = False

    # -- counters -----------------------------------------------------------------------------------------

    def next_counter(self) -> int:
        """The counter of the next message; it only rises."""
        self.counter += 1
        return self.counter

    # -- clock --------------------------------------------------------------------------------------------

    def clock(self, unix_s: float) -> datetime:
        """What its clock shows, without a zone."""
        shown = datetime.fromtimestamp(unix_s + self.clock_offset_s, UTC)
        return shown.replace(tzinfo=None) + timedelta(minutes=self.config.utc_offset_min)

    def set_clock(self, shown: datetime, unix_s: float) -> None:
        """Make the clock show this."""
        local = shown.replace(tzinfo=UTC) - timedelta(minutes=self.config.utc_offset_min)
        self.clock_offset_s = local.timestamp() - unix_s
        self.error_flags |= CLOCK_SET
        self.changed = True

    def month_starts(self, unix_s: float, count: int) -> list[datetime]:
        """The last ``count`` starts of a month by its clock, latest first."""
        now = self.clock(unix_s)
        months = range(now.year * 12 + now.month - 1, now.year * 12 + now.month - 1 - count, -1)
        return [datetime(month // 12, month % 12 + 1, 1) for month in months]  # noqa: DTZ001  a meter's clock

    def due_date(self, unix_s: float) -> datetime:
        """The last start of the due month."""
        now = self.clock(unix_s)
        year = now.year if now.month >= self.config.due_month else now.year - 1
        return datetime(year, self.config.due_month, 1)  # noqa: DTZ001  a meter's clock

    def unix_of(self, shown: datetime) -> int:
        """When its clock, as it goes now, showed this; Unix seconds."""
        local = shown.replace(tzinfo=UTC).timestamp() - 60 * self.config.utc_offset_min
        return int(local - self.clock_offset_s)

    # -- registers ----------------------------------------------------------------------------------------

    def registers(self, times_s: Ints) -> Ints:
        """The registers at these moments, shape (count, channels), with all that disturbed the flow; never falling."""
        values = self._disturbed(times_s) + np.array(self.folded.units, np.int64)
        before = times_s < self.folded.until_s
        if before.any():
            bound = self._disturbed(np.array([int(self.folded.until_s)], np.int64)) + np.array(self.folded.units)
            values[before] = np.minimum(values[before] - np.array(self.folded.units), bound)
        return values

    def _disturbed(self, times_s: Ints) -> Ints:
        values = self.usage.registers(times_s)
        for start_s, end_s in self._stops():
            reached = np.maximum(times_s, start_s)
            if end_s != _FOREVER:
                reached = np.minimum(reached, int(end_s))
            bounds = np.concatenate([reached, np.array([start_s], np.int64)])
            spent = self.usage.registers(bounds)
            values -= spent[:-1] - spent[-1:]
        for one in self.episodes:
            if one.condition in _SPILLS:
                values[:, 0] += _spilt(one, times_s)
        return values

    def _stops(self) -> list[tuple[int, float]]:
        """When nothing flowed: the episodes that stop the flow, those that overlap made one."""
        out: list[tuple[int, float]] = []
        for one in sorted((one for one in self.episodes if one.condition in _STOPPED), key=lambda one: one[:2]):
            if out and one.start_s <= out[-1][1]:
                out[-1] = (out[-1][0], max(out[-1][1], one.end_s))
            else:
                out.append((one.start_s, one.end_s))
        return out

    def at(self, unix_s: float) -> tuple[int, ...]:
        """The registers now."""
        return tuple(int(value) for value in self.registers(np.array([int(unix_s)], np.int64))[0])

    def backward(self, unix_s: float) -> int:
        """What flowed back, register units."""
        now = np.array([int(unix_s)], np.int64)
        back = (one for one in self.episodes if one.condition is Condition.BACK_FLOW)
        return self.folded.back + sum(int(_spilt(one, now)[0]) for one in back)

    def rates(self, unix_s: float) -> tuple[int, ...]:
        """What flows now, register units an hour: the running hour's mean with what disturbs it."""
        running = [one for one in self.episodes if one.start_s <= unix_s < one.end_s]
        rates = list(self.usage.rates(unix_s))
        if any(one.condition in _STOPPED for one in running):
            rates = [0] * len(rates)
        rates[0] += int(sum(one.rate for one in running if one.condition in _SPILLS))
        return tuple(rates)

    # -- what happens to it -------------------------------------------------------------------------------

    def begin(self, condition: Condition, unix_s: float, *, rate: float | None = None) -> None:
        """A condition sets in, at ``rate`` register units an hour; ConfigError if this kind of meter has none."""
        if condition not in CONDITIONS[self.config.utility]:
            raise ConfigError(f"{condition.value} does not happen to a {self.config.utility.value} meter")
        self._begin(condition, unix_s, _DEFAULT_RATE.get(condition, 0.0) if rate is None else rate)

    def _begin(self, condition: Condition, unix_s: float, rate: float = 0.0) -> None:
        if any(one.condition is condition and one.end_s == _FOREVER for one in self.episodes):
            return
        self.episodes += (Episode(math.ceil(unix_s), _FOREVER, condition, rate),)
        if len(self.episodes) > _MAX_EPISODES:
            self._fold()
        self.alarms |= _ALARM_OF.get(condition, Alarm(0))
        self.changed = True

    def _fold(self) -> None:
        """Forget the episode that ended first; what it did to the registers stays."""
        oldest = min(self.episodes, key=lambda one: one.end_s)
        until = max(int(oldest.end_s), self.folded.until_s)
        moment = np.array([until], np.int64)
        before = self._disturbed(moment)[0]
        back = int(_spilt(oldest, moment)[0]) if oldest.condition is Condition.BACK_FLOW else 0
        self.episodes = tuple(one for one in self.episodes if one is not oldest)
        units = (before - self._disturbed(moment)[0]).tolist()
        total = tuple(old + new for old, new in zip(self.folded.units, units, strict=True))
        self.folded = Folded(until, total, self.folded.back + back)

    def end(self, condition: Condition, unix_s: float) -> None:
        """A condition is over; an alarm that is not latched goes with it."""
        over_s = math.ceil(unix_s)
        self.episodes = tuple(
            one._replace(end_s=max(over_s, one.start_s))
            if one.condition is condition and one.end_s == _FOREVER
            else one
            for one in self.episodes
        )
        self.alarms &= ~(_ALARM_OF.get(condition, Alarm(0)) & ~LATCHED)
        self.changed = True

    def lasts(self, condition: Condition) -> bool:
        """Whether a condition has set in and is not over."""
        return any(one.condition is condition and one.end_s == _FOREVER for one in self.episodes)

    def raise_alarm(self, alarm: Alarm) -> None:
        """Somebody opened the case, held a magnet to it, or something broke."""
        self.alarms |= alarm
        self.changed = True

    def reset_alarms(self) -> None:
        """Forget latched alarms whose cause is gone, and failed leak tests; a fault stays."""
        lasting = Alarm(0)
        for one in self.episodes:
            if one.end_s == _FOREVER:
                lasting |= _ALARM_OF.get(one.condition, Alarm(0))
        self.alarms &= Alarm.FAULT | lasting
        self.error_flags = 0
        self.changed = True

    # -- firmware -----------------------------------------------------------------------------------------

    def take_image(self, payload: bytes) -> None:
        """Do what an image transfer asks; ``answer`` is there afterwards unless a block was sent."""
        if self.image is None:
            self.image = ImageReceiver(
                lambda image: image_signature(image) is not None, active=self.firmware, per_session=self.image_blocks
            )
        self.answer = self.image.take(payload) or b""
        self.changed |= self.image.active != self.firmware
        self.firmware = self.image.active

    # -- valve --------------------------------------------------------------------------------------------

    def move_valve(self, happening: Input, unix_s: float) -> bool:
        """Let something happen to the valve; False if the meter has none. The flow follows."""
        if not self.config.valve:
            return False
        before, self.valve = self.valve, after(self.valve, happening)
        if self.valve is Valve.TESTING and before is not Valve.TESTING:
            self.test_ends_s = unix_s + LEAK_TEST_S
        if happening is Input.TEST_FAILED and before is Valve.TESTING:
            self.error_flags |= LEAK_TEST_FAILED
        if self.valve is Valve.OPEN:
            if before is not Valve.OPEN:
                self.end(Condition.CLOSED, unix_s)
        elif before is Valve.OPEN:
            self._begin(Condition.CLOSED, unix_s)
        self.changed |= self.valve is not before
        return True

    def advance(self, unix_s: float) -> None:
        """Finish a leak test whose time is over: it passes unless gas leaks behind the meter."""
        if self.valve is Valve.TESTING and unix_s >= self.test_ends_s:
            leaks = self.lasts(Condition.LEAK)
            self.move_valve(Input.TEST_FAILED if leaks else Input.TEST_PASSED, self.test_ends_s)

    # -- how it is ----------------------------------------------------------------------------------------

    def battery_years(self, unix_s: float) -> float:
        """Years the battery lasts from now on, as it has been used so far; 0 when it is empty."""
        fitted = self.config.battery_fitted.toordinal() - _EPOCH
        age = max(unix_s / DAY_S - fitted, 0.0) / _DAYS_PER_YEAR
        radio = self.used_mas / _RESERVE_MAS * self.config.battery_years
        return max(self.config.battery_years - age - radio, 0.0)

    def status(self, unix_s: float) -> int:
        """The status octet of the transport layer."""
        status = 0x03 if self.alarms & _ABNORMAL else 0
        status |= 0x04 if self.battery_years(unix_s) < _POWER_LOW_YEARS else 0
        status |= 0x08 if self.alarms & Alarm.FAULT else 0
        return status | (0x10 if self.alarms & _TEMPORARY else 0)

    def errors(self) -> int:
        """The 16 error flags: the alarms, a failed leak test, and that the clock was set."""
        return int(self.alarms) | self.error_flags


def _spilt(one: Episode, times_s: Ints) -> Ints:
    """What an episode let through until each moment, register units."""
    reached = np.minimum(times_s, one.end_s) if one.end_s != _FOREVER else times_s
    litres: Ints = (np.maximum(reached - one.start_s, 0) * (one.rate / HOUR_S)).astype(np.int64)
    return litres
