"""The tree of a neighbourhood as a drawing: one row a node, each joined to the node it is reached through. Pure.

Two drawings of the same tree, for wide and for narrow screens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["Branch", "Leaf", "Twig", "branch_of", "grade", "tree"]

_GOOD, _FAIR = 80, 50
_STEPS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A node to be drawn. ``parent`` is the EUI of another (empty: the concentrator)."""

    serial: str
    eui: bytes
    parent: bytes
    hops: int
    quality: int
    is_away: bool
    is_gateway: bool
    heard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Twig:
    """A node as it is drawn: its place, and as SVG paths the trunk down from its parent and its own link off that."""

    leaf: Leaf
    x: int
    y: int
    trunk: str
    path: str
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One drawing, ready to be drawn; ``root`` is the concentrator at the top."""

    name: str
    width: int
    height: int
    root: tuple[int, int]
    twigs: list[Twig]


@dataclass(frozen=True, slots=True)
class _Layout:
    name: str
    width: int
    row: int
    step: int


_LAYOUTS: Final = (_Layout("wide", 1100, 26, 62), _Layout("narrow", 360, 30, 20))


def grade(leaf: Leaf) -> str:
    """How good a link is, in a word to colour by: good, warn, bad, or away."""
    if leaf.is_away:
        return "away"
    return "good" if leaf.quality >= _GOOD else "warn" if leaf.quality >= _FAIR else "bad"


def tree(leaves: Iterable[Leaf]) -> list[Branch]:
    """Both drawings. A node whose parent is not there, or goes round in a circle, hangs on the concentrator."""
    ordered = _ordered(list(leaves))
    return [branch_of(ordered, layout) for layout in _LAYOUTS]


def branch_of(ordered: list[tuple[Leaf, int, int]], layout: _Layout) -> Branch:
    """A drawing of nodes in order, each with its depth from 1 and the row of its parent (-1: the concentrator)."""
    half = layout.row // 2
    rows = [(16, half)]
    twigs = []
    for leaf, depth, parent in ordered:
        x, y = 16 + min(depth, _STEPS) * layout.step, half + layout.row * len(rows)
        above_x, above_y = rows[parent + 1]
        rows.append((x, y))
        # Deeper than there is room for, a node stands below its parent: its link is the last bit of the trunk.
        path = f"M{above_x} {y}H{x}" if x != above_x else f"M{x} {y - layout.row}V{y}"
        trunk = f"M{above_x} {above_y}V{y}"
        twigs.append(Twig(leaf=leaf, x=x, y=y, trunk=trunk, path=path, grade=grade(leaf)))
    return Branch(name=layout.name, width=layout.width, height=layout.row * len(rows), root=rows[0], twigs=twigs)


def _ordered(leaves: list[Leaf]) -> list[tuple[Leaf, int, int]]:
    known = {leaf.eui for leaf in leaves}
    children: dict[bytes, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        children[leaf.parent if leaf.parent in known and leaf.parent != leaf.eui else b""].append(leaf)
    ordered: list[tuple[Leaf, int, int]] = []
    drawn: set[bytes] = set()

    def hang(waiting: list[tuple[Leaf, int, int]]) -> None:
        while waiting:
            leaf, depth, parent = waiting.pop()
            if leaf.eui in drawn:
                continue
            drawn.add(leaf.eui)
            ordered.append((leaf, depth, parent))
            below = sorted(children[leaf.eui], key=lambda each: each.serial, reverse=True)
            waiting += [(each, depth + 1, len(ordered) - 1) for each in below]

    hang([(leaf, 1, -1) for leaf in sorted(children[b""], key=lambda each: each.serial, reverse=True)])
    for leaf in sorted(leaves, key=lambda each: each.serial):  # what goes round in a circle
        hang([(leaf, 1, -1)])
    return ordered
