"""Small facts the system keeps about itself: a name, a text."""

from __future__ import annotations

from meterway.store.session import Session

__all__ = ["Settings"]


class Settings:
    """Names and their texts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str, default: str = "") -> str:
        """The text of a name, or ``default``."""
        rows = self._session.read("SELECT value FROM setting WHERE name = :name", {"name": name})
        return str(rows[0][0]) if rows else default

    def put(self, name: str, value: str) -> None:
        """Set the text of a name."""
        sql = (
            "INSERT INTO setting (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        self._session.change(sql, {"name": name, "value": value})

    def all(self) -> dict[str, str]:
        """Every name and text."""
        return dict(self._session.read("SELECT name, value FROM setting ORDER BY name"))
