"""Calls from the field: a device opens a line, says who it is, and the head end is the client on it from then on.

What it says first is a data-notification protected under its keys, as a push. Whoever says anything else, or nothing,
is hung up on. And the other way round: a datagram that wakes a device which only calls in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError
from meterway.headend.called_line import CalledLine
from meterway.headend.fleet import Entry, Fleet
from meterway.headend.live import Happening, Live
from meterway.headend.unasked import unasked
from meterway.links import tcp, udp
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.framing import ApduReceived, Disconnected, Role
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, SecurityContext, open_octets
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.store.database import Store
from meterway.store.tasks import NewTask

__all__ = ["CallListener", "Calls", "caller_of", "wake_datagram"]

_GLOBAL: Final = 0xDB
_PROTECTED: Final = AUTHENTICATED | ENCRYPTED
_HELLO_S: Final = 10.0
_LONGEST: Final = 2048
_MAX_UNKNOWN: Final = 256
_GREETING: Final = "greeting"


def caller_of(apdu: bytes, entry_of: Callable[[bytes], Entry | None]) -> tuple[Entry, int]:
    """Who calls, and the counter it said so with; SecurityError or DecodeError for what does not prove it."""
    envelope = decode_apdu(apdu)
    if not isinstance(envelope, GeneralCiphered) or envelope.tag != _GLOBAL:
        raise SecurityError("a call begins with a protected data-notification", "policy")
    entry = entry_of(envelope.system_title)
    if entry is None:
        raise SecurityError(f"a call of an unknown system title {envelope.system_title.hex()}", "title")
    if not envelope.protected or envelope.protected[0] & _PROTECTED != _PROTECTED:
        raise SecurityError(f"a call of {entry.device.serial} protects less than agreed", "policy")
    keys = entry.keys()
    clear, _, counter = open_octets(entry.cipher(), keys.authentication, envelope.system_title, envelope.protected)
    if not isinstance(decode_apdu(clear), DataNotification):
        raise DecodeError("a call begins with a data-notification", 0, "apdu")
    return entry, counter


def wake_datagram(entry: Entry, title: bytes, now: float) -> bytes:
    """What wakes a device, with the next of the counters that are at hand for it: made once, of no use later."""
    if entry.sent is None:
        raise ConfigError(f"{entry.device.serial}: no counter is at hand")
    context = SecurityContext(
        keys=entry.keys(),
        own_title=title,
        peer_title=b"",
        send_counter=entry.sent,
        received=ReceivedCounter(),
        control=_PROTECTED,
        cipher=entry.cipher(),
    )
    stamp = CosemDateTime.from_utc(datetime.fromtimestamp(now, UTC), 0).encode()
    body = axdr.encode(axdr.structure(axdr.visible("wake"), axdr.u32(int(now))))
    return context.protect_general(DataNotification(invoke=1, date_time=stamp, body=body).encode())


class Calls:
    """The lines that devices have opened, by device id."""

    def __init__(self) -> None:
        self._lines: dict[int, CalledLine] = {}
        self._came: dict[int, asyncio.Event] = {}

    def line(self, device: int) -> CalledLine | None:
        """The open line of a device, or None."""
        found = self._lines.get(device)
        return found if found is not None and found.is_open else None

    def came(self, device: int, line: CalledLine) -> None:
        """A device has called; a line it had before is hung up."""
        before = self._lines.get(device)
        self._lines[device] = line
        if before is not None and before is not line:
            before.close()
        self._came.setdefault(device, asyncio.Event()).set()

    def gone(self, line: CalledLine) -> None:
        """A line is there no more."""
        for device, known in tuple(self._lines.items()):
            if known is line:
                del self._lines[device]

    async def wake(self, entry: Entry, title: bytes, *, wait_s: float) -> CalledLine | None:
        """Wake a device whose row says where (flag ``wake``, ``host:port``), and wait for its call; None in vain."""
        host, _, port = str(entry.device.flags.get("wake") or "").rpartition(":")
        if not host or not port.isdecimal():
            return None
        arrived = self._came.setdefault(entry.device.id, asyncio.Event())
        arrived.clear()
        endpoint = await udp.connect_udp(host, int(port), lambda *_: None)
        try:
            endpoint.send(wake_datagram(entry, title, time.time()))
            async with asyncio.timeout(wait_s):
                await arrived.wait()
        except TimeoutError:
            return None
        finally:
            endpoint.close()
        return self.line(entry.device.id)

    def close(self) -> None:
        """Hang up on everybody."""
        for line in tuple(self._lines.values()):
            line.close()


class CallListener:
    """Listens for calls; one that proves who it is goes to ``calls``, and what is due for it becomes due now.

    ``hello_s`` is how long a caller may take to say who it is. ``push`` is given what devices behind one that has
    called say by themselves; anything else that it says without being asked ends the line.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        live: Live,
        calls: Calls,
        *,
        push: Callable[[bytes], None],
        in_thread: Callable[[Callable[[], None]], Awaitable[None]],
        wake: Callable[[], None],
        hello_s: float = _HELLO_S,
    ) -> None:
        self._push = push
        self._hello_s = hello_s
        self._store = store
        self._fleet = fleet
        self._live = live
        self._calls = calls
        self._in_thread = in_thread
        self._wake = wake
        self._listener: tcp.Listener | None = None
        self._unknown: dict[CalledLine, asyncio.TimerHandle] = {}
        self._framings: dict[CalledLine, WrapperFraming] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: dict[int, int] = {}

    @property
    def port(self) -> int:
        """The bound port, 0 before ``start``."""
        return self._listener.port if self._listener is not None else 0

    async def start(self, host: str, port: int) -> None:
        """Bind; ConfigError names the setting if the port is taken."""
        try:
            self._listener = await tcp.listen(host, port, lambda: CalledLine(self._heard, self._gone, self._opened))
        except ConfigError as error:
            raise ConfigError(f"calls.port: {error}") from None

    def close(self) -> None:
        """Take no more calls, hang up on all."""
        if self._listener is not None:
            self._listener.close()
        for line in tuple(self._unknown):
            line.close()
        self._calls.close()

    def _opened(self, line: CalledLine) -> None:
        """From now on the caller has a while to say who it is; silence is no way to keep a line."""
        if len(self._unknown) >= _MAX_UNKNOWN:
            line.close()  # too many have not said who they are
            return
        self._unknown[line] = asyncio.get_running_loop().call_later(self._hello_s, line.close)
        self._framings[line] = WrapperFraming(0, 0, role=Role.CLIENT, any_pair=True, max_apdu=_LONGEST)

    def _heard(self, line: CalledLine, data: bytes) -> None:
        framing = self._framings.get(line)
        if framing is None:
            line.close()
            return
        framing.receive_data(data, 0.0)
        while line.is_open and (event := framing.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self._said(line, event.apdu)
            elif isinstance(event, Disconnected):
                line.close()

    def _said(self, line: CalledLine, apdu: bytes) -> None:
        if line in self._unknown:
            self._greeted(line, apdu)
        elif (said := unasked(apdu)) is not None:
            self._push(said)
        else:
            line.close()  # it talks out of turn

    def _greeted(self, line: CalledLine, apdu: bytes) -> None:
        self._forget(line)
        try:
            entry, counter = caller_of(apdu, self._entry_of)
            self._check(entry, counter)
        except MeterwayError as error:
            self._live.tell(Happening("call-refused", "", str(error), time.time(), {}))
            line.close()
            return
        self._calls.came(entry.device.id, line)
        self._live.tell(Happening("call", entry.device.serial, "called in", time.time(), {}))
        task = asyncio.get_running_loop().create_task(self._due(entry, counter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _check(self, entry: Entry, counter: int) -> None:
        """A greeting counts once, across restarts too."""
        device = entry.device.id
        last = max(self._seen.get(device, -1), self._store.counters.next(device, _GREETING) - 1)
        if counter <= last:
            raise SecurityError(f"a call of {entry.device.serial} with a used counter {counter}", "counter")
        self._seen[device] = counter

    async def _due(self, entry: Entry, counter: int) -> None:
        """What is due for the device and for what is behind it, and failed, is due now."""

        def hasten() -> None:
            now_ms = int(time.time() * 1000)
            with self._store.transaction():
                self._store.counters.note_many({(entry.device.id, _GREETING): counter + 1})
                for device in (entry.device, *self._store.devices.children(entry.device.id)):
                    waiting = [task for task in self._store.tasks.of_device(device.id) if task.state == "due"]
                    for task in waiting:
                        if device.id == entry.device.id or task.error:
                            self._store.tasks.cancel(task.id, now_ms=now_ms)
                            fresh = NewTask(device=device.id, kind=task.kind, due_ms=now_ms)
                            self._store.tasks.add_many([fresh], now_ms=now_ms)

        try:
            await self._in_thread(hasten)
        except MeterwayError as error:
            self._live.tell(Happening("store-refused", "", str(error), time.time(), {}))
        self._wake()

    def _entry_of(self, title: bytes) -> Entry | None:
        device = self._store.devices.by_system_title(title)
        return None if device is None else self._fleet.of(device.id)

    def _gone(self, line: CalledLine) -> None:
        self._forget(line)
        self._framings.pop(line, None)
        self._calls.gone(line)

    def _forget(self, line: CalledLine) -> None:
        timer = self._unknown.pop(line, None)
        if timer is not None:
            timer.cancel()
