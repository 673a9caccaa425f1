"""Days that were read in part, laid over what the store has of them.

A day that is still going on takes the place of what is stored (``NewBlock.continues``); what differs from the stored
values is a revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from meterway.store.block import Block, batch_of, continues, merged
from meterway.store.blocks import NewBlock
from meterway.store.database import Store
from meterway.store.packing import pack_many

__all__ = ["Part", "laid"]


class Part(NamedTuple):
    """What was read of one day of one device, and what it came from (JSON).

    ``has_all``: it has every channel that the device has, so that a whole day needs nothing of what is stored.
    ``fills_only``: what is stored already is better known, and stays.
    """

    device: int
    block: Block
    evidence: bytes
    has_all: bool = False
    fills_only: bool = False


def laid(store: Store, parts: Sequence[Part]) -> Iterator[NewBlock]:
    """What is to be stored; call it in the transaction that stores it. At most one part a device and day."""
    shapes: dict[tuple[object, ...], list[tuple[Part, Block, bytes]]] = {}
    for part in parts:
        block, digest = _laid_over(store, part)
        shape = (block.interval_s, block.slots, tuple(channel.column for channel in block.channels))
        shapes.setdefault(shape, []).append((part, block, digest))
    for group in shapes.values():
        packed = pack_many(batch_of([block for _, block, _ in group]))
        for (part, _, digest), octets in zip(group, packed, strict=True):
            yield NewBlock(device=part.device, packed=octets, evidence=part.evidence, continues=digest)


def _laid_over(store: Store, part: Part) -> tuple[Block, bytes]:
    """The whole day, and the digest of what is stored of it if that only grows.

    A device that has changed its period begins the day anew: what it had stays as a revision.
    """
    block = part.block
    if part.has_all and block.channels[0].present.all():
        return block, b""
    found = store.blocks.read_range(part.device, block.day, block.day + 1)
    if not found or found[0].block.interval_s != block.interval_s:
        return (found[0].block, found[0].digest) if found and part.fills_only else (block, b"")
    whole = merged(block, found[0].block) if part.fills_only else merged(found[0].block, block)
    return whole, found[0].digest if continues(found[0].block, whole) else b""
