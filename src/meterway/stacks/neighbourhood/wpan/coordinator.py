"""The station in the concentrator: beacons, bootstrapping of devices, members, APDUs to one or to all."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import LocalProtocolError, ProtocolError, SecurityError
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.neighbourhood.ieee802154 import BROADCAST, FrameKind, MacFrame
from meterway.stacks.neighbourhood.lbp import Bootstrap, Grant, Lbp, LbpKind, Welcome
from meterway.stacks.neighbourhood.station import EVERYONE, Admit, Joined, JoinRefused, Left, Member, Undelivered
from meterway.stacks.neighbourhood.wpan.beacon import BEACON_REQUEST, Beacon
from meterway.stacks.neighbourhood.wpan.profile import Profile, Settings
from meterway.stacks.neighbourhood.wpan.station import COORDINATOR, WpanStation

__all__ = ["WpanCoordinator"]

_DATAGRAMS: Final = 1024
_SHORTEST_BEACON_S: Final = 5.0
_UNHEARD: Final = 8
_LAST_SHORT: Final = 0xFFFD


class WpanCoordinator(WpanStation):
    """A ``Coordinator``. ``admit`` gives a device's key of 16 octets."""

    def __init__(self, eui: bytes, admit: Admit, profile: Profile, settings: Settings) -> None:
        super().__init__(eui, profile, settings, datagrams=_DATAGRAMS)
        self._short = COORDINATOR
        self._incarnation = settings.random(4)
        self._keyring.set({0: settings.random(16)}, 0)
        self._bootstrap = Bootstrap(eui, admit, self._grant, settings.random, limit=settings.joining)
        self._members: dict[bytes, Member] = {}
        self._by_short: dict[int, bytes] = {}
        self._addresses: dict[bytes, int] = {}
        # When each member was heard last; the one not heard longest stands first.
        self._last: dict[bytes, float] = {}
        self._unheard: dict[bytes, list[bytes]] = {}
        self._beacon_due: float | None = None
        self._last_beacon = float("-inf")

    @property
    def members(self) -> dict[bytes, Member]:
        """Who has joined, by EUI-64."""
        return self._members

    def start(self, now: float) -> None:
        """Open the network: a beacon, which says to members of before that it has begun anew."""
        self._keyring.begin(now)
        self._send_beacon(now)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called."""
        oldest = next(iter(self._last.values())) + self._settings.forget_s if self._last else None
        waits = (self._beacon_due, oldest, self._bootstrap.next_timeout(), self._adaptation.reassembly.next_timeout())
        return min((wait for wait in waits if wait is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Beacon, and forget what is too old."""
        self._bootstrap.expire(now)
        if lost := self._adaptation.reassembly.expire(now):
            self._notice("incomplete", f"{lost} datagrams were not whole in time")
        while self._last:
            eui = next(iter(self._last))
            if self._last[eui] + self._settings.forget_s > now:
                break
            self._remove(eui, "it was not heard any more")
        if self._beacon_due is not None and now >= self._beacon_due:
            self._send_beacon(now)

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send to a member or, ``eui`` None, to everyone; LocalProtocolError: no member, or too long."""
        wrapper = WrapperFrame(source=client, destination=server, apdu=apdu)
        if eui is None:
            self._send_apdu(wrapper, BROADCAST, EVERYONE, urgent=urgent)
            return
        member = self._members.get(eui)
        if member is None:
            raise LocalProtocolError(f"{eui.hex()} is no member of the network")
        self._send_apdu(wrapper, member.address, member.node, urgent=urgent)
        unheard = self._unheard.setdefault(eui, [])
        if len(unheard) < _UNHEARD:
            unheard.append(apdu)

    def expel(self, eui: bytes, now: float) -> None:
        """Put a member out; ``Left`` follows. LocalProtocolError for one that is none."""
        if eui not in self._members:
            raise LocalProtocolError(f"{eui.hex()} is no member of the network")
        self._kick(self._members[eui])
        self._remove(eui, "it was expelled")

    def _sender(self, frame: MacFrame) -> tuple[int, bytes]:
        source = frame.source
        eui = self._by_short.get(source) if isinstance(source, int) else None
        if not isinstance(source, int) or eui is None:
            raise SecurityError("a secured frame of one that is no member", "member")
        return source, eui

    def _heard(self, eui: bytes, now: float) -> None:
        self._unheard.pop(eui, None)
        self._last.pop(eui, None)
        self._last[eui] = now

    def _take_other(self, frame: MacFrame, source: int, now: float) -> None:
        if frame.kind is FrameKind.COMMAND and frame.payload == bytes([BEACON_REQUEST]):
            if now >= self._last_beacon + _SHORTEST_BEACON_S:
                self._send_beacon(now)
        elif frame.kind is FrameKind.BEACON and frame.source_pan == self._settings.pan:
            self._notice("pan", "another coordinator uses the same PAN id")

    def _take_lbp(self, message: Lbp, source: int, now: float, *, is_secured: bool) -> None:
        if message.kind is LbpKind.KICK_BY_DEVICE:
            if not is_secured or message.eui not in self._members:
                raise SecurityError("a device that leaves must say so secured", "policy")
            self._remove(message.eui, "it said that it leaves")
            return
        if message.kind.is_to_device:
            raise ProtocolError("a bootstrapping message that only a coordinator sends")
        answer, outcome = self._bootstrap.take(message, now)
        if answer is not None:
            self._send_lbp(answer, message.eui, source)
        if isinstance(outcome, Welcome):
            self._welcome(outcome, source, now)
        elif outcome is not None:
            self._events.append(JoinRefused(eui=outcome.eui, reason=outcome.reason))

    def _welcome(self, welcome: Welcome, node: int, now: float) -> None:
        self._give_up(welcome.eui, "the device joined again")
        member = Member(eui=welcome.eui, node=node, address=welcome.short)
        self._members[welcome.eui] = member
        self._by_short[welcome.short] = welcome.eui
        self._heard(welcome.eui, now)
        self._adaptation.reassembly.forget(welcome.short)
        self._events.append(Joined(member=member))

    def _grant(self, eui: bytes) -> Grant | None:
        """The address a device had before, or the next; None if there is none left."""
        short = self._addresses.get(eui)
        if short is None:
            short = len(self._addresses) + 1
            if short > _LAST_SHORT:
                return None
            self._addresses[eui] = short
        keys, active = self._keyring.granted
        return Grant(short=short, keys=keys, active=active)

    def _remove(self, eui: bytes, reason: str) -> None:
        member = self._members.pop(eui)
        self._by_short.pop(member.address, None)
        self._last.pop(eui, None)
        self._give_up(eui, reason)
        self._events.append(Left(member=member, reason=reason))

    def _give_up(self, eui: bytes, reason: str) -> None:
        for apdu in self._unheard.pop(eui, ()):
            self._events.append(Undelivered(eui=eui, apdu=apdu, reason=reason))

    def _kick(self, member: Member) -> None:
        self._send_lbp(Lbp(kind=LbpKind.KICK, eui=member.eui), member.address, member.node, is_secured=True)

    def _send_beacon(self, now: float) -> None:
        self._last_beacon = now
        self._beacon_due = now + self._settings.beacon_s
        beacon = Beacon(pan=self._settings.pan, incarnation=self._incarnation)
        self._emit(beacon.frame(self._next_sequence()), EVERYONE)
