"""A load controller: relays with simulated loads, orders, limits, signals, a programme, a log. Pure; time comes in.

Every public method takes the real time in Unix seconds; inside all is in the time of the device's own clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from meterway.base.errors import MeterwayError
from meterway.base.obis import Obis
from meterway.home.config import HomeConfig
from meterway.home.events import Code, Event
from meterway.home.load import SLOT_S, drawn, energy_ws, power_w
from meterway.home.rules import Cause, Hold, Relay
from meterway.mapping.home import LoadOrder, Signal, SignalKind
from meterway.stacks.dlms.classes.elements import ActionItem
from meterway.stacks.dlms.classes.limiter import LimiterActions, LimiterSettings
from meterway.stacks.dlms.classes.schedule import ExecutionTime, next_execution

__all__ = ["SCRIPTS", "LoadController", "RefusedError", "Row"]

SCRIPTS: Final = Obis(0, 0, 10, 0, 106)
_HOUR_S: Final = 3600
_DAY_S: Final = 86400
_AHEAD_S: Final = 7 * 86400
_KEPT_ROWS: Final = 60 * 24
_KEPT_EVENTS: Final = 500
_KEPT_SIGNALS: Final = 16
_LIMITER: Final = -1
_OWN: Final = 0x80000000
_NOTHING: Final = ActionItem(script_table=SCRIPTS, selector=0)
_FAR: Final = float("inf")


class RefusedError(MeterwayError):
    """The device does not do it; the text says why. ``is_denied``: for want of a right."""

    def __init__(self, why: str, *, is_denied: bool = False) -> None:
        super().__init__(why)
        self.is_denied = is_denied


class Row(NamedTuple):
    """One row of the hourly profile: its end, the relays that were closed then (bit 0: relay 1), Wh so far."""

    time_s: int
    closed: int
    energy_wh: int


@dataclass(slots=True)
class _Known:
    signal: Signal
    acknowledged: bool = False


class LoadController:
    """One device, from ``now`` on. ``on_change`` is called when something that should outlive the process changed."""

    def __init__(self, config: HomeConfig, now: float) -> None:
        self.config = config
        self.keys = replace(config.keys)
        self.programme = config.programme
        self.consent = config.consent
        self.clock_offset_s = 0.0
        self.relays = [Relay() for _ in config.relays]
        self.closed = [True] * len(config.relays)
        """Where the relays stand, as their contacts say."""
        self.causes = [Cause.NOTHING] * len(config.relays)
        self.energy_ws = [0.0] * len(config.relays)
        self.rows: deque[Row] = deque(maxlen=_KEPT_ROWS)
        self.events: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self.known: dict[int, _Known] = {}
        self.acknowledged = 0
        self.order_taken: LoadOrder | None = None
        self.limiter = LimiterSettings(
            threshold_normal=self.rated_w,
            threshold_emergency=0,
            min_over_s=60,
            min_under_s=60,
            actions=LimiterActions(over=_NOTHING, under=_NOTHING),
            groups=config.groups,
        )
        self.schedule: tuple[ExecutionTime, ...] = ()
        self.script = 1
        self.on_change: Callable[[], None] = lambda: None
        self.overrides: list[float] = []
        self._count = 0
        self._at = now
        self._pressed_s: float | None = None
        """Since when the load has been over the limit, or under while shed."""
        self._shed = False
        self._log(Code.STARTED)

    @property
    def title(self) -> bytes:
        """System title and EUI."""
        return self.config.title

    @property
    def rated_w(self) -> int:
        """All loads together, W."""
        return sum(one.rated_w for one in self.config.relays)

    @property
    def takes_part(self) -> bool:
        """Whether the operator may command loads: the device is registered, and the consumer consents."""
        return self.consent and bool(self.programme)

    def clock(self, now: float) -> float:
        """What its own clock shows."""
        return now + self.clock_offset_s

    # -- time ---------------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Live up to now: switch what was due, count the energy, keep rows."""
        to_s = self.clock(now)
        while self._at < to_s:
            at = min(self._next(self._at), to_s)
            self._pass(at)
            if at % _HOUR_S == 0:
                self.rows.append(Row(int(at), self._bits(), self._total_wh()))
            self._run_schedule(at)
            self._settle(at)
        self._settle(self._at)

    def next_due(self, now: float) -> float:
        """When ``advance`` should be called again."""
        return self._next(self.clock(now)) - self.clock_offset_s

    def _next(self, at: float) -> float:
        due = [(at // _HOUR_S + 1) * _HOUR_S]
        due += [change for one in self.relays if (change := one.next_change(at)) is not None]
        if (scheduled := self._scheduled(at)) is not None:
            due.append(scheduled)
        if self._limit(at) is not None or self._shed:
            due.append((at // SLOT_S + 1) * SLOT_S)
        due += [end for one in self.known.values() for end in (one.signal.start, one.signal.end) if end > at]
        if self._pressed_s is not None:
            wait = self._pressed_s + (self.limiter.min_under_s if self._shed else self.limiter.min_over_s)
            due.append(wait if wait > at else at + 1)
        return min(due)

    def _pass(self, to_s: float) -> None:
        for place, one in enumerate(self.config.relays):
            if self.closed[place]:
                self.energy_ws[place] += energy_ws(one.kind, one.rated_w, self._seed(place), self._at, to_s)
        self._at = to_s

    def _settle(self, at: float) -> None:
        """Put the relays where they are to stand."""
        self._keep_limit(at)
        for place, relay in enumerate(self.relays):
            self.relays[place] = relay = relay.tidied(at)
            on, cause = relay.decide(at)
            before, self.causes[place] = self.causes[place], cause
            if cause is not before and Cause.EMERGENCY in (cause, before):
                self._log(Code.EMERGENCY if cause is Cause.EMERGENCY else Code.EMERGENCY_ENDED, place + 1)
            if on is not self.closed[place]:
                self.closed[place] = on
                self._log(Code.SWITCHED_ON if on else Code.SWITCHED_OFF, place + 1, cause.name.lower())

    # -- what is measured ---------------------------------------------------------------------------------------------

    def power_w(self, place: int, now: float) -> int:
        """What a relay's load takes now, W."""
        return self._power(place, self.clock(now))

    def total_w(self, now: float) -> int:
        """What all loads take now, W."""
        return sum(self.power_w(place, now) for place in range(len(self.relays)))

    def energy_wh(self, place: int) -> int:
        """What a relay's load has taken so far, Wh."""
        return int(self.energy_ws[place] // 3600)

    def _power(self, place: int, at: float) -> int:
        one = self.config.relays[place]
        return power_w(one.kind, one.rated_w, self._seed(place), at) if self.closed[place] else 0

    def _seed(self, place: int) -> int:
        return self.config.seed * 8 + place

    def _total_wh(self) -> int:
        return int(sum(self.energy_ws) // 3600)

    def _bits(self) -> int:
        return sum(1 << place for place, closed in enumerate(self.closed) if closed)

    # -- orders -------------------------------------------------------------------------------------------------------

    def order(self, order: LoadOrder, now: float) -> None:
        """Take an order; RefusedError if it is over, too far off or without the right to command."""
        self.advance(now)
        at = self._at
        try:
            self._judge(order, at)
        except RefusedError as refusal:
            self._log(Code.ORDER_REFUSED, 0, str(refusal))
            raise
        self.order_taken = order
        self._log(Code.ORDER_TAKEN, 0, f"order {order.ident}")
        for place in self._meant(order.relays):
            wait = self._offset(order.offset_s, order.ident, place)
            self.relays[place] = self._told(self.relays[place], order, wait, at)
        self._settle(at)
        self.on_change()

    def _judge(self, order: LoadOrder, at: float) -> None:
        start = order.start or at
        if not self._meant(order.relays):
            raise RefusedError("there is no such relay")
        if order.expires and at > order.expires:
            raise RefusedError("it came after it expired")
        if start + self._length(order) <= at:
            raise RefusedError("it is over")
        if start > at + _AHEAD_S or order.duration_s > self.config.longest_s:
            raise RefusedError("it is too long or too far off")
        if not (self.takes_part or order.emergency):
            raise RefusedError("the device takes part in no programme", is_denied=True)

    def _told(self, relay: Relay, order: LoadOrder, wait: float, at: float) -> Relay:
        start = order.start or at
        until = start + self._length(order) + wait
        if not order.emergency:
            return relay.ordered(Hold(on=order.on, from_s=start + wait, until_s=until, ident=order.ident))
        if order.on:
            return relay.rescued(start + wait)
        return relay.cut(Hold(on=False, from_s=start, until_s=until, ident=order.ident))

    def _length(self, order: LoadOrder) -> int:
        return order.duration_s or self.config.hold_s

    def _meant(self, relays: int) -> list[int]:
        return [place for place in range(len(self.relays)) if not relays or relays >> place & 1]

    def _offset(self, most_s: float, *parts: object) -> float:
        """This device's random wait: the same for the same order, another for every device and relay."""
        return drawn("offset", self.config.seed, self.config.serial, *parts) * most_s

    def switch(self, relays: int, *, on: bool, now: float) -> None:
        """A bare command of the operator: off is an order of the usual length, on ends orders. Refused as ``order``."""
        self._count += 1
        ident = _OWN | self._count
        if not on:
            self.order(LoadOrder(ident=ident, relays=relays, offset_s=self.config.offset_s), now)
            return
        self.advance(now)
        for place in self._meant(relays):
            end = self._at + self._offset(self.config.offset_s, ident, place)
            self.relays[place] = self.relays[place].released(end)
        self._log(Code.ORDER_ENDED)
        self._settle(self._at)
        self.on_change()

    # -- the consumer -------------------------------------------------------------------------------------------------

    def override(self, place: int, *, on: bool, now: float) -> None:
        """The button of a relay; RefusedError if an emergency or the limit holds it, or the right is used up."""
        self.advance(now)
        at = self._at
        try:
            self._judge_override(place, at)
        except RefusedError as refusal:
            self._log(Code.OVERRIDE_REFUSED, place + 1, str(refusal))
            raise
        plain = replace(self.relays[place], override=None)
        if plain.decide(at)[0] is on:  # back to what it would be
            self.relays[place] = plain
        else:
            self.overrides = [*(moment for moment in self.overrides if moment // _DAY_S == at // _DAY_S), at]
            self.relays[place] = replace(plain, override=Hold(on=on, from_s=at, until_s=at + self.config.override_s))
        self._log(Code.OVERRIDDEN, place + 1)
        self._settle(at)
        self.on_change()

    def _judge_override(self, place: int, at: float) -> None:
        if not 0 <= place < len(self.relays):
            raise RefusedError("there is no such relay")
        if not self.config.relays[place].may_override:
            raise RefusedError("this relay has no override", is_denied=True)
        if self.causes[place] in (Cause.EMERGENCY, Cause.LIMIT):
            raise RefusedError(f"{self.causes[place].name.lower()} goes before it", is_denied=True)
        today = sum(1 for moment in self.overrides if moment // _DAY_S == at // _DAY_S)
        if today >= self.config.overrides_per_day and self.relays[place].override is None:
            raise RefusedError("today's overrides are used up", is_denied=True)

    def agree(self, *, consent: bool, now: float) -> None:
        """The consumer gives or revokes consent; without it the orders that are there end at once."""
        self.advance(now)
        if consent is not self.consent:
            self.consent = consent
            self._log(Code.CONSENT_GIVEN if consent else Code.CONSENT_REVOKED)
            self._left()

    def enrol(self, programme: str, now: float) -> None:
        """Register in a programme, or in none; RefusedError to register without consent."""
        self.advance(now)
        if programme and not self.consent:
            raise RefusedError("the consumer has not consented", is_denied=True)
        if programme != self.programme:
            self.programme = programme
            self._log(Code.ENROLLED if programme else Code.DEREGISTERED, 0, programme)
            self._left()

    def _left(self) -> None:
        if not self.takes_part:
            if not self.consent:
                self.programme = ""
            self.relays = [one.released(self._at) for one in self.relays]
        self._settle(self._at)
        self.on_change()

    # -- signals ------------------------------------------------------------------------------------------------------

    def tell(self, signal: Signal, now: float) -> None:
        """Take a signal; the same ident again replaces it. RefusedError for one that is over."""
        self.advance(now)
        if signal.end <= self._at:
            raise RefusedError("it is over")
        self.known.pop(signal.ident, None)
        self.known = {ident: one for ident, one in self.known.items() if one.signal.end > self._at}
        while len(self.known) >= _KEPT_SIGNALS:
            del self.known[next(iter(self.known))]
        self.known[signal.ident] = _Known(signal)
        self._log(Code.SIGNAL, 0, f"signal {signal.ident}, {signal.kind.name.lower()}")
        self._settle(self._at)
        self.on_change()

    def acknowledge(self, ident: int, now: float) -> None:
        """The consumer has seen a signal; RefusedError if there is none of that ident."""
        self.advance(now)
        found = self.known.get(ident)
        if found is None:
            raise RefusedError("there is no such signal")
        found.acknowledged, self.acknowledged = True, ident
        self._log(Code.ACKNOWLEDGED, 0, f"signal {ident}")

    def signals(self, now: float) -> list[tuple[Signal, bool]]:
        """The signals that are not over, and whether each was acknowledged."""
        at = self.clock(now)
        return [(one.signal, one.acknowledged) for one in self.known.values() if one.signal.end > at]

    # -- limits -------------------------------------------------------------------------------------------------------

    def limit(self, settings: LimiterSettings, now: float) -> None:
        """Set the limiter; an emergency profile it obeys cuts at once what goes beyond its threshold."""
        self.advance(now)
        self.limiter = settings
        span = self._emergency()
        kept = self._admitted(settings.threshold_emergency)
        for place, relay in enumerate(self.relays):
            wait = self._offset(self.config.offset_s, "limiter", span, place)
            if span is not None and span[1] > self._at and place not in kept:
                hold = Hold(on=False, from_s=span[0], until_s=span[1] + wait, ident=_LIMITER)
                self.relays[place] = relay.cut(hold)
            else:
                self.relays[place] = relay.rescued(self._at + wait, _LIMITER)
        self._settle(self._at)
        self.on_change()

    def emergency_active(self, now: float) -> bool:
        """Whether the limiter's emergency profile is in force."""
        span, at = self._emergency(), self.clock(now)
        return span is not None and span[0] <= at < span[1]

    def threshold_w(self, now: float) -> float:
        """The limit in force, W; without any, what all loads can take."""
        at = self.clock(now)
        if self.emergency_active(now):
            return self.limiter.threshold_emergency
        found = self._limit(at)
        return self.limiter.threshold_normal if found is None else found

    def _emergency(self) -> tuple[float, float] | None:
        """From when to when the emergency profile holds, as far as it is obeyed."""
        profile = self.limiter.emergency
        if profile is None or profile.profile_id not in self.limiter.groups or profile.activation_time is None:
            return None
        start = profile.activation_time.utc(0)
        length = min(profile.duration, self.config.longest_s)
        return None if start is None or not length else (start.timestamp(), start.timestamp() + length)

    def _limit(self, at: float) -> float | None:
        """The lowest limit that presses; only a device that takes part keeps one outside an emergency."""
        if not self.takes_part:
            return None
        told = [
            float(one.signal.value)
            for one in self.known.values()
            if one.signal.kind is SignalKind.LIMIT and one.signal.start <= at < one.signal.end
        ]
        lowest = min([self.limiter.threshold_normal, *told])
        return lowest if lowest < self.rated_w else None

    def _admitted(self, threshold_w: float) -> set[int]:
        """The relays whose rated powers fit together, the first ones first."""
        kept: set[int] = set()
        left = threshold_w
        for place, one in enumerate(self.config.relays):
            if one.rated_w <= left:
                kept.add(place)
                left -= one.rated_w
        return kept

    def _keep_limit(self, at: float) -> None:
        """Shed after the load was over for a while; give back when the limit has been gone for a while."""
        limit = self._limit(at)
        power = sum(self._power(place, at) for place in range(len(self.relays)))
        turns = limit is None if self._shed else limit is not None and power > limit
        if not turns:
            self._pressed_s = None
        elif self._pressed_s is None:
            self._pressed_s = at
        wait = self.limiter.min_under_s if self._shed else self.limiter.min_over_s
        if self._pressed_s is not None and at - self._pressed_s >= wait:
            self._shed, self._pressed_s = not self._shed, None
            self._log(Code.LIMIT_KEPT if self._shed else Code.LIMIT_OVER)
        kept = self._admitted(_FAR if limit is None else limit) if self._shed else set(range(len(self.relays)))
        for place, relay in enumerate(self.relays):
            if relay.is_limited is not (place not in kept):
                self.relays[place] = replace(relay, is_limited=place not in kept)

    # -- schedule, clock, log -----------------------------------------------------------------------------------------

    def run_script(self, number: int, now: float) -> None:
        """Script 1 switches all off, 2 ends all orders; RefusedError for another, or as ``order``."""
        if number not in (1, 2):
            raise RefusedError("there is no such script")
        self.switch(0, on=number == 2, now=now)

    def _scheduled(self, at: float) -> float | None:
        if not self.schedule:
            return None
        local = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
        found = next_execution(self.schedule, local)
        return None if found is None else found.replace(tzinfo=UTC).timestamp()

    def _run_schedule(self, at: float) -> None:
        if self._scheduled(at - 0.001) == at:
            try:
                self.run_script(self.script, at - self.clock_offset_s)
            except RefusedError:
                return  # it is in the log

    def set_clock(self, wanted_s: float, now: float) -> None:
        """Set its clock; what is timed follows the new time."""
        self.advance(now)
        self.clock_offset_s = wanted_s - now
        self._at = wanted_s
        self._log(Code.CLOCK_SET)
        self._settle(wanted_s)
        self.on_change()

    def failed(self, kind: str, now: float) -> None:
        """Somebody had the wrong key."""
        self.advance(now)
        self._log(Code.ACCESS_FAILED, 0, kind)

    def change_keys(self, fresh: dict[str, bytes], now: float) -> None:
        """Take keys that were transferred."""
        self.advance(now)
        self.keys = replace(self.keys, **fresh)
        self._log(Code.KEYS_CHANGED)
        self.on_change()

    def _log(self, code: Code, relay: int = 0, detail: str = "") -> None:
        self.events.append(Event(self._at, code, relay, detail))
