"""What happened and is still to be told: written with the change itself, removed once it was fanned out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterway.store.session import Session

__all__ = ["Message", "Outbox"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message under its topic."""

    id: int
    topic: str
    payload: bytes
    added_ms: int


class Outbox:
    """Messages in the order they were added; each is told at least once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, messages: Iterable[tuple[str, bytes]], *, now_ms: int) -> int:
        """Add ``(topic, payload)`` pairs, in the transaction that is open: they exist if and only if it does."""
        rows = [(topic, payload, now_ms) for topic, payload in messages]
        return self._session.write_many("INSERT INTO outbox (topic, payload, added_ms) VALUES (?, ?, ?)", rows)

    def pending(self, *, limit: int = 500) -> list[Message]:
        """The oldest messages that were not removed yet."""
        rows = self._session.read(
            "SELECT id, topic, payload, added_ms FROM outbox ORDER BY id LIMIT :limit", {"limit": limit}
        )
        return [Message(id=number, topic=topic, payload=payload, added_ms=at) for number, topic, payload, at in rows]

    def remove(self, messages: Sequence[Message]) -> int:
        """Forget messages that were told; how many were still there."""
        return self._session.write_many("DELETE FROM outbox WHERE id = ?", [(message.id,) for message in messages])
