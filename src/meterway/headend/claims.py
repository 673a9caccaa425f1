"""Meters that a concentrator lists though the registry has them elsewhere: claims, until they are proven or dropped.

A concentrator that was broken into may list any meter. It gets none by saying so: the meter itself, with its own keys,
must answer through it. Claims are kept in memory alone, for whoever lists a meter lists it again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from meterway.store.nodes import Node

__all__ = ["Claim", "Claims"]

_MOST: Final = 10_000
_FIRST_S: Final = 60.0
_LONGEST_S: Final = 21_600.0


@dataclass(slots=True)
class Claim:
    """A concentrator (``node.nnap``) lists a device (``node.device``); when to ask next, how often it was in vain."""

    node: Node
    due_s: float = 0.0
    failures: int = 0

    @property
    def who(self) -> tuple[int, int]:
        """The device and the concentrator."""
        return self.node.device, self.node.nnap


class Claims:
    """All open claims, at most ten thousand; used by the thread that writes and by the loop that asks."""

    def __init__(self) -> None:
        self._claims: dict[tuple[int, int], Claim] = {}
        self._lock = threading.Lock()

    def note(self, node: Node) -> bool:
        """A concentrator lists a device that is not proven to be there; whether that is new."""
        with self._lock:
            known = self._claims.get((node.device, node.nnap))
            if known is not None:
                known.node = node
                return False
            if len(self._claims) < _MOST:
                self._claims[node.device, node.nnap] = Claim(node)
            return True

    def due(self, now: float) -> list[Claim]:
        """Those whose next try has come."""
        with self._lock:
            return [claim for claim in self._claims.values() if claim.due_s <= now]

    def failed(self, claim: Claim, now: float) -> bool:
        """It was not proven: it is tried again, ever more rarely. Whether it was the first time."""
        claim.failures += 1
        claim.due_s = now + min(_FIRST_S * 2 ** min(claim.failures - 1, 20), _LONGEST_S)
        return claim.failures == 1

    def drop(self, claim: Claim) -> None:
        """It is settled, or nobody claims it any more."""
        with self._lock:
            self._claims.pop(claim.who, None)

    def keep_only(self, nnap: int, euis: set[bytes]) -> None:
        """A concentrator lists these alone now: its other claims are gone."""
        with self._lock:
            claims = [one for one in self._claims.values() if one.node.nnap == nnap and one.node.eui not in euis]
            for claim in claims:
                del self._claims[claim.who]
