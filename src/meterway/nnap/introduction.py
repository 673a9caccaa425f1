"""Who is this: what a device on the network calls itself, asked once of those that the concentrator has no keys for.

Everybody may ask for the logical device name (public client, no secret). It says which companion profile the device is
of, and that what it is: a load controller in a home that is listed as a meter, or as nothing else, is one all the same.
Pure; a worker of the concentrator.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.profile import profile_called
from meterway.nnap.node import Node
from meterway.nnap.talk import Talk
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import ClientSettings
from meterway.stacks.dlms.client.script import Get, Script
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Coordinator

__all__ = ["NAME", "PUBLIC", "Introductions", "introduced", "name_in"]

NAME: Final = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)
PUBLIC: Final = 16
_LONGEST: Final = 16
_AT_ONCE: Final = 2


def name_in(octets: bytes) -> bytes:
    """A logical device name from its encoded value; empty for what is none."""
    try:
        value = axdr.decode_all(octets).value
    except DecodeError:
        return b""
    found = value.encode() if isinstance(value, str) else value
    return found if isinstance(found, bytes) and 0 < len(found) <= _LONGEST else b""


def introduced(node: Node, name: bytes) -> bool:
    """Take what a node calls itself; whether that made it something else than it was listed as."""
    node.name = name
    known = profile_called(name)
    if known is None or node.role not in ("meter", "home"):
        return False
    was = node.role, node.profile
    node.role, node.profile = known.role, known.name
    return was != (node.role, node.profile)


class Introductions:
    """Few are asked at once; who does not answer is asked at its next joining. ``on_name`` hears of each name told."""

    def __init__(self, station: Coordinator, *, answer_s: float, on_name: Callable[[Node, float], None]) -> None:
        self._station = station
        self._answer_s = answer_s
        self._on_name = on_name
        self._waiting: deque[Node] = deque()
        self._talks: dict[bytes, Talk] = {}

    def ask(self, node: Node, now: float) -> None:
        """Ask a node for its name, soon; once it is known it is not asked again."""
        if not node.name and node.eui not in self._talks and node not in self._waiting:
            self._waiting.append(node)
        self._begin(now)

    def is_asking(self, eui: bytes, client: int, server: int) -> bool:
        """Whether an association between these addresses is ours now."""
        return (client, server) == (PUBLIC, 1) and eui in self._talks

    def take(self, event: Apdu, now: float) -> bool:
        """Take an APDU of a node; False if it is not for us."""
        if not self.is_asking(event.eui, event.client, event.server):
            return False
        self._talks[event.eui].take(event, now)
        return True

    def drop(self, node: Node, now: float) -> None:
        """It is off the network."""
        if node in self._waiting:
            self._waiting.remove(node)
        talk = self._talks.get(node.eui)
        if talk is not None:
            talk.close(now)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return min((due for talk in self._talks.values() if (due := talk.next_timeout()) is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Whoever has not answered in time does not tell."""
        for talk in list(self._talks.values()):
            due = talk.next_timeout()
            if due is not None and due <= now:
                talk.handle_timeout(now)

    # -- one after the other -----------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        while self._waiting and len(self._talks) < _AT_ONCE:
            node = self._waiting.popleft()
            if node.member is not None:
                talk = self._talks[node.eui] = Talk(lambda node=node: self._framing(node), self._settings)  # type: ignore[misc]
                talk.run(self._script(node), lambda _, at, node=node: self._done(node, at), now=now)  # type: ignore[misc]

    def _framing(self, node: Node) -> StationFraming:
        return StationFraming(self._station, node.eui, PUBLIC, 1, role=Role.CLIENT)

    def _settings(self) -> ClientSettings:
        return ClientSettings(mechanism=0, response_timeout_s=self._answer_s, max_pdu=min(1024, self._station.max_apdu))

    def _script(self, node: Node) -> Script[None]:
        answer = yield Get(NAME)
        name = name_in(answer) if isinstance(answer, bytes) else b""
        if name:
            node.name = name

    def _done(self, node: Node, now: float) -> None:
        self._talks.pop(node.eui, None)
        if node.name:
            self._on_name(node, now)
        self._begin(now)
