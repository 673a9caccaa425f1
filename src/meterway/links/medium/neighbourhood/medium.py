"""The shared medium of a neighbourhood network as a model: frames go in, arrivals come out; time is passed in.

A frame goes from hop to hop along the tree of a coordinator; each hop is one transmission on a medium that all share,
repeated a few times if it fails. Who forwards and how is a model, so is all that is lost; octets are never touched.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Final

import numpy as np

from meterway.base.errors import ConfigError, LinkError
from meterway.links.medium.neighbourhood.links import Links, usual_spot
from meterway.links.medium.neighbourhood.queues import Frame, Node, Sending
from meterway.links.medium.neighbourhood.records import Arrival, Carried, NeighbourhoodStatistics, Route
from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings, Spot
from meterway.links.medium.neighbourhood.tree import NOWHERE, Tree, plant
from meterway.links.node import BROADCAST

__all__ = ["NeighbourhoodMedium"]

_EVERYBODY: Final = -1
_USUAL: Final = 1
_URGENT: Final = 2
_CROWD: Final = 32
_SLOTS_EACH: Final = 8
_MANY: Final = 32


class NeighbourhoodMedium:
    """Nodes, and the frames between them. Times are Unix seconds and never go back.

    ``send`` takes a frame, ``settle`` tells what arrived, ``next_due`` when to call it. ``on_carried`` is told of every
    transmission.
    """

    def __init__(self, settings: NeighbourhoodSettings, *, on_carried: Callable[[Carried], None] | None = None) -> None:
        self.settings = settings
        self.statistics = NeighbourhoodStatistics()
        self.on_carried = on_carried
        self._random = Random(settings.seed)  # noqa: S311  a simulation, to be repeatable
        self._many = np.random.default_rng(settings.seed)
        self._nodes: list[Node] = []
        self._by_number: dict[int, Node] = {}
        self._lines: dict[int, deque[Node]] = {_URGENT: deque(), _USUAL: deque()}
        self._flight: list[tuple[float, int, Sending]] = []
        self._busy = 0
        self._count = 0
        self._links: Links | None = None
        self._unlinked: list[Node] = []
        self._trees: dict[int, Tree] = {}
        self._reroute_at = 0.0
        self._arrived: list[Arrival] = []
        self._collides = tuple(_collision(settings.window, rivals) for rivals in range(_CROWD + 1))

    # -- nodes ---------------------------------------------------------------------------------------

    @property
    def nodes(self) -> dict[int, bool]:
        """All nodes that were ever there, and whether they are."""
        return {node.number: node.present for node in self._nodes}

    def join(self, number: int, now: float, spot: Spot | None = None) -> None:
        """Put a node on the medium, or back where it was; ConfigError for a number that is taken or no node's."""
        known = self._by_number.get(number)
        if not 0 <= number < BROADCAST:
            raise ConfigError(f"a node's number is 0 to {BROADCAST - 1}, not {number}")
        if known is None:
            node = Node(number, len(self._nodes), spot or usual_spot(self.settings, number))
            self._nodes.append(node)
            self._by_number[number] = node
            self._unlinked.append(node)
            return
        if known.present:
            raise ConfigError(f"node {number} is already on the network")
        known.present = True
        if spot is not None and spot != known.spot:
            known.spot, self._links = spot, None
        self._reroute_at = min(self._reroute_at, now + self.settings.repair_s)

    def leave(self, number: int, now: float) -> None:
        """A node vanishes without a word, with all that waits there; routes follow after ``repair_s``."""
        node = self._by_number.get(number)
        if node is None or not node.present:
            return
        node.present = False
        while (frame := node.take()) is not None:
            self._lose(frame, "vanished")
        self._reroute_at = min(self._reroute_at, now + self.settings.repair_s)

    # -- frames --------------------------------------------------------------------------------------

    def send(self, source: int, to: int, octets: bytes, now: float, *, urgent: bool = False) -> None:
        """Send a frame to a node or to ``BROADCAST``; what cannot get there is lost and counted.

        LinkError if the sender is not on the network, or the frame is empty or too long.
        """
        node = self._by_number.get(source)
        if node is None or not node.present:
            raise LinkError(f"node {source} is not on the network")
        if not 0 < len(octets) <= self.settings.max_frame:
            raise LinkError(f"a frame has 1 to {self.settings.max_frame} octets, not {len(octets)}")
        self._follow(now)
        if to == BROADCAST:
            self.statistics.broadcasts += 1
            frame = Frame(octets, node.index, NOWHERE, node.index, urgent, now)
            frame.heard, frame.repeaters = {node.index}, self._repeaters(node.index)
        else:
            self.statistics.sent += 1
            other = self._by_number.get(to)
            if other is None or other is node:
                self.statistics.lost["no route"] += 1
                return
            frame = Frame(octets, node.index, other.index, self._tree_for(node.index, other.index), urgent, now)
        self._enqueue(node, frame)
        self._contend(now)

    def next_due(self) -> float | None:
        """When the next transmission ends."""
        return self._flight[0][0] if self._flight else None

    def settle(self, now: float) -> list[Arrival]:
        """What arrived by ``now``, in order of time."""
        flight = self._flight
        while flight and flight[0][0] <= now:
            end_s, _, sending = heappop(flight)
            self._busy = 0
            for _, _, other in flight:
                self._busy |= self._coverage(other.node)
            if sending.frame.to == NOWHERE:
                self._flooded(sending)
            else:
                self._hopped(sending)
            self._line_up(sending.node)
            self._contend(end_s)
        arrived, self._arrived = self._arrived, []
        return arrived

    # -- what is known of the network ----------------------------------------------------------------

    def routes(self, now: float) -> list[Route]:
        """Every node with its way to its coordinator."""
        self._follow(now)
        return [self._route(node) for node in self._nodes]

    def chance(self, sender: int, receiver: int, now: float) -> float:
        """The chance that one transmission gets from a node to another that hears it; 0 if it does not."""
        self._follow(now)
        one, other = self._by_number.get(sender), self._by_number.get(receiver)
        if one is None or other is None or self._links is None or one is other:
            return 0.0
        rows = slice(self._links.starts[one.index], self._links.starts[one.index + 1])
        found = np.flatnonzero(self._links.targets[rows] == other.index)
        return float(self._links.chances[rows][found[0]]) if len(found) else 0.0

    def _route(self, node: Node) -> Route:
        index = node.index
        is_root = node.number in self.settings.coordinators
        tree = self._trees.get(self._nearest(index))
        found = None if tree is None or is_root or tree.parent[index] == NOWHERE else tree
        return Route(
            node=node.number,
            present=node.present,
            coordinator=node.number if is_root else self._nodes[found.root].number if found else None,
            parent=self._nodes[found.parent[index]].number if found else None,
            hops=found.hops[index] if found else 0,
            quality=(round(found.up[index], 4), round(found.down[index], 4)) if found else (0.0, 0.0),
            cost=round(found.cost[index], 3) if found else 0.0,
            queue=node.waiting(),
            tried=node.tried,
            failed=node.failed,
        )

    # -- routes --------------------------------------------------------------------------------------

    def _follow(self, now: float) -> None:
        """Choose routes anew if it is time to."""
        if not self._nodes:
            return
        if self._links is not None and now < self._reroute_at and not self._unlinked:
            return
        settings = self.settings
        if self._links is None or len(self._unlinked) > _MANY:
            self._links = Links(settings, [node.number for node in self._nodes], [node.spot for node in self._nodes])
        else:
            for node in self._unlinked:
                self._links.add(node.number, node.spot)
        self._unlinked.clear()
        self._links.weigh(now)
        present = np.array([node.present for node in self._nodes])
        least = settings.least if settings.loss is None else 0.0
        roots = [self._by_number[number].index for number in settings.coordinators if number in self._by_number]
        self._trees = {root: plant(self._links, root, present, least, settings.most_hops) for root in roots}
        self._links.rest()
        self._reroute_at = (now // settings.reroute_s + 1) * settings.reroute_s
        self.statistics.reroutes += 1

    def _nearest(self, index: int) -> int:
        """The root whose tree costs a node least, or ``NOWHERE``."""
        trees = self._trees
        if len(trees) == 1:
            return next(iter(trees))
        return min(trees, key=lambda root: trees[root].cost[index], default=NOWHERE)

    def _tree_for(self, source: int, to: int) -> int:
        if source in self._trees:
            return source
        return to if to in self._trees else self._nearest(source)

    def _repeaters(self, source: int) -> frozenset[int]:
        """Who repeats a broadcast: a coordinator's all switches of its tree, a node's those between it and any root."""
        tree = self._trees.get(source)
        if tree is not None:
            return tree.switches
        return frozenset().union(*(tree.way_up(source) for tree in self._trees.values()))

    # -- the medium ----------------------------------------------------------------------------------

    def _coverage(self, node: Node) -> int:
        """A bit for each node that may not send while this one does."""
        if not self.settings.spatial_reuse or self._links is None:
            return _EVERYBODY
        return self._links.hearing[node.index] if node.index < len(self._links.hearing) else _EVERYBODY

    def _enqueue(self, node: Node, frame: Frame) -> None:
        if node.waiting() >= self.settings.queue:
            self._lose(frame, "queue")
            return
        node.put(frame)
        self._line_up(node)

    def _line_up(self, node: Node) -> None:
        """Let a node that has something to send stand in line for the medium."""
        if node.urgent is not None and not node.in_line & _URGENT:
            node.in_line |= _URGENT
            self._lines[_URGENT].append(node)
        elif node.queue is not None and not node.in_line & _USUAL:
            node.in_line |= _USUAL
            self._lines[_USUAL].append(node)

    def _contend(self, now: float) -> None:
        """Let those begin who may: who has something urgent first, then one after the other."""
        for which, line in self._lines.items():
            for _ in range(len(line)):
                if self._busy == _EVERYBODY:
                    return
                node = line.popleft()
                if self._busy >> node.index & 1:
                    line.append(node)
                    continue
                node.in_line &= ~which
                self._begin(node, now)

    def _begin(self, node: Node, now: float) -> None:
        """Send the next frame of a node, if it has one that can go anywhere."""
        self._follow(now)
        oldest = now - (self.settings.lifetime_s or math.inf)
        while (frame := node.take()) is not None:
            to = NOWHERE
            if frame.born_s < oldest:
                self._lose(frame, "late")
                continue
            if frame.to != NOWHERE:
                tree = self._trees.get(frame.tree)
                to = NOWHERE if tree is None else tree.next_hop(node.index, frame.to)
                if to == NOWHERE:
                    self._lose(frame, "no route")
                    continue
            self._launch(node, frame, to, now)
            return

    def _launch(self, node: Node, frame: Frame, to: int, now: float) -> None:
        settings = self.settings
        start_s = now + settings.gap_s + self._random.random() * settings.backoff_s
        end_s = start_s + settings.airtime_s(len(frame.octets))
        if to != NOWHERE:
            end_s += settings.ack_s
        rivals = min(len(self._lines[_USUAL]) + len(self._lines[_URGENT]), _CROWD)
        sending = Sending(node, frame, to, start_s, end_s, rivals)
        covered = self._coverage(node)
        for _, _, other in self._flight:
            other.jam |= covered
            sending.jam |= self._coverage(other.node)
        self._busy |= covered
        self._count += 1
        heappush(self._flight, (end_s, self._count, sending))
        self.statistics.transmissions += 1
        self.statistics.airtime_s += end_s - now

    def _hopped(self, sending: Sending) -> None:
        """A transmission to one node has ended."""
        node, frame, there = sending.node, sending.frame, self._nodes[sending.next]
        frame.tries += 1
        node.tried += 1
        failure = self._failure(sending, there)
        if failure:
            self._again(sending, failure)
            return
        frame.hops += 1
        is_there = sending.next == frame.to
        if self.on_carried is not None:
            self._tell(sending, there.number, "arrived" if is_there else "passed")
        frame.tries = 0
        if is_there:
            self._deliver(there, frame, sending.end_s)
        elif frame.hops >= self.settings.most_hops:
            self._lose(frame, "hops")
        else:
            self._enqueue(there, frame)

    def _failure(self, sending: Sending, there: Node) -> str:
        """Why a transmission did not arrive; empty if it did."""
        if not there.present or not sending.node.present:
            return "vanished"
        if sending.jam >> there.index & 1:
            return "collision"
        if sending.rivals and self._random.random() < self._collides[sending.rivals]:
            return "collision"
        tree = self._trees.get(sending.frame.tree)
        chance = 0.0 if tree is None else tree.chance(sending.node.index, there.index)
        return "" if self._random.random() < chance else "noise"

    def _again(self, sending: Sending, failure: str) -> None:
        node, frame = sending.node, sending.frame
        node.failed += 1
        self.statistics.failed[failure] += 1
        if self.on_carried is not None:
            self._tell(sending, self._nodes[sending.next].number, failure)
        if frame.tries > self.settings.repetitions or not node.present:
            self._lose(frame, failure)
            return
        self.statistics.repetitions += 1
        node.put(frame, first=True)

    def _deliver(self, there: Node, frame: Frame, now: float) -> None:
        arrival = Arrival(there.number, self._nodes[frame.source].number, frame.octets, now, frame.hops, False)
        self.statistics.delivered += 1
        self._arrived.append(arrival)
        if self.settings.duplicated and self._random.random() < self.settings.duplicated:
            self.statistics.duplicated += 1
            self._arrived.append(arrival)

    def _flooded(self, sending: Sending) -> None:
        """A broadcast was sent by one of those who repeat it: whoever hears it for the first time has it."""
        frame, links, node = sending.frame, self._links, sending.node
        heard = frame.heard
        if self.on_carried is not None:
            self._tell(sending, BROADCAST, "heard")
        if not node.present or links is None or heard is None or node.index + 1 >= len(links.starts):
            return
        rows = slice(links.starts[node.index], links.starts[node.index + 1])
        lucky = self._many.random(rows.stop - rows.start) < links.chances[rows]
        source = self._nodes[frame.source].number
        for index in links.targets[rows][lucky].tolist():
            there = self._nodes[index]
            if index in heard or not there.present or sending.jam >> index & 1:
                continue
            heard.add(index)
            self.statistics.heard += 1
            self._arrived.append(Arrival(there.number, source, frame.octets, sending.end_s, frame.hops + 1, True))
            if index in frame.repeaters and frame.hops + 1 < self.settings.most_hops:
                self._enqueue(there, frame.copy())

    def _lose(self, frame: Frame, cause: str) -> None:
        if frame.to != NOWHERE:
            self.statistics.lost[cause] += 1

    def _tell(self, sending: Sending, receiver: int, result: str) -> None:
        frame = sending.frame
        if self.on_carried is None:
            return
        self.on_carried(
            Carried(
                sender=sending.node.number,
                receiver=receiver,
                source=self._nodes[frame.source].number,
                to=BROADCAST if frame.to == NOWHERE else self._nodes[frame.to].number,
                octets=frame.octets,
                start_s=sending.start_s,
                end_s=sending.end_s,
                hop=frame.hops + 1 if receiver == BROADCAST or result not in ("arrived", "passed") else frame.hops,
                attempt=frame.tries,
                result=result,
            )
        )


def _collision(window: int, rivals: int) -> float:
    """The chance that one of so many others sends in the same slot."""
    if not window or not rivals:
        return 0.0
    while window < _SLOTS_EACH * rivals:
        window *= 2
    return 1.0 - (1.0 - 1.0 / window) ** rivals
