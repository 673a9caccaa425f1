"""An S-FSK server (a meter): NEW until an initiator has found and named it, then it answers that initiator."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import ClassVar, Final

from meterway.base.errors import LocalProtocolError
from meterway.stacks.neighbourhood.llc432 import Lpdu
from meterway.stacks.neighbourhood.sfsk.ciase import (
    INITIATOR_REPORT_LSAP,
    SERVER_LSAP,
    CiPdu,
    ClearAlarm,
    Discover,
    DiscoverReport,
    PingRequest,
    PingResponse,
    Register,
    RepeaterCall,
)
from meterway.stacks.neighbourhood.sfsk.engine import Heard, SfskStation
from meterway.stacks.neighbourhood.sfsk.mac import ALL_CONFIGURED, ALL_PHYSICAL, NEW, NOBODY
from meterway.stacks.neighbourhood.sfsk.memory import Recent
from meterway.stacks.neighbourhood.sfsk.settings import SfskSettings
from meterway.stacks.neighbourhood.sfsk.states import SERVER_TABLE, Input, ServerAction, ServerState
from meterway.stacks.neighbourhood.station import Apdu, Joined, Left, Member, Outgoing, Undelivered

__all__ = ["SfskServer"]

_REPORT, _SILENCE, _CHOOSE, _HELD = "report", "silence", "choose", "held"
_NEW_ALARM: Final = 0x01
"""The alarm descriptor of a server that is NEW."""
_OWN_NODE: Final = 0
_KEPT_ANSWERS: Final = 4


class SfskServer(SfskStation[str]):
    """A ``Station`` that speaks to its initiator only.

    A question that comes again is not delivered again: what was answered to it is sent again. An APDU equal to one sent
    shortly before waits, so that it is not taken for a copy.
    """

    __slots__ = (
        "_address",
        "_addressed_at",
        "_alarm",
        "_answers",
        "_broadcasts",
        "_choice",
        "_initiator_eui",
        "_initiator_node",
        "_joined_at",
        "_question",
        "_questions",
        "_random",
        "_refused",
        "_sent",
        "_waiting",
        "initiator",
        "state",
    )

    def __init__(self, eui: bytes, settings: SfskSettings) -> None:
        super().__init__(eui, settings)
        self._random = Random(f"{settings.seed} {eui.hex()}")  # noqa: S311  lots for time slots, not secrets
        self._refused: dict[int, float] = {}
        self._alarm: int | None = _NEW_ALARM
        self.state = ServerState.UNLOCKED
        self._clear()

    def _clear(self) -> None:
        settings = self._settings
        self.initiator = NOBODY
        """The MAC address of the initiator chosen, or NOBODY."""
        self._initiator_node = _OWN_NODE
        self._initiator_eui = b""
        self._address = NEW
        self._joined_at = 0.0
        self._addressed_at = 0.0
        self._choice: dict[tuple[int, int], int] = {}
        self._question = b""
        self._answers: list[bytes] = []
        self._questions = Recent(settings.question_memory_s)
        self._broadcasts = Recent(settings.answer_memory_s)
        self._sent = Recent(settings.answer_memory_s + settings.frame_lifetime_s)
        self._waiting: deque[tuple[bytes, bytes, bool]] = deque()

    # ---- what a station is

    def start(self, now: float) -> None:
        """Wait for an initiator: a server says nothing of its own accord."""
        self._now = now

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU to the initiator; LocalProtocolError for anyone else, for everyone, and when not registered."""
        self._now = now
        if self.state is not ServerState.REGISTERED or not eui or eui != self._initiator_eui:
            raise LocalProtocolError("not registered with that initiator")
        self._waiting.append((self._lpdu(apdu, client, server), apdu, urgent))
        self._send_waiting()

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium."""
        self._now = now
        heard = self._read(octets)
        if heard is None:
            return
        frame, lpdu, pdu = heard
        if isinstance(pdu, Discover):
            self._hear_discover(heard, source)
        elif frame.source != self.initiator or source != self._initiator_node:
            self._note("address", f"a frame of {frame.source:03X} is not of the initiator", octets)
        elif pdu is not None:
            self._hear_pdu(heard, octets)
        elif frame.destination == self._address and self.state is ServerState.REGISTERED:
            self._addressed()
            self._input(Input.DATA, heard, octets)
        elif frame.destination in (ALL_CONFIGURED, ALL_PHYSICAL) and self.state is ServerState.REGISTERED:
            self._hear_broadcast(lpdu, octets)
        else:
            self._note("address", f"a frame for {frame.destination:03X}", octets)

    def handle_timeout(self, now: float) -> None:
        """The time has come."""
        self._now = now
        for key in self._alarms.take_due(now):
            if key == _REPORT:
                self._say(DiscoverReport(servers=((self.eui, self._alarm),)))
            elif key == _SILENCE:
                self._input(Input.TIMEOUT)
            elif key == _CHOOSE:
                self._choose_now()
            else:
                self._send_waiting()

    # ---- hearing

    def _hear_discover(self, heard: Heard, source: int) -> None:
        frame = heard[0]
        if self.state is ServerState.UNLOCKED:
            if self._refused.get(frame.source, self._now) > self._now:
                return
            self._choice[frame.source, source] = self._choice.get((frame.source, source), 0) + 1
        elif (frame.source, source) != (self.initiator, self._initiator_node):
            return  # of a neighbour network
        self._input(Input.DISCOVER, heard)

    def _hear_pdu(self, heard: Heard, octets: bytes) -> None:
        frame, _, pdu = heard
        if isinstance(pdu, Register):
            address = dict(pdu.servers).get(self.eui)
            if address is not None:
                self._input(Input.RESET if address == NEW else Input.REGISTER, heard, octets)
        elif isinstance(pdu, PingRequest) and pdu.title == self.eui and frame.destination == self._address:
            self._addressed()
            self._input(Input.PING, heard, octets)
        elif isinstance(pdu, ClearAlarm):
            self._input(Input.CLEAR_ALARM, heard, octets)
        elif isinstance(pdu, RepeaterCall):
            self._input(Input.REPEATER_CALL, heard, octets)
        else:
            self._note("address", f"a {type(pdu).__name__} that is not for this server", octets)

    def _hear_broadcast(self, lpdu: Lpdu, octets: bytes) -> None:
        if self._broadcasts.note(lpdu.encode(), self._now):
            self._note("retransmission", "a broadcast came again", octets)
            return
        self._deliver(lpdu, is_broadcast=True)

    def _deliver(self, lpdu: Lpdu, *, is_broadcast: bool = False) -> None:
        self._events.append(
            Apdu(
                eui=self._initiator_eui,
                apdu=lpdu.apdu,
                client=lpdu.source,
                server=lpdu.destination,
                is_broadcast=is_broadcast,
            )
        )

    # ---- states

    def _input(self, what: Input, heard: Heard | None = None, octets: bytes = b"") -> None:
        self.state, action = SERVER_TABLE[self.state][what]
        self._ON_INPUT[action](self, heard, octets)

    def _notice(self, heard: Heard | None, octets: bytes) -> None:
        self._note("unexpected", f"something unexpected while {self.state.value}", octets)

    def _ignore(self, heard: Heard | None, octets: bytes) -> None:
        """Nothing."""

    def _choose(self, heard: Heard | None, octets: bytes) -> None:
        """The first discover begins the search; when it is over, the one heard most often is chosen."""
        if self._settings.search_initiator_s > 0:
            if self._alarms.when(_CHOOSE) is None:
                self._alarms.set(_CHOOSE, self._now + self._settings.search_initiator_s)
            return
        self._choose_now()
        self._report(heard, octets)

    def _choose_now(self) -> None:
        if self.state is ServerState.UNLOCKED and self._choice:
            self.initiator, self._initiator_node = max(self._choice, key=lambda one: self._choice[one])
            self.state = ServerState.LOCKED
            self._alarms.set(_SILENCE, self._now + self._settings.locked_for_s)

    def _report(self, heard: Heard | None, octets: bytes) -> None:
        if heard is None or not isinstance(heard[2], Discover):
            return
        discover = heard[2]
        if self._random.uniform(0, 100) < discover.probability:
            slot = self._random.randrange(max(1, discover.slots))
            self._alarms.set(_REPORT, self._now + (slot + self._random.random()) * self._settings.slot_s)

    def _report_idle(self, heard: Heard | None, octets: bytes) -> None:
        """An initiator that has not pinged this server for so long has forgotten it (by a restart): it is told."""
        if self._now - self._addressed_at >= self._settings.ping_interval_s + self._settings.settle_s:
            self._report(heard, octets)

    def _join(self, heard: Heard | None, octets: bytes) -> None:
        if heard is None or not isinstance(heard[2], Register):
            return
        self._address = dict(heard[2].servers)[self.eui]
        self._initiator_eui = heard[2].initiator
        self._joined_at = self._addressed_at = self._now
        self._alarm = None
        self._alarms.cancel(_REPORT)
        self._alarms.set(_SILENCE, self._now + self._settings.settle_s)
        self._events.append(Joined(member=self._member))

    @property
    def _member(self) -> Member:
        return Member(eui=self.eui, node=_OWN_NODE, address=self._address)

    def _move(self, heard: Heard | None, octets: bytes) -> None:
        """Registered again: a copy, a late one, or the initiator has lost its list."""
        if heard is None or not isinstance(heard[2], Register):
            return
        address = dict(heard[2].servers)[self.eui]
        is_late = self._now - self._joined_at < self._settings.question_memory_s
        if address == self._address or is_late:
            return
        self._leave_with("registered anew")
        self.state = ServerState.REGISTERED
        self.initiator, self._initiator_node = heard[0].source, self._initiator_node
        self._join(heard, octets)

    def _answer(self, heard: Heard | None, octets: bytes) -> None:
        self._say(PingResponse(title=self.eui))

    def _take(self, heard: Heard | None, octets: bytes) -> None:
        if heard is None:
            return
        sdu = heard[0].sdu
        if self._questions.note(sdu, self._now):
            self._note("retransmission", "a question came again", octets)
            if sdu == self._question:
                for answer in self._answers:
                    self._sent.note(answer, self._now)
                    self._emit(answer)
            return
        self._question, self._answers = sdu, []
        self._deliver(heard[1])

    def _clear_alarm(self, heard: Heard | None, octets: bytes) -> None:
        if heard is not None and isinstance(heard[2], ClearAlarm) and heard[2].alarm == self._alarm:
            self._alarm = None

    def _unlock(self, heard: Heard | None, octets: bytes) -> None:
        """The initiator chosen does not name this server: it may be a neighbour's."""
        self._refused[self.initiator] = self._now + self._settings.refused_for_s
        self._clear()
        self._alarms.cancel(_REPORT)

    def _leave(self, heard: Heard | None, octets: bytes) -> None:
        node = self.initiator, self._initiator_node
        self._leave_with("not addressed any more" if heard is None else "made NEW by the initiator")
        self.state = ServerState.UNLOCKED
        if heard is not None:  # it is still the initiator of this network
            self._choice[node] = 0

    def _leave_with(self, reason: str) -> None:
        member, eui, node = self._member, self._initiator_eui, self._initiator_node
        for _, apdu, _ in self._waiting:
            self._events.append(Undelivered(eui=eui, apdu=apdu, reason=reason))
        self._clear()
        self._initiator_node = node
        self._alarm = _NEW_ALARM
        for key in (_REPORT, _SILENCE, _HELD):
            self._alarms.cancel(key)
        self._events.append(Left(member=member, reason=reason))

    def _addressed(self) -> None:
        self._addressed_at = self._now
        self._alarms.set(_SILENCE, self._now + self._settings.not_addressed_s)

    # ---- speaking

    def _send_waiting(self) -> None:
        """Send what waits, in order, until one is equal to what was sent too short a while ago."""
        while self._waiting:
            sdu, _, urgent = self._waiting[0]
            free = self._sent.free_at(sdu)
            if free is not None and free > self._now:
                self._alarms.set(_HELD, free)
                return
            self._waiting.popleft()
            self._sent.note(sdu, self._now)
            self._answers = [*self._answers[-_KEPT_ANSWERS + 1 :], sdu]
            self._emit(sdu, urgent=urgent)

    def _emit(self, sdu: bytes, *, urgent: bool = False) -> None:
        octets = self._frame(self._address, self.initiator, sdu)
        self._out.append(Outgoing(octets, self._initiator_node, urgent))

    def _say(self, pdu: CiPdu) -> None:
        self._emit(Lpdu(destination=INITIATOR_REPORT_LSAP, source=SERVER_LSAP, apdu=pdu.encode()).encode())

    _ON_INPUT: ClassVar[dict[ServerAction, Callable[[SfskServer, Heard | None, bytes], None]]] = {
        ServerAction.NOTICE: _notice,
        ServerAction.IGNORE: _ignore,
        ServerAction.CHOOSE: _choose,
        ServerAction.REPORT: _report,
        ServerAction.REPORT_IDLE: _report_idle,
        ServerAction.JOIN: _join,
        ServerAction.MOVE: _move,
        ServerAction.ANSWER: _answer,
        ServerAction.TAKE: _take,
        ServerAction.CLEAR: _clear_alarm,
        ServerAction.FORGET: _unlock,
        ServerAction.LEAVE: _leave,
    }
