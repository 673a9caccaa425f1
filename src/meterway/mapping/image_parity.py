"""Parity of an image transfer: an option of ours, which no norm has and a meter of another maker does not know.

By broadcast each meter misses other blocks. A parity symbol (``base.erasure``) of a group of blocks takes the place of
whichever block of the group a meter lacks. It comes in a data object beside the meter's image transfer (class 18): a
meter that can work out missing blocks puts them there as if they had come, and all that class 18 tells of them is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from meterway.base.erasure import MOST_BLOCKS, MOST_SYMBOLS
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

__all__ = ["GROUP", "IMAGE_PARITY", "ParitySymbol", "groups"]

IMAGE_PARITY: Final = Obis(0, 0, 128, 44, 0)
"""Data, value: written with one ``ParitySymbol``; read as an octet-string with an octet for each group of blocks, how
many more of its blocks or symbols the meter wants. Of no image it is empty."""
GROUP: Final = MOST_BLOCKS
"""Blocks of a group; the last group may have fewer."""
_TOP: Final = 0xFFFFFFFF


def groups(count: int) -> list[range]:
    """The block numbers of each group of an image of so many blocks."""
    return [range(first, min(first + GROUP, count)) for first in range(0, count, GROUP)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParitySymbol:
    """Symbol ``number`` of the ``count`` blocks of a group that begins with block ``first``.

    The symbol has as many octets as a block; a last block that is shorter counts as filled up with zeroes.
    """

    first: int
    count: int
    number: int
    value: bytes

    def encode(self) -> Data:
        """One structure of four."""
        return axdr.structure(axdr.u32(self.first), axdr.u8(self.count), axdr.u8(self.number), axdr.octets(self.value))

    @classmethod
    def decode(cls, row: object) -> Self:
        """From the native form of the structure; DecodeError for anything else."""
        match row:
            case [int(first), int(count), int(number), bytes(value)] if (
                0 <= first <= _TOP and 0 < count <= GROUP and 0 <= number < MOST_SYMBOLS and value
            ):
                return cls(first=first, count=count, number=number, value=value)
        raise DecodeError("a parity symbol is a structure of first block, count, number and octets", 0, "parity")
