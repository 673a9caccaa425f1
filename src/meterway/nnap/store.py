"""The concentrator's own file: white list, counters, what was read of the meters, events, reports, state.

A row of a profile is known by meter, profile, time and content, so one that is
read twice is kept once; its number says in which order rows came, which is what reports go by.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.mapping.transformer import DayBalance
from meterway.nnap.events import SECURITY, Event
from meterway.nnap.node import Cached
from meterway.nnap.rows import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.store.own_file import OwnFile, whole_seconds

__all__ = ["KeptReport", "Shape", "Store", "StoredRow"]

_EVENTS_KEPT: Final = 10_000
_ASIDE: Final = "refused:"
_SEEN: Final = "balance-rows"
_ORDER: Final = "order:"
_ALARM: Final = "alarm-"
_ALARMS_KEPT: Final = 1000
_SCHEMA: Final = """
CREATE TABLE nodes (id INTEGER PRIMARY KEY AUTOINCREMENT, eui BLOB NOT NULL UNIQUE, listed INTEGER NOT NULL,
                    row BLOB NOT NULL);
CREATE TABLE series (node INTEGER NOT NULL, profile BLOB NOT NULL, period INTEGER NOT NULL, columns BLOB NOT NULL,
                     upto REAL NOT NULL, PRIMARY KEY (node, profile)) WITHOUT ROWID;
CREATE TABLE rows (number INTEGER PRIMARY KEY AUTOINCREMENT, node INTEGER NOT NULL, profile BLOB NOT NULL,
                   time INTEGER NOT NULL, octets BLOB NOT NULL);
CREATE UNIQUE INDEX rows_once ON rows (node, profile, time, octets);
CREATE INDEX rows_by_time ON rows (time);
CREATE TABLE attributes (node INTEGER NOT NULL, class INTEGER NOT NULL, obis BLOB NOT NULL, attribute INTEGER NOT NULL,
                         time REAL NOT NULL, octets BLOB NOT NULL,
                         PRIMARY KEY (node, class, obis, attribute)) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, time_s REAL NOT NULL, code INTEGER NOT NULL,
                     serial TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE reports (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, octets BLOB NOT NULL);
"""

_OF_NOW: Final = "number >= coalesce((SELECT max(since) FROM shapes WHERE node = ? AND profile = ?), 0)"
_BALANCES: Final = """
CREATE TABLE balances (number INTEGER PRIMARY KEY AUTOINCREMENT, day INTEGER NOT NULL UNIQUE, octets BLOB NOT NULL);
CREATE TABLE due_days (day INTEGER PRIMARY KEY);
"""

_SHAPES: Final = """
CREATE TABLE shapes (node INTEGER NOT NULL, profile BLOB NOT NULL, since INTEGER NOT NULL, period INTEGER NOT NULL,
                     columns BLOB NOT NULL, PRIMARY KEY (node, profile, since)) WITHOUT ROWID;
INSERT INTO shapes SELECT node, profile, 0, period, columns FROM series;
"""


class Shape(NamedTuple):
    """What the rows of a profile from the number ``since`` on are made of."""

    since: int
    period_s: int
    columns: bytes


class StoredRow(NamedTuple):
    """A row with its number and where it belongs."""

    number: int
    node: int
    profile: Obis
    time_s: int
    octets: bytes


class KeptReport(NamedTuple):
    """A report that waits to be acknowledged."""

    number: int
    id: str
    octets: bytes


class Store(OwnFile):
    """The file; StoreError where the disk or the file refuses."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, kind="store", schema=(_SCHEMA, _BALANCES, _SHAPES))

    # -- nodes ----------------------------------------------------------------------------------------------

    def keep_node(self, eui: bytes, row: bytes, *, listed: bool = True) -> int:
        """Add or change a node; its number, which stays when it is taken off the list and put back."""
        self._run(
            "INSERT INTO nodes (eui, listed, row) VALUES (?, ?, ?)"
            " ON CONFLICT (eui) DO UPDATE SET listed = excluded.listed, row = excluded.row",
            (eui, int(listed), row),
        )
        return int(self._all("SELECT id FROM nodes WHERE eui = ?", (eui,))[0][0])

    def unlist_node(self, eui: bytes, row: bytes) -> None:
        """Take a node off the list; its rows stay until their time is over."""
        self.keep_node(eui, row, listed=False)

    def nodes(self) -> list[tuple[int, bytes]]:
        """Number and row of each listed node."""
        return self._all("SELECT id, row FROM nodes WHERE listed ORDER BY id")

    def node_names(self) -> dict[int, bytes]:
        """The rows of all nodes there ever were, by number."""
        return dict(self._all("SELECT id, row FROM nodes"))

    # -- what was read ----------------------------------------------------------------------------------------

    def keep_series(self, node: int, profile: Obis, *, period_s: int, columns: bytes, upto_s: float) -> None:
        """Keep what a profile captures and up to when it is whole. Rows that come later are of these columns."""
        self._run(
            "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)", (node, profile.encode(), period_s, columns, upto_s)
        )
        shapes = self.shapes(node, profile)
        if not shapes or shapes[-1][1:] != (period_s, columns):
            since = int(self._all("SELECT coalesce(max(number), 0) + 1 FROM rows")[0][0]) if shapes else 0
            values = (node, profile.encode(), since, period_s, columns)
            self._run("INSERT OR REPLACE INTO shapes VALUES (?, ?, ?, ?, ?)", values)

    def shapes(self, node: int, profile: Obis) -> list[Shape]:
        """What the rows of a profile were made of, one after another; the last holds now."""
        found = self._all(
            "SELECT since, period, columns FROM shapes WHERE node = ? AND profile = ? ORDER BY since",
            (node, profile.encode()),
        )
        return [Shape(*row) for row in found]

    def series(self) -> list[tuple[int, bytes, int, bytes, float]]:
        """Node, profile, period, encoded columns, up to when."""
        return self._all("SELECT node, profile, period, columns, upto FROM series")

    def add_rows(self, node: int, profile: Obis, rows: Iterable[Row]) -> int:
        """Keep rows; how many were new."""
        wide = [(node, profile.encode(), row.time_s, row.octets) for row in rows]
        return self._many("INSERT OR IGNORE INTO rows (node, profile, time, octets) VALUES (?, ?, ?, ?)", wide)

    def rows(self, node: int, profile: Obis, from_s: float = 0.0, to_s: float = 1e12) -> list[Row]:
        """The rows of a profile within [from, to], the oldest first; none that are of columns it has no more."""
        place = (node, profile.encode())
        found = self._all(
            f"SELECT time, octets FROM rows WHERE node = ? AND profile = ? AND time >= ? AND time <= ? AND {_OF_NOW}"  # noqa: S608  text of our own
            " ORDER BY time, number",
            (*place, *whole_seconds(from_s, to_s), *place),
        )
        return [Row(*row) for row in found]

    def count_rows(self, node: int, profile: Obis) -> int:
        """How many rows of a profile there are."""
        values = (node, profile.encode()) * 2
        found = self._all(f"SELECT count(*) FROM rows WHERE node = ? AND profile = ? AND {_OF_NOW}", values)  # noqa: S608  text of our own
        return int(found[0][0])

    def rows_after(self, number: int, limit: int) -> list[StoredRow]:
        """The rows that came after a number, in the order they came."""
        found = self._all(
            "SELECT number, node, profile, time, octets FROM rows WHERE number > ? ORDER BY number LIMIT ?",
            (number, limit),
        )
        return [StoredRow(one, node, Obis.decode(profile), time, octets) for one, node, profile, time, octets in found]

    def forget_before(self, time_s: float) -> int:
        """Delete rows and balances that are older than they are to be kept; how many rows."""
        self._run("DELETE FROM balances WHERE day < ?", (int(time_s),))
        return self._run("DELETE FROM rows WHERE time < ?", (int(time_s),)).rowcount

    def keep_attributes(self, node: int, found: Iterable[tuple[AttributeDescriptor, Cached]]) -> None:
        """Keep attributes as they were read last."""
        rows = [
            (node, item.class_id, item.obis.encode(), item.attribute, one.time_s, one.octets) for item, one in found
        ]
        self._many("INSERT OR REPLACE INTO attributes VALUES (?, ?, ?, ?, ?, ?)", rows)

    def attribute(self, node: int, item: AttributeDescriptor) -> Cached | None:
        """An attribute as it was read last, or None."""
        rows = self._all(
            "SELECT octets, time FROM attributes WHERE node = ? AND class = ? AND obis = ? AND attribute = ?",
            (node, item.class_id, item.obis.encode(), item.attribute),
        )
        return Cached(*rows[0]) if rows else None

    def attributes(self, node: int) -> list[AttributeDescriptor]:
        """The attributes of a node that were ever read."""
        found = self._all(
            "SELECT class, obis, attribute FROM attributes WHERE node = ? ORDER BY class, obis, attribute", (node,)
        )
        return [AttributeDescriptor(class_id, Obis.decode(obis), attribute) for class_id, obis, attribute in found]

    # -- balances of the transformer ----------------------------------------------------------------------------

    def note_due_days(self, profile: Obis) -> None:
        """Note the days (UTC) of the rows of a profile that came since this was called last.

        A row of midnight belongs to both days. Call it in a transaction.
        """
        last = int(self._all("SELECT coalesce(max(number), 0) FROM rows")[0][0])
        self._run(
            "INSERT OR IGNORE INTO due_days SELECT DISTINCT day FROM (SELECT time / 86400 * 86400 AS day FROM rows"
            " WHERE number > :seen AND profile = :profile UNION SELECT (time - 1) / 86400 * 86400 FROM rows"
            " WHERE number > :seen AND profile = :profile)",
            {"seen": self.counter(_SEEN), "profile": profile.encode()},
        )
        self.keep_counter(_SEEN, last)

    def due_days(self) -> list[int]:
        """The begins of the days that have new rows, the oldest first."""
        return [day for (day,) in self._all("SELECT day FROM due_days ORDER BY day")]

    def day_done(self, day: int) -> None:
        """A day was judged, or is not to be."""
        self._run("DELETE FROM due_days WHERE day = ?", (day,))

    def keep_balance(self, balance: DayBalance) -> None:
        """Keep how a day was judged; it counts as new."""
        self._run(
            "INSERT OR REPLACE INTO balances (day, octets) VALUES (?, ?)",
            (balance.day, axdr.encode(balance.encode())),
        )

    def balance(self, day: int) -> DayBalance | None:
        """How a day was judged last, or None."""
        return next((one for _, one in self._balances("day = ?", (day,))), None)

    def balances(self, from_s: float = 0.0, to_s: float = 1e12) -> list[DayBalance]:
        """The days that begin within [from, to], the oldest first."""
        return [one for _, one in self._balances("day >= ? AND day <= ? ORDER BY day", whole_seconds(from_s, to_s))]

    def balances_after(self, number: int, limit: int = 1000) -> list[tuple[int, DayBalance]]:
        """The days that were judged after a number, in the order they were."""
        return self._balances("number > ? ORDER BY number LIMIT ?", (number, limit))

    def _balances(self, which: str, values: tuple[object, ...]) -> list[tuple[int, DayBalance]]:
        rows = self._all(f"SELECT number, octets FROM balances WHERE {which}", values)  # noqa: S608  text of our own
        return [(number, DayBalance.decode(axdr.to_native(octets)[0])) for number, octets in rows]

    # -- orders to groups ----------------------------------------------------------------------------------------

    def keep_order(self, order_id: bytes, record: bytes) -> None:
        """Keep an order as it stands; durable when it returns."""
        with self.transaction():
            self.keep_state(_order(order_id), record)

    def orders(self) -> list[bytes]:
        """The records of all orders that are kept."""
        return list(self.states(_ORDER).values())

    def drop_order(self, order_id: bytes) -> None:
        """Forget an order; durable when it returns."""
        with self.transaction():
            self.drop_states(_order(order_id))

    # -- alarms that wait to be told ------------------------------------------------------------------------------

    def spool_alarm(self, way: str, octets: bytes) -> None:
        """Have an alarm wait for report or push (``way``); in a transaction. Beyond a thousand the oldest are lost."""
        number = self.counter(f"{_ALARM}{way}") + 1
        self.keep_counter(f"{_ALARM}{way}", number)
        self.keep_state(f"{_ALARM}{way}:{number:012d}", octets)
        self.drop_states(f"{_ALARM}{way}:{max(number - _ALARMS_KEPT, 0):012d}")

    def spooled_alarms(self, way: str, limit: int = _ALARMS_KEPT) -> list[tuple[int, bytes]]:
        """What waits, the oldest first, each with its number."""
        found = self.states(f"{_ALARM}{way}:")
        return [(int(number), octets) for number, octets in sorted(found.items())[:limit]]

    def unspool_alarms(self, way: str, upto: int) -> None:
        """What has a number up to ``upto`` was told."""
        with self.transaction():
            for number, _ in self.spooled_alarms(way):
                if number <= upto:
                    self.drop_states(f"{_ALARM}{way}:{number:012d}")

    # -- events, reports --------------------------------------------------------------------------------------

    def add_events(self, events: Iterable[Event]) -> None:
        """Log events; the oldest are forgotten beyond ten thousand."""
        rows = [(event.time_s, int(event.code), event.serial, event.detail) for event in events]
        self._many("INSERT INTO events (time_s, code, serial, detail) VALUES (?, ?, ?, ?)", rows)
        self._run("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (_EVENTS_KEPT,))

    def events(
        self, *, security: bool | None = None, from_s: float = 0.0, to_s: float = 1e12, limit: int = 1000
    ) -> list[Event]:
        """The last events of one log (None: of both), the oldest first."""
        codes = ",".join(str(int(code)) for code in SECURITY)
        chosen = {None: "1", True: f"code IN ({codes})", False: f"code NOT IN ({codes})"}[security]
        rows = self._all(
            f"SELECT time_s, code, serial, detail FROM events WHERE time_s >= ? AND time_s <= ? AND {chosen}"  # noqa: S608  numbers of our own
            " ORDER BY id DESC LIMIT ?",
            (from_s, to_s, limit),
        )
        return [Event.of(*row) for row in reversed(rows)]

    def events_after(self, number: int, limit: int = 1000) -> list[tuple[int, Event]]:
        """The events after a number, in the order they came."""
        rows = self._all(
            "SELECT id, time_s, code, serial, detail FROM events WHERE id > ? ORDER BY id LIMIT ?", (number, limit)
        )
        return [(row[0], Event.of(*row[1:])) for row in rows]

    def add_report(self, report_id: str, octets: bytes) -> None:
        """Put a report into the spool."""
        self._run("INSERT INTO reports (id, octets) VALUES (?, ?)", (report_id, octets))

    def reports(self, limit: int = 100) -> list[KeptReport]:
        """The reports that wait, the oldest first."""
        return [KeptReport(*row) for row in self._all("SELECT * FROM reports ORDER BY number LIMIT ?", (limit,))]

    def drop_report(self, report_id: str) -> bool:
        """It was acknowledged; False if it does not wait."""
        return self._run("DELETE FROM reports WHERE id = ?", (report_id,)).rowcount > 0

    def put_aside(self, report_id: str, octets: bytes) -> None:
        """It was refused: it makes way for others, until ``put_back``."""
        self.keep_state(f"{_ASIDE}{report_id}", octets)
        self.drop_report(report_id)

    def put_back(self) -> int:
        """What was put aside waits again, behind the others; how many that are."""
        found = self.states(_ASIDE)
        self._many("INSERT OR IGNORE INTO reports (id, octets) VALUES (?, ?)", found.items())
        self.drop_states(_ASIDE)
        return len(found)


def _order(order_id: bytes) -> str:
    """The name an order is kept under; it is no beginning of another's."""
    return f"{_ORDER}{order_id.hex()}."
