"""The S-FSK initiator (in the concentrator): discovers, registers, asks one server at a time, misses silent ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from random import Random
from typing import ClassVar, Final

from meterway.base.errors import LocalProtocolError
from meterway.stacks.neighbourhood.llc432 import Lpdu
from meterway.stacks.neighbourhood.sfsk.ciase import (
    INITIATOR_LSAP,
    SERVER_LSAP,
    CiPdu,
    Discover,
    DiscoverReport,
    PingRequest,
    PingResponse,
    Register,
)
from meterway.stacks.neighbourhood.sfsk.engine import Heard, SfskStation
from meterway.stacks.neighbourhood.sfsk.mac import ALL_CONFIGURED, ALL_PHYSICAL, FIRST_INITIATOR, LAST_INITIATOR, NEW
from meterway.stacks.neighbourhood.sfsk.memory import Recent
from meterway.stacks.neighbourhood.sfsk.settings import SfskSettings
from meterway.stacks.neighbourhood.sfsk.states import INITIATOR_TABLE, DeviceState, InitiatorAction, Input
from meterway.stacks.neighbourhood.station import (
    EVERYONE,
    Admit,
    Apdu,
    Joined,
    JoinRefused,
    Left,
    Member,
    Outgoing,
    Undelivered,
)

__all__ = ["SfskInitiator"]

_TURN: Final = (b"", "turn")
_DISCOVER: Final = (b"", "discover")
_BROADCAST: Final = (b"", "broadcast")
_PING, _HELD, _ENROL = "ping", "held", "enrol"
_LAST_SERVER: Final = FIRST_INITIATOR - 1
_LEAST_PROBABILITY: Final = 10
_LONGEST_PAUSE: Final = 16
_MOST_ROUNDS: Final = 3


class _Dialog(Enum):
    """What the turn of a server is used for."""

    NONE = "none"
    ENROL = "enrol"
    DATA = "data"
    PING = "ping"
    DISCOVER = "discover"


class _Device:
    """What the initiator knows of one system title."""

    __slots__ = ("address", "answers", "eui", "joined_at", "node", "queue", "rounds", "sent", "state", "waits")

    def __init__(self, eui: bytes, address: int, node: int, settings: SfskSettings) -> None:
        self.eui = eui
        self.address = address
        self.node = node
        self.state = DeviceState.UNKNOWN
        self.joined_at = 0.0
        self.rounds = 0
        self.waits = False
        """Whether it stands in one of the lines for a turn, or is held back."""
        self.queue: deque[tuple[bytes, bytes, bool]] = deque()
        self.answers = Recent(settings.answer_memory_s)
        self.sent = Recent(settings.question_memory_s + settings.frame_lifetime_s)


class SfskInitiator(SfskStation[tuple[bytes, str]]):
    """A ``Coordinator``. It holds one dialogue at a time, as the medium of S-FSK does.

    A question is sent again until something comes back from that server. What gets no answer is undelivered: also an
    APDU to which the application gives none.
    """

    __slots__ = (
        "_addresses",
        "_admit",
        "_attempts",
        "_broadcasts",
        "_devices",
        "_dialog",
        "_discover_due",
        "_enrolling",
        "_last_address",
        "_members",
        "_partner",
        "_pinging",
        "_probability",
        "_ready",
        "_refused",
        "_reports",
        "_sent",
        "_silent_rounds",
        "_urgent",
        "address",
    )

    def __init__(self, eui: bytes, admit: Admit, settings: SfskSettings) -> None:
        super().__init__(eui, settings)
        self._admit = admit
        drawn = FIRST_INITIATOR + int.from_bytes(eui, "big") % (LAST_INITIATOR - FIRST_INITIATOR + 1)
        self.address = drawn if settings.initiator is None else settings.initiator
        """Its MAC address."""
        self._devices: dict[bytes, _Device] = {}
        self._addresses: dict[int, _Device] = {}
        self._members: dict[bytes, Member] = {}
        self._refused: dict[bytes, float] = {}
        self._last_address = 0
        self._dialog = _Dialog.NONE
        self._partner: _Device | None = None
        self._attempts = 0
        self._enrolling: deque[_Device] = deque()
        self._urgent: deque[_Device] = deque()
        self._ready: deque[_Device] = deque()
        self._pinging: deque[_Device] = deque()
        self._broadcasts: deque[bytes] = deque()
        self._sent = Recent(settings.answer_memory_s + settings.frame_lifetime_s)
        self._discover_due = False
        self._probability = 100
        self._reports = 0
        self._silent_rounds = 0

    # ---- what a coordinator is

    @property
    def members(self) -> dict[bytes, Member]:
        """Who has joined, by EUI."""
        return self._members

    def start(self, now: float) -> None:
        """Discover. Addresses begin at a number drawn from the seed and the time, then go round."""
        self._now = now
        self._last_address = Random(f"{self._settings.seed} {self.eui.hex()} {now}").randrange(_LAST_SERVER)  # noqa: S311
        self._discover_due = True
        self._turn()

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU to a member, or to everyone (once, without any answer) if ``eui`` is None."""
        self._now = now
        sdu = self._lpdu(apdu, server, client)
        if eui is None:
            self._broadcasts.append(sdu)
            self._send_broadcasts()
            return
        device = self._devices.get(eui)
        if device is None or device.state is not DeviceState.MEMBER:
            raise LocalProtocolError(f"{eui.hex()} is no member")
        device.queue.append((sdu, apdu, urgent))
        self._line_up(device)
        if urgent and self._dialog is _Dialog.DISCOVER:
            self._end_discovery()  # reports are taken at any time
        self._turn()

    def expel(self, eui: bytes, now: float) -> None:
        """Put a device out; ``Left`` follows. It may come back: to keep it out, do not admit it any more."""
        self._now = now
        device = self._devices.get(eui)
        if device is None or device.state is not DeviceState.MEMBER:
            raise LocalProtocolError(f"{eui.hex()} is no member")
        self._input(device, Input.EXPEL, "expelled")
        self._turn()

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium."""
        self._now = now
        heard = self._read(octets)
        if heard is None:
            return
        frame, _, pdu = heard
        if isinstance(pdu, Discover) and frame.source != self.address:
            return  # of a neighbour network
        if frame.destination != self.address:
            self._note("address", f"a frame for {frame.destination:03X}", octets)
        elif isinstance(pdu, DiscoverReport):
            self._hear_report(pdu, frame.source, source)
        elif frame.source == NEW:
            self._note("address", "a server without an address speaks", octets)
        else:
            self._hear_server(heard, source, octets)
        self._turn()

    def handle_timeout(self, now: float) -> None:
        """The time has come."""
        self._now = now
        for key in self._alarms.take_due(now):
            device = self._devices.get(key[0])
            if key == _TURN:
                self._no_answer()
            elif key == _DISCOVER:
                self._discover_due = True
            elif key == _BROADCAST:
                self._send_broadcasts()
            elif device is not None and key[1] == _PING:
                self._pinging.append(device)
            elif device is not None and key[1] == _ENROL:
                self._enrolling.append(device)
            elif device is not None:
                device.waits = False
                self._line_up(device)
        self._turn()

    # ---- hearing

    def _hear_report(self, report: DiscoverReport, address: int, source: int) -> None:
        """Of a server that is NEW, or has an address: a member that has its own, or had none just now, is known."""
        for title, _ in report.servers:
            device = self._devices.get(title)
            if device is not None and device.state is DeviceState.MEMBER:
                is_late = self._now - device.joined_at < self._settings.answer_memory_s
                if is_late or (device.address, device.node) == (address, source):
                    continue
            self._reports += 1
            if device is None:
                device = _Device(title, 0, source, self._settings)
            device.node = source
            self._input(device, Input.REPORT)

    def _hear_server(self, heard: Heard, source: int, octets: bytes) -> None:
        frame, lpdu, pdu = heard
        device = self._addresses.get(frame.source)
        if device is None or device.node != source:
            self._note("address", f"node {source} is not behind the address {frame.source:03X}", octets)
            return
        if pdu is None:
            if device.answers.note(frame.sdu, self._now):
                self._note("retransmission", "an answer came again", octets)
                return
            self._input(device, Input.DATA, lpdu, octets)
        elif isinstance(pdu, PingResponse) and pdu.title == device.eui:
            self._input(device, Input.PONG)
        else:
            self._note("unexpected", f"a {type(pdu).__name__} came up", octets)

    # ---- states

    def _input(self, device: _Device, what: Input, content: object = None, octets: bytes = b"") -> None:
        device.state, action = INITIATOR_TABLE[device.state][what]
        self._ON_INPUT[action](self, device, content, octets)

    def _notice(self, device: _Device, content: object, octets: bytes) -> None:
        self._note("unexpected", f"something unexpected of {device.eui.hex()}, {device.state.value}", octets)

    def _ignore(self, device: _Device, content: object, octets: bytes) -> None:
        """Nothing."""

    def _enrol(self, device: _Device, content: object, octets: bytes) -> None:
        address = self._next_address()
        refused_until = self._refused.get(device.eui, self._now)
        is_welcome = refused_until <= self._now and self._admit(device.eui) is not None
        if not is_welcome and refused_until <= self._now:
            self._refused[device.eui] = self._now + self._settings.refused_for_s
            self._events.append(JoinRefused(eui=device.eui, reason="it is not admitted"))
        if not is_welcome or address is None:
            device.state = DeviceState.UNKNOWN
            self._devices.pop(device.eui, None)
            return
        device.address = address
        self._devices[device.eui] = self._addresses[address] = device
        self._enrolling.append(device)

    def _enrol_again(self, device: _Device, content: object, octets: bytes) -> None:
        self._remove(device, "it was NEW again")
        fresh = _Device(device.eui, 0, device.node, self._settings)
        fresh.state = DeviceState.ENROLLING
        self._enrol(fresh, content, octets)

    def _join(self, device: _Device, content: object, octets: bytes) -> None:
        device.joined_at = self._now
        self._members[device.eui] = member = Member(eui=device.eui, node=device.node, address=device.address)
        self._events.append(Joined(member=member))
        self._alive(device, content, octets)

    def _alive(self, device: _Device, content: object, octets: bytes) -> None:
        self._alarms.set((device.eui, _PING), self._now + self._settings.ping_interval_s)
        if self._partner is device:
            self._end_turn()

    def _take(self, device: _Device, content: object, octets: bytes) -> None:
        if isinstance(content, Lpdu):
            self._events.append(
                Apdu(eui=device.eui, apdu=content.apdu, client=content.destination, server=content.source)
            )
        self._alive(device, content, octets)

    def _drop(self, device: _Device, content: object, octets: bytes) -> None:
        self._forget(device)

    def _lose(self, device: _Device, content: object, octets: bytes) -> None:
        self._remove(device, content if isinstance(content, str) else "it is not heard any more")

    def _put_out(self, device: _Device, content: object, octets: bytes) -> None:
        """Told once: one that does not hear it is NEW again when nobody addresses it any more."""
        self._say(Register(initiator=self.eui, servers=((device.eui, NEW),)), ALL_PHYSICAL, device.node)
        self._remove(device, "expelled")

    def _remove(self, device: _Device, reason: str) -> None:
        for _, apdu, _ in device.queue:
            self._events.append(Undelivered(eui=device.eui, apdu=apdu, reason=reason))
        member = self._members.pop(device.eui, None)
        if member is not None:
            self._events.append(Left(member=member, reason=reason))
            self._silent_rounds = 0
        self._forget(device)

    def _forget(self, device: _Device) -> None:
        device.queue.clear()
        device.state = DeviceState.UNKNOWN
        self._devices.pop(device.eui, None)
        self._addresses.pop(device.address, None)
        self._alarms.cancel((device.eui, _PING))
        self._alarms.cancel((device.eui, _HELD))
        self._alarms.cancel((device.eui, _ENROL))
        if self._partner is device:
            self._end_turn()

    def _next_address(self) -> int | None:
        """The address least recently used, so that late frames find nobody; None if all are taken."""
        for _ in range(_LAST_SERVER):
            self._last_address = self._last_address % _LAST_SERVER + 1
            if self._last_address not in self._addresses:
                return self._last_address
        return None

    # ---- one dialogue at a time

    def _line_up(self, device: _Device) -> None:
        """Let a device with something to send wait for its turn, or until what it sends is no copy any more."""
        if device.waits or not device.queue:
            return
        device.waits = True
        sdu, _, urgent = device.queue[0]
        free = device.sent.free_at(sdu)
        if free is not None and free > self._now:
            self._alarms.set((device.eui, _HELD), free)
        else:
            (self._urgent if urgent else self._ready).append(device)

    def _turn(self) -> None:
        """Begin the next dialogue if none is under way."""
        while self._dialog is _Dialog.NONE:
            if self._urgent:
                self._begin(_Dialog.DATA, self._urgent.popleft())
            elif self._enrolling:
                self._begin(_Dialog.ENROL, self._enrolling.popleft())
            elif self._discover_due:
                self._discover()
            elif self._ready:
                self._begin(_Dialog.DATA, self._ready.popleft())
            elif self._pinging:
                self._begin(_Dialog.PING, self._pinging.popleft())
            else:
                return

    def _begin(self, dialog: _Dialog, device: _Device) -> None:
        """Give a device its turn, unless it has gone, or has been heard since it was put in line for a ping."""
        if dialog is _Dialog.DATA:
            device.waits = False
        if self._devices.get(device.eui) is not device or (dialog is _Dialog.DATA and not device.queue):
            return
        if dialog is _Dialog.PING and self._alarms.when((device.eui, _PING)) is not None:
            return
        self._dialog, self._partner, self._attempts = dialog, device, 0
        self._ask(device)

    def _ask(self, device: _Device) -> None:
        """Say what this dialogue is for, the first time or again."""
        urgent = False
        if self._dialog is _Dialog.DATA:
            sdu, _, urgent = device.queue[0]
            device.sent.note(sdu, self._now)
            octets = self._frame(self.address, device.address, sdu)
            self._out.append(Outgoing(octets, device.node, urgent))
        else:
            if self._dialog is _Dialog.ENROL:
                named = Register(initiator=self.eui, servers=((device.eui, device.address),))
                self._say(named, ALL_PHYSICAL, device.node)
            self._say(PingRequest(title=device.eui), device.address, device.node)
        self._alarms.set(_TURN, self._now + self._settings.reply_within_s)

    def _no_answer(self) -> None:
        """The partner said nothing in time: the same once more, or the end of this dialogue."""
        device = self._partner
        if self._dialog is _Dialog.DISCOVER or device is None:
            self._end_discovery()
            return
        if self._attempts < self._settings.repetitions:
            self._attempts += 1
            self._ask(device)
            return
        dialog = self._dialog
        if dialog is _Dialog.DATA:
            _, apdu, _ = device.queue.popleft()
            reason = f"no answer after {self._settings.repetitions + 1} times"
            self._events.append(Undelivered(eui=device.eui, apdu=apdu, reason=reason))
            self._dialog, self._partner = _Dialog.NONE, None
            self._line_up(device)
            self._alarms.cancel((device.eui, _PING))
            self._pinging.append(device)
            return
        self._dialog, self._partner = _Dialog.NONE, None
        if dialog is _Dialog.ENROL and device.rounds < _MOST_ROUNDS:
            # It may have taken its address and be unheard only: no discover would find it.
            device.rounds += 1
            self._alarms.set((device.eui, _ENROL), self._now + self._settings.reply_within_s * 6 * 2**device.rounds)
            return
        self._input(device, Input.TIMEOUT)

    def _end_turn(self) -> None:
        """The partner answered, or is gone."""
        device, dialog = self._partner, self._dialog
        self._dialog, self._partner = _Dialog.NONE, None
        self._alarms.cancel(_TURN)
        if device is not None and dialog is _Dialog.DATA and device.queue:
            device.queue.popleft()
        if device is not None:
            self._line_up(device)

    def _discover(self) -> None:
        """Ask who is NEW, and listen for as long as the slots last."""
        settings = self._settings
        self._discover_due = False
        self._dialog, self._reports = _Dialog.DISCOVER, 0
        discover = Discover(
            probability=self._probability, slots=settings.discover_slots, report_credit=settings.initial_credit
        )
        self._say(discover, ALL_PHYSICAL, EVERYONE)
        listen = settings.discover_slots * settings.slot_s + settings.frame_lifetime_s
        self._alarms.set(_TURN, self._now + listen)

    def _end_discovery(self) -> None:
        """Many reports: fewer are to answer at once; some: once more soon; none: each time later."""
        self._dialog, self._partner = _Dialog.NONE, None
        self._alarms.cancel(_TURN)
        settings = self._settings
        if self._reports >= settings.discover_slots:
            self._probability = max(_LEAST_PROBABILITY, self._probability // 2)
        else:
            self._probability = min(100, self._probability * 2)
        self._silent_rounds = 0 if self._reports or self._probability < 100 else self._silent_rounds + 1
        pause = settings.reply_within_s * 2 ** min(self._silent_rounds, _LONGEST_PAUSE)
        self._alarms.set(_DISCOVER, self._now + min(pause, settings.discover_interval_s))

    # ---- speaking

    def _send_broadcasts(self) -> None:
        """Broadcast what waits, in order, until one is equal to what was sent too short a while ago."""
        while self._broadcasts:
            sdu = self._broadcasts[0]
            free = self._sent.free_at(sdu)
            if free is not None and free > self._now:
                self._alarms.set(_BROADCAST, free)
                return
            self._sent.note(self._broadcasts.popleft(), self._now)
            self._out.append(Outgoing(self._frame(self.address, ALL_CONFIGURED, sdu), EVERYONE))

    def _say(self, pdu: CiPdu, destination: int, to: int) -> None:
        sdu = Lpdu(destination=SERVER_LSAP, source=INITIATOR_LSAP, apdu=pdu.encode()).encode()
        self._out.append(Outgoing(self._frame(self.address, destination, sdu), to))

    _ON_INPUT: ClassVar[dict[InitiatorAction, Callable[[SfskInitiator, _Device, object, bytes], None]]] = {
        InitiatorAction.NOTICE: _notice,
        InitiatorAction.IGNORE: _ignore,
        InitiatorAction.ENROL: _enrol,
        InitiatorAction.ENROL_AGAIN: _enrol_again,
        InitiatorAction.JOIN: _join,
        InitiatorAction.ALIVE: _alive,
        InitiatorAction.TAKE: _take,
        InitiatorAction.DROP: _drop,
        InitiatorAction.LOSE: _lose,
        InitiatorAction.PUT_OUT: _put_out,
    }
