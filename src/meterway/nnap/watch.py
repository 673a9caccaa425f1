"""The watch over the neighbourhood: which alarms stand, raised and ended late enough that none of them flutters. Pure.

Each rule says what is wrong now. An alarm is raised when that has been so for a while, and ends when a weaker form of
it has not been so for a while; what is part of a greater alarm (a branch, the whole network) raises none of its own.
After a start nobody is missed before there was time to join.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from meterway.mapping.alarms import Alarm, AlarmKind
from meterway.nnap.node import Node, Proposal

__all__ = ["Watch", "WatchRules", "Wrong"]

Key = tuple[AlarmKind, str]
_ENDED_KEPT: Final = 100
_MOST_AT_ONCE: Final = 32
_MOST_CHANGES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRules:
    """When what is wrong becomes an alarm, and when it ends. Shares are 0 to 1.

    ``lost_s``: a node that has left or is silent is missed after so long, ``back_s``: and is back after so long.
    ``branch``: so many nodes gone behind one that is gone are one alarm. ``flaps`` changes of way within
    ``flap_window_s`` are too many, half as many are fine again. ``noisy`` and ``quiet``: the share of answered requests
    below which the medium is in trouble, and above which it is not. ``stale``: a meter that was not read for so many
    reading periods is late; more than ``late`` of all meters late is an alarm, half of that is fine again.
    ``hold_s``: how long medium and completeness are wrong, or right, before it counts. ``stranger_s``: how long after
    it asked last a stranger is forgotten. ``start_s``: how long after a start nobody is missed.
    """

    lost_s: float = 900.0
    back_s: float = 300.0
    branch: int = 3
    flaps: int = 6
    flap_window_s: float = 3600.0
    noisy: float = 0.5
    quiet: float = 0.7
    least_nodes: int = 3
    stale: float = 2.5
    late: float = 0.1
    hold_s: float = 600.0
    stranger_s: float = 86400.0
    start_s: float = 3600.0
    gone_share: float = 0.5


class Wrong(NamedTuple):
    """What a rule finds: raise-worthy (``bad``) or only not good yet, how many nodes, and in words."""

    bad: bool
    nodes: int
    text: str


class _Pending:
    """Since when an alarm that does not stand would be raised, or one that stands would end."""

    __slots__ = ("since",)

    def __init__(self) -> None:
        self.since: float | None = None

    def held(self, now: float, *, holds: bool) -> float | None:
        """For how long it has held without a break; None while it does not."""
        if not holds:
            self.since = None
            return None
        self.since = now if self.since is None else self.since
        return now - self.since


class Watch:
    """Looks at the nodes now and then. ``told`` has each change of an alarm in order, until somebody takes them."""

    def __init__(self, rules: WatchRules, *, period_s: float, now: float, standing: Iterable[Alarm] = ()) -> None:
        self._rules = rules
        self._period_s = period_s
        self._start_s = now
        self._standing: dict[Key, Alarm] = {(one.kind, one.subject): one for one in standing if one.stands}
        self._ended: deque[Alarm] = deque((one for one in standing if not one.stands), maxlen=_ENDED_KEPT)
        self._pending: dict[Key, _Pending] = {}
        self._ways: dict[bytes, tuple[bytes, float]] = {}
        self._changes: dict[bytes, deque[float]] = {}
        self._gone: set[bytes] = set()
        self._gone_serials: set[str] = set()
        self.told: list[Alarm] = []

    def alarms(self) -> tuple[Alarm, ...]:
        """Those that stand, and the last that ended."""
        return (*self._standing.values(), *self._ended)

    def set(self, kind: AlarmKind, subject: str, now: float, *, stands: bool, text: str = "") -> None:
        """Raise or end an alarm that is judged elsewhere; again changes nothing."""
        key = kind, subject
        if stands and key not in self._standing:
            self._raise(key, Wrong(bad=True, nodes=1, text=text), now)
        elif not stands and key in self._standing:
            self._end(key, now)

    def look(self, nodes: Iterable[Node], proposals: Iterable[Proposal], now: float) -> None:
        """Judge how everything stands; call it about twice a minute."""
        listed = list(nodes)
        self._follow(listed, now)
        found: dict[Key, Wrong] = {}
        found.update(self._missing(listed, now))
        found.update(self._flapping(listed, now))
        found.update(self._strangers(proposals, now))
        found.update(self._medium(listed))
        found.update(self._completeness(listed, now))
        self._settle(found, now)

    # -- rules --------------------------------------------------------------------------------------------------

    def _follow(self, nodes: list[Node], now: float) -> None:
        """Note who is gone, and each change of the way they are reached."""
        known = {node.eui for node in nodes}
        self._ways = {eui: way for eui, way in self._ways.items() if eui in known}
        self._changes = {eui: times for eui, times in self._changes.items() if eui in known}
        for node in nodes:
            if _is_there(node):
                way = node.parent, node.joined_s
                if self._ways.setdefault(node.eui, way) != way:
                    self._changes.setdefault(node.eui, deque(maxlen=_MOST_CHANGES)).append(now)
                    self._ways[node.eui] = way
        self._gone = {node.eui for node in nodes if not _is_there(node)}
        self._gone_serials = {node.serial for node in nodes if not _is_there(node)}

    def _missing(self, nodes: list[Node], now: float) -> dict[Key, Wrong]:
        """Nodes that were there and are gone: by themselves, with all behind them, or with most of the network."""
        if now - self._start_s < self._rules.start_s:
            return {key: Wrong(bad=False, nodes=1, text="") for key in self._standing if key[0] <= AlarmKind.BRANCH}
        were = {node.eui: node for node in nodes if node.joined_s}
        gone = {eui: node for eui, node in were.items() if eui in self._gone}
        most = max(self._rules.least_nodes, self._rules.gone_share * len(were))
        if len(gone) > most and len(were) > self._rules.least_nodes:
            return {(AlarmKind.MEDIUM, ""): Wrong(bad=True, nodes=len(gone), text=f"{len(gone)} of {len(were)} gone")}
        groups: dict[bytes, list[Node]] = {}
        for node in gone.values():
            groups.setdefault(_top(node, gone), []).append(node)
        found: dict[Key, Wrong] = {}
        for top, members in groups.items():
            behind = len(members) - 1
            if behind >= self._rules.branch:
                text = f"{behind} behind it are gone too"
                found[AlarmKind.BRANCH, were[top].serial] = Wrong(bad=True, nodes=behind + 1, text=text)
            else:
                found.update({(AlarmKind.LOST, one.serial): Wrong(bad=True, nodes=1, text="") for one in members})
        return found

    def _flapping(self, nodes: list[Node], now: float) -> dict[Key, Wrong]:
        found: dict[Key, Wrong] = {}
        for node in nodes:
            changes = self._changes.get(node.eui)
            while changes and changes[0] < now - self._rules.flap_window_s:
                changes.popleft()
            if changes and len(changes) > self._rules.flaps / 2:
                bad = len(changes) >= self._rules.flaps
                text = f"{len(changes)} changes within {self._rules.flap_window_s / 3600:g} h"
                found[AlarmKind.FLAPPING, node.serial] = Wrong(bad=bad, nodes=1, text=text)
        return found

    def _strangers(self, proposals: Iterable[Proposal], now: float) -> dict[Key, Wrong]:
        """Who asks to be let in and is not listed; a crowd of them is one alarm."""
        fresh = [one for one in proposals if now - one.last_s < self._rules.stranger_s]
        if len(fresh) > _MOST_AT_ONCE:
            text = f"{len(fresh)} devices ask"
            return {(AlarmKind.STRANGER, ""): Wrong(bad=True, nodes=len(fresh), text=text)}
        return {(AlarmKind.STRANGER, one.eui.hex()): Wrong(bad=True, nodes=1, text="") for one in fresh}

    def _medium(self, nodes: list[Node]) -> dict[Key, Wrong]:
        """The share of requests that are answered, over all members."""
        answered = [node.quality for node in nodes if node.member is not None and not node.silent]
        if len(answered) < self._rules.least_nodes:
            return {}
        mean = sum(answered) / len(answered)
        if mean >= self._rules.quiet:
            return {}
        text = f"{mean:.0%} of requests answered"
        return {(AlarmKind.MEDIUM, ""): Wrong(bad=mean < self._rules.noisy, nodes=len(answered), text=text)}

    def _completeness(self, nodes: list[Node], now: float) -> dict[Key, Wrong]:
        """Meters that nobody has read for too long."""
        read = [node for node in nodes if node.is_read]
        limit = now - self._rules.stale * self._period_s
        late = [node for node in read if max(node.turn.read_s, node.listed_s, self._start_s) < limit]
        if not read or len(late) <= self._rules.late / 2 * len(read):
            return {}
        text = f"{len(late)} of {len(read)} meters are late"
        bad = len(late) > self._rules.late * len(read)
        return {(AlarmKind.COMPLETENESS, ""): Wrong(bad=bad, nodes=len(late), text=text)}

    # -- raising and ending -------------------------------------------------------------------------------------

    def _settle(self, found: dict[Key, Wrong], now: float) -> None:
        for key in list(self._pending):
            if key not in found and key not in self._standing:
                del self._pending[key]
        for key in [*self._standing, *(key for key in found if key not in self._standing)]:
            wrong = found.get(key)
            pending = self._pending.setdefault(key, _Pending())
            if key in self._standing:
                if key[0] is AlarmKind.BALANCE:
                    continue
                held = pending.held(now, holds=wrong is None)
                if held is not None and held >= self._ends_after(key[0]):
                    self._end(key, now)
            elif wrong is not None:
                held = pending.held(now, holds=wrong.bad)
                if held is not None and held >= self._raised_after(key[0]):
                    self._raise(key, wrong, now)

    def _raised_after(self, kind: AlarmKind) -> float:
        rules = self._rules
        slow = {AlarmKind.LOST: rules.lost_s, AlarmKind.BRANCH: rules.lost_s}
        slow |= {AlarmKind.MEDIUM: rules.hold_s, AlarmKind.COMPLETENESS: rules.hold_s}
        return slow.get(kind, 0.0)

    def _ends_after(self, kind: AlarmKind) -> float:
        rules = self._rules
        quick = {AlarmKind.LOST: rules.back_s, AlarmKind.BRANCH: rules.back_s, AlarmKind.STRANGER: 0.0}
        return quick.get(kind, rules.hold_s)

    def _raise(self, key: Key, wrong: Wrong, now: float) -> None:
        alarm = Alarm(
            kind=key[0], subject=key[1], raised=int(now), count=min(wrong.nodes, 0xFFFF), text=wrong.text[:200]
        )
        self._standing[key] = alarm
        self._pending.pop(key, None)
        self.told.append(alarm)

    def _end(self, key: Key, now: float) -> None:
        ended = replace(self._standing.pop(key), cleared=max(int(now), 1))
        if key[0] in (AlarmKind.LOST, AlarmKind.BRANCH) and key[1] in self._gone_serials:
            ended = replace(ended, text="part of a greater alarm now")
        self._pending.pop(key, None)
        self._ended.append(ended)
        self.told.append(ended)


def _is_there(node: Node) -> bool:
    return node.member is not None and not node.silent


def _top(node: Node, gone: dict[bytes, Node]) -> bytes:
    """The gone node that is nearest to the concentrator on the way to this one."""
    at, seen = node, {node.eui}
    while at.parent in gone and at.parent not in seen:
        seen.add(at.parent)
        at = gone[at.parent]
    return at.eui
