"""Nodes of neighbourhoods: behind which concentrator a device is, over which way, how well it is heard."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Final

from meterway.store.session import Session

__all__ = ["Node", "Nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A device on a neighbourhood network. ``nnap`` is the device id of its concentrator.

    ``parent`` is the EUI of the node it is reached through (empty: the concentrator, or not known), ``sap`` the logical
    device of its mirrored data there (0: none), ``quality`` 0 to 100, ``state`` and ``role`` numbers of the node
    table, ``name`` the logical device name that it told of itself, hex.
    """

    device: int
    nnap: int
    eui: bytes
    parent: bytes = b""
    state: int = 0
    hops: int = 0
    quality: int = 0
    sap: int = 0
    heard_ms: int = 0
    joined_ms: int = 0
    changed_ms: int = 0
    role: int = 0
    name: str = ""


_NAMES: Final = tuple(each.name for each in fields(Node))
_SELECT: Final = f"SELECT {', '.join(_NAMES)} FROM node"  # noqa: S608
_PUT: Final = (
    f"INSERT INTO node ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608
    f" ON CONFLICT (device) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES[1:])}"
)


class Nodes:
    """All nodes; a device is in one neighbourhood at most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, device: int) -> Node | None:
        """The node that a device is, or None."""
        rows = self._session.read(f"{_SELECT} WHERE device = :device", {"device": device})
        return Node(**dict(zip(_NAMES, rows[0], strict=True))) if rows else None

    def of_nnap(self, nnap: int) -> list[Node]:
        """The nodes of a concentrator, by device id."""
        rows = self._session.read(f"{_SELECT} WHERE nnap = :nnap ORDER BY device", {"nnap": nnap})
        return [Node(**dict(zip(_NAMES, row, strict=True))) for row in rows]

    def count(self) -> int:
        """How many there are in all."""
        return int(self._session.read("SELECT count(*) FROM node")[0][0])

    def put_many(self, nodes: list[Node]) -> None:
        """Store them; what was known of the same devices is replaced."""
        if nodes:
            self._session.write_many(_PUT, [astuple(node) for node in nodes])

    def remove(self, device: int) -> None:
        """A device is no node any more."""
        self._session.change("DELETE FROM node WHERE device = :device", {"device": device})
