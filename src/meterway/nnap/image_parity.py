"""How much parity of a firmware image goes out by broadcast: enough for all but a few meters of each group of blocks.

Pure. Which blocks a meter lacks does not matter, only how many: one symbol heals another block at every meter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from meterway.base.erasure import MOST_SYMBOLS
from meterway.mapping.image_parity import groups

__all__ = ["ParityPlan", "Symbol"]

_MOST_LOSS: Final = 0.5


class Symbol(NamedTuple):
    """A parity symbol by its group and its number."""

    group: int
    number: int


class ParityPlan:
    """Says which symbols are next. ``wants`` of a meter has an octet for each group, how many more it wants.

    A group of which fewer than ``many`` meters want something is left to them alone. Symbols have new numbers until
    there are no more; then they go round, since no meter has them all.
    """

    __slots__ = ("_count", "_many", "_next", "groups", "loss")

    def __init__(self, count: int, many: int) -> None:
        self.groups = groups(count)
        self.loss = 0.0
        """The part of what is sent that the worst of the meters that were asked do not hear."""
        self._count = count
        self._many = many
        self._next = [0] * len(self.groups)

    @property
    def whole(self) -> bytes:
        """What a meter wants that has nothing."""
        return bytes(map(len, self.groups))

    def after_sample(self, wants: Sequence[bytes]) -> list[Symbol]:
        """After all blocks went out once: what the worst of a few meters want, and as much more as is lost of it."""
        self._judge(wants)
        return [
            symbol
            for group in range(len(self.groups))
            for symbol in self._symbols(group, max((one[group] for one in wants), default=0))
        ]

    def after_asking(self, wants: Sequence[bytes]) -> dict[int, list[Symbol]]:
        """By group, what all but the worst few of the meters want."""
        if not self.loss:
            self._judge(wants)
        due: dict[int, list[Symbol]] = {}
        for group in range(len(self.groups)):
            wanted = sorted((one[group] for one in wants if one[group]), reverse=True)
            if len(wanted) >= self._many:
                due[group] = self._symbols(group, wanted[self._many - 1])
        return due

    def _judge(self, wants: Iterable[bytes]) -> None:
        self.loss = min(_MOST_LOSS, max((sum(one) / self._count for one in wants), default=0.0))

    def _symbols(self, group: int, wanted: int) -> list[Symbol]:
        first, count = self._next[group], min(math.ceil(wanted / (1.0 - self.loss)), MOST_SYMBOLS)
        self._next[group] += count
        return [Symbol(group, number % MOST_SYMBOLS) for number in range(first, first + count)]
