"""What waits at the nodes of the simulated medium and what is on it: frames, their queues, transmissions."""

from __future__ import annotations

from collections import deque

from meterway.links.medium.neighbourhood.settings import Spot

__all__ = ["Frame", "Node", "Sending"]


class Node:
    """One place: its two queues, and in which of the two lines of those who want to send it stands."""

    __slots__ = ("failed", "in_line", "index", "number", "present", "queue", "spot", "tried", "urgent")

    def __init__(self, number: int, index: int, spot: Spot) -> None:
        self.number = number
        self.index = index
        self.spot = spot
        self.present = True
        self.queue: deque[Frame] | None = None
        self.urgent: deque[Frame] | None = None
        self.in_line = 0
        self.tried = 0
        self.failed = 0

    def waiting(self) -> int:
        """How many frames wait here."""
        return len(self.queue or ()) + len(self.urgent or ())

    def put(self, frame: Frame, *, first: bool = False) -> None:
        """Let a frame wait behind the others of its kind, or before them."""
        if frame.urgent:
            line = self.urgent = self.urgent if self.urgent is not None else deque()
        else:
            line = self.queue = self.queue if self.queue is not None else deque()
        if first:
            line.appendleft(frame)
        else:
            line.append(frame)

    def take(self) -> Frame | None:
        """The frame to send next; an empty queue is let go of."""
        if self.urgent is not None:
            frame = self.urgent.popleft()
            if not self.urgent:
                self.urgent = None
            return frame
        if self.queue is not None:
            frame = self.queue.popleft()
            if not self.queue:
                self.queue = None
            return frame
        return None


class Frame:
    """A frame under way. ``to`` is an index, or ``NOWHERE`` for a broadcast; each repeater has a copy of its own."""

    __slots__ = ("born_s", "heard", "hops", "octets", "repeaters", "source", "to", "tree", "tries", "urgent")

    def __init__(self, octets: bytes, source: int, to: int, tree: int, urgent: bool, born_s: float) -> None:
        self.born_s = born_s
        self.octets = octets
        self.source = source
        self.to = to
        self.tree = tree
        self.urgent = urgent
        self.hops = 0
        self.tries = 0
        self.heard: set[int] | None = None
        self.repeaters: frozenset[int] = frozenset()

    def copy(self) -> Frame:
        """The same broadcast to be sent by another; who heard it is known to all copies."""
        copy = Frame(self.octets, self.source, self.to, self.tree, self.urgent, self.born_s)
        copy.hops, copy.heard, copy.repeaters = self.hops + 1, self.heard, self.repeaters
        return copy


class Sending:
    """A transmission. ``jam`` has a bit for each node that hears another one meanwhile."""

    __slots__ = ("end_s", "frame", "jam", "next", "node", "rivals", "start_s")

    def __init__(self, node: Node, frame: Frame, to: int, start_s: float, end_s: float, rivals: int) -> None:
        self.node = node
        self.frame = frame
        self.next = to
        self.start_s = start_s
        self.end_s = end_s
        self.rivals = rivals
        self.jam = 0
