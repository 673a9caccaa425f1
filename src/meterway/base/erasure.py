"""An erasure code: of k blocks and any number of parity symbols, any k bring back all k blocks.

Systematic, over the field of 256 elements of Reed-Solomon codes (polynomial 0x11D): parity symbol i is the sum of all
blocks j, each times 1 / (x_i + y_j), where the y are 0 to 127 and the x 128 to 255 (a Cauchy matrix: every square part
of it can be inverted, so no combination of symbols is useless). It heals blocks that are known to be missing; it does
not find blocks that are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import LocalProtocolError

__all__ = ["MOST_BLOCKS", "MOST_SYMBOLS", "parity", "recover"]

MOST_BLOCKS: Final = 128
MOST_SYMBOLS: Final = 128
"""How many different parity symbols there are."""
_POLYNOMIAL: Final = 0x11D

Octets = NDArray[np.uint8]


@cache
def _tables() -> tuple[Octets, Octets]:
    """All products, and the reciprocal of each element but 0."""
    powers = np.zeros(255, dtype=np.uint8)
    logs = np.zeros(256, dtype=np.int64)
    element = 1
    for exponent in range(255):
        powers[exponent], logs[element] = element, exponent
        element = element << 1 ^ (_POLYNOMIAL if element & 0x80 else 0)
    products = powers[(logs[:, None] + logs[None, :]) % 255]
    products[0, :] = products[:, 0] = 0
    reciprocals = powers[-logs % 255]
    return products, reciprocals


def _coefficients(numbers: Sequence[int], places: Sequence[int]) -> Octets:
    """A row for each symbol, a column for each block."""
    x = np.array(numbers, dtype=np.uint8) + np.uint8(MOST_BLOCKS)
    row: Octets = _tables()[1][x[:, None] ^ np.array(places, dtype=np.uint8)[None, :]]
    return row


def _sum_of(factors: Octets, blocks: Octets) -> Octets:
    """The sum of all blocks, each times its factor."""
    total: Octets = np.bitwise_xor.reduce(_tables()[0][factors[:, None], blocks], axis=0)
    return total


def _stacked(blocks: Sequence[bytes]) -> Octets:
    return np.frombuffer(b"".join(blocks), dtype=np.uint8).reshape(len(blocks), len(blocks[0]))


def parity(blocks: Sequence[bytes], number: int) -> bytes:
    """Parity symbol ``number`` of blocks of one length; LocalProtocolError for more than there can be."""
    if not 0 < len(blocks) <= MOST_BLOCKS or not 0 <= number < MOST_SYMBOLS:
        raise LocalProtocolError(f"no parity symbol {number} of {len(blocks)} blocks")
    if len({len(block) for block in blocks}) != 1:
        raise LocalProtocolError("parity is of blocks of one length")
    return _sum_of(_coefficients([number], range(len(blocks)))[0], _stacked(blocks)).tobytes()


def recover(blocks: Sequence[bytes | None], symbols: Mapping[int, bytes]) -> list[bytes] | None:
    """All blocks again, those that are missing (None) out of parity symbols by number; None if these are too few."""
    lost = [place for place, block in enumerate(blocks) if block is None]
    here = [(place, block) for place, block in enumerate(blocks) if block is not None]
    if len(symbols) < len(lost):
        return None
    if not lost:
        return [block for _, block in here]
    numbers = sorted(symbols)[: len(lost)]
    right = _stacked([symbols[number] for number in numbers]).copy()
    if here:
        known, factors = _stacked([block for _, block in here]), _coefficients(numbers, [place for place, _ in here])
        for row, factor in zip(right, factors, strict=True):
            row ^= _sum_of(factor, known)
    found = dict(zip(lost, _solved(_coefficients(numbers, lost), right), strict=True))
    return [found[place].tobytes() if block is None else block for place, block in enumerate(blocks)]


def _solved(matrix: Octets, right: Octets) -> Octets:
    """Gauss-Jordan; no pivot is 0, since every corner of a Cauchy matrix can be inverted."""
    products, reciprocals = _tables()
    both = np.concatenate([matrix, right], axis=1)
    for place in range(len(matrix)):
        both[place] = products[reciprocals[both[place, place]], both[place]]
        factors = both[:, place].copy()
        factors[place] = 0
        both ^= products[factors[:, None], both[place][None, :]]
    solution: Octets = both[:, len(matrix) :]
    return solution
