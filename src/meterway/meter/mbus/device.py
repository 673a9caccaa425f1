"""One M-Bus meter: who it is, what happened to it, and what it measures now. Pure; time comes in.

A flyweight: consumption is ``usage``; kept are only keys, counters, alarms, the valve and what disturbed the flow.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from enum import Enum, IntFlag
from typing import Final, NamedTuple

import numpy as np

from meterway.base.errors import ConfigError
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.usage import HOUR_S, Ints, Usage, Utility
from meterway.meter.mbus.valve import LEAK_TEST_S, Input, Valve, after
from meterway.stacks.mbus.address import Address

__all__ = ["Alarm", "Condition", "Episode", "MbusMeter"]

_MAX_EPISODES: Final = 64
_DAYS_PER_YEAR: Final = 365.25
_POWER_LOW_YEARS: Final = 1.0
_FOREVER: Final = math.inf


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
_DEFAULT_RATE: Final[dict[Condition, float]] = {Condition.LEAK: 12.0, Condition.BURST: 2400.0, Condition.BACK_FLOW: 30.0}
_STOPPED: Final = (Condition.CLOSED, Condition.DRY)


class Episode(NamedTuple):
    """A condition from ``start_s`` to ``end_s`` (infinity while it lasts), at ``rate`` register units an hour."""

    condition: Condition
    start_s: float
    end_s: float
    rate: float = 0.0


class MbusMeter:
    """A meter; ``changed`` is set by whatever must outlive a restart, and reset by whoever keeps it."""

    __slots__ = (
        "address",
        "alarms",
        "application",
        "changed",
        "clock_offset_s",
        "config",
        "counter",
        "episodes",
        "error_flags",
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
        self.usage = Usage(seed=config.usage_seed, utility=config.utility, offset_min=config.utc_offset_min)
        self.clock_offset_s = config.clock_offset_s
        self.primary = config.primary
        self.counter = 0
        """The message counter: of the last message sent under the present key; its low octet is the access number."""
        self.received = -1
        """The last message counter taken from a partner."""
        self.alarms = Alarm(0)
        self.error_flags = 0
        self.application = 0
        self.episodes: tuple[Episode, ...] = ()
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
        values = self.usage.registers(times_s)
        for episode in self.episodes:
            if episode.condition in _STOPPED:
                bounds = self.usage.registers(np.array([int(episode.start_s)], np.int64))
                reached = np.maximum(times_s, int(episode.start_s))
                if episode.end_s is not _FOREVER:
                    reached = np.minimum(reached, int(episode.end_s))
                values -= self.usage.registers(reached) - bounds
            elif episode.condition in (Condition.LEAK, Condition.BURST):
                values[:, 0] += _spilt(episode, times_s)
        return values

    def at(self, unix_s: float) -> tuple[int, ...]:
        """The registers now."""
        return tuple(int(value) for value in self.registers(np.array([int(unix_s)], np.int64))[0])

    def backward(self, unix_s: float) -> int:
        """What flowed back, register units."""
        now = np.array([int(unix_s)], np.int64)
        back = (one for one in self.episodes if one.condition is Condition.BACK_FLOW)
        return sum(int(_spilt(one, now)[0]) for one in back)

    def rates(self, unix_s: float) -> tuple[int, ...]:
        """What flows now, register units an hour: the running hour's mean with what disturbs it."""
        running = [one for one in self.episodes if one.start_s <= unix_s < one.end_s]
        rates = list(self.usage.rates(unix_s))
        if any(one.condition in _STOPPED for one in running):
            rates = [0] * len(rates)
        rates[0] += int(sum(one.rate for one in running if one.condition in (Condition.LEAK, Condition.BURST)))
        return tuple(rates)

    # -- what happens to it -------------------------------------------------------------------------------

    def begin(self, condition: Condition, unix_s: float, *, rate: float | None = None) -> None:
        """A condition sets in; ConfigError if it makes no sense here or there were too many to remember."""
        if self.config.utility is Utility.HEAT_COST or (
            condition is Condition.BACK_FLOW and self.config.utility is not Utility.WATER
        ):
            raise ConfigError(f"{condition.value} does not happen to a {self.config.utility.value} meter")
        if any(one.condition is condition and one.end_s is _FOREVER for one in self.episodes):
            return
        self._forget_old()
        flow = _DEFAULT_RATE.get(condition, 0.0) if rate is None else rate
        self.episodes += (Episode(condition, math.ceil(unix_s), _FOREVER, flow),)
        self.alarms |= _ALARM_OF.get(condition, Alarm(0))
        self.changed = True

    def _forget_old(self) -> None:
        if len(self.episodes) >= _MAX_EPISODES:
            raise ConfigError(f"meter {self.address}: {_MAX_EPISODES} disturbances are all it remembers")

    def end(self, condition: Condition, unix_s: float) -> None:
        """A condition is over; an alarm that is not latched goes with it."""
        self.episodes = tuple(
            one._replace(end_s=max(math.ceil(unix_s), one.start_s))
            if one.condition is condition and one.end_s is _FOREVER
            else one
            for one in self.episodes
        )
        self.alarms &= ~(_ALARM_OF.get(condition, Alarm(0)) & ~LATCHED)
        self.changed = True

    def raise_alarm(self, alarm: Alarm) -> None:
        """Somebody opened the case, held a magnet to it, or something broke."""
        self.alarms |= alarm
        self.changed = True

    def reset_alarms(self) -> None:
        """Forget latched alarms whose cause is gone, and failed leak tests; a fault stays."""
        lasting = Alarm(0)
        for one in self.episodes:
            if one.end_s is _FOREVER:
                lasting |= _ALARM_OF.get(one.condition, Alarm(0))
        self.alarms &= Alarm.FAULT | lasting
        self.error_flags = 0
        self.changed = True
