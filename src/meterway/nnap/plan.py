"""Who is asked next: the medium carries few conversations at once, and nobody is forgotten over the others.

Pure. Bulk reading has a few places. A meter whose last complete reading is the oldest comes first, wherever it
is in the network. One that failed waits, twice as long each time, and those that failed share at most half of the
places (of a single place every other turn), so that no number of dead meters keeps the living waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from meterway.nnap.node import Node

__all__ = ["Plan", "PlanRules", "Window"]

_DAY_S: Final = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When bulk is read: from one second of the UTC day to another; one that ends before it begins spans midnight."""

    from_s: int = 0
    to_s: int = _DAY_S

    def holds(self, now: float) -> bool:
        """Whether ``now`` lies in it."""
        second = now % _DAY_S
        if self.from_s <= self.to_s:
            return self.from_s <= second < self.to_s
        return second >= self.from_s or second < self.to_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """How the medium is used. ``parallel`` conversations at once; a meter is read again every ``every_s``.

    ``rows`` bounds one request for a profile: what a broken answer costs. After a failure a meter waits
    ``retry_s``, doubled each time up to ``most_retry_s``.
    """

    parallel: int = 2
    every_s: float = 21600.0
    rows: int = 96
    retry_s: float = 60.0
    most_retry_s: float = 3600.0
    windows: tuple[Window, ...] = ()
    first_days: float = 1.0
    """How far back the first reading of a meter goes."""


class Plan:
    """Gives out the places."""

    __slots__ = ("_rules", "_troubled_last", "running")

    def __init__(self, rules: PlanRules) -> None:
        self._rules = rules
        self._troubled_last = False
        self.running: set[Node] = set()

    def choose(self, nodes: Iterable[Node], now: float) -> Node | None:
        """The node that takes a free place, or None; it holds it until ``ended``."""
        rules = self._rules
        if len(self.running) >= rules.parallel or not self.is_open(now):
            return None
        ready = [node for node in nodes if self._is_ready(node, now)]
        healthy = [node for node in ready if not node.turn.failures]
        if healthy and not self._room_for_troubled():
            ready = healthy
        elif not healthy and not self._room_for_troubled() and rules.parallel > 1:
            return None
        chosen = min(ready, key=_oldest_first, default=None)
        if chosen is not None:
            self._troubled_last = chosen.turn.failures > 0
            chosen.turn.tried_s = now
            self.running.add(chosen)
        return chosen

    def is_open(self, now: float) -> bool:
        """Whether bulk may be read now."""
        windows = self._rules.windows
        return not windows or any(window.holds(now) for window in windows)

    def _room_for_troubled(self) -> bool:
        if self._rules.parallel == 1:
            return not self._troubled_last
        return sum(node.turn.failures > 0 for node in self.running) < self._rules.parallel // 2

    def _is_ready(self, node: Node, now: float) -> bool:
        return node.turn.next_s <= now and node.member is not None and node.is_read and node not in self.running

    def ended(self, node: Node, now: float, *, well: bool, more: bool = False) -> None:
        """Take the place back. ``more``: it was cut short for others and goes on as soon as it is its turn."""
        self.running.discard(node)
        turn = node.turn
        if well:
            turn.failures = 0
            if more:
                turn.next_s = now
            else:
                turn.read_s = now
                turn.next_s = now + self._rules.every_s
        else:
            turn.failures += 1
            turn.next_s = now + min(self._rules.retry_s * 2 ** min(turn.failures - 1, 16), self._rules.most_retry_s)

    def forget(self, node: Node) -> None:
        """The node is gone."""
        self.running.discard(node)


def _oldest_first(node: Node) -> tuple[float, float]:
    return node.turn.read_s, node.turn.tried_s
