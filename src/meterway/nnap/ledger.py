"""The concentrator and its file: what is in memory after a start, and what is on the disk before anybody is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.nnap.device import Concentrator, Roll
from meterway.nnap.events import Event
from meterway.nnap.node import Cached, Node, Role, Series
from meterway.nnap.rows import Row
from meterway.nnap.store import Store
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT, CaptureObject
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.store.vault import Vault

__all__ = ["Ledger", "NodeRow", "columns_of"]

_SENT: Final = "sent"
_USED: Final = (_SENT, "broadcast", "dlms-sent:")
"""Counters of what the concentrator protects itself begin so."""
_HANDED_OVER: Final = 1_000_000
_STEP: Final = 1000
_DAY_S: Final = 86400


class NodeRow(msgspec.Struct, kw_only=True):
    """A node as it is kept; ``sealed`` holds its keys (``join``, ``guek``, ``gak``)."""

    eui: bytes
    serial: str
    channel: int
    title: bytes
    client: int
    server: int
    role: Role
    profile: str
    configured: bool
    sealed: bytes
    name: bytes = b""
    listed_s: float = 0.0
    joined_s: float = 0.0
    heard_s: float = 0.0
    read_s: float = 0.0
    learned: bool = False
    clock_error_s: float | None = None


class Ledger:
    """Keeps a concentrator's state; the ``Keeper`` of what it reads. ``keep_days`` is how long rows stay."""

    def __init__(self, store: Store, vault: Vault, *, keep_days: int = 40) -> None:
        self.store = store
        self.roll = Roll()
        self.on_events: Callable[[list[Event]], object] = len
        """Told of what has been logged, once it is on the disk."""
        self.vault = vault
        self._keep_days = keep_days
        self._numbers: dict[bytes, int] = {}
        self._trimmed_s = 0.0

    # -- start ------------------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Take the white list from the file; SecurityError(key) if it was sealed under another master key."""
        heard = self.store.counters("heard:")
        for number, octets in self.store.nodes():
            node = self._node(msgspec.msgpack.decode(octets, type=NodeRow))
            node.received = ReceivedCounter(heard.get(node.eui.hex(), -1))
            self._numbers[node.eui] = number
            self.roll.add(node)
        self.add_series({number: self.roll.nodes[eui] for eui, number in self._numbers.items()})

    def add_series(self, known: dict[int, Node]) -> None:
        """Give nodes, by number, what the file has of their profiles."""
        if not known:
            return
        for number, profile, period_s, columns, upto_s in self.store.series():
            if number in known:
                obis = Obis.decode(profile)
                series = Series(obis=obis, period_s=period_s, columns=columns_of(columns), upto_s=upto_s)
                known[number].mirror.series[obis] = series

    def _node(self, row: NodeRow) -> Node:
        keys = self.vault.open_all(row.serial, row.sealed)
        node = Node(
            eui=row.eui,
            serial=row.serial,
            channel=row.channel,
            title=row.title,
            key=keys.get("join", b""),
            keys=Keys(keys["guek"], keys["gak"]) if "guek" in keys else None,
            client=row.client,
            server=row.server,
            role=row.role,
            profile=row.profile,
            name=row.name,
            configured=row.configured,
            listed_s=row.listed_s,
            joined_s=row.joined_s,
            heard_s=row.heard_s,
        )
        node.turn.read_s = row.read_s
        node.mirror.learned = row.learned
        node.mirror.clock_error_s = row.clock_error_s
        return node

    def enlist_all(self, nodes: Iterable[Node], concentrator: Concentrator, now: float) -> None:
        """List what a settings file has and the white list does not; one that was removed by a command comes back."""
        for node in nodes:
            if node.eui not in self.roll.nodes:
                concentrator.enlist(node, now)
                self.keep_node(node)

    # -- nodes ------------------------------------------------------------------------------------------------

    def keep_node(self, node: Node) -> None:
        """Write a node as it stands."""
        with self.store.transaction():
            self._numbers[node.eui] = self.store.keep_node(node.eui, self._row(node))

    def drop_node(self, node: Node) -> None:
        """It was taken off the list; its keys are not kept."""
        with self.store.transaction():
            node.key, node.keys = b"", None
            self.store.unlist_node(node.eui, self._row(node))

    def _row(self, node: Node) -> bytes:
        keys = {"join": node.key} if node.key else {}
        if node.keys is not None:
            keys |= {"guek": node.keys.encryption, "gak": node.keys.authentication}
        row = NodeRow(
            eui=node.eui,
            serial=node.serial,
            channel=node.channel,
            title=node.title,
            client=node.client,
            server=node.server,
            role=node.role,
            profile=node.profile,
            name=node.name,
            configured=node.configured,
            sealed=self.vault.seal_all(node.serial, keys),
            listed_s=node.listed_s,
            joined_s=node.joined_s,
            heard_s=node.heard_s,
            read_s=node.turn.read_s,
            learned=node.mirror.learned,
            clock_error_s=node.mirror.clock_error_s,
        )
        return msgspec.msgpack.encode(row)

    def number(self, node: Node) -> int:
        """The number of a listed node in the file."""
        found = self._numbers.get(node.eui)
        if found is None:
            raise ConfigError(f"{node.serial} is not listed")
        return found

    def gone_nodes(self) -> dict[int, Node]:
        """By number, those that were listed once and are not any more, with what was kept of their profiles."""
        listed = {self._numbers[node.eui] for node in self.roll}
        rows = {number: row for number, row in self.store.node_names().items() if number not in listed}
        gone = {number: self._node(msgspec.msgpack.decode(row, type=NodeRow)) for number, row in rows.items()}
        self.add_series(gone)
        return gone

    # -- counters -----------------------------------------------------------------------------------------------

    def send_counter(self, name: str = _SENT, *, at_least: int) -> SendCounter:
        """The one counter of all that the concentrator protects as a client, or of what it broadcasts.

        It goes on above what the file has reserved, but not below ``at_least``: the file may be an old backup.
        """

        def reserve(limit: int) -> None:
            with self.store.transaction():
                self.store.keep_counter(name, limit)

        return SendCounter(max(self.store.counter(name), at_least), reserve=reserve, step=_STEP)

    def take_over(self) -> None:
        """This file is the copy of a primary's: what that has used since the copy is jumped over."""
        with self.store.transaction():
            for name, value in self.store.counters("").items():
                if name.startswith(_USED):  # not what was heard, nor how far it has reported
                    self.store.keep_counter(name, value + _HANDED_OVER)

    # -- what was read (Keeper) -----------------------------------------------------------------------------------

    def rows(self, node: Node, series: Series, rows: list[Row], upto_s: float) -> None:
        """Keep rows, once each, and that the profile is whole up to ``upto_s``."""
        number = self.number(node)
        with self.store.transaction():
            self._series(number, series, upto_s)
            self.store.add_rows(number, series.obis, rows)
            self.store.keep_counter(f"heard:{node.eui.hex()}", node.received.last)

    def _series(self, number: int, series: Series, upto_s: float) -> None:
        columns = axdr.encode(axdr.array(*[CAPTURE_OBJECT.untyped(column) for column in series.columns]))
        self.store.keep_series(number, series.obis, period_s=series.period_s, columns=columns, upto_s=upto_s)

    def series(self, node: Node, series: Series) -> None:
        """Keep what a profile captures."""
        with self.store.transaction():
            self._series(self.number(node), series, series.upto_s)

    def attributes(self, node: Node, found: dict[AttributeDescriptor, Cached]) -> None:
        """Keep attributes as they were read."""
        with self.store.transaction():
            self.store.keep_attributes(self.number(node), found.items())

    def attribute(self, node: Node, item: AttributeDescriptor) -> Cached | None:
        """An attribute that was kept, or None."""
        return self.store.attribute(self.number(node), item)

    # -- now and then -----------------------------------------------------------------------------------------

    def flush(self, concentrator: Concentrator) -> None:
        """Write the events; durable when it returns."""
        events, concentrator.events = concentrator.events, []
        if not events:
            return
        with self.store.transaction():
            self.store.add_events(events)
        self.on_events(events)

    def keep_clock(self, offset_s: float) -> None:
        """Keep by how much the concentrator's clock was set beside that of the machine."""
        with self.store.transaction():
            self.store.keep_state("clock", repr(offset_s).encode())

    @property
    def clock_offset_s(self) -> float:
        """What ``keep_clock`` kept; 0 if the clock was never set."""
        return float(self.store.state("clock") or b"0")

    def save(self, now: float) -> None:
        """Write how all nodes stand, and delete rows whose time is over."""
        with self.store.transaction():
            for node in self.roll:
                self.store.keep_node(node.eui, self._row(node))
                self.store.keep_counter(f"heard:{node.eui.hex()}", node.received.last)
            if now - self._trimmed_s > _DAY_S / 24:
                self._trimmed_s = now
                self.store.forget_before(now - self._keep_days * _DAY_S)


@lru_cache(maxsize=256)
def columns_of(octets: bytes) -> tuple[CaptureObject, ...]:
    """The columns of a profile as they are kept. Many meters capture the same."""
    found = typed(7, 3, axdr.decode_all(octets))
    return tuple(one for one in found if isinstance(one, CaptureObject)) if isinstance(found, tuple) else ()
