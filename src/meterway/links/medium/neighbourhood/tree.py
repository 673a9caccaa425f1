"""The tree of hops from one coordinator: each node's parent is on the way with the fewest expected transmissions."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.links.medium.neighbourhood.links import Links

__all__ = ["NOWHERE", "Tree", "plant"]

NOWHERE: Final = -1


class Tree:
    """By node index: ``parent`` (or ``NOWHERE``), ``hops``, ``cost`` (expected transmissions), chances up and down.

    ``switches`` are the nodes that have children.
    """

    __slots__ = ("cost", "down", "hops", "parent", "root", "switches", "up")

    def __init__(self, root: int, size: int) -> None:
        self.root = root
        self.parent = array("i", [NOWHERE]) * size
        self.hops = array("B", [0]) * size
        self.cost = array("f", [float("inf")]) * size
        self.up = array("f", [0.0]) * size
        self.down = array("f", [0.0]) * size
        self.switches: frozenset[int] = frozenset()

    def next_hop(self, here: int, to: int) -> int:
        """The node that a frame goes to next, or ``NOWHERE``: down if ``to`` is below, else up."""
        parent = self.parent
        below = to
        while (above := parent[below]) != here:
            if above < 0:
                return parent[here]
            below = above
        return below

    def chance(self, here: int, there: int) -> float:
        """The chance that a transmission to the parent or a child arrives; 0 if the other is neither."""
        if self.parent[here] == there:
            return self.up[here]
        return self.down[there] if self.parent[there] == here else 0.0

    def way_up(self, node: int) -> frozenset[int]:
        """The nodes between a node and the root."""
        found = set()
        while (node := self.parent[node]) not in (NOWHERE, self.root):
            found.add(node)
        return frozenset(found)


def plant(links: Links, root: int, present: NDArray[np.bool_], least: float, most_hops: int) -> Tree:
    """The tree of a coordinator over the nodes that are present, with links of at least ``least`` both ways."""
    size = len(present)
    tree = Tree(root, size)
    if not present[root]:
        return tree
    targets, firsts = links.targets.astype(np.int64), links.starts[:-1]
    sources = np.repeat(np.arange(size), np.diff(links.starts))
    usable = (np.minimum(links.chances, links.backs) >= least) & (sources != targets)
    usable &= present[sources] & present[targets] & (links.chances > 0.0) & (links.backs > 0.0)
    weights = np.full(len(targets), np.inf)
    weights[usable] = 1.0 / (links.chances[usable].astype(np.float64) * links.backs[usable])
    cost = np.full(size, np.inf)
    cost[root] = 0.0
    while True:
        through = cost[targets] + weights
        best = np.minimum.reduceat(through, firsts)
        best[root] = 0.0
        if np.array_equal(best, cost):
            break
        cost = best
    chosen = np.isfinite(through) & (through == cost[sources])
    places = np.minimum.reduceat(np.where(chosen, np.arange(len(targets)), len(targets)), firsts)
    _fill(tree, links, cost, places, most_hops)
    return tree


def _fill(tree: Tree, links: Links, cost: NDArray[np.float64], places: NDArray[np.int64], most_hops: int) -> None:
    """Write down who goes through whom, parents first; ``places`` are the chosen pairs of each node."""
    switches = set()
    tree.cost[tree.root] = 0.0
    for node in np.argsort(cost, kind="stable").tolist():
        place = int(places[node])
        if node == tree.root or place >= len(links.targets):
            continue
        parent = int(links.targets[place])
        if tree.hops[parent] >= most_hops or (parent != tree.root and tree.parent[parent] == NOWHERE):
            continue
        tree.parent[node] = parent
        tree.hops[node] = tree.hops[parent] + 1
        tree.cost[node] = cost[node]
        tree.up[node] = links.chances[place]
        tree.down[node] = links.backs[place]
        switches.add(parent)
    switches.discard(tree.root)
    tree.switches = frozenset(switches)
