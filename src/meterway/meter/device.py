"""A virtual electricity meter: who it is and what changed; the rest is a pure function of its seed and the time.

Every method takes the true time ``now`` (Unix seconds); the meter's own clock may differ. Energies are whole Wh
and varh in the channels of ``load.CHANNELS``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.base.obis import Obis
from meterway.meter import events
from meterway.meter.events import Event, EventCode, Log
from meterway.meter.load import DAY_SLOTS, SLOT_S, Load, Network
from meterway.meter.tariff import DEFAULT_PLAN, TARIFFS, TariffPlan, flat_plan, slot_tariffs
from meterway.meter.zone import Zone, always
from meterway.stacks.dlms.classes.disconnect_control import ControlState, Mover, Supply, next_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from meterway.meter.config import MeterConfig
    from meterway.meter.image_parity import ImageParity
    from meterway.meter.keys import Keys
    from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
    from meterway.stacks.dlms.classes.limiter import LimiterState
    from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

__all__ = ["ALARM_FILTER", "ALARM_PUSH", "Buffer", "Meter", "OffPeriod"]

ALARM_PUSH: Final = Obis(0, 4, 25, 9, 0)
"""The push setup that sends alarms."""
ALARM_FILTER: Final = (1, Obis(0, 0, 97, 98, 10), 2)
_LOG_DAYS: Final = 90
_MOST_CAPTURED: Final = 50
_MOST_PLANS: Final = 16
_ALARM_BITS: Final[dict[int, int]] = {
    EventCode.CLOCK_INVALID: 0,
    EventCode.TERMINAL_COVER_REMOVED: 13,
    EventCode.METER_COVER_REMOVED: 13,
    EventCode.STRONG_FIELD: 13,
    EventCode.AUTHENTICATION_FAILED: 13,
    EventCode.DECRYPTION_FAILED: 13,
    EventCode.REPLAY_ATTACK: 13,
    EventCode.POWER_DOWN: 16,
    EventCode.POWER_UP: 17,
    EventCode.LIMIT_EXCEEDED: 18,
    EventCode.FIRMWARE_VERIFICATION_FAILED: 19,
}
_MOVED: Final[dict[tuple[Mover, ControlState], EventCode]] = {
    (Mover.REMOTE, ControlState.DISCONNECTED): EventCode.REMOTE_DISCONNECTION,
    (Mover.REMOTE, ControlState.CONNECTED): EventCode.REMOTE_CONNECTION,
    (Mover.REMOTE, ControlState.READY_FOR_RECONNECTION): EventCode.READY_FOR_RECONNECTION,
    (Mover.MANUAL, ControlState.READY_FOR_RECONNECTION): EventCode.MANUAL_DISCONNECTION,
    (Mover.MANUAL, ControlState.CONNECTED): EventCode.MANUAL_CONNECTION,
    (Mover.LOCAL, ControlState.READY_FOR_RECONNECTION): EventCode.LOCAL_DISCONNECTION,
    (Mover.LOCAL, ControlState.CONNECTED): EventCode.LOCAL_RECONNECTION,
}

Ints = NDArray[np.int64]


class OffPeriod(NamedTuple):
    """No energy flowed from ``start`` to ``end``; ``dark`` if the meter itself had no supply."""

    start: float
    end: float
    dark: bool


class Buffer(NamedTuple):
    """What was done to a profile: rows up to ``since`` are gone, rows at ``captured`` were asked for (Unix seconds)."""

    since: float = 0.0
    captured: tuple[float, ...] = ()


_PLANS: Final[tuple[tuple[float, TariffPlan], ...]] = ((0.0, DEFAULT_PLAN),)


class Meter:
    """One meter. Attributes hold identity and what differs from a meter fresh from its maker."""

    __slots__ = (
        "alarms",
        "buffers",
        "changed",
        "cleared",
        "clock_jumps",
        "clock_offset_s",
        "clock_set_s",
        "config",
        "control_mode",
        "control_state",
        "demand_reset_s",
        "errors",
        "firmware",
        "image",
        "image_parity",
        "keys",
        "limiter",
        "load",
        "logged",
        "off",
        "on_keys",
        "on_push",
        "plans",
        "ran_until",
        "received",
        "send_counter",
        "tariff_mark",
        "title",
        "touched",
        "zone",
        "zones",
    )

    def __init__(self, config: MeterConfig) -> None:
        self.config = config
        self.title = config.title
        """The system title, 8 octets."""
        self.keys: Keys = config.keys
        self.load = Load(seed=config.load_seed, kind=config.kind, zone=config.zone)
        self.zone: Zone = config.zone
        """Of its clock; the load follows the zone of the settings."""
        self.zones: tuple[tuple[float, Zone], ...] = always(config.zone)
        """Since when each zone has held, Unix seconds; the last is that of the clock."""
        self.clock_offset_s = config.clock_offset_s
        self.clock_set_s = 0.0
        self.control_mode = config.disconnect_mode
        self.control_state = ControlState.CONNECTED
        self.alarms = 0
        self.errors = 0
        self.plans = _PLANS
        self.off: tuple[OffPeriod, ...] = ()
        self.logged: tuple[Event, ...] = ()
        self.clock_jumps: tuple[float, ...] = ()
        self.cleared: dict[Log, float] | None = None
        self.changed: dict[tuple[int, Obis, int], bytes] | None = None
        """Attributes that were set: (class, logical name, attribute) to encoded octets."""
        self.buffers: dict[Obis, Buffer] | None = None
        """Profiles that were reset or made to capture."""
        self.demand_reset_s = 0.0
        self.touched = False
        """Whether anything changed that is to outlive the process."""
        self.image: ImageTransfer | None = None
        self.image_parity: ImageParity | None = None
        """Of that image, once a symbol of it came."""
        self.firmware = b"MWY-1.0.0"
        self.limiter: LimiterState | None = None
        self.ran_until = 0.0
        """Until when (local clock) scheduled actions were carried out; 0 before the first look."""
        self.received: dict[int, ReceivedCounter] | None = None
        """By client, the invocation counters that came."""
        self.send_counter: SendCounter | None = None
        self.on_push: Callable[[Meter, Obis, float], None] | None = None
        """Who sends what the meter wants to push: called with the push setup's logical name and the time."""
        self.on_keys: Callable[[Meter], None] | None = None
        """Who keeps transferred keys over a restart."""
        self.tariff_mark: tuple[int, tuple[int, ...]] | None = None
        """A slot, and the tariff registers at its start."""

    # -- identity ------------------------------------------------------------------------------------

    @property
    def serial(self) -> str:
        """The device's number."""
        return self.config.serial

    @property
    def logical_device_name(self) -> bytes:
        """Flag and serial, at most 16 octets."""
        return (self.config.flag + self.config.serial)[:16].encode()

    @property
    def installed_s(self) -> int:
        """When its history starts: local midnight of the day of installation, Unix seconds."""
        return _day_start(self.config.zone, self.config.installed)

    # -- clock ---------------------------------------------------------------------------------------

    def clock_error_s(self, now: float) -> float:
        """By how much the meter's clock is fast."""
        drift = self.config.drift_ppm
        if not drift:
            return self.clock_offset_s
        since = self.clock_set_s or float(self.installed_s)
        return self.clock_offset_s + (now - since) * drift * 1e-6

    def clock(self, now: float) -> float:
        """What the meter believes the time is, Unix seconds."""
        return now + self.clock_error_s(now)

    def set_clock(self, to_s: float, now: float) -> None:
        """Set or shift the clock; both times are logged and the running interval is marked."""
        self.log(now, Log.STANDARD, EventCode.CLOCK_ADJUSTED_OLD)
        self.clock_offset_s = to_s - now
        self.clock_set_s = now
        self.clock_jumps = (*self.clock_jumps, now)[-100:]
        self.log(now, Log.STANDARD, EventCode.CLOCK_ADJUSTED_NEW)

    # -- energy --------------------------------------------------------------------------------------

    def energy_at(self, now: float) -> tuple[int, int, int, int]:
        """The four registers."""
        values = self.load.at(now)
        if not self.off:
            return values
        a, b, c, d = (value - lost for value, lost in zip(values, self._lost_at(now), strict=True))
        return a, b, c, d

    def _silent(self) -> list[tuple[float, float]]:
        """When nothing flowed, for whatever reason; in order, apart from each other."""
        merged: list[tuple[float, float]] = []
        for start, end, _ in sorted(self.off):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _lost_at(self, now: float) -> list[int]:
        lost = [0, 0, 0, 0]
        for start, end in self._silent():
            if start < now:
                begin, until = self.load.at(start), self.load.at(min(now, end))
                lost = [known + hi - lo for known, lo, hi in zip(lost, begin, until, strict=True)]
        return lost

    def energy_slots(self, first_slot: int, count: int) -> Ints:
        """The four registers at the start of ``count`` slots, shape (count, 4)."""
        values = self.load.registers(first_slot, count)
        if not self.off:
            return values
        times = np.arange(first_slot, first_slot + count) * SLOT_S
        kept = values.copy()
        for start, end in self._silent():
            begin = np.array(self.load.at(start))
            through = values - begin
            if end < times[-1]:
                through[times >= end] = np.array(self.load.at(end)) - begin
            kept -= np.where((times > start)[:, None], through, 0)
        return kept

    def network(self, now: float) -> Network:
        """Power, voltage and current; no current while the supply is off."""
        live = self.load.network(now)
        running = next((period for period in self.off if period.start <= now < period.end), None)
        if running is None:
            return live
        dead = (0.0, 0.0, 0.0)
        volts = dead if running.dark else live.voltages_v
        return Network(0, 0, 0, 0, volts, dead, 0.0 if running.dark else live.frequency_hz)

    # -- tariffs -------------------------------------------------------------------------------------

    def tariff(self, now: float) -> int:
        """The tariff that holds now."""
        return int(slot_tariffs(self.plans, self.zones, int(now // SLOT_S), 1)[0])

    def rates_at(self, now: float) -> tuple[int, ...]:
        """Import of tariffs 1 to 4, then export of tariffs 1 to 4; each four sum up to 1.8.0 and 2.8.0 exactly."""
        slot = int(now // SLOT_S)
        mark_slot, mark = self._mark(slot)
        rates = list(mark) if mark_slot == slot else self.rates_slots(np.array([slot]))[0, 4:].tolist()
        live = self.energy_at(now)
        tariff = self.tariff(now) - 1
        for channel in (0, 1):
            first = channel * TARIFFS
            rates[first + tariff] += live[channel] - sum(rates[first : first + TARIFFS])
        return tuple(rates)

    def rates_slots(self, slots: Ints) -> Ints:
        """The four registers, then ``rates_at``, at the start of each of these slots, shape (count, 12)."""
        mark_slot, mark = self._mark(int(slots.max()))
        first = min(mark_slot, int(slots.min()))
        count = max(mark_slot, int(slots.max())) - first
        registers = self.energy_slots(first, count + 1)
        spent = registers[1:, :2] - registers[:-1, :2]
        tariffs = slot_tariffs(self.plans, self.zones, first, max(count, 1))[:count]
        places = slots - first
        result = np.zeros((len(slots), 4 + 2 * TARIFFS), dtype=np.int64)
        result[:, :4] = registers[places]
        sums = np.zeros((count + 1, 2), dtype=np.int64)
        for tariff in range(TARIFFS):
            held = tariffs == tariff + 1
            columns = [4 + tariff, 4 + TARIFFS + tariff]
            result[:, columns] = (mark[tariff], mark[TARIFFS + tariff])
            if held.any():
                np.cumsum(spent * held[:, None], axis=0, out=sums[1:])
                result[:, columns] += sums[places] - sums[mark_slot - first]
        return result

    def _mark(self, latest: int) -> tuple[int, tuple[int, ...]]:
        """A slot whose tariff registers are known: ``latest``, or a later one that was asked before."""
        mark = self.tariff_mark
        if mark is None:
            slot = self.installed_s // SLOT_S
            imported, exported = self.energy_slots(slot, 1)[0, :2].tolist()
            night, surplus = imported * 45 // 100, exported * 20 // 100
            known = (night, imported - night, 0, 0, surplus, exported - surplus, 0, 0)
            mark = self.tariff_mark = (slot, known)
        if latest > mark[0]:
            mark = self.tariff_mark = (latest, self._sum_from(mark, latest))
        return mark

    def _sum_from(self, mark: tuple[int, tuple[int, ...]], slot: int) -> tuple[int, ...]:
        count = slot - mark[0]
        spent = np.diff(self.energy_slots(mark[0], count + 1)[:, :2], axis=0)
        tariffs = slot_tariffs(self.plans, self.zones, mark[0], count)
        sums = [int(spent[tariffs == tariff + 1, channel].sum()) for channel in (0, 1) for tariff in range(TARIFFS)]
        return tuple(known + more for known, more in zip(mark[1], sums, strict=True))

    def activate(self, plan: TariffPlan, now: float) -> None:
        """Put a tariff plan into force from the next quarter-hour on."""
        starts = (now // SLOT_S + 1) * SLOT_S
        self.plans = (*self.plans, (starts, plan))[-_MOST_PLANS:]
        self.log(now, Log.STANDARD, EventCode.TARIFF_CALENDAR_ACTIVATED)

    def change_zone(self, zone: Zone, now: float) -> None:
        """Set the zone of the clock. Tariffs follow it from the next quarter-hour on; what was counted stays."""
        starts = (now // SLOT_S + 1) * SLOT_S
        earlier = tuple(one for one in self.zones if one[0] < starts)
        self.zones = (*earlier, (starts, zone))[-_MOST_PLANS:]
        self.zone = zone

    def force_tariff(self, tariff: int, now: float) -> None:
        """Let a tariff hold from the next quarter-hour on, until the calendar next switches."""
        slot = int(now // SLOT_S) + 1
        plan = self.plans[-1][1]
        ahead = slot_tariffs(((0.0, plan),), self.zone, slot, 2 * DAY_SLOTS)
        switches = np.flatnonzero(ahead[1:] != ahead[:-1])
        again = slot + (int(switches[0]) + 1 if len(switches) else 2 * DAY_SLOTS)
        forced = ((float(slot * SLOT_S), flat_plan(tariff)), (float(again * SLOT_S), plan))
        self.plans = (*self.plans, *forced)[-_MOST_PLANS:]
        self.log(now, Log.STANDARD, EventCode.PARAMETERS_CHANGED)

    def demand_max(self, from_s: float, now: float) -> tuple[int, int]:
        """(W, Unix seconds of its end) of the highest quarter-hour average of import that ended since ``from_s``."""
        first = int(-(-max(from_s, self.installed_s) // SLOT_S))
        count = int(now // SLOT_S) - first
        if count <= 0:
            return 0, int(from_s)
        spent = np.diff(self.energy_slots(first, count + 1)[:, 0])
        best = int(spent.argmax())
        return int(spent[best]) * 4, (first + best + 1) * SLOT_S

    # -- profiles ------------------------------------------------------------------------------------

    def reset_buffer(self, profile: Obis, now: float) -> None:
        """Empty a profile; its rows start anew."""
        self.buffers = {**(self.buffers or {}), profile: Buffer(since=now)}
        self.log(now, Log.STANDARD, EventCode.PARAMETERS_CHANGED)

    def capture(self, profile: Obis, now: float) -> None:
        """Add a row to a profile out of turn."""
        buffer = (self.buffers or {}).get(profile, Buffer())
        captured = (*buffer.captured, float(int(now)))[-_MOST_CAPTURED:]
        self.buffers = {**(self.buffers or {}), profile: buffer._replace(captured=captured)}
        self.touched = True

    def reset_demand(self, now: float) -> None:
        """Start the search for the highest demand anew."""
        self.demand_reset_s = now
        self.touched = True

    def change(self, key: tuple[int, Obis, int], octets: bytes) -> None:
        """Keep an attribute that was set."""
        self.changed = {**(self.changed or {}), key: octets}
        self.touched = True

    # -- events --------------------------------------------------------------------------------------

    def log(self, now: float, log: Log, code: int) -> None:
        """Write an event and raise its alarm bit if it has one."""
        self.touched = True
        self.logged = (*self.logged, Event(int(self.clock(now)), log, code))[-500:]
        bit = _ALARM_BITS.get(code)
        if bit is not None:
            self.alarms |= 1 << bit
            if self.on_push is not None and self.alarm_filter >> bit & 1:
                self.on_push(self, ALARM_PUSH, now)

    @property
    def alarm_filter(self) -> int:
        """The alarm bits that are pushed."""
        octets = (self.changed or {}).get(ALARM_FILTER)
        return 0xFFFFFFFF if octets is None else int.from_bytes(octets[1:], "big")

    def log_events(
        self, log: Log, from_s: float, to_s: float, now: float, *, days: int | None = _LOG_DAYS
    ) -> list[Event]:
        """What a log holds within [from_s, to_s], in order: the seeded past of some days, then what happened."""
        cleared = (self.cleared or {}).get(log, 0.0)
        oldest = 0.0 if days is None else now - days * 86400
        first = max(int(max(from_s, oldest, cleared)) // 86400, self.installed_s // 86400)
        past = events.past_events(
            self.load.seed,
            self.zone,
            log,
            installed_s=self.installed_s,
            first_day=first,
            last_day=int(min(to_s, now)) // 86400,
        )
        upto = min(to_s, now)
        seeded = [event for event in past if max(from_s, cleared) <= event.unix_s <= upto]
        real = [event for event in self.logged if event.log is log and from_s <= event.unix_s <= to_s]
        return sorted(seeded + real, key=lambda event: event.unix_s)

    def clear_log(self, log: Log, now: float) -> None:
        """Empty a log; that it was emptied is its first entry."""
        self.cleared = {**(self.cleared or {}), log: now}
        self.logged = tuple(event for event in self.logged if event.log is not log)
        self.log(now, log, EventCode.LOG_CLEARED)

    # -- supply --------------------------------------------------------------------------------------

    def move(self, mover: Mover, supply: Supply, now: float) -> bool:
        """Open or close the switch as the control mode allows; False (and nothing happens) if it does not."""
        after = next_state(self.control_mode, self.control_state, mover, supply)
        if after is None:
            return False
        was_on, is_on = self.control_state is ControlState.CONNECTED, after is ControlState.CONNECTED
        self.control_state = after
        self.log(now, Log.DISCONNECTOR, _MOVED[mover, after])
        if was_on and not is_on:
            self.off = (*self.off, OffPeriod(now, float("inf"), dark=False))
        elif is_on and not was_on:
            self.off = tuple(_closed(self.off, now, dark=False))
        return True

    def cut_supply(self, now: float) -> None:
        """The grid fails: nothing flows and nothing is captured until ``restore_supply``."""
        self.log(now, Log.STANDARD, EventCode.POWER_DOWN)
        self.off = (*self.off, OffPeriod(now, float("inf"), dark=True))

    def restore_supply(self, now: float) -> None:
        """The grid is back."""
        self.off = tuple(_closed(self.off, now, dark=True))
        self.log(now, Log.STANDARD, EventCode.POWER_UP)

    def add_outage(self, start_s: float, end_s: float) -> None:
        """Inject a supply failure of the past: its events, and the rows and energy it swallowed."""
        self.log(start_s, Log.STANDARD, EventCode.POWER_DOWN)
        self.log(end_s, Log.STANDARD, EventCode.POWER_UP)
        self.off = (*self.off, OffPeriod(start_s, end_s, dark=True))
        self.tariff_mark = None

    def change_keys(self, fresh: dict[str, bytes], now: float) -> None:
        """Put transferred keys (by field of ``Keys``) into force for associations opened from now on.

        With a new encryption key the invocation counters start afresh.
        """
        self.keys = replace(self.keys, **fresh)
        if "guek" in fresh:
            self.send_counter = None
            self.received = None
        self.log(now, Log.STANDARD, EventCode.GLOBAL_KEYS_CHANGED)
        if self.on_keys is not None:
            self.on_keys(self)

    @property
    def is_dark(self) -> bool:
        """Whether the meter has no supply at the moment."""
        return any(period.dark and period.end == float("inf") for period in self.off)

    def utc(self, now: float) -> datetime:
        """The meter's clock as an aware datetime; what it cannot say is the year 9999 or 1970."""
        return datetime.fromtimestamp(min(max(self.clock(now), 0.0), 253402300799.0), UTC)


@lru_cache(maxsize=1024)
def _day_start(zone: Zone, day: date) -> int:
    return zone.unix(datetime(day.year, day.month, day.day))  # noqa: DTZ001  a wall clock


def _closed(periods: Iterable[OffPeriod], now: float, *, dark: bool) -> list[OffPeriod]:
    return [
        period._replace(end=now) if period.dark is dark and period.end == float("inf") else period for period in periods
    ]
