"""The gateway and its file: what is in memory after a start, and what is on the disk before anybody is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.device import Gateway, Heard
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.images import Images
from meterway.interfaces.mbus.keys import PartyKeys
from meterway.interfaces.mbus.meters import Bound, KeyStatus, Profile
from meterway.interfaces.mbus.mirror import Mirrored, Quality
from meterway.interfaces.mbus.rules import is_cumulative, is_silent, rescaled
from meterway.interfaces.mbus.series import Sampler
from meterway.interfaces.mbus.store import Spool
from meterway.interfaces.mbus.tariff import FAST_DAYS, Row, TariffCase, stages_of
from meterway.mapping.mbus_cosem import main_registers
from meterway.store.vault import Vault

__all__ = ["Ledger"]

_DAY_S: Final = 86400
_AHEAD: Final = 64
_PARTY_KEYS: Final = "party-keys:"


class _Stages(msgspec.Struct):
    """What a time-variable tariff has counted: amounts by stage, and the last reading that went into them."""

    amounts: dict[int, int] = msgspec.field(default_factory=dict)
    last: tuple[int, ...] = ()


class Ledger:
    """Keeps a gateway's state. ``period_s`` is that of the profile, ``keep_days`` how long its rows stay at most."""

    def __init__(
        self,
        gateway: Gateway,
        spool: Spool,
        vault: Vault,
        *,
        period_s: int = 3600,
        keep_days: int = 60,
        tariffs: Iterable[TariffCase] = (),
    ) -> None:
        self.gateway = gateway
        self.spool = spool
        self.period_s = period_s
        cases = tuple(tariffs)
        self._tariffs = tuple(case for case in cases if case.stages)
        self._sampler = Sampler(cases)
        self._fast: list[tuple[int, int, int, int]] = []
        self._vault = vault
        self.images = Images(gateway, spool)
        self._keep_days = keep_days
        self.on_events: Callable[[list[Event]], object] = len
        """Told of what is logged, within the transaction that writes it."""
        self._touched: set[Bound] = set()
        self._formats = 0
        self._slot = 0

    # -- start ------------------------------------------------------------------------------------------------

    def restore(self, now: float) -> None:
        """Take the state from the file; SecurityError(key) if keys were sealed under another master key."""
        gateway, spool = self.gateway, self.spool
        gateway.guard.last.update(spool.counters("heard:"))
        sent = spool.counters("sent:")
        gateway.formats.known.update(spool.formats())
        self._formats = len(gateway.formats.known)
        for row in spool.meters():
            name = str(row.meter)
            meter = Bound(
                address=row.meter,
                channel=row.channel,
                link="wired" if row.link == "wired" else "radio",
                security=Profile[row.security],
                primary=row.primary,
                keys=tuple(self._vault.open(name, "mbus", key) for key in row.keys),
                key_status=KeyStatus(row.key_status),
                heard_s=row.heard_s,
                kind=row.kind,
                sent=sent.get(name, 0),
                reserved=sent.get(name, 0),
            )
            gateway.bind(meter, now)
            self._restore_values(meter)
            self.images.restore_delivery(meter.channel)
        for order in spool.orders():
            if order.is_open and order.channel in gateway.channels:
                gateway.mailbox.restore(order)
            gateway.mailbox.next_number = max(gateway.mailbox.next_number, order.number + 1)
        gateway.events.clear()
        gateway.log(now, Code.STARTED)
        self.flush()

    def _restore_values(self, meter: Bound) -> None:
        for value in self.spool.latest(meter.address):
            self.gateway.mirror.put(meter.channel, value)
            if not value.quality & Quality.SUSPECT:
                meter.good[value.obis] = value
        meter.converts = any(obis == Obis(7, 0, 3, 1, 0) for obis in self.spool.known(meter.address))

    # -- what changes -----------------------------------------------------------------------------------------

    def keep_meter(self, meter: Bound) -> None:
        """Write a meter of the white list, its keys sealed; durable when it returns."""
        with self.spool.transaction():
            self._keep_meter(meter)
        self.flush()

    def _keep_meter(self, meter: Bound) -> None:
        self.spool.keep_meter(meter, [self._vault.seal(meter.name, "mbus", key) for key in meter.keys])

    def drop_meter(self, channel: int) -> None:
        """Take a meter off the white list; durable when it returns."""
        with self.spool.transaction():
            self.spool.drop_meter(channel)
            self.images.drop(channel)
        self.flush()

    def keep_orders(self, channel: int) -> None:
        """Write the orders of a channel; durable when it returns."""
        with self.spool.transaction():
            self.spool.keep_orders(self.gateway.mailbox.of(channel))

    def heard(self, heard: Heard) -> None:
        """Note what a telegram changed; ``flush`` writes it."""
        meter = heard.meter
        if meter is None:
            return
        self._touched.add(meter)
        for value in heard.values:
            self.spool.register(meter.address, value.obis, scaler=value.scaler, unit=value.unit)
        if self._sampler.cases and heard.values:
            self._sample(meter, heard.values)

    def _sample(self, meter: Bound, values: Sequence[Mirrored]) -> None:
        """Keep what a tariff use case wants at its own period."""
        now = values[0].received_s
        taken = self._sampler.take(meter.channel, values, self.main(meter), now)
        known = self.spool.known(meter.address)
        for value in values:
            number, scaler, unit = known[value.obis]
            if value.obis in taken and unit == value.unit:
                self._fast.append((number, int(now), rescaled(value.raw, value.scaler, scaler), value.quality))

    def main(self, meter: Bound) -> tuple[Obis, ...]:
        """The registers of a meter that are billed, the first of them the main one."""
        return main_registers(meter.device_type, converts=meter.converts)

    def flush(self) -> None:
        """Write counters, formats, orders and events that changed; durable when it returns."""
        events, touched, fast = self.gateway.events, self._touched, self._fast
        if not (events or touched or fast or len(self.gateway.formats.known) != self._formats):
            return
        self.gateway.events, self._touched, self._fast = [], set(), []
        try:
            with self.spool.transaction():
                self._write(events, touched, fast)
        except StoreError:  # what the disk did not take is still to be written
            self.gateway.events[:0], self._fast[:0] = events, fast
            self._touched |= touched
            raise

    def _write(self, events: list[Event], touched: set[Bound], fast: list[tuple[int, int, int, int]]) -> None:
        gateway, spool = self.gateway, self.spool
        known = gateway.formats.known
        spool.add_fast(fast)
        for meter in touched:
            if gateway.meters.get(meter.address) is meter:
                self._write_counters(meter)
                spool.keep_latest(self._latest(meter))
        if len(known) != self._formats:
            spool.keep_formats(known)
            self._formats = len(known)
        if events:
            spool.add_events(events)
            spool.keep_orders(order for channel in gateway.channels for order in gateway.mailbox.of(channel))
            self.on_events(events)

    def _write_counters(self, meter: Bound) -> None:
        last = self.gateway.guard.last.get(meter.name)
        if last is not None:
            self.spool.keep_counter(f"heard:{meter.name}", last)
        self._keep_meter(meter)

    def about_to_send(self, meter: Bound) -> None:
        """A message counter is about to be used: it, and some to come, are written first."""
        if meter.sent > meter.reserved:
            meter.reserved = meter.sent + _AHEAD
            with self.spool.transaction():
                self.spool.keep_counter(f"sent:{meter.name}", meter.reserved)

    # -- readings ---------------------------------------------------------------------------------------------

    def capture(self, now: float) -> int:
        """At each new period: one reading of every register heard within the last one. How many were written.

        The reading at 10:00 is the last that came before 10:00; where none came, there is none.
        """
        slot = int(now // self.period_s * self.period_s)
        if slot == self._slot:
            return 0
        first = self._slot == 0
        self._slot = slot
        if first:
            self._catch_up(slot)
        if first and now - slot > self.period_s / 2:
            return 0
        upto = slot if first else now
        rows: list[tuple[int, int, int, int]] = []
        latest: list[tuple[int, Mirrored]] = []
        for channel, meter in self.gateway.channels.items():
            for value in self.gateway.mirror.of(channel):
                number, scaler, unit = self.spool.register(
                    meter.address, value.obis, scaler=value.scaler, unit=value.unit
                )
                latest.append((number, value))
                if slot - self.period_s < value.received_s <= upto and is_cumulative(value.obis) and unit == value.unit:
                    rows.append((number, slot, rescaled(value.raw, value.scaler, scaler), value.quality))
        with self.spool.transaction():
            added = self.spool.add(rows)
            self.spool.keep_latest(latest)
            self._write_all_counters()
            for case in self._tariffs:
                self._accumulate(case, slot)
            lost = self.spool.trim()
            self.spool.forget_before(slot - self._keep_days * _DAY_S, slot - FAST_DAYS * _DAY_S)
        if lost:
            self.gateway.log(now, Code.READINGS_DROPPED, 0, f"{lost} readings for want of room")
        self.flush()
        return added

    def _catch_up(self, slot: int) -> None:
        """Readings of slots that ended while nobody was running: what was heard last before that is known still."""
        rows = []
        for channel, meter in self.gateway.channels.items():
            known = self.spool.known(meter.address)
            for value in self.gateway.mirror.of(channel):
                ended = int(value.received_s // self.period_s + 1) * self.period_s
                number, scaler, unit = known.get(value.obis, (0, 0, -1))
                if ended <= slot and is_cumulative(value.obis) and unit == value.unit:
                    rows.append((number, ended, rescaled(value.raw, value.scaler, scaler), value.quality))
        with self.spool.transaction():
            self.spool.add(rows)

    def _write_all_counters(self) -> None:
        for meter in self.gateway.meters.values():
            self._write_counters(meter)

    # -- tariff stages ----------------------------------------------------------------------------------------

    def _accumulate(self, case: TariffCase, slot: int) -> None:
        """Add what came since the last time to the stages, in the transaction of the readings: none counts twice."""
        meter = self.gateway.channels.get(case.channel)
        main = self.main(meter)[:1] if meter is not None else ()
        if meter is None or not main:
            return
        kept = self._stages(case, meter)
        rows = self.rows(meter, main[0], kept.last[0] + 1 if kept.last else 0, slot)
        if not rows:
            return
        run = [Row(*kept.last), *rows] if kept.last else rows
        for stage, amount in stages_of(case.stages, run, self.gateway.zone).items():
            kept.amounts[stage] = kept.amounts.get(stage, 0) + amount
        kept.last = tuple(rows[-1])
        self.spool.keep_state(f"stages:{case.party}:{meter.name}", msgspec.msgpack.encode(kept))

    def _stages(self, case: TariffCase, meter: Bound) -> _Stages:
        kept = self.spool.state(f"stages:{case.party}:{meter.name}")
        return msgspec.msgpack.decode(kept, type=_Stages) if kept else _Stages()

    def stage_amounts(self, case: TariffCase) -> dict[int, int]:
        """What fell into each tariff stage so far, in the scaler of the main register; 0 is the error register."""
        meter = self.gateway.channels.get(case.channel)
        amounts = {} if meter is None else self._stages(case, meter).amounts
        return {stage: amounts.get(stage, 0) for stage in (0, *(one.number for one in case.stages))}

    def save(self) -> None:
        """Write all that is in memory, before the end."""
        with self.spool.transaction():
            for meter in self.gateway.channels.values():
                self.spool.keep_latest(self._latest(meter))
            self._write_all_counters()
        self.flush()

    def _latest(self, meter: Bound) -> list[tuple[int, Mirrored]]:
        """What the mirror shows of a meter, by the number of the register."""
        known = self.spool.known(meter.address)
        return [(known[one.obis][0], one) for one in self.gateway.mirror.of(meter.channel) if one.obis in known]

    def rows(self, meter: Bound, obis: Obis, from_s: float, to_s: float) -> list[Row]:
        """The readings of one register in the spool."""
        found = self.spool.known(meter.address).get(obis)
        return [] if found is None else self.spool.rows(found[0], from_s, to_s)

    def fast_rows(self, meter: Bound, obis: Obis, from_s: float, to_s: float) -> list[Row]:
        """The readings of one register at the periods of its cases."""
        self.flush()
        found = self.spool.known(meter.address).get(obis)
        return [] if found is None else self.spool.fast_rows(found[0], from_s, to_s)

    def shown(self, meter: Bound, obis: Obis) -> tuple[Mirrored, int, int] | None:
        """The mirrored value of a register, and the scaler and unit it is always shown with; None if never heard."""
        value = self.gateway.mirror.get(meter.channel, obis)
        if value is None:
            return None
        found = self.spool.known(meter.address).get(obis)
        scaler, unit = (value.scaler, value.unit) if found is None else found[1:]
        return value._replace(raw=rescaled(value.raw, value.scaler, scaler)), scaler, unit

    def registers(self, meter: Bound) -> tuple[Obis, ...]:
        """The registers a meter has, as far as they were heard."""
        return tuple(value.obis for value in self.gateway.mirror.of(meter.channel))

    def watch(self, now: float, *, silent_after_s: float) -> list[Bound]:
        """Meters that have just fallen silent; orders whose time is over are closed."""
        self.gateway.expire(now)
        found = []
        for meter in self.gateway.meters.values():
            if not meter.silent and is_silent(meter.heard_s, now, after_s=silent_after_s):
                meter.silent = True
                self.gateway.log(now, Code.COMMUNICATION_ERROR, meter.channel)
                found.append(meter)
        return found

    def keep_party_keys(self, name: str, keys: PartyKeys | None) -> None:
        """Keep keys that were transferred, sealed, or forget them; durable when it returns, and all of them or none."""
        sealed = () if keys is None else [self._vault.seal(name, field, key) for field, key in keys._asdict().items()]
        with self.spool.transaction():
            self.spool.keep_state(_PARTY_KEYS + name, msgspec.msgpack.encode(sealed))

    def party_keys(self) -> dict[str, PartyKeys]:
        """The keys that were transferred, by the name they are kept under."""
        found = {}
        for name, row in self.spool.states(_PARTY_KEYS).items():
            sealed = msgspec.msgpack.decode(row, type=list[bytes])
            if sealed:
                opened = (self._vault.open(name, *pair) for pair in zip(PartyKeys._fields, sealed, strict=True))
                found[name] = PartyKeys(*opened)
        return found

    def keep_clock(self, offset_s: float) -> None:
        """Keep by how much the gateway's clock was set beside that of the machine."""
        with self.spool.transaction():
            self.spool.keep_state("clock", repr(offset_s).encode())

    @property
    def clock_offset_s(self) -> float:
        """What ``keep_clock`` kept; 0 if the clock was never set."""
        return float(self.spool.state("clock") or b"0")

    def settle_firmware(self, meter: Bound, now: float) -> None:
        """If firmware has come to its end at its meter, tell so and forget the image."""
        if self.images.settle(meter, now):
            self.flush()

    def events(self, channel: int | None, from_s: float, to_s: float) -> list[Event]:
        """What is in the log, the oldest first."""
        self.flush()
        return self.spool.events(channel=channel, from_s=from_s, to_s=to_s)

    def bind_all(self, meters: Iterable[Bound], now: float) -> None:
        """Bind what a settings file lists and the white list does not have yet."""
        with self.spool.transaction():
            for meter in meters:
                if meter.address not in self.gateway.meters:
                    self.gateway.bind(meter, now)
                    self._keep_meter(meter)
        self.flush()
