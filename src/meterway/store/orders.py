"""Orders to groups of devices: a document each, with its state apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.store.session import Session

__all__ = ["Orders", "StoredOrder"]

_SELECT: Final = "SELECT name, state, document, changed_ms FROM group_order"
_PUT: Final = (
    "INSERT INTO group_order (name, state, document, changed_ms) VALUES (:name, :state, :document, :changed)"
    " ON CONFLICT (name) DO UPDATE SET state = excluded.state, document = excluded.document,"
    " changed_ms = excluded.changed_ms"
)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as it was found; ``document`` is JSON."""

    name: str
    state: str
    document: str
    changed_ms: int


class Orders:
    """All orders to groups."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, name: str, state: str, document: str, *, now_ms: int) -> None:
        """Store an order, or how it stands now."""
        self._session.change(_PUT, {"name": name, "state": state, "document": document, "changed": now_ms})

    def find(self, name: str) -> StoredOrder | None:
        """The order of a name, or None."""
        rows = self._session.read(f"{_SELECT} WHERE name = :name", {"name": name})
        return StoredOrder(*rows[0]) if rows else None

    def recent(self, *, limit: int = 50) -> list[StoredOrder]:
        """The last orders, the newest first."""
        rows = self._session.read(f"{_SELECT} ORDER BY changed_ms DESC, name LIMIT :limit", {"limit": limit})
        return [StoredOrder(*row) for row in rows]
