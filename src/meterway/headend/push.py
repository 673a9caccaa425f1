"""What meters send unasked: data-notifications over TCP and UDP, ciphered or plain, into events and readings.

Nothing is acknowledged to a meter (the norm's unconfirmed push); a push that the store refuses is kept in memory and
tried again until it is stored.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError, StoreError
from meterway.base.obis import Obis
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.live import Happening, Live
from meterway.headend.plain import plain
from meterway.headend.route import is_concentrator
from meterway.headend.watch import alarm_rows, pushed_alarms
from meterway.links import tcp, udp
from meterway.links.pump import EngineProtocol
from meterway.mapping.alarms import Alarm
from meterway.mapping.dlms_push import readings_of
from meterway.mapping.obis import describe
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.axdr import CosemDateTime, Data, native
from meterway.stacks.dlms.framing import ApduReceived, FramingEvent, Role
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, open_octets
from meterway.stacks.dlms.wrapper import WrapperFraming, decode_datagram
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.store.database import Store
from meterway.store.events import Event
from meterway.store.readings import Reading

__all__ = ["PushListener", "Pushed", "read_push"]

_PROTECTED: Final = AUTHENTICATED | ENCRYPTED
_RETRY_S: Final = 2.0
_WAITING: Final = 100_000
_COUNTER: Final = "pushed"
_PUSH_SETUP: Final = 40
_CLOCK_S: Final = 86400.0

_Values = tuple[tuple[Obis | None, str, str], ...]
_Numbers = tuple[tuple[Obis, int], ...]


@dataclass(frozen=True, slots=True)
class Pushed:
    """One push that was understood: from which device, what it said, when it came in (Unix seconds).

    ``values`` are (code, name, text); ``numbers`` the whole numbers of registers and alarms among them.
    """

    entry: Entry
    values: _Values
    time_s: float
    received_s: float
    counter: int
    numbers: _Numbers = ()
    alarms: tuple[Alarm, ...] = ()
    """Of a concentrator, the alarms that were raised or have ended."""


def read_push(apdu: bytes, entry_of: Callable[[bytes], Entry | None], now_s: float) -> Pushed:
    """Open and read one pushed APDU.

    SecurityError: (title) an unknown sender, (policy) unprotected, (tag) wrong key. DecodeError: no data-notification.
    """
    envelope = decode_apdu(apdu)
    if not isinstance(envelope, GeneralCiphered):
        raise SecurityError("a push that is not protected says nothing of who sent it: refused", "policy")
    entry = entry_of(envelope.system_title)
    if entry is None:
        raise SecurityError(f"a push of an unknown system title {envelope.system_title.hex()}", "title")
    if not envelope.protected or envelope.protected[0] & _PROTECTED != _PROTECTED:
        raise SecurityError(f"a push of {entry.device.serial} protects less than agreed", "policy")
    clear, _, counter = open_octets(
        entry.cipher(), entry.keys().authentication, envelope.system_title, envelope.protected
    )
    notification = decode_apdu(clear)
    if not isinstance(notification, DataNotification):
        raise DecodeError("a pushed APDU is no data-notification", 0, "apdu")
    moment = CosemDateTime.decode(notification.date_time).utc() if notification.date_time else None
    body = axdr.decode_all(notification.body)
    values, numbers = _understood(body, entry, moment)
    alarms = pushed_alarms(body) if is_concentrator(entry.device.profile) else ()
    return Pushed(entry, values, moment.timestamp() if moment is not None else now_s, now_s, counter, numbers, alarms)


def _understood(body: Data, entry: Entry, moment: datetime | None) -> tuple[_Values, _Numbers]:
    listed = _listed(body, entry)
    if listed is None:
        found = readings_of(body, time=moment)
        named = [(each.obis, each.value) for each in found]
        return tuple((each.obis, each.name, str(each.value)) for each in found), _numbers(named)
    values = tuple((obis, describe(obis).name, str(plain(native(item)))) for obis, item in listed)
    return values, _numbers([(obis, item.value) for obis, item in listed])


def _numbers(named: Sequence[tuple[Obis | None, object]]) -> _Numbers:
    return tuple(
        (obis, value)
        for obis, value in named
        if obis is not None and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    )


def _listed(body: Data, entry: Entry) -> list[tuple[Obis, Data]] | None:
    """The values by the push object list that was learnt of the device; None if the push names no such list."""
    items = body.value if isinstance(body.value, tuple) else ()
    first = items[0].value if items and isinstance(items[0], Data) else None
    if not isinstance(first, bytes) or len(first) != 6 or entry.layout is None:
        return None
    learnt = entry.layout.pushes.get(str(Obis(*first)))
    if learnt is None or len(learnt) != len(items):
        return None
    return [
        (Obis.parse(code), item)
        for (class_id, code, attribute), item in zip(learnt, items, strict=True)
        if isinstance(item, Data) and (class_id, attribute) != (_PUSH_SETUP, 1)
    ]


class PushListener:
    """Listens on a TCP and a UDP port; stores each push as an event, once, and tells it to the listeners."""

    def __init__(
        self, store: Store, fleet: Fleet, live: Live, *, in_thread: Callable[[Callable[[], None]], Awaitable[None]]
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._live = live
        self._in_thread = in_thread
        self._waiting: deque[Pushed] = deque()
        self._fresh = asyncio.Event()
        self._counters: dict[int, int] = {}
        self._listener: tcp.Listener | None = None
        self._datagrams: udp.UdpEndpoint | None = None
        self.refused: Counter[str] = Counter()
        self.octets = 0
        self.count = 0

    @property
    def port(self) -> int:
        """The bound TCP port, 0 before ``start``."""
        return self._listener.port if self._listener is not None else 0

    async def start(self, host: str, port: int) -> None:
        """Bind both ports; ConfigError if one is taken."""
        try:
            self._listener = await tcp.listen(host, port, self._connection)
            self._datagrams = await udp.listen_udp(host, self._listener.port, self._datagram)
        except ConfigError as error:
            if self._listener is not None:
                self._listener.close()
            raise ConfigError(f"push.port: {error}") from None

    async def run(self) -> None:
        """Store what comes in until cancelled; what waits then is stored before it returns."""
        try:
            while True:
                await self._fresh.wait()
                self._fresh.clear()
                if not await self._store_waiting():
                    await asyncio.sleep(_RETRY_S)
                    self._fresh.set()
        finally:
            self.close()
            await self._store_waiting()

    def close(self) -> None:
        """Take no more pushes."""
        if self._listener is not None:
            self._listener.close()
        if self._datagrams is not None:
            self._datagrams.close()

    # -- what comes in ------------------------------------------------------------------------------------------------

    def _connection(self) -> EngineProtocol[FramingEvent]:
        framing = WrapperFraming(0, 0, role=Role.CLIENT, any_pair=True)
        return EngineProtocol(framing, self._event)

    def _event(self, event: FramingEvent) -> None:
        if isinstance(event, ApduReceived):
            self.take(event.apdu)

    def _datagram(self, _: udp.UdpEndpoint, octets: bytes, sender: tuple[str, int]) -> None:
        try:
            self.take(decode_datagram(octets).apdu)
        except DecodeError as error:
            self._refuse("decode", error)

    def take(self, apdu: bytes) -> None:
        """One pushed APDU: kept for storing, or refused and counted."""
        self.octets += len(apdu)
        try:
            pushed = read_push(apdu, self._entry_of, time.time())
            self._check_counter(pushed)
        except SecurityError as error:
            self._refuse(error.check, error)
        except StoreError as error:
            self._refuse("store", error)
        except MeterwayError as error:
            self._refuse("decode", error)
        else:
            self.count += 1
            if len(self._waiting) >= _WAITING:
                self._refuse("overflow", StoreError(f"{_WAITING} pushes wait for the store: the oldest is given up"))
                self._waiting.popleft()
            self._waiting.append(pushed)
            self._fresh.set()
            self._tell(pushed)

    def _entry_of(self, title: bytes) -> Entry | None:
        device = self._store.devices.by_system_title(title)
        return None if device is None else self._fleet.of(device.id)

    def _check_counter(self, pushed: Pushed) -> None:
        device, counter = pushed.entry.device.id, pushed.counter
        last = self._counters.get(device)
        if last is None:
            last = self._store.counters.next(device, _COUNTER) - 1
        if counter <= last:
            raise SecurityError(f"a push of {pushed.entry.device.serial} with a used counter {counter}", "counter")
        self._counters[device] = counter

    def _refuse(self, kind: str, error: MeterwayError) -> None:
        self.refused[kind] += 1
        self._live.tell(Happening("push-refused", "", str(error), time.time(), {"cause": kind}))

    def _tell(self, pushed: Pushed) -> None:
        text = ", ".join(f"{name} {value}" for _, name, value in pushed.values[:6])
        self._live.tell(Happening("push", pushed.entry.device.serial, text, pushed.received_s, {}))

    # -- storing ------------------------------------------------------------------------------------------------------

    async def _store_waiting(self) -> bool:
        batch = list(self._waiting)
        if not batch:
            return True
        try:
            await self._in_thread(lambda: self._keep(batch))
        except StoreError as error:
            self._refuse("store", error)
            return False
        for _ in batch:
            self._waiting.popleft()
        return True

    def _keep(self, batch: list[Pushed]) -> None:
        counters: dict[tuple[int, str], int] = {}
        for pushed in batch:
            key = (pushed.entry.device.id, _COUNTER)
            counters[key] = max(counters.get(key, 0), pushed.counter + 1)
        with self._store.transaction():
            self._store.events.add_many([_event(pushed) for pushed in batch])
            readings = [reading for pushed in batch for reading in _readings(pushed)]
            alarms = [row for pushed in batch for row in alarm_rows(pushed.entry.device.id, pushed.alarms)]
            self._store.alarms.put_many(alarms)
            self._store.readings.add_many(readings, now_ms=int(time.time() * 1000))
            self._store.counters.note_many(counters)


def _event(pushed: Pushed) -> Event:
    """The push as one event: its code is the alarm register's value where there is one.

    Two pushes of one second are told apart by their counter, which stands for the milliseconds.
    """
    code = next((number for obis, number in pushed.numbers if _is_alarm(obis)), 0)
    return Event(
        device=pushed.entry.device.id,
        log="push",
        code=code & 0x7FFFFFFF,
        time_ms=int(pushed.time_s) * 1000 + pushed.counter % 1000,
        received_ms=int(pushed.received_s * 1000),
        source="push",
        detail=", ".join(f"{name}={value}" for _, name, value in pushed.values)[:500],
    )


def _readings(pushed: Pushed) -> list[Reading]:
    """The registers among the values whose scaler is known."""
    layout = pushed.entry.layout
    if layout is None or abs(pushed.time_s - pushed.received_s) > _CLOCK_S:
        return []
    return [
        Reading(
            device=pushed.entry.device.id,
            obis=obis,
            time_ms=int(pushed.time_s * 1000),
            value=number,
            scaler=layout.scalers[str(obis)][0],
            unit=layout.scalers[str(obis)][1],
        )
        for obis, number in pushed.numbers
        if str(obis) in layout.scalers
    ]


def _is_alarm(obis: Obis) -> bool:
    return (obis.a, obis.c, obis.d) in ((0, 97, 98), (0, 97, 97))
