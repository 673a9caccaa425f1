"""A PRIME service node (terminal): follows a base node's beacon, registers, opens its 4-32 connection, stays."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import ClassVar, Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.beacon import Beacon, PromotionNeeded
from meterway.stacks.neighbourhood.prime.broadcast import BroadcastSink
from meterway.stacks.neighbourhood.prime.control import TYPE_432, Alv, Con, Reg
from meterway.stacks.neighbourhood.prime.engine import PrimeStation
from meterway.stacks.neighbourhood.prime.link import Link
from meterway.stacks.neighbourhood.prime.packet import (
    BROADCAST_LNID,
    LCID_432_BROADCAST,
    UNREGISTERED_LNID,
    ControlType,
    HeaderType,
    Packet,
    header_type,
)
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings, keep_alive_s
from meterway.stacks.neighbourhood.prime.states import NODE_TABLE, Input, NodeAction, NodeState
from meterway.stacks.neighbourhood.station import EVERYONE, Joined, Left, Member, Outgoing

__all__ = ["ServiceNode"]

_STEP, _ALIVE, _LINK, _PULSE = "step", "alive", "link", "pulse"
_NODE_LCIDS: Final = 256
"""Connections that a service node asks for have LCID 256 to 511 (as far as known)."""
_SEARCH_S: Final = 60.0
_LONGEST_SEARCH_S: Final = 3600.0
_MOST_FAILURES: Final = 6
_OWN_NODE: Final = 0
_PULSE_AT: Final = 0.6
"""After this part of the keep-alive time without a word of the base node, a node says that it is there."""


class ServiceNode(PrimeStation[str]):
    """A ``Station`` that speaks to the base node only."""

    __slots__ = (
        "_attempts",
        "_base_eui",
        "_base_node",
        "_draws",
        "_failures",
        "_lcid",
        "_link",
        "_lnid",
        "_not_before",
        "_received",
        "_refused",
        "_sink",
        "_sna",
        "_time",
        "state",
    )

    def __init__(self, eui: bytes, settings: PrimeSettings) -> None:
        super().__init__(eui, settings)
        self._draws = 0
        self._sink = BroadcastSink(settings.broadcast_gap_s)
        self._refused: dict[bytes, float] = {}
        self._lcid = int(self._draw(0, _NODE_LCIDS)) % _NODE_LCIDS
        self._failures = 0
        self._not_before = 0.0
        self.state = NodeState.SEARCHING
        self._forget()

    def _forget(self) -> None:
        self._attempts = 0
        self._received = 0
        self._sna = b""
        self._base_node = EVERYONE
        self._base_eui = b""
        self._lnid = UNREGISTERED_LNID
        self._time = self._settings.keep_alive
        self._link: Link | None = None

    def _draw(self, least: float, most: float) -> float:
        """A lot: seldom drawn, so that no node holds the 2.5 kB of a generator's state."""
        self._draws += 1
        return Random(f"{self._settings.seed} {self.eui.hex()} {self._draws}").uniform(least, most)  # noqa: S311

    # ---- what a station is

    def start(self, now: float) -> None:
        """Begin to look for a beacon."""
        self._now = now
        self._alarms.set(_STEP, now + self._settings.beacon_interval_s * self._draw(1.2, 2))

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU to the base node; LocalProtocolError for anyone else, for everyone, and when not joined."""
        self._now = now
        if self._link is None or eui != self._base_eui or not eui:
            raise LocalProtocolError("no PRIME connection to that device")
        self._link.send(self._lpdu(apdu, client, server), apdu, urgent=urgent)

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium."""
        self._now = now
        kind = header_type(octets)
        if kind == HeaderType.BEACON:
            self._hear_beacon(octets, source)
        elif kind == HeaderType.GENERIC and self._sna:
            packet = self._decode(octets, self._sna)
            if packet is not None:
                self._hear(packet, source, octets)
        elif kind not in (HeaderType.GENERIC, HeaderType.PROMOTION_NEEDED):
            self._note("type", f"a PDU of type {kind}", octets)

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now."""
        if self._link is not None:
            self._drain(self._link, self._lnid, down=False, sna=self._sna, to=self._base_node)
            self._alarms.set(_LINK, self._link.next_timeout())
        out, self._out = self._out, []
        return out

    def handle_timeout(self, now: float) -> None:
        """The time has come."""
        self._now = now
        for key in self._alarms.take_due(now):
            if key == _STEP:
                self._step()
            elif key == _ALIVE:
                self._input(Input.TIMEOUT, None)
            elif key == _PULSE:
                self._pulse()
            elif self._link is not None:
                self._link.handle_timeout(now)
                if self._link.is_lost:
                    self._input(Input.LOST, None)

    # ---- hearing

    def _hear_beacon(self, octets: bytes, source: int) -> None:
        try:
            beacon = Beacon.decode(Reader(octets), self._settings.version)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return
        if self.state is NodeState.SEARCHING:
            if self._refused.get(beacon.sna, self._now) > self._now:
                return
            self._sna, self._base_node = beacon.sna, source
        self._input(Input.BEACON, None)

    def _hear(self, packet: Packet, source: int, octets: bytes) -> None:
        if not packet.down or source != self._base_node:
            self._note("address", f"a packet of node {source} is not of the base node", octets)
        elif packet.control:
            self._hear_control(packet, octets)
        elif packet.lnid == BROADCAST_LNID and packet.lcid == LCID_432_BROADCAST:
            self._hear_broadcast(packet, octets)
        elif packet.lnid == self._lnid and (self._link is None or packet.lcid == self._link.lcid):
            self._keep_alive()
            self._input(Input.DATA, packet, octets)
        else:
            self._note("address", f"a packet for LNID {packet.lnid}, LCID {packet.lcid}", octets)

    def _hear_control(self, packet: Packet, octets: bytes) -> None:
        try:
            what, content = self._read_control(packet)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return
        if what is None:
            self._note("address", f"a control packet {packet.lcid} for LNID {packet.lnid}", octets)
            return
        self._input(what, packet, octets, content)

    def _read_control(self, packet: Packet) -> tuple[Input | None, Reg | Con | Alv | None]:
        """What a control packet is to this node, or None if it is not for it; DecodeError if it cannot be read."""
        reader, mine = Reader(packet.payload), packet.lnid == self._lnid and packet.lnid != UNREGISTERED_LNID
        if packet.lcid == ControlType.REG:
            return self._read_registration(Reg.decode(reader), packet, mine=mine)
        if packet.lcid == ControlType.CON:
            con = Con.decode(reader)
            ours = mine and con.lcid == self._own_lcid and con.type == TYPE_432
            return (Input.CON_CLS if con.negative else Input.CON_REQ) if ours else None, con
        if packet.lcid == ControlType.ALV:
            return Input.ALV if mine else None, Alv.decode(reader, self._settings.version)
        return None, None

    def _read_registration(self, reg: Reg, packet: Packet, *, mine: bool) -> tuple[Input | None, Reg]:
        if reg.negative and mine:
            return Input.REG_UNR, reg
        if reg.eui48 != self.eui48:
            return None, reg
        if reg.negative:
            return Input.REG_REJ if packet.lnid == UNREGISTERED_LNID else None, reg
        fits = mine or self.state is NodeState.REGISTERING
        return Input.REG_RSP if fits else None, reg

    def _hear_broadcast(self, packet: Packet, octets: bytes) -> None:
        if self.state is not NodeState.CONNECTED:
            return
        try:
            whole = self._sink.take(packet.payload, self._now)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return
        if whole is not None:
            self._deliver(whole, self._base_eui, down=True, is_broadcast=True)

    # ---- states

    @property
    def _own_lcid(self) -> int:
        return _NODE_LCIDS + self._lcid

    def _input(
        self, what: Input, packet: Packet | None, octets: bytes = b"", content: Reg | Con | Alv | None = None
    ) -> None:
        before = self.state
        self.state, action = NODE_TABLE[before][what]
        if self.state is not before:
            self._attempts = 0
        self._ON_INPUT[action](self, packet, octets, content)

    def _notice(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._note("unexpected", f"something unexpected while {self.state.value}", octets)

    def _ignore(self, packet: Packet | None, octets: bytes, content: object) -> None:
        """Nothing."""

    def _ask(self, packet: Packet | None, octets: bytes, content: object) -> None:
        """Not at once: all nodes heard the same beacon."""
        begin = max(self._now, self._not_before)
        self._alarms.set(_STEP, begin + self._draw(0, self._settings.join_spread_s))

    def _open(self, packet: Packet | None, octets: bytes, content: object) -> None:
        if packet is None or not isinstance(content, Reg):
            return
        self._lnid, self._time = packet.lnid, content.time
        self._lcid = (self._lcid + 1) % _NODE_LCIDS
        self._keep_alive()
        self._confirm(packet, octets, content)
        self._step()

    def _confirm(self, packet: Packet | None, octets: bytes, content: object) -> None:
        reg = Reg(negative=False, eui48=self.eui48, time=self._time)
        self._say(ControlType.REG, reg.encode(), self._lnid)

    def _join(self, packet: Packet | None, octets: bytes, content: object) -> None:
        if not isinstance(content, Con) or len(content.data) != 12 or not content.arq:
            self._note("connection", "an acceptance of the connection that says not enough", octets)
            self.state = NodeState.CONNECTING
            return
        self._base_eui = content.data[4:]
        self._link = Link(self._own_lcid, self._settings)
        self._alarms.cancel(_STEP)
        self._failures = 0
        self._events.append(Joined(member=self._member))

    @property
    def _member(self) -> Member:
        return Member(eui=self.eui, node=_OWN_NODE, address=self._lnid)

    def _answer(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._keep_alive()
        if isinstance(content, Alv):
            self._received = (self._received + 1) & 7
            answer = Alv(sent=content.sent, received=self._received, time=content.time)
            self._say(ControlType.ALV, answer.encode(self._settings.version), self._lnid)

    def _take(self, packet: Packet | None, octets: bytes, content: object) -> None:
        if packet is None or self._link is None:
            return
        if not self._receive_data(self._link, packet, self._base_eui, octets):
            self._input(Input.LOST, None)

    def _refuse(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._refused[self._sna] = self._now + self._settings.refused_for_s
        self._leave("refused", speak=self._lnid != UNREGISTERED_LNID)
        self._alarms.set(_STEP, self._now + self._settings.refused_for_s)

    def _search(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._leave("the base node is not heard any more", speak=False)

    def _out_of_it(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._leave("unregistered by the base node", speak=True)

    def _gone(self, packet: Packet | None, octets: bytes, content: object) -> None:
        self._leave("the connection is lost", speak=True)

    def _leave(self, reason: str, *, speak: bool) -> None:
        if speak:
            self._say(ControlType.REG, Reg(negative=True, eui48=self.eui48).encode(), self._lnid)
        if self._link is not None:
            self._give_up(self._link, self._base_eui, reason)
            self._events.append(Left(member=self._member, reason=reason))
        self._forget()
        for key in (_ALIVE, _LINK, _PULSE):
            self._alarms.cancel(key)
        pause = self._draw(0, self._settings.join_spread_s * 2**self._failures)
        self._failures = min(self._failures + 1, _MOST_FAILURES)
        self._not_before = self._now + pause
        self._alarms.set(_STEP, self._not_before + self._settings.beacon_interval_s * self._draw(1.2, 2))

    # ---- speaking

    def _say(self, kind: ControlType, payload: bytes, lnid: int) -> None:
        self._emit(self._control(kind, payload, lnid, down=False), self._sna, self._base_node)

    def _keep_alive(self) -> None:
        time = keep_alive_s(self._time, self._settings.version)
        self._alarms.set(_ALIVE, self._now + time)
        self._alarms.set(_PULSE, self._now + time * _PULSE_AT)

    def _pulse(self) -> None:
        """Say that this node is there: a base node that has forgotten it (after a restart) unregisters it then."""
        alv = Alv(sent=0, received=self._received, time=self._time)
        self._say(ControlType.ALV, alv.encode(self._settings.version), self._lnid)

    def _step(self) -> None:
        """Do, or do again, what this state waits for an answer to."""
        settings = self._settings
        if self.state is NodeState.CONNECTED:
            return
        self._attempts += 1
        if self.state is NodeState.SEARCHING:
            frame = PromotionNeeded(pna=self.eui48).encode()
            self._out.append(Outgoing(frame, EVERYONE))
            wait = min(_SEARCH_S * 2 ** min(self._attempts - 1, 8), _LONGEST_SEARCH_S)
        elif self._attempts > settings.control_repetitions + 1:
            self._input(Input.TIMEOUT, None)
            return
        elif self.state is NodeState.REGISTERING:
            reg = Reg(negative=False, eui48=self.eui48, time=settings.keep_alive)
            self._say(ControlType.REG, reg.encode(), UNREGISTERED_LNID)
            wait = settings.answer_within_s * 2 ** (self._attempts - 1)
        else:
            con = Con(negative=False, lcid=self._own_lcid, data=self.eui)
            self._say(ControlType.CON, con.encode(), self._lnid)
            wait = settings.answer_within_s * 2 ** (self._attempts - 1)
        self._alarms.set(_STEP, self._now + wait * self._draw(1, 1.25))

    _ON_INPUT: ClassVar[dict[NodeAction, Callable[[ServiceNode, Packet | None, bytes, object], None]]] = {
        NodeAction.NOTICE: _notice,
        NodeAction.IGNORE: _ignore,
        NodeAction.ASK: _ask,
        NodeAction.OPEN: _open,
        NodeAction.CONFIRM: _confirm,
        NodeAction.JOIN: _join,
        NodeAction.ANSWER: _answer,
        NodeAction.TAKE: _take,
        NodeAction.REFUSED: _refuse,
        NodeAction.SEARCH: _search,
        NodeAction.OUT: _out_of_it,
        NodeAction.GONE: _gone,
    }
