"""The gateway: its white list and what becomes of each telegram. Pure; time comes in as Unix seconds.

A telegram counts only if its sender is on the white list, it is protected at least as agreed, it verifies under the
meter's key, and its message counter was not seen before. Everything else is counted and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import Enum
from hashlib import blake2b
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError, RemoteProtocolError, SecurityError
from meterway.interfaces.mbus.delivery import Delivery
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.meters import Bound, KeyStatus, Link, Profile, Proposal, check_key
from meterway.interfaces.mbus.mirror import Mailbox, Mirror, Mirrored, Order, OrderState, Quality
from meterway.interfaces.mbus.opening import TriedKeys, counter_of, listens, protection_of
from meterway.interfaces.mbus.rules import Limits, Verdict, judge
from meterway.interfaces.mbus.saying import told_by
from meterway.interfaces.mbus.strangers import Strangers
from meterway.mapping.drivers.registry import Drivers, bundled_drivers
from meterway.mapping.mbus_cosem import Measured
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Reassembly
from meterway.stacks.mbus.application import Alarm, ApplicationError
from meterway.stacks.mbus.image import ImageRequest
from meterway.stacks.mbus.records.compact import Formats
from meterway.stacks.mbus.security import CounterGuard
from meterway.stacks.mbus.telegram import Telegram, decode, sender_of
from meterway.stacks.mbus.wireless.frames import RadioFrame

__all__ = ["Fate", "Gateway", "Heard"]

_SND_IR: Final = 0x46
_CNF_IR, _PRIMARY = 0x06, 0x40
_TO_METER: Final = frozenset((0x00, 0x03, 0x0A, 0x0B))
"""Functions of SND-NKE, SND-UD (and SND-UD2), REQ-UD1 and REQ-UD2."""
_RSP_UD: Final = 0x08
_ACK: Final = 0x00
_DUPLICATE_S: Final = 1800.0
_MOST_CHANNELS: Final = 2000
_MOST_PROPOSALS: Final = 256
_MOST_FRAGMENTED: Final = 64
_ANSWER_S: Final = 30.0
_BATTERY_LOW: Final = 0x04
_AES_KEY: Final = 16


class Fate(Enum):
    """What became of a telegram."""

    STORED = "stored"
    LINK = "link"
    """Verified, without values: an acknowledgement, an alarm, an error."""
    FRAGMENT = "fragment"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"
    PROPOSED = "proposed"
    REFUSED = "refused"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a telegram brought; ``answerable`` says that the meter listens now."""

    fate: Fate
    meter: Bound | None = None
    telegram: Telegram | None = None
    values: tuple[Mirrored, ...] = ()
    answerable: bool = False
    why: str = ""


class Gateway:
    """The state of a gateway. ``events`` collects what is to be logged until somebody takes it."""

    def __init__(self, *, zone: tzinfo = UTC, limits: Limits | None = None, drivers: Drivers | None = None) -> None:
        self.zone = zone
        self.drivers = bundled_drivers() if drivers is None else drivers
        self.limits = limits or Limits()
        self.meters: dict[Address, Bound] = {}
        self.channels: dict[int, Bound] = {}
        self.proposals: dict[Address, Proposal] = {}
        self.installing_until_s = 0.0
        self.mirror = Mirror()
        self.mailbox = Mailbox()
        self.formats = self.drivers.seed(Formats())
        self.guard = CounterGuard()
        self.fragments: dict[Address, Reassembly] = {}
        self.counts: Counter[Fate] = Counter()
        self.events: list[Event] = []
        self.deliveries: dict[int, Delivery] = {}
        """Firmware on its way, by channel."""
        self.strangers: Strangers | None = None
        """Who is heard and not known, where somebody wants to know; a house hears its neighbours and does not."""

    def log(self, now: float, code: Code, channel: int = 0, detail: str = "") -> None:
        """Note an event."""
        self.events.append(Event(now, code, channel, detail))

    # -- white list -----------------------------------------------------------------------------------------

    def bind(self, meter: Bound, now: float) -> Bound:
        """Put a meter on the white list; ConfigError if it or its channel is there already, or its keys do not fit."""
        if meter.address in self.meters:
            raise ConfigError(f"{meter.address} is bound to channel {self.meters[meter.address].channel} already")
        if not 1 <= meter.channel <= _MOST_CHANNELS or meter.channel in self.channels:
            raise ConfigError(f"channel {meter.channel} is taken, or not one from 1 to {_MOST_CHANNELS}")
        check_key(*meter.keys)
        if meter.keys and meter.key_status is KeyStatus.NONE:
            meter.key_status = KeyStatus.SET
        self.meters[meter.address] = self.channels[meter.channel] = meter
        self.proposals.pop(meter.address, None)
        self.log(now, Code.METER_BOUND, meter.channel, meter.name)
        return meter

    def unbind(self, channel: int, now: float) -> Bound:
        """Take a meter off the white list, its keys, mirror and orders with it; ConfigError if the channel is free."""
        meter = self.channel(channel)
        del self.channels[channel], self.meters[meter.address]
        self.mirror.forget(channel)
        self.mailbox.drop(channel)
        self.fragments.pop(meter.address, None)
        self.deliveries.pop(channel, None)
        meter.keys = ()
        self.log(now, Code.METER_LEFT, channel, meter.name)
        return meter

    def channel(self, number: int) -> Bound:
        """The meter on a channel; ConfigError if it is free."""
        found = self.channels.get(number)
        if found is None:
            raise ConfigError(f"no meter is bound to channel {number}")
        return found

    def free_channel(self) -> int:
        """The lowest channel nobody is bound to."""
        return next(number for number in range(1, _MOST_CHANNELS + 2) if number not in self.channels)

    def set_key(self, channel: int, key: bytes, now: float) -> None:
        """Install a key on the gateway's side; the one before stays in use until the meter speaks under it."""
        check_key(key)
        meter = self.channel(channel)
        meter.keys = (*meter.keys[:1], key) if key not in meter.keys[:1] else meter.keys[:1]
        transferred = meter.key_status in (KeyStatus.TRANSFERRED, KeyStatus.SET_AND_TRANSFERRED)
        meter.key_status = KeyStatus.SET_AND_TRANSFERRED if transferred else KeyStatus.SET
        self.log(now, Code.KEY_INSTALLED, channel)

    # -- installation ---------------------------------------------------------------------------------------

    def install(self, until_s: float, now: float) -> None:
        """Take proposals until then; a time that is over ends the installation mode."""
        begins = until_s > now
        if begins or self.is_installing(now):
            self.log(now, Code.INSTALLATION_BEGAN if begins else Code.INSTALLATION_ENDED)
        self.installing_until_s = until_s

    def is_installing(self, now: float) -> bool:
        """Whether meters that ask are proposed."""
        return now < self.installing_until_s

    def propose(
        self, address: Address, *, link: Link, now: float, primary: int | None = None, rssi: float | None = None
    ) -> Proposal | None:
        """Note a meter that could be bound; None if it is, or if too many wait."""
        if address in self.meters:
            return None
        found = self.proposals.get(address)
        if found is not None:
            found.last_s, found.count, found.rssi_dbm = now, found.count + 1, rssi
            return found
        if len(self.proposals) >= _MOST_PROPOSALS:
            return None
        found = Proposal(address=address, link=link, first_s=now, last_s=now, primary=primary, rssi_dbm=rssi)
        self.proposals[address] = found
        self.log(now, Code.METER_PROPOSED, 0, str(address))
        return found

    def accept(
        self, address: Address, *, keys: Sequence[bytes] = (), channel: int | None = None,
        security: Profile = Profile.B, now: float,
    ) -> Bound:  # fmt: skip
        """Bind a proposed meter; ConfigError if nobody proposed it."""
        found = self.proposals.get(address)
        if found is None:
            raise ConfigError(f"{address} is not proposed")
        meter = Bound(
            address=address, channel=channel or self.free_channel(), link=found.link, primary=found.primary,
            keys=tuple(keys), security=security,
        )  # fmt: skip
        return self.bind(meter, now)

    def reject(self, address: Address) -> None:
        """Forget a proposal; ConfigError if there is none."""
        if self.proposals.pop(address, None) is None:
            raise ConfigError(f"{address} is not proposed")

    # -- telegrams ------------------------------------------------------------------------------------------

    def receive(
        self, octets: bytes, *, link: Link, now: float, mode: str = "", rssi_dbm: float | None = None,
        asked: Bound | None = None,
    ) -> Heard:  # fmt: skip
        """Take a telegram from the air or the bus. ``asked`` is the wired meter whose answer this is."""
        heard = self._receive(octets, link, now, mode, rssi_dbm, asked)
        self.counts[heard.fate] += 1
        if heard.fate is Fate.REFUSED and heard.meter is not None:
            heard.meter.refused += 1
        return heard

    def _receive(
        self, octets: bytes, link: Link, now: float, mode: str, rssi: float | None, asked: Bound | None
    ) -> Heard:
        try:
            sender = sender_of(octets, link=link)
        except DecodeError as error:
            return Heard(fate=Fate.MALFORMED, why=str(error))
        if link == "radio" and _is_to_meter(octets):
            return Heard(fate=Fate.FOREIGN, why="said to a meter, by another that asks it")
        meter = self.meters.get(sender) if sender is not None else None
        if asked is not None and (sender is None or sender.ident == asked.address.ident):
            meter = asked
        if meter is None or meter.link != link:
            return self._foreign(octets, sender, link, now, rssi)
        try:
            telegram, key = self._open(octets, link, meter)
            self._check(telegram, meter)
            if self._is_duplicate(telegram, octets, meter, now):
                return Heard(fate=Fate.DUPLICATE, meter=meter)
            self._count(telegram, meter, key)
        except SecurityError as error:
            return self._refuse(meter, error, now)
        except (DecodeError, RemoteProtocolError, LocalProtocolError) as error:
            return Heard(fate=Fate.MALFORMED, meter=meter, why=str(error))
        return self._take(telegram, meter, now, mode, rssi)

    def _foreign(self, octets: bytes, sender: Address | None, link: Link, now: float, rssi: float | None) -> Heard:
        wants = link == "radio" and len(octets) > 1 and octets[1] & 0x7F == _SND_IR
        if sender is not None and wants and sender not in self.meters and self.is_installing(now):
            self.propose(sender, link=link, now=now, rssi=rssi)
            return Heard(fate=Fate.PROPOSED)
        unknown = sender is not None and sender not in self.meters
        if sender is not None and unknown and self.strangers is not None and self.strangers.heard(sender, now, rssi):
            self.log(now, Code.METER_UNKNOWN, 0, str(sender))
        return Heard(fate=Fate.FOREIGN)

    def _open(self, octets: bytes, link: Link, meter: Bound) -> tuple[Telegram, bytes]:
        """The telegram and the key it opened under."""
        if len(self.fragments) > _MOST_FRAGMENTED:
            self.fragments.clear()
        keys = TriedKeys(key for key in meter.keys if len(key) == _AES_KEY)
        telegram = decode(
            octets,
            link=link,
            keys=keys,
            formats=self.formats,
            fragments=self.fragments,
            allow_plain=False,
            dialects=self.drivers.dialect,
        )
        return telegram, keys.last

    def _check(self, telegram: Telegram, meter: Bound) -> None:
        """SecurityError(policy) for protection below the agreed one."""
        if telegram.kind in ("fragment", "link", "transport"):
            return
        if protection_of(telegram) < meter.security:
            mode = telegram.protection.mode
            raise SecurityError(
                f"mode {mode} ({telegram.protection.state}) is less than {meter.security.name}", "policy"
            )

    def _is_duplicate(self, telegram: Telegram, octets: bytes, meter: Bound, now: float) -> bool:
        """Whether these very octets came before: repeaters and several receivers bring a telegram more than once."""
        if meter.link == "wired" or telegram.kind in ("fragment", "link", "transport"):
            return False
        digest = blake2b(octets, digest_size=8).digest()
        kept = tuple(entry for entry in meter.recent if now - entry[0] < _DUPLICATE_S)[-8:]
        if any(entry[1] == digest for entry in kept):
            return True
        counter = counter_of(telegram)
        if counter is not None and counter == self.guard.last.get(meter.name):
            return True
        meter.recent = (*kept, (now, digest))
        return False

    def _count(self, telegram: Telegram, meter: Bound, key: bytes) -> None:
        """Take the message counter; a verified message under the next key ends the use of the one before."""
        if telegram.kind == "fragment" or protection_of(telegram) is Profile.PLAIN:
            return
        fresh = key in meter.keys[1:]
        counter = counter_of(telegram)
        if counter is not None and protection_of(telegram) >= Profile.B:
            if fresh:
                self.guard.last.pop(meter.name, None)
            self.guard.accept(meter.address, counter)
        if fresh or len(meter.keys) == 1:
            meter.keys, meter.key_status = (key,), KeyStatus.IN_USE
        meter.protection = telegram.protection.mode

    def _refuse(self, meter: Bound, error: SecurityError, now: float) -> Heard:
        codes = {"counter": Code.REPLAY, "policy": Code.NOT_PROTECTED}
        self.log(now, codes.get(error.check, Code.NOT_AUTHENTIC), meter.channel, f"{error.check}: {error.message}")
        return Heard(fate=Fate.REFUSED, meter=meter, why=error.check)

    def _take(self, telegram: Telegram, meter: Bound, now: float, mode: str, rssi: float | None) -> Heard:
        if telegram.kind == "fragment":
            return Heard(fate=Fate.FRAGMENT, meter=meter, telegram=telegram)
        self._note(telegram, meter, now, mode, rssi)
        self._settle(telegram, meter, now)
        values = self._values(telegram, meter, now)
        return Heard(
            fate=Fate.STORED if values else Fate.LINK,
            meter=meter,
            telegram=telegram,
            values=values,
            answerable=listens(telegram),
        )

    def _note(self, telegram: Telegram, meter: Bound, now: float, mode: str, rssi: float | None) -> None:
        meter.telegrams += 1
        meter.listens = listens(telegram)
        meter.heard_s, meter.mode, meter.rssi_dbm = now, mode or meter.mode, rssi
        meter.access = telegram.access if telegram.access is not None else meter.access
        if meter.silent:
            meter.silent = False
            self.log(now, Code.COMMUNICATION_OK, meter.channel)
        if telegram.tpl is not None and telegram.tpl.header != "none":
            fresh = telegram.status & ~meter.status
            meter.status, meter.config = telegram.status, telegram.tpl.config
            if fresh & _BATTERY_LOW:
                self.log(now, Code.REPLACE_BATTERY, meter.channel)
        if telegram.kind == "alarm" and telegram.payload:
            flags = Alarm.decode(telegram.payload).flags
            if flags & ~meter.alarm:
                self.log(now, Code.METER_ALARM, meter.channel, f"flags 0x{flags:02X}")
            meter.alarm |= flags

    def _settle(self, telegram: Telegram, meter: Bound, now: float) -> None:
        """Whether this telegram answers the order that was sent last; only what is protected as agreed settles one."""
        order = self.mailbox.in_flight(meter.channel)
        if order is None or now - order.sent_s > _ANSWER_S or telegram.kind in ("link", "transport"):
            return
        if telegram.kind == "application error":
            self.close(order, OrderState.REFUSED, now, ApplicationError.decode(telegram.payload).text)
        elif isinstance(telegram.frame, RadioFrame) and telegram.frame.control & 0x4F == _RSP_UD:
            self.close(order, OrderState.DONE, now, "done")

    def close(self, order: Order, state: OrderState, now: float, why: str) -> None:
        """An order came to its end; what it means for the meter's state is noted."""
        self.mailbox.close(order, state, now, why)
        codes = {OrderState.DONE: Code.ORDER_DONE, OrderState.REFUSED: Code.ORDER_REFUSED}
        self.log(now, codes.get(state, Code.ORDER_EXPIRED), order.channel, f"{order.kind} {order.detail}")
        meter = self.channels.get(order.channel)
        if meter is None or state is not OrderState.DONE:
            return
        if order.kind == "valve":
            closed = order.detail.startswith("disconnect")
            self.log(now, Code.REMOTE_DISCONNECTION if closed else Code.REMOTE_CONNECTION, order.channel)
        elif order.kind == "key":
            was_set = meter.key_status in (KeyStatus.SET, KeyStatus.IN_USE, KeyStatus.SET_AND_TRANSFERRED)
            meter.key_status = KeyStatus.SET_AND_TRANSFERRED if was_set else KeyStatus.TRANSFERRED
            self.log(now, Code.KEY_TRANSFERRED, order.channel)
        elif order.kind == "clock":
            self.log(now, Code.CLOCK_ADJUSTED, order.channel)

    # -- firmware -------------------------------------------------------------------------------------------

    def delivery(self, channel: int) -> Delivery:
        """The firmware of a channel's meter."""
        return self.deliveries.setdefault(channel, Delivery())

    def firmware_request(self, channel: int, telegram: Telegram | None) -> ImageRequest | None:
        """What a meter that listens is to be told next of its firmware, after this telegram of its; None if nothing."""
        delivery = self.deliveries.get(channel)
        if delivery is None or not delivery.is_under_way:
            return None
        frame = None if telegram is None else telegram.frame
        control = frame.control & 0x4F if isinstance(frame, RadioFrame) else -1
        if telegram is not None and telegram.kind == "image transfer":
            return delivery.answered(telegram.payload)
        if telegram is not None and telegram.kind == "application error" and delivery.asked is not None:
            delivery.refused(ApplicationError.decode(telegram.payload).text)
            return None
        return delivery.acknowledged() if control == _ACK else delivery.wake()

    # -- values ---------------------------------------------------------------------------------------------

    def _values(self, telegram: Telegram, meter: Bound, now: float) -> tuple[Mirrored, ...]:
        told, found = told_by(telegram, meter, self.drivers, self.zone)
        clock = next((one.time for one in told if one.time and not one.storage), None)
        device_s = None if clock is None else clock.timestamp()
        values = tuple(self._judged(meter, one, now, device_s) for one in found)
        for value in values:
            self.mirror.put(meter.channel, value)
        return values

    def _judged(self, meter: Bound, new: Measured, now: float, device_s: float | None) -> Mirrored:
        last = meter.good.get(new.obis)
        verdicts = judge(last, new, received_s=now, device_s=device_s, limits=self.limits)
        quality = Quality.GOOD
        for verdict in verdicts:
            quality |= _QUALITY[verdict]
            code = _EVENTS.get(verdict)
            if code is not None and not self._is_known(meter, new, verdict):
                self.log(now, code, meter.channel, f"{new.obis.short}: {verdict.value} ({new.raw}e{new.scaler})")
        value = Mirrored(new.obis, new.raw, new.scaler, new.unit, now, device_s, int(quality))
        if not quality & Quality.SUSPECT:
            meter.good[new.obis] = value
        return value

    def _is_known(self, meter: Bound, new: Measured, verdict: Verdict) -> bool:
        """Whether the value shown now has the same fault: it is logged once, not with every telegram."""
        shown = self.mirror.get(meter.channel, new.obis)
        return shown is not None and bool(shown.quality & _QUALITY[verdict])

    def trust(self, channel: int) -> None:
        """Somebody looked: the next values of a channel count as good, whatever was before."""
        self.channel(channel).good.clear()

    # -- orders ---------------------------------------------------------------------------------------------

    def order(
        self, channel: int, kind: str, payload: bytes, *, now: float, valid_s: float, ci: int = 0x5B,
        detail: str = "", by: str = "",
    ) -> Order:  # fmt: skip
        """Put an order into a meter's mailbox; ConfigError if there is no such meter or its box is full."""
        self.channel(channel)
        return self.mailbox.add(
            channel, kind, payload, now=now, expires_s=now + valid_s, ci=ci, detail=detail, by=by
        )  # fmt: skip

    def expire(self, now: float) -> None:
        """Close orders whose time is over."""
        for order in self.mailbox.expire(now):
            self.log(now, Code.ORDER_EXPIRED, order.channel, f"{order.kind} {order.detail}")


def _is_to_meter(octets: bytes) -> bool:
    """Whether a radio frame's control field is one that only partners of meters send.

    It names the meter too and is protected by its key, but its counter is not the meter's.
    """
    control = octets[1] & 0x7F if len(octets) > 1 else 0
    return control == _CNF_IR or (bool(control & _PRIMARY) and control & 0x0F in _TO_METER)


_QUALITY: Final[dict[Verdict, Quality]] = {
    Verdict.FELL: Quality.SUSPECT,
    Verdict.JUMPED: Quality.SUSPECT,
    Verdict.ROLLED_OVER: Quality.GOOD,
    Verdict.TIME_BACKWARDS: Quality.CLOCK_OFF,
    Verdict.CLOCK_OFF: Quality.CLOCK_OFF,
}
_EVENTS: Final[dict[Verdict, Code]] = {
    Verdict.FELL: Code.REGISTER_FELL,
    Verdict.JUMPED: Code.REGISTER_JUMPED,
    Verdict.TIME_BACKWARDS: Code.TIME_BACKWARDS,
}
