"""Alarms of the concentrator from the watch to whoever is to know: log, file, report, push.

What was told is in the file before it is told on: a restart raises no alarm that stands a second time, and loses none
that waits to be reported or pushed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.base.obis import Obis
from meterway.links import tcp
from meterway.mapping.alarms import ALARMS, Alarm, AlarmKind, alarm_bits, decode_alarms, encode_alarms
from meterway.nnap.device import Concentrator
from meterway.nnap.events import Code, Event
from meterway.nnap.site import Party, Site
from meterway.nnap.store import Store
from meterway.nnap.watch import Watch, WatchRules
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.tabled import CounterStore
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.dlms.xdlms.notification import DataNotification

__all__ = ["AlarmPusher", "Alarming", "alarm_push"]

_LOG: Final = logging.getLogger(__name__)
_STATE: Final = "alarms"
_SETUP: Final = Obis(0, 4, 25, 9, 0)
_REGISTER: Final = Obis(0, 0, 97, 98, 0)
_ONE_PUSH: Final = 16
_RAISED: Final = {
    AlarmKind.LOST: Code.LOST_RAISED,
    AlarmKind.FLAPPING: Code.FLAPPING_RAISED,
    AlarmKind.BRANCH: Code.BRANCH_RAISED,
    AlarmKind.STRANGER: Code.STRANGER_RAISED,
    AlarmKind.MEDIUM: Code.MEDIUM_RAISED,
    AlarmKind.COMPLETENESS: Code.COMPLETENESS_RAISED,
    AlarmKind.BALANCE: Code.BALANCE_OFF,
}
_ENDED: Final = {
    AlarmKind.LOST: Code.LOST_ENDED,
    AlarmKind.FLAPPING: Code.FLAPPING_ENDED,
    AlarmKind.BRANCH: Code.BRANCH_ENDED,
    AlarmKind.STRANGER: Code.STRANGER_ENDED,
    AlarmKind.MEDIUM: Code.MEDIUM_ENDED,
    AlarmKind.COMPLETENESS: Code.COMPLETENESS_ENDED,
    AlarmKind.BALANCE: Code.BALANCE_BACK,
}


class Alarming:
    """The alarms of one concentrator. ``reports`` and ``pushes`` say whether anybody takes them so."""

    def __init__(
        self, store: Store, device: Concentrator, rules: WatchRules, *, now: float, reports: bool, pushes: bool
    ) -> None:
        self._store = store
        self._device = device
        self._reports = reports
        self._pushes = pushes
        self.on_push: Callable[[], None] = lambda: None
        """Called when something is to be pushed."""
        kept = store.state(_STATE)
        standing = decode_alarms(kept) if kept else ()
        self.watch = Watch(rules, period_s=device.rules.plan.every_s, now=now, standing=standing)

    def turn(self, now: float) -> None:
        """Look at the network, and tell what changed."""
        self.watch.look(self._device.roll, self._device.proposals.values(), now)
        self._tell(now)

    def set_balance(self, stands: bool, text: str, now: float) -> None:
        """What the balance of the transformer says."""
        self.watch.set(AlarmKind.BALANCE, "", now, stands=stands, text=text)
        self._tell(now)

    def _tell(self, now: float) -> None:
        told, self.watch.told = self.watch.told, []
        if not told:
            return
        with self._store.transaction():
            self._store.keep_state(_STATE, encode_alarms(self.watch.alarms()))
            for one in told:
                octets = encode_alarms([one])
                if self._reports:
                    self._store.spool_alarm("report", octets)
                if self._pushes:
                    self._store.spool_alarm("push", octets)
        for one in told:
            self._device.events.append(_event(one, now))
        self.on_push()


def _event(alarm: Alarm, now: float) -> Event:
    codes = _RAISED if alarm.stands else _ENDED
    return Event(now, codes[alarm.kind], alarm.subject, alarm.text)


def alarm_push(
    site: Site, party: Party, counters: CounterStore[Party], alarms: tuple[Alarm, ...], *, now: float, invoke: int
) -> bytes:
    """A data-notification in general-glo-ciphering for a party: which kinds stand now, and the alarms that changed."""
    keys = site.keys(party, 0)
    context = SecurityContext(
        keys=keys,
        own_title=site.title(0),
        peer_title=b"",
        send_counter=counters.sending(party, 0),
        received=ReceivedCounter(),
        control=AUTHENTICATED | ENCRYPTED,
    )
    body = axdr.structure(
        axdr.octets(_SETUP.encode()),
        axdr.octets(_REGISTER.encode()),
        axdr.u32(alarm_bits(site.alarms())),
        axdr.octets(ALARMS.encode()),
        axdr.array(*(one.encode() for one in alarms)),
    )
    stamp = date_time(now).value
    octets = stamp if isinstance(stamp, bytes) else b""
    return context.protect_general(
        DataNotification(invoke=invoke & 0xFFFFFF, date_time=octets, body=axdr.encode(body)).encode()
    )


class AlarmPusher:
    """Pushes alarms to one destination, the oldest first, again until the line has taken them."""

    def __init__(
        self,
        host: str,
        port: int,
        party: str,
        site: Site,
        counters: CounterStore[Party],
        now: Callable[[], float],
        *,
        retry_s: float = 30.0,
    ) -> None:
        found = next((one for one in site.parties if one.name == party), None)
        if found is None:
            raise ConfigError(f"alarms: {party} is no party")
        self._party = found
        self._place = host, port
        self._site = site
        self._counters = counters
        self._now = now
        self._retry_s = retry_s
        self._wake = asyncio.Event()
        self.sent = 0

    def wake(self) -> None:
        """Something may be waiting."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        store = self._site.ledger.store
        while True:
            self._wake.clear()
            waiting = store.spooled_alarms("push", _ONE_PUSH)
            if not waiting:
                await self._wake.wait()
                continue
            alarms = tuple(one for _, octets in waiting for one in decode_alarms(octets))
            number = waiting[-1][0]
            apdu = alarm_push(self._site, self._party, self._counters, alarms, now=self._now(), invoke=number)
            frame = WrapperFrame(source=1, destination=self._party.client, apdu=apdu).encode()
            try:
                await tcp.deliver(*self._place, frame)
            except LinkError as error:
                _LOG.info("alarms: %s", error)
                await asyncio.sleep(self._retry_s)
                continue
            store.unspool_alarms("push", number)
            self.sent += 1
