"""The PRIME base node: beacons, registration by EUI-48, LNIDs, 4-32 connections, keep-alive, unregistration."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import ClassVar, Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.prime.beacon import Beacon, PromotionNeeded
from meterway.stacks.neighbourhood.prime.broadcast import BroadcastSource
from meterway.stacks.neighbourhood.prime.control import TYPE_432, Alv, Con, Reg
from meterway.stacks.neighbourhood.prime.devices import Device, Devices
from meterway.stacks.neighbourhood.prime.engine import PrimeStation
from meterway.stacks.neighbourhood.prime.link import Link, segment_size
from meterway.stacks.neighbourhood.prime.packet import (
    BROADCAST_LNID,
    LCID_432_BROADCAST,
    UNREGISTERED_LNID,
    ControlType,
    HeaderType,
    Packet,
    Version,
    header_type,
)
from meterway.stacks.neighbourhood.prime.sar import segments
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings, eui48_of, keep_alive_s
from meterway.stacks.neighbourhood.prime.states import BASE_TABLE, BaseAction, DeviceState, Input
from meterway.stacks.neighbourhood.station import EVERYONE, Admit, Joined, JoinRefused, Left, Member, Outgoing

__all__ = ["BaseNode"]

_STEP, _ALIVE, _LINK = "step", "alive", "link"
_BEACON: Final = (0, "beacon")
_BROADCAST: Final = (0, "broadcast")
_BASE_ADDRESS: Final = 0
_FIRST_PAUSE_S: Final = 5.0
"""From the first beacon to the second; the pause doubles until it is the usual one."""
_NOBODY: Final = bytes(6)


class BaseNode(PrimeStation[tuple[int, str]]):
    """A ``Coordinator``.

    Who may join is asked when a device opens its connection, since only then its whole EUI is known.
    """

    __slots__ = (
        "_admit",
        "_beacon_at",
        "_beacon_pause",
        "_broadcasts",
        "_busy",
        "_devices",
        "_flying",
        "_sequence",
        "_strangers",
        "_waiting",
    )

    def __init__(self, eui: bytes, admit: Admit, settings: PrimeSettings) -> None:
        super().__init__(eui, settings)
        self._admit = admit
        self._devices = Devices()
        self._busy: dict[int, Device] = {}
        self._flying: set[int] = set()
        self._waiting: dict[int, Device] = {}
        self._strangers: dict[tuple[int, int], float] = {}
        self._broadcasts = BroadcastSource(settings.broadcast_gap_s)
        self._sequence = 0
        self._beacon_at = float("-inf")
        self._beacon_pause = _FIRST_PAUSE_S

    # ---- what a coordinator is

    @property
    def members(self) -> dict[bytes, Member]:
        """Who has joined, by EUI."""
        return self._devices.members

    def start(self, now: float) -> None:
        """Send the first beacon. LNIDs begin at a number drawn from the seed and the time, then go round."""
        self._now = now
        lots = Random(f"{self._settings.seed} {self.eui.hex()} {now}")  # noqa: S311  no secret
        self._devices.begin_at(lots.randrange(UNREGISTERED_LNID - 1))
        self._send_beacon()

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU to a member, or to everyone (without any acknowledgement) if ``eui`` is None."""
        self._now = now
        lpdu = self._lpdu(apdu, server, client)
        if eui is None:
            with_crc = self._settings.version is Version.V14
            self._broadcasts.send(tuple(segments(lpdu, segment_size(self._settings), with_crc=with_crc)))
            return
        device = self._devices.of(eui)
        if device is None or device.link is None:
            raise LocalProtocolError(f"{eui.hex()} is no member")
        device.link.send(lpdu, apdu, urgent=urgent)
        self._busy[device.lnid] = device

    def expel(self, eui: bytes, now: float) -> None:
        """Put a device out; ``Left`` follows. It may come back: to keep it out, do not admit it any more."""
        self._now = now
        device = self._devices.of(eui)
        if device is None:
            raise LocalProtocolError(f"{eui.hex()} is no member")
        self._input(device, Input.EXPEL, "expelled")

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium."""
        self._now = now
        kind = header_type(octets)
        if kind == HeaderType.GENERIC:
            packet = self._decode(octets, self.eui48)
            if packet is not None:
                self._hear(packet, source, octets)
        elif kind == HeaderType.PROMOTION_NEEDED:
            self._hear_promotion(octets)
        elif kind != HeaderType.BEACON:  # a beacon is of a neighbour network
            self._note("type", f"a PDU of type {kind}", octets)

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now."""
        self._drain_all()
        for segment in self._broadcasts.outgoing(self._now):
            packet = Packet(down=True, lnid=BROADCAST_LNID, lcid=LCID_432_BROADCAST, payload=segment)
            self._emit(packet, self.eui48, EVERYONE)
        self._alarms.set(_BROADCAST, self._broadcasts.next_timeout())
        out, self._out = self._out, []
        return out

    def _drain_all(self) -> None:
        """Let packets go out: of those with news, then of those that wait, in their order, while there is room."""
        while self._busy or (self._waiting and self._has_room):
            line = self._busy or self._waiting
            self._drain_device(line.pop(next(iter(line))))

    @property
    def _has_room(self) -> bool:
        """Whether one connection more may have packets under way."""
        return len(self._flying) < self._settings.most_flying

    def _drain_device(self, device: Device) -> None:
        """Let a device's packets go out; new ones only if not too many connections have some under way."""
        link, lnid = device.link, device.lnid
        if link is None:
            self._flying.discard(lnid)
            return
        may_launch = lnid in self._flying or self._has_room or link.is_urgent
        self._drain(link, lnid, down=True, sna=self.eui48, to=device.node, may_launch=may_launch)
        self._alarms.set((lnid, _LINK), link.next_timeout())
        if link.is_flying:
            self._flying.add(lnid)
            return
        self._flying.discard(lnid)
        if link.is_waiting and not may_launch:
            self._waiting.setdefault(lnid, device)

    def handle_timeout(self, now: float) -> None:
        """The time has come."""
        self._now = now
        for key in self._alarms.take_due(now):
            lnid, what = key
            device = self._devices.behind(lnid)
            if key == _BEACON:
                self._send_beacon()
            elif device is None:
                continue
            elif what == _LINK:
                self._link_timeout(device)
            elif what == _ALIVE:
                self._ask_alive(device)
            else:
                self._again(device)

    # ---- beacons

    def _send_beacon(self) -> None:
        self._beacon_at = self._now
        beacon = Beacon(sna=self.eui48, sequence=self._sequence)
        self._sequence = (self._sequence + 1) & 0x1F
        self._out.append(Outgoing(beacon.encode(self._settings.version), EVERYONE))
        self._alarms.set(_BEACON, self._now + min(self._beacon_pause, self._settings.beacon_interval_s))
        self._beacon_pause = min(self._beacon_pause * 2, self._settings.beacon_interval_s)

    def _hear_promotion(self, octets: bytes) -> None:
        """Somebody hears no beacon: one more, if the last one is not too fresh. The norm would promote a switch."""
        try:
            PromotionNeeded.decode(Reader(octets))
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return
        soonest = self._beacon_at + self._settings.beacon_guard_s
        if self._now >= soonest:
            self._send_beacon()
        else:
            self._alarms.set(_BEACON, soonest)

    # ---- hearing

    def _hear(self, packet: Packet, source: int, octets: bytes) -> None:
        if packet.down:
            self._note("address", "a packet that goes down came up", octets)
            return
        try:
            what, content = self._read(packet)
        except DecodeError as error:
            self._note(error.kind, error.message, octets)
            return
        if what is Input.REG_REQ and isinstance(content, Reg):
            self._request(content, source)
            return
        device = self._devices.behind(packet.lnid)
        if device is None:
            self._stranger(what, packet, source, octets)
        elif device.node != source or (isinstance(content, Reg) and content.eui48 != device.eui48):
            self._note("address", f"node {source} is not the one behind LNID {packet.lnid}", octets)
        else:
            device.heard_at = self._now
            self._input(device, what, content, packet, octets)

    def _read(self, packet: Packet) -> tuple[Input, Reg | Con | Alv | None]:
        if not packet.control:
            return Input.DATA, None
        reader = Reader(packet.payload)
        if packet.lcid == ControlType.REG:
            reg = Reg.decode(reader)
            if reg.negative:
                return Input.REG_UNR, reg
            return Input.REG_REQ if packet.lnid == UNREGISTERED_LNID else Input.REG_ACK, reg
        if packet.lcid == ControlType.CON:
            con = Con.decode(reader)
            return Input.CON_CLS if con.negative else Input.CON_REQ, con
        if packet.lcid == ControlType.ALV:
            return Input.ALV, Alv.decode(reader, self._settings.version)
        raise DecodeError(f"control packet {packet.lcid} is not implemented", 0, "control")

    def _request(self, reg: Reg, source: int) -> None:
        """REG_REQ: an offer of its own, beside what the device may have, until it is acknowledged."""
        device = self._devices.offered(reg.eui48)
        if device is not None and device.node != source:
            self._input(device, Input.EXPEL)
            device = None
        if device is None:
            if self._devices.joining >= self._settings.most_joining:
                return  # it asks again
            device = self._devices.offer(reg.eui48, source)
            if device is None:
                self._say(ControlType.REG, Reg(negative=True, eui48=reg.eui48).encode(), UNREGISTERED_LNID, source)
                return
        self._input(device, Input.REG_REQ, reg)

    def _stranger(self, what: Input, packet: Packet, source: int, octets: bytes) -> None:
        _, action = BASE_TABLE[DeviceState.UNKNOWN][what]
        if action is BaseAction.TELL_UNKNOWN:
            if self._strangers.get((packet.lnid, source), self._now) > self._now:
                return
            self._strangers = {one: until for one, until in self._strangers.items() if until > self._now}
            self._strangers[packet.lnid, source] = self._now + self._settings.answer_within_s
            self._note("unknown", f"node {source} speaks as LNID {packet.lnid}, which nobody has", octets)
            self._say(ControlType.REG, Reg(negative=True, eui48=_NOBODY).encode(), packet.lnid, source)

    # ---- states

    def _input(
        self, device: Device, what: Input, content: object = None, packet: Packet | None = None, octets: bytes = b""
    ) -> None:
        before = device.state
        device.state, action = BASE_TABLE[before][what]
        if device.state is not before:
            device.attempts = 0
        self._ON_INPUT[action](self, device, content, packet, octets)

    def _notice(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._note("unexpected", f"something unexpected of LNID {device.lnid}, {device.state.value}", octets)

    def _ignore(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        """Nothing."""

    def _offer(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._say_offer(device)
        self._wait(device)

    def _offer_again(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._say_offer(device)

    def _say_offer(self, device: Device) -> None:
        reg = Reg(negative=False, eui48=device.eui48, time=self._settings.keep_alive)
        self._say(ControlType.REG, reg.encode(), device.lnid, device.node)

    def _register(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        """The offer is taken: it replaces what the device had."""
        former = self._devices.register(device)
        if former is not None:
            self._dismiss(former, "it registered again")
            self._drop(former)
        self._wait(device)
        self._set_alive(device)

    def _ask_to_join(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        """CON_REQ: the device identifier says who it is."""
        if not self._devices.is_registered(device):
            self._register(device, content, packet, octets)
        if not isinstance(content, Con) or content.type != TYPE_432 or not content.arq or len(content.data) != 8:
            self._note("connection", "a connection that is not for 4-32 with ARQ and an EUI", octets)
            device.state = DeviceState.REGISTERED
            return
        eui = content.data
        reason = "it is not admitted" if eui48_of(eui) == device.eui48 else "its EUI is not that it registered with"
        if eui48_of(eui) != device.eui48 or self._admit(eui) is None:
            self._events.append(JoinRefused(eui=eui, reason=reason))
            refusal = Con(negative=True, lcid=content.lcid)
            self._say(ControlType.CON, refusal.encode(), device.lnid, device.node)
            self._drop(device)
            return
        device.link = Link(content.lcid, self._settings)
        device.member = self._devices.members[eui] = Member(eui=eui, node=device.node, address=device.lnid)
        self._alarms.cancel((device.lnid, _STEP))
        self._say_accept(device)
        self._events.append(Joined(member=device.member))

    def _accept_again(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        if isinstance(content, Con) and device.link is not None and content.lcid == device.link.lcid:
            self._say_accept(device)
        else:
            self._note("connection", f"a second connection of LNID {device.lnid}", octets)

    def _say_accept(self, device: Device) -> None:
        """CON_REQ_B with the 4-32 address of the device, that of the base node, and the base node's EUI."""
        if device.link is not None:
            data = (device.lnid & 0xFFF).to_bytes(2, "big") + _BASE_ADDRESS.to_bytes(2, "big") + self.eui
            con = Con(negative=False, lcid=device.link.lcid, data=data)
            self._say(ControlType.CON, con.encode(), device.lnid, device.node)

    def _alive(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        device.attempts = 0
        self._set_alive(device)

    def _take(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        if packet is None or device.link is None or device.member is None:
            return
        if packet.lcid != device.link.lcid:
            self._note("address", f"a packet for LCID {packet.lcid} of LNID {device.lnid}", octets)
            return
        self._busy[device.lnid] = device
        if not self._receive_data(device.link, packet, device.member.eui, octets):
            self._input(device, Input.LOST, "its segments do not fit")

    def _remove(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._say_unregister(device)
        self._dismiss(device, "it unregistered")
        self._drop(device)

    def _forget(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._drop(device)

    def _put_out(self, device: Device, content: object, packet: Packet | None, octets: bytes) -> None:
        self._dismiss(device, content if isinstance(content, str) else "its connection was closed")
        self._alarms.cancel((device.lnid, _ALIVE))
        self._alarms.cancel((device.lnid, _LINK))
        self._devices.unregister(device)
        self._say_unregister(device)
        self._wait(device)

    def _dismiss(self, device: Device, reason: str) -> None:
        """End the connection of a device, and its membership, if it has them."""
        if device.link is not None and device.member is not None:
            self._give_up(device.link, device.member.eui, reason)
            self._events.append(Left(member=device.member, reason=reason))
            self._devices.members.pop(device.member.eui, None)
        device.link = device.member = None
        self._flying.discard(device.lnid)
        self._waiting.pop(device.lnid, None)

    def _drop(self, device: Device) -> None:
        """Forget an LNID."""
        device.state = DeviceState.UNKNOWN
        for what in (_STEP, _ALIVE, _LINK):
            self._alarms.cancel((device.lnid, what))
        self._devices.drop(device)

    # ---- waiting

    def _wait(self, device: Device) -> None:
        wait = self._settings.answer_within_s
        if device.state is DeviceState.LEAVING:
            wait *= 2**device.attempts
        self._alarms.set((device.lnid, _STEP), self._now + wait)

    def _again(self, device: Device) -> None:
        """No answer in time: the same once more, or the end. A registered device is to open its connection itself."""
        device.attempts += 1
        if device.attempts > self._settings.control_repetitions:
            self._input(device, Input.TIMEOUT, "it did not answer")
            return
        if device.state is DeviceState.OFFERED:
            self._say_offer(device)
        elif device.state is DeviceState.LEAVING:
            self._say_unregister(device)
        self._wait(device)

    def _set_alive(self, device: Device) -> None:
        settings = self._settings
        pause = keep_alive_s(settings.keep_alive, settings.version) / settings.keep_alive_polls
        self._alarms.set((device.lnid, _ALIVE), device.heard_at + pause)

    def _ask_alive(self, device: Device) -> None:
        """Ask a device that was not heard for a while; what it said meanwhile spares the question."""
        settings = self._settings
        pause = keep_alive_s(settings.keep_alive, settings.version) / settings.keep_alive_polls
        if device.heard_at + pause > self._now:
            device.attempts = 0
            self._set_alive(device)
        elif device.attempts > settings.control_repetitions:
            self._input(device, Input.TIMEOUT, "it is not heard any more")
        else:
            device.attempts += 1
            device.sent = (device.sent + 1) & 7
            alv = Alv(sent=device.sent, time=settings.keep_alive)
            self._say(ControlType.ALV, alv.encode(settings.version), device.lnid, device.node)
            wait = settings.answer_within_s * 2 ** (device.attempts - 1)
            self._alarms.set((device.lnid, _ALIVE), self._now + wait)

    def _link_timeout(self, device: Device) -> None:
        if device.link is not None:
            device.link.handle_timeout(self._now)
            self._busy[device.lnid] = device
            if device.link.is_lost:
                self._input(device, Input.LOST, "it does not acknowledge any more")

    # ---- speaking

    def _say_unregister(self, device: Device) -> None:
        self._say(ControlType.REG, Reg(negative=True, eui48=device.eui48).encode(), device.lnid, device.node)

    def _say(self, kind: ControlType, payload: bytes, lnid: int, to: int) -> None:
        self._emit(self._control(kind, payload, lnid, down=True), self.eui48, to)

    _ON_INPUT: ClassVar[dict[BaseAction, Callable[[BaseNode, Device, object, Packet | None, bytes], None]]] = {
        BaseAction.NOTICE: _notice,
        BaseAction.IGNORE: _ignore,
        BaseAction.OFFER: _offer,
        BaseAction.OFFER_AGAIN: _offer_again,
        BaseAction.REGISTER: _register,
        BaseAction.ADMIT: _ask_to_join,
        BaseAction.ACCEPT_AGAIN: _accept_again,
        BaseAction.ALIVE: _alive,
        BaseAction.TAKE: _take,
        BaseAction.REMOVE: _remove,
        BaseAction.FORGET: _forget,
        BaseAction.PUT_OUT: _put_out,
    }
