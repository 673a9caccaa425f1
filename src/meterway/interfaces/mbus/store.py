"""The gateway's own file: white list, sealed keys, counters, formats, orders, events, and the spool of readings.

A reading is known by register and slot, so one that comes twice is kept once. When the file reaches its limit the
oldest slots go first, and are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.obis import Obis
from meterway.interfaces.mbus.events import Event
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.mirror import Mirrored, Order
from meterway.interfaces.mbus.tariff import Row
from meterway.stacks.mbus.address import Address
from meterway.store.own_file import OwnFile, whole_seconds

__all__ = ["BoundRow", "Spool"]

_EVENTS_KEPT: Final = 10_000
_SCHEMA: Final = """
CREATE TABLE meters (channel INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE formats (code INTEGER PRIMARY KEY, heads BLOB NOT NULL);
CREATE TABLE registers (id INTEGER PRIMARY KEY, meter TEXT NOT NULL, obis TEXT NOT NULL, scaler INTEGER NOT NULL,
                        unit INTEGER NOT NULL, latest BLOB, UNIQUE (meter, obis));
CREATE TABLE spool (slot INTEGER NOT NULL, register INTEGER NOT NULL, raw INTEGER NOT NULL, quality INTEGER NOT NULL,
                    PRIMARY KEY (slot, register)) WITHOUT ROWID;
CREATE TABLE orders (number INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, time_s REAL NOT NULL, code INTEGER NOT NULL,
                     channel INTEGER NOT NULL, detail TEXT NOT NULL);
"""
_SINCE_2: Final = """
CREATE TABLE fast (register INTEGER NOT NULL, time_s INTEGER NOT NULL, raw INTEGER NOT NULL, quality INTEGER NOT NULL,
                   PRIMARY KEY (register, time_s)) WITHOUT ROWID;
CREATE INDEX fast_by_time ON fast (time_s);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, row BLOB NOT NULL);
"""
_MOST_AT_ONCE: Final = 512
# One look at the key for each slot there is and one for the register in it: the table is ordered by time alone.
_SLOTS: Final = """
WITH RECURSIVE slots (slot) AS (
    SELECT min(slot) FROM spool WHERE slot >= :from
    UNION ALL
    SELECT (SELECT min(slot) FROM spool WHERE slot > slots.slot) FROM slots WHERE slots.slot < :to
)
SELECT spool.slot, spool.raw, spool.quality FROM slots CROSS JOIN spool
WHERE spool.slot = slots.slot AND spool.register = :register AND slots.slot <= :to ORDER BY spool.slot
"""


class BoundRow(msgspec.Struct, kw_only=True):
    """A meter of the white list as it is kept; ``keys`` are sealed."""

    address: str
    channel: int
    link: str
    security: str
    primary: int | None
    keys: list[bytes]
    key_status: int
    heard_s: float = 0.0
    kind: int | None = None

    @property
    def meter(self) -> Address:
        """The address as octets tell it."""
        return Address.from_radio(bytes.fromhex(self.address))


class Spool(OwnFile):
    """The file. ``limit_octets`` bounds what is kept of readings; StoreError where the disk or the file refuses."""

    def __init__(self, path: Path | str, *, limit_octets: int = 64 << 20) -> None:
        super().__init__(path, kind="spool", schema=(_SCHEMA, _SINCE_2))
        self._limit = limit_octets
        self._registers: dict[tuple[str, Obis], tuple[int, int, int]] = {}
        self._load()

    def _load(self) -> None:
        rows = self._all("SELECT id, meter, obis, scaler, unit FROM registers")
        self._registers = {
            (meter, Obis.parse(code)): (number, scaler, unit) for number, meter, code, scaler, unit in rows
        }

    def _undone(self) -> None:
        self._load()

    # -- white list, formats --------------------------------------------------------------------------------

    def meters(self) -> list[BoundRow]:
        """The white list."""
        return [
            msgspec.msgpack.decode(row, type=BoundRow)
            for (row,) in self._all("SELECT row FROM meters ORDER BY channel")
        ]

    def keep_meter(self, meter: Bound, sealed: list[bytes]) -> None:
        """Add or change a meter of the white list."""
        row = BoundRow(
            address=meter.address.to_radio().hex(),
            channel=meter.channel,
            link=meter.link,
            security=meter.security.name,
            primary=meter.primary,
            keys=sealed,
            key_status=meter.key_status,
            heard_s=meter.heard_s,
            kind=meter.kind,
        )
        self._run("INSERT OR REPLACE INTO meters VALUES (?, ?)", (meter.channel, msgspec.msgpack.encode(row)))

    def drop_meter(self, channel: int) -> None:
        """Take a meter off the white list; its readings stay until their time is over."""
        self._run("DELETE FROM meters WHERE channel = ?", (channel,))

    def formats(self) -> dict[int, bytes]:
        """The record formats learnt so far."""
        return dict(self._all("SELECT code, heads FROM formats"))

    def keep_formats(self, formats: dict[int, bytes]) -> None:
        """Keep formats that were learnt."""
        self._many("INSERT OR IGNORE INTO formats VALUES (?, ?)", formats.items())

    # -- readings ---------------------------------------------------------------------------------------------

    def register(self, meter: Address, obis: Obis, *, scaler: int, unit: int) -> tuple[int, int, int]:
        """(number, scaler, unit) of a register; scaler and unit are fixed by the first value it ever had."""
        key = (str(meter), obis)
        found = self._registers.get(key)
        if found is None:
            cursor = self._run(
                "INSERT INTO registers (meter, obis, scaler, unit) VALUES (?, ?, ?, ?)", (*_named(key), scaler, unit)
            )
            found = self._registers[key] = (int(cursor.lastrowid or 0), scaler, unit)
        return found

    def known(self, meter: Address) -> dict[Obis, tuple[int, int, int]]:
        """The registers a meter was ever heard to have: (number, scaler, unit) by code."""
        name = str(meter)
        return {obis: row for (of, obis), row in self._registers.items() if of == name}

    def add(self, rows: Iterable[tuple[int, int, int, int]]) -> int:
        """Readings as (register, slot, raw, quality); one that is there already stays as it is. How many were new."""
        wide = [(slot, register, raw, quality) for register, slot, raw, quality in rows]
        return self._many("INSERT OR IGNORE INTO spool VALUES (?, ?, ?, ?)", wide)

    def rows(self, register: int, from_s: float, to_s: float) -> list[Row]:
        """The readings of a register within [from, to], the oldest first."""
        first, last = whole_seconds(from_s, to_s)
        found = self._all(_SLOTS, {"from": first, "to": last, "register": register})
        return [Row(*row) for row in found]

    def slots_after(self, slot_s: int, rows: int) -> list[tuple[int, str, Obis, Row]]:
        """The readings of whole slots after one: number of the register, meter, code, reading; about ``rows`` of them.

        Ordered by slot.
        """
        last = self._all("SELECT slot FROM spool WHERE slot > ? ORDER BY slot LIMIT 1 OFFSET ?", (slot_s, rows))
        found = self._all(
            "SELECT register, slot, raw, quality FROM spool WHERE slot > ? AND slot <= ? ORDER BY slot, register",
            (slot_s, last[0][0] if last else 1 << 62),
        )
        names = {number: key for key, (number, _, _) in self._registers.items()}
        return [(number, *names[number], Row(*row)) for number, *row in found if number in names]

    def keep_latest(self, values: Iterable[tuple[int, Mirrored]]) -> None:
        """What the mirror shows, to be there again after a restart."""
        rows = [(msgspec.msgpack.encode(tuple(value)[1:]), register) for register, value in values]
        self._many("UPDATE registers SET latest = ? WHERE id = ?", rows)

    def latest(self, meter: Address) -> list[Mirrored]:
        """What the mirror showed last."""
        rows = self._all("SELECT obis, latest FROM registers WHERE meter = ? AND latest NOTNULL", (str(meter),))
        return [Mirrored(Obis.parse(code), *msgspec.msgpack.decode(row)) for code, row in rows]

    @property
    def octets(self) -> int:
        """How much of the file is in use."""
        pages, free, size = (
            self._all(f"PRAGMA {word}")[0][0] for word in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def trim(self) -> int:
        """Delete the oldest while the file is beyond its limit; how many readings that cost, now.

        Those at a case's own period go before any of the hours, which are billed by.
        """
        lost = 0
        while self.octets > self._limit:
            gone = self._run(
                "DELETE FROM fast WHERE time_s <= (SELECT max(time_s) FROM"
                " (SELECT time_s FROM fast ORDER BY time_s LIMIT ?))",
                (_MOST_AT_ONCE,),
            ).rowcount
            if gone <= 0:
                gone = self._run("DELETE FROM spool WHERE slot = (SELECT min(slot) FROM spool)").rowcount
            if gone <= 0:
                break
            lost += gone
        if lost:
            self.keep_counter("dropped", self.counter("dropped") + lost)
        return lost

    def forget_before(self, slot_s: float, fast_s: float = 0.0) -> None:
        """Delete readings that are older than they are to be kept, those at a case's own period by ``fast_s``."""
        self._run("DELETE FROM spool WHERE slot < ?", (int(slot_s),))
        self._run("DELETE FROM fast WHERE time_s < ?", (int(fast_s),))

    def add_fast(self, rows: Iterable[tuple[int, int, int, int]]) -> None:
        """Readings at a case's own period, as (register, time, raw, quality)."""
        self._many("INSERT OR IGNORE INTO fast VALUES (?, ?, ?, ?)", rows)

    def fast_rows(self, register: int, from_s: float, to_s: float) -> list[Row]:
        """Those of a register within [from, to], the oldest first."""
        found = self._all(
            "SELECT time_s, raw, quality FROM fast WHERE register = ? AND time_s >= ? AND time_s <= ? ORDER BY time_s",
            (register, *whole_seconds(from_s, to_s)),
        )
        return [Row(*row) for row in found]

    @property
    def dropped(self) -> int:
        """How many readings were ever deleted for want of room."""
        return self.counter("dropped")

    # -- outbox ---------------------------------------------------------------------------------------------

    def put_out(self, row: bytes) -> int:
        """Add something that is to be told; its number, which only rises."""
        return int(self._run("INSERT INTO outbox (row) VALUES (?)", (row,)).lastrowid or 0)

    def to_tell(self, limit: int = 1) -> list[tuple[int, bytes]]:
        """What is to be told next: numbers and rows, the oldest first."""
        return [
            (int(number), bytes(row))
            for number, row in self._all("SELECT id, row FROM outbox ORDER BY id LIMIT ?", (limit,))
        ]

    def was_told(self, number: int) -> None:
        """Somebody took it."""
        self._run("DELETE FROM outbox WHERE id = ?", (number,))

    def trim_outbox(self, most: int) -> int:
        """Delete the oldest beyond so many; how many that were."""
        return max(
            self._run(
                "DELETE FROM outbox WHERE id NOT IN (SELECT id FROM outbox ORDER BY id DESC LIMIT ?)", (most,)
            ).rowcount,
            0,
        )

    # -- orders, events ---------------------------------------------------------------------------------------

    def keep_orders(self, orders: Iterable[Order]) -> None:
        """Keep orders as they stand; closed ones are kept for a while."""
        rows = [(order.number, msgspec.msgpack.encode(order)) for order in orders]
        self._many("INSERT OR REPLACE INTO orders VALUES (?, ?)", rows)
        self._run("DELETE FROM orders WHERE number < (SELECT max(number) FROM orders) - 256")

    def orders(self) -> list[Order]:
        """The orders that were kept."""
        found = self._all("SELECT row FROM orders ORDER BY number")
        return [msgspec.msgpack.decode(row, type=Order) for (row,) in found]

    def add_events(self, events: Iterable[Event]) -> None:
        """Log events; the oldest are forgotten beyond ten thousand."""
        rows = [(event.time_s, int(event.code), event.channel, event.detail) for event in events]
        self._many("INSERT INTO events (time_s, code, channel, detail) VALUES (?, ?, ?, ?)", rows)
        self._run("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (_EVENTS_KEPT,))

    def events_after(self, number: int, limit: int = 1000) -> list[tuple[int, Event]]:
        """The events after a number, in the order they came."""
        rows = self._all(
            "SELECT id, time_s, code, channel, detail FROM events WHERE id > ? ORDER BY id LIMIT ?", (number, limit)
        )
        return [(row[0], Event.of(*row[1:])) for row in rows]

    def events(
        self, *, channel: int | None = None, from_s: float = 0.0, to_s: float = 1e12, limit: int = 500
    ) -> list[Event]:
        """The last events of a channel or of all, the oldest first."""
        rows = self._all(
            "SELECT time_s, code, channel, detail FROM events WHERE time_s >= ? AND time_s <= ?"
            " AND (? IS NULL OR channel = ?) ORDER BY id DESC LIMIT ?",
            (from_s, to_s, channel, channel, limit),
        )
        return [Event.of(*row) for row in reversed(rows)]


def _named(key: tuple[str, Obis]) -> tuple[str, str]:
    return key[0], str(key[1])
