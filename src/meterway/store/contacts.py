"""The log of contacts: each time a device was called or called in, what it took and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Final

from meterway.store.session import Session

__all__ = ["Contact", "Contacts", "StoredContact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One association: ``result`` is a short word to count by (``ok``, ``timeout``, ...), ``detail`` is JSON."""

    device: int
    kind: str
    started_ms: int
    duration_us: int
    result: str
    error: str = ""
    octets_in: int = 0
    octets_out: int = 0
    values_read: int = 0
    detail: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContact(Contact):
    """A contact as it was found; blocks and readings name it in their evidence."""

    id: int


_GIVEN: Final = tuple(each.name for each in fields(Contact))
_NAMES: Final = (*_GIVEN, "id")
_INSERT: Final = (
    f"INSERT INTO contact ({', '.join(_GIVEN)})"  # noqa: S608
    f" VALUES ({', '.join(f':{name}' for name in _GIVEN)}) RETURNING id"
)
_INSERT_MANY: Final = f"INSERT INTO contact ({', '.join(_GIVEN)}) VALUES ({', '.join('?' * len(_GIVEN))})"  # noqa: S608
_SELECT: Final = f"SELECT {', '.join(_NAMES)} FROM contact"  # noqa: S608


class Contacts:
    """Contacts with all devices."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, contact: Contact) -> int:
        """Store one; its id."""
        return int(self._session.write(_INSERT, asdict(contact))[0][0])

    def add_many(self, contacts: Iterable[Contact]) -> int:
        """Store all of them in one transaction; how many."""
        rows = [tuple(getattr(contact, name) for name in _GIVEN) for contact in contacts]
        return self._session.write_many(_INSERT_MANY, rows)

    def of_device(self, device: int, *, limit: int = 20) -> list[StoredContact]:
        """The last contacts with a device, the newest first."""
        sql = f"{_SELECT} WHERE device = :device ORDER BY id DESC LIMIT :limit"
        rows = self._session.read(sql, {"device": device, "limit": limit})
        return [StoredContact(**dict(zip(_NAMES, row, strict=True))) for row in rows]

    def results(self, from_ms: int, to_ms: int) -> dict[str, int]:
        """How many contacts that started in a range ended in each way."""
        sql = (
            "SELECT result, count(*) FROM contact WHERE started_ms >= :first AND started_ms < :end"
            " GROUP BY result ORDER BY result"
        )
        return dict(self._session.read(sql, {"first": from_ms, "end": to_ms}))

    def prune(self, *, before_ms: int) -> int:
        """Delete contacts that started before a time; how many."""
        return self._session.change("DELETE FROM contact WHERE started_ms < :before", {"before": before_ms})
