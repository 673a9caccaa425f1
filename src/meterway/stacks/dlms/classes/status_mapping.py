"""Status mapping: what the bits of a status word mean (class 63)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.stacks.dlms.classes.model import declare, dynamic, static
from meterway.stacks.dlms.classes.types import ANY, LONG_UNSIGNED, UNSIGNED, array, choice, structure

__all__ = ["CLASSES", "MappingTable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingTable:
    """The reference table and, for every bit of the word, its entry: the first one's number, or one each."""

    table: int
    entries: int | tuple[int, ...]

    def entry_of(self, bit: int) -> int | None:
        """The entry of the reference table that bit ``bit`` of the word stands for; None beyond the mapping."""
        if isinstance(self.entries, int):
            return self.entries + bit
        return self.entries[bit] if bit < len(self.entries) else None


CLASSES = (
    declare(
        63,
        0,
        "Status mapping",
        attributes=(
            dynamic("status_word", ANY),
            static(
                "mapping_table",
                structure(MappingTable, UNSIGNED, choice(LONG_UNSIGNED, array(LONG_UNSIGNED))),
            ),
        ),
    ),
)
