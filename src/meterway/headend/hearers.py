"""Which concentrators hear a battery meter, how well, and which of them is to answer for it.

Several masts hear one meter. All of them may deliver what they heard; asked and given orders is one: that hears best.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from meterway.mapping.neighbourhood import NodeRow, NodeState
from meterway.store.database import Store
from meterway.store.nodes import Node

__all__ = ["Hearer", "Hearers", "hears_better", "is_heard"]

_MARGIN: Final = 20
"""How much better another must hear, so that a meter between two masts does not change hands with every telegram."""
_STALE_MS: Final = 6 * 3_600_000


class Hearer(NamedTuple):
    """One concentrator by its serial: how well it hears the meter (0 to 100), and when it last did (Unix seconds)."""

    serial: str
    quality: int
    heard_s: int


def is_heard(node: Node | None) -> bool:
    """Whether a node is none of the network, but a battery meter that a concentrator hears."""
    return node is not None and node.state == NodeState.HEARD


def hears_better(row: NodeRow, node: Node) -> bool:
    """Whether who tells a row is to have the meter, which another has as ``node``."""
    if not row.quality:
        return False
    if not node.quality or row.heard * 1000 - node.heard_ms > _STALE_MS:
        return True
    return row.quality >= node.quality + _MARGIN


class Hearers:
    """What each concentrator said last; called in the thread that writes, within its transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, device: int) -> tuple[Hearer, ...]:
        """Who hears a meter, the best first; nobody for a meter that is not heard by concentrators."""
        kept = self._store.settings.get(_name(device))
        try:
            found = msgspec.json.decode(kept or "[]", type=list[Hearer])
        except msgspec.MsgspecError:
            return ()
        return tuple(sorted(found, key=lambda one: (-one.quality, one.serial)))

    def note(self, device: int, nnap: str, row: NodeRow | None) -> None:
        """Keep what a concentrator says of a meter; None: it lists it no more."""
        before = self.of(device)
        after = [one for one in before if one.serial != nnap]
        if row is not None:
            after.append(Hearer(nnap, row.quality, row.heard))
        if set(after) != set(before):
            self._store.settings.put(_name(device), msgspec.json.encode(after).decode())


def _name(device: int) -> str:
    return f"heard:{device}"
