"""The station in a device: it searches, joins, answers, and searches anew when the network is gone."""

from __future__ import annotations

from enum import Enum
from typing import Final

from meterway.base.errors import LocalProtocolError, ProtocolError, SecurityError
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.neighbourhood.eap_psk.keys import KEY_SIZE
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame
from meterway.stacks.neighbourhood.lbp import Grant, Joining, Lbp, LbpKind, Refused
from meterway.stacks.neighbourhood.station import EVERYONE, Joined, JoinRefused, Left, Member
from meterway.stacks.neighbourhood.wpan.beacon import Beacon, beacon_request
from meterway.stacks.neighbourhood.wpan.profile import Profile, Settings
from meterway.stacks.neighbourhood.wpan.station import COORDINATOR, WpanStation

__all__ = ["NodeState", "WpanNode"]

_DATAGRAMS: Final = 16
_ALL_AT_ONCE: Final = 3
"""The failures that a node acts as if it had when a whole network begins to join at once."""
_MOST: Final = 16


class NodeState(Enum):
    """Where a node stands."""

    OFF = "not started"
    SEARCHING = "looks for a network"
    FOUND = "waits its turn to join"
    JOINING = "joins"
    DECLINED = "was refused and waits"
    JOINED = "is a member"


class WpanNode(WpanStation):
    """A ``Station`` whose key, 16 octets, the coordinator must know; else ``JoinRefused`` with its own EUI."""

    def __init__(self, eui: bytes, profile: Profile, settings: Settings, key: bytes) -> None:
        super().__init__(eui, profile, settings, datagrams=_DATAGRAMS)
        self._key = key
        self.state = NodeState.OFF
        self._due: float | None = None
        self._failures = 0
        self._searches = 0
        self._joining: Joining | None = None
        self._sent = 0
        self._node = 0
        self._coordinator = b""
        self._incarnation = b""
        self._seen = (0, b"")
        self._last_heard = 0.0

    @property
    def coordinator(self) -> bytes:
        """The coordinator's EUI-64, empty while the node is no member."""
        return self._coordinator if self.state is NodeState.JOINED else b""

    def start(self, now: float) -> None:
        """Begin to look for a network, at a moment of the node's own; without a key it says so and does nothing."""
        self._keyring.begin(now)
        if len(self._key) != KEY_SIZE:
            self._events.append(JoinRefused(eui=self._eui, reason=f"the device has no key of {KEY_SIZE} octets"))
            self._go(NodeState.DECLINED, None)
            return
        self._go(NodeState.SEARCHING, now + self._settings.chance() * self._settings.spread_s)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called."""
        due = self._last_heard + self._settings.silence_s if self.state is NodeState.JOINED else self._due
        waits = (due, self._adaptation.reassembly.next_timeout())
        return min((wait for wait in waits if wait is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Search, ask, repeat, or give up, as the state says."""
        if lost := self._adaptation.reassembly.expire(now):
            self._notice("incomplete", f"{lost} datagrams were not whole in time")
        if self.state is NodeState.JOINED:
            if now >= self._last_heard + self._settings.silence_s:
                self._leave("the network was not heard any more", now)
        elif self._due is not None and now >= self._due:
            self._next_step(now)

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send to the coordinator; LocalProtocolError: not joined, another device, everyone, or too long."""
        if self.state is not NodeState.JOINED:
            raise LocalProtocolError("the station is in no network")
        if eui != self._coordinator:
            raise LocalProtocolError("a node sends to its coordinator only")
        wrapper = WrapperFrame(source=server, destination=client, apdu=apdu)
        self._send_apdu(wrapper, COORDINATOR, self._node, urgent=urgent)

    def leave(self, now: float) -> None:
        """Tell the coordinator and be off; LocalProtocolError when no member."""
        if self.state is not NodeState.JOINED:
            raise LocalProtocolError("the station is in no network")
        message = Lbp(kind=LbpKind.KICK_BY_DEVICE, eui=self._eui)
        self._send_lbp(message, COORDINATOR, self._node, is_secured=True)
        self._leave("it left", now)
        self._go(NodeState.OFF, None)

    def _ends(self, wrapper: WrapperFrame) -> tuple[int, int]:
        return wrapper.source, wrapper.destination

    def _sender(self, frame: MacFrame) -> tuple[int, bytes]:
        if frame.source != COORDINATOR or self.state is not NodeState.JOINED:
            raise SecurityError("a secured frame of another than the coordinator", "member")
        return COORDINATOR, self._coordinator

    def _heard(self, eui: bytes, now: float) -> None:
        self._last_heard = now

    def _take_other(self, frame: MacFrame, source: int, now: float) -> None:
        beacon = Beacon.of(frame) if frame.kind is FrameKind.BEACON else None
        if beacon is None or beacon.pan != self._settings.pan:
            return
        if self.state is NodeState.JOINED:
            if source != self._node:
                self._notice("beacon", "a beacon of another coordinator")
                return
            if beacon.incarnation == self._incarnation:
                self._last_heard = now
                return
            self._leave("the coordinator began anew", now)
            # All begin again at once, not one by one.
            self._failures = _ALL_AT_ONCE
        self._seen = source, beacon.incarnation
        if self.state is NodeState.SEARCHING:
            self._find(now)

    def _take_lbp(self, message: Lbp, source: int, now: float, *, is_secured: bool) -> None:
        if message.eui != self._eui:
            raise ProtocolError("a bootstrapping message for another device")
        if message.kind is LbpKind.KICK:
            if not is_secured:
                raise SecurityError("a coordinator that expels must say so secured", "policy")
            self._leave("the coordinator expelled it", now)
            self._go(NodeState.DECLINED, now + self._settings.declined_s)
            return
        if self.state is not NodeState.JOINING or self._joining is None or source != self._node:
            raise ProtocolError(f"a bootstrapping message that does not fit: the node {self.state.value}")
        step = self._joining.take(message)
        if isinstance(step, Lbp):
            self._sent = 0
            self._ask(now)
        elif isinstance(step, Grant):
            self._joined(step, now)
        elif isinstance(step, Refused):
            self._events.append(JoinRefused(eui=self._eui, reason=step.reason))
            self._go(NodeState.DECLINED, now + self._settings.declined_s)

    def _next_step(self, now: float) -> None:
        if self.state is NodeState.SEARCHING:
            self._emit(beacon_request(self._next_sequence()), EVERYONE)
            pause = min(self._settings.scan_s * 2.0**self._searches, self._settings.longest_s)
            self._searches = min(self._searches + 1, _MOST)
            self._go(NodeState.SEARCHING, now + pause * (1 + self._settings.chance()))
        elif self.state is NodeState.FOUND:
            self._joining = Joining(self._eui, self._key, self._settings.random)
            self._sent = 0
            self._go(NodeState.JOINING, None)
            self._ask(now)
        elif self.state is NodeState.JOINING and self._sent <= self._settings.repeats:
            self._ask(now)
        elif self.state is NodeState.JOINING and self._failures < self._settings.attempts:
            self._failures += 1
            self._find(now)
        else:
            self._search(now)

    def _find(self, now: float) -> None:
        """A beacon was heard, the last one counts: wait for a moment of the node's own to ask."""
        self._joining = None
        self._node, self._incarnation = self._seen
        wait = self._settings.chance() * self._settings.window(self._failures)
        self._go(NodeState.FOUND, now + wait)

    def _ask(self, now: float) -> None:
        """Send what is to be said, and say it again when nothing comes."""
        if self._joining is not None:
            self._send_lbp(self._joining.last, COORDINATOR, self._node)
        wait = self._settings.answer_s * 2.0**self._sent
        self._sent += 1
        self._due = now + wait * (1 + self._settings.chance())

    def _joined(self, grant: Grant, now: float) -> None:
        assert self._joining is not None  # noqa: S101  it gave the grant
        self._short, self._coordinator = grant.short, self._joining.server
        self._keyring.set(grant.keys, grant.active)
        self._joining = None
        self._last_heard = now
        self._failures = self._searches = 0
        self._go(NodeState.JOINED, None)
        self._events.append(Joined(member=self._member()))

    def _member(self) -> Member:
        """Itself; its own number on the medium a node does not know, so it is 0."""
        return Member(eui=self._eui, node=0, address=self._short or 0)

    def _leave(self, reason: str, now: float) -> None:
        self._events.append(Left(member=self._member(), reason=reason))
        self._short = None
        self._keyring.clear()
        self._adaptation.reassembly.forget(COORDINATOR)
        self._failures = self._searches = 0
        self._search(now)

    def _search(self, now: float) -> None:
        self._joining = None
        self._go(NodeState.SEARCHING, now + self._settings.chance() * self._settings.spread_s)

    def _go(self, state: NodeState, due: float | None) -> None:
        self.state, self._due = state, due
