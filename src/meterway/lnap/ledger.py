"""The gateway and its file: what is in memory after a start, and what is on the disk before anybody is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from meterway.base.obis import Obis
from meterway.lnap.device import Bound, Gateway, Heard, KeyStatus, Profile
from meterway.lnap.events import Code, Event
from meterway.lnap.mirror import Mirrored, Quality
from meterway.lnap.rules import is_cumulative, is_silent, rescaled
from meterway.lnap.store import Spool
from meterway.lnap.tariff import Row
from meterway.store.vault import Vault

__all__ = ["Ledger"]

_DAY_S: Final = 86400


class Ledger:
    """Keeps a gateway's state. ``period_s`` is that of the profile, ``keep_days`` how long its rows stay at most."""

    def __init__(
        self, gateway: Gateway, spool: Spool, vault: Vault, *, period_s: int = 3600, keep_days: int = 60
    ) -> None:
        self.gateway = gateway
        self.spool = spool
        self.period_s = period_s
        self._vault = vault
        self._keep_days = keep_days
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
                sent=sent.get(name, 0),
            )
            gateway.bind(meter, now)
            self._restore_values(meter)
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
        self.flush()

    def heard(self, heard: Heard) -> None:
        """Note what a telegram changed; ``flush`` writes it."""
        meter = heard.meter
        if meter is None:
            return
        self._touched.add(meter)
        for value in heard.values:
            self.spool.register(meter.address, value.obis, scaler=value.scaler, unit=value.unit)

    def flush(self) -> None:
        """Write counters, formats, orders and events that changed; durable when it returns."""
        gateway, spool = self.gateway, self.spool
        events, gateway.events = gateway.events, []
        touched, self._touched = self._touched, set()
        known = gateway.formats.known
        if not (events or touched or len(known) != self._formats):
            return
        with spool.transaction():
            for meter in touched:
                if gateway.meters.get(meter.address) is meter:
                    self._write_counters(meter)
            if len(known) != self._formats:
                spool.keep_formats(known)
                self._formats = len(known)
            if events:
                spool.add_events(events)
                spool.keep_orders(order for channel in gateway.channels for order in gateway.mailbox.of(channel))

    def _write_counters(self, meter: Bound) -> None:
        last = self.gateway.guard.last.get(meter.name)
        if last is not None:
            self.spool.keep_counter(f"heard:{meter.name}", last)
        if meter.sent:
            self.spool.keep_counter(f"sent:{meter.name}", meter.sent)
        self._keep_meter(meter)

    def about_to_send(self, meter: Bound) -> None:
        """A message counter is about to be used: it is written first."""
        with self.spool.transaction():
            self.spool.keep_counter(f"sent:{meter.name}", meter.sent)

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
        if first and now - slot > self.period_s / 2:
            return 0
        rows: list[tuple[int, int, int, int]] = []
        latest: list[tuple[int, Mirrored]] = []
        for channel, meter in self.gateway.channels.items():
            for value in self.gateway.mirror.of(channel):
                number, scaler, unit = self.spool.register(
                    meter.address, value.obis, scaler=value.scaler, unit=value.unit
                )
                latest.append((number, value))
                if slot - self.period_s < value.received_s <= now and is_cumulative(value.obis) and unit == value.unit:
                    rows.append((number, slot, rescaled(value.raw, value.scaler, scaler), value.quality))
        with self.spool.transaction():
            added = self.spool.add(rows)
            self.spool.keep_latest(latest)
            self._write_all_counters()
            lost = self.spool.trim()
            self.spool.forget_before(slot - self._keep_days * _DAY_S)
        if lost:
            self.gateway.log(now, Code.READINGS_DROPPED, 0, f"{lost} readings for want of room")
        self.flush()
        return added

    def _write_all_counters(self) -> None:
        for meter in self.gateway.meters.values():
            self._write_counters(meter)

    def save(self) -> None:
        """Write all that is in memory, before the end."""
        latest = []
        for channel, meter in self.gateway.channels.items():
            known = self.spool.known(meter.address)
            latest += [(known[one.obis][0], one) for one in self.gateway.mirror.of(channel) if one.obis in known]
        with self.spool.transaction():
            self.spool.keep_latest(latest)
            self._write_all_counters()
        self.flush()

    def rows(self, meter: Bound, obis: Obis, from_s: float, to_s: float) -> list[Row]:
        """The readings of one register in the spool."""
        found = self.spool.known(meter.address).get(obis)
        return [] if found is None else self.spool.rows(found[0], from_s, to_s)

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

    def events(self, channel: int | None, from_s: float, to_s: float) -> list[Event]:
        """What is in the log, the oldest first."""
        self.flush()
        return self.spool.events(channel=channel, from_s=from_s, to_s=to_s)

    def bind_all(self, meters: Iterable[Bound], now: float) -> None:
        """Bind what a settings file lists and the white list does not have yet."""
        for meter in meters:
            if meter.address not in self.gateway.meters:
                self.gateway.bind(meter, now)
                self.keep_meter(meter)
