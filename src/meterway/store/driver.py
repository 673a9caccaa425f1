"""What both database drivers have in common: the shape of their connections and cursors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

__all__ = ["Connection", "Cursor", "Row", "Value"]

Value: TypeAlias = int | str | bytes | float | None
Row: TypeAlias = tuple[Any, ...]


class Cursor(Protocol):
    """What both drivers' cursors offer."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement touched."""

    def execute(self, sql: str, params: Mapping[str, Value] | Sequence[Value] = ..., /) -> object:
        """Run one statement."""

    def executemany(self, sql: str, rows: Iterable[Row], /) -> object:
        """Run one statement for every row."""

    def fetchall(self) -> list[Row]:
        """All rows that are left."""

    def close(self) -> None:
        """Let go of the cursor."""


class Connection(Protocol):
    """What both drivers' connections offer."""

    def cursor(self) -> Cursor:
        """A new cursor."""

    def close(self) -> None:
        """Close; an open transaction is rolled back."""
