"""The table of interval blocks: one row per day, device, series and revision.

A block that is stored again unchanged changes nothing; a changed one becomes the next revision, and the old one
stays. Only a day that is still going on may be continued in its newest revision (``NewBlock.continues``). ``series``
tells apart the recordings of one device (0 for its main load profile). Ranges are half open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meterway.base.errors import StoreError
from meterway.store.block import DAY_S, Block, Flags
from meterway.store.devices import DIRECT
from meterway.store.driver import Row
from meterway.store.packing import Packed, unpacker
from meterway.store.session import Session

__all__ = ["Blocks", "DayCount", "NewBlock", "StoredBlock", "Upserted"]

_COLUMNS: Final = (
    "day, device, series, revision, start_s, interval_s, channels, slots, count, sums, digest,"
    " stored_ms, evidence, octets"
)
_INSERT: Final = (
    f"INSERT INTO interval_block ({_COLUMNS}) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT DO NOTHING"
)
_REVISE: Final = (
    f"INSERT INTO interval_block ({_COLUMNS})"  # noqa: S608
    " SELECT ?, ?, ?, newest.revision + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM"
    " (SELECT revision, digest FROM interval_block WHERE day = ? AND device = ? AND series = ?"
    "  ORDER BY revision DESC LIMIT 1) AS newest WHERE newest.digest <> ?"
)
# Whoever saw the newest revision may fill more of its slots in place; the digest says that it still is what was seen.
_GROW: Final = (
    "UPDATE interval_block SET start_s = ?, interval_s = ?, channels = ?, slots = ?, count = ?, sums = ?, digest = ?,"
    " stored_ms = ?, evidence = ?, octets = ?"
    " WHERE day = ? AND device = ? AND series = ? AND digest = ? AND count < ? AND revision ="
    " (SELECT max(r.revision) FROM interval_block r WHERE r.day = ? AND r.device = ? AND r.series = ?)"
)
# The key begins with the day, so that a day's collection is written in one place; a range is looked up day by day.
_DAYS: Final = (
    "WITH RECURSIVE span(day) AS"
    " (SELECT CAST(:first AS INTEGER) UNION ALL SELECT day + 1 FROM span WHERE day + 1 < :end)"
)
_NEWEST: Final = (
    " b.revision = (SELECT max(r.revision) FROM interval_block r"
    " WHERE r.day = b.day AND r.device = b.device AND r.series = b.series)"
)
_RANGE: Final = (
    f"{_DAYS} SELECT b.day, b.revision, b.digest, b.stored_ms, b.evidence, b.octets"  # noqa: S608
    " FROM span CROSS JOIN interval_block b"
    f" WHERE b.day = span.day AND b.device = :device AND b.series = :series AND{_NEWEST} ORDER BY b.day"
)
_HISTORY: Final = (
    "SELECT day, revision, digest, stored_ms, evidence, octets FROM interval_block"
    " WHERE day = :day AND device = :device AND series = :series ORDER BY revision"
)
_PRESENCE: Final = (
    f"{_DAYS} SELECT b.day, b.revision, b.digest, b.start_s, b.interval_s, b.slots,"  # noqa: S608
    " CASE WHEN b.count < b.slots * b.channels THEN b.octets END FROM span CROSS JOIN interval_block b"
    f" WHERE b.day = span.day AND b.device = :device AND b.series = :series AND{_NEWEST}"
)
_COUNTS: Final = (
    "SELECT b.day, count(*), sum(b.count), sum(b.channels * (86400 / b.interval_s)) FROM interval_block b"  # noqa: S608
    f" WHERE b.day >= :first AND b.day < :end AND b.series = :series AND{_NEWEST}"
    f" AND b.device IN (SELECT id FROM device WHERE {DIRECT}) GROUP BY b.day ORDER BY b.day"
)
_COUNTS_ALONE: Final = _COUNTS.replace("GROUP BY", "AND b.device NOT IN (SELECT device FROM node) GROUP BY")
_BY_NNAP: Final = (
    "SELECT n.nnap, count(*), sum(b.count), sum(b.channels * (86400 / b.interval_s)) FROM interval_block b"  # noqa: S608
    f" JOIN node n ON n.device = b.device WHERE b.day = :day AND b.series = :series AND{_NEWEST}"
    f" AND b.device IN (SELECT id FROM device WHERE {DIRECT}) GROUP BY n.nnap"
)
_LONGEST_DAYS: Final = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBlock:
    """A packed block on its way into the store; ``evidence`` says what it came from.

    ``continues`` is the digest of the stored block that this one only adds slots to (see ``block.continues``): it then
    takes that block's place instead of becoming a revision. If the newest revision is another by now, it becomes one.
    """

    device: int
    packed: Packed
    series: int = 0
    evidence: bytes = b""
    continues: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """What became of the blocks given: first of their day, a new revision, known already, or continued in place."""

    new: int
    revised: int
    unchanged: int
    grown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """A block as it was found, with its provenance."""

    day: int
    device: int
    series: int
    revision: int
    stored_ms: int
    evidence: bytes
    digest: bytes
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How full one day is, over all devices that have a block of it: values present, values of a full day."""

    day: int
    devices: int
    present: int
    expected: int


class Blocks:
    """Interval blocks of all devices."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert_many(self, blocks: Sequence[NewBlock], *, now_ms: int) -> Upserted:
        """Store all of them in one transaction; doing it again changes nothing. StoreError for an unknown device."""
        rows = [_row(block, now_ms) for block in blocks]
        growing = [
            (*row[3:], *row[:3], block.continues, row[7], *row[:3])
            for block, row in zip(blocks, rows, strict=True)
            if block.continues
        ]
        return self._session.retried(lambda: self._upsert(rows, growing))

    def _upsert(self, rows: list[Row], growing: list[Row]) -> Upserted:
        grown = self._session.write_many(_GROW, growing) if growing else 0
        new = self._session.write_many(_INSERT, rows) if grown < len(rows) else 0
        revised = 0
        if grown + new < len(rows):
            revised = self._session.write_many(_REVISE, [(*row, *row[:3], row[9]) for row in rows])
        return Upserted(new=new, revised=revised, unchanged=len(rows) - new - revised - grown, grown=grown)

    def read_range(self, device: int, from_day: int, to_day: int, *, series: int = 0) -> list[StoredBlock]:
        """The newest revision of each day from ``from_day`` to before ``to_day``, by day.

        StoreError names the row that is damaged.
        """
        if not _span(from_day, to_day):
            return []
        rows = self._session.read(_RANGE, {"device": device, "series": series, "first": from_day, "end": to_day})
        return _stored(rows, device, series)

    def history(self, device: int, day: int, *, series: int = 0) -> list[StoredBlock]:
        """All revisions of one day, the oldest first."""
        return _stored(self._session.read(_HISTORY, {"device": device, "series": series, "day": day}), device, series)

    def completeness(self, from_day: int, to_day: int, *, series: int = 0, alone: bool = False) -> list[DayCount]:
        """How full each day is over all meters that answer for themselves; days without any block are left out.

        Meters behind a gateway have what it heard since they were coupled. ``alone`` leaves out those on a
        neighbourhood network.
        """
        query = _COUNTS_ALONE if alone else _COUNTS
        rows = self._session.read(query, {"first": from_day, "end": to_day, "series": series})
        return [
            DayCount(day=day, devices=count, present=int(got), expected=int(full)) for day, count, got, full in rows
        ]

    def completeness_by_nnap(self, day: int, *, series: int = 0) -> dict[int, DayCount]:
        """How full a day is over the meters of each concentrator, by its device id; those without a block left out."""
        rows = self._session.read(_BY_NNAP, {"day": day, "series": series})
        return {
            int(nnap): DayCount(day=day, devices=count, present=int(got), expected=int(full))
            for nnap, count, got, full in rows
        }

    def gaps(self, device: int, from_s: int, to_s: int, *, interval_s: int, series: int = 0) -> list[tuple[int, int]]:
        """The slices ``(from_s, to_s)`` of a range in which a slot is missing in any channel, in order.

        Slots are those multiples of ``interval_s`` after ``from_s`` that lie before ``to_s``. A slice's end is the
        first slot that is there again (or ``to_s``). Blocks that are not on this grid fill nothing.
        """
        slots = -(-(to_s - from_s) // interval_s)
        if slots <= 0 or not _span(from_s // DAY_S, -(-to_s // DAY_S)):
            return []
        have = np.zeros(slots, np.bool_)
        query = {"device": device, "series": series, "first": from_s // DAY_S - 1, "end": -(-to_s // DAY_S)}
        unpack = unpacker()
        for day, revision, digest, start_s, interval, count, octets in self._session.read(_PRESENCE, query):
            if interval != interval_s or (start_s - from_s) % interval_s:
                continue
            filled = np.ones(count, np.bool_)
            if octets is not None:
                with _Naming(day, device, series, revision):
                    channels = unpack(octets, digest).channels
                filled = np.logical_and.reduce([channel.present for channel in channels])
            _lay(have, filled, (start_s - from_s) // interval_s)
        edges = np.flatnonzero(np.diff(np.concatenate(([True], have, [True])).astype(np.int8)))
        limits = np.minimum(from_s + edges * interval_s, to_s).tolist()
        return list(zip(limits[::2], limits[1::2], strict=True))


def _lay(have: Flags, filled: Flags, at: int) -> None:
    low, high = max(at, 0), min(at + len(filled), len(have))
    if low < high:
        have[low:high] |= filled[low - at : high - at]


def _span(from_day: int, to_day: int) -> bool:
    if to_day - from_day > _LONGEST_DAYS:
        raise StoreError(f"a range of {to_day - from_day} days is more than the {_LONGEST_DAYS} that can be asked for")
    return to_day > from_day


def _row(block: NewBlock, now_ms: int) -> Row:
    packed = block.packed
    return (
        packed.start_s // DAY_S,
        block.device,
        block.series,
        packed.start_s,
        packed.interval_s,
        packed.channels,
        packed.slots,
        packed.count,
        f"[{','.join(map(str, packed.sums))}]",
        packed.digest,
        now_ms,
        block.evidence,
        packed.octets,
    )


def _stored(rows: list[Row], device: int, series: int) -> list[StoredBlock]:
    unpack = unpacker()
    found = []
    for day, revision, digest, stored_ms, evidence, octets in rows:
        with _Naming(day, device, series, revision):
            block = unpack(octets, digest)
        found.append(
            StoredBlock(
                day=day,
                device=device,
                series=series,
                revision=revision,
                stored_ms=stored_ms,
                evidence=evidence,
                digest=bytes(digest),
                block=block,
            )
        )
    return found


class _Naming:
    """Puts the row before what a StoreError inside says."""

    __slots__ = ("_row",)

    def __init__(self, *row: int) -> None:
        self._row = row

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        if isinstance(error, StoreError):
            day, device, series, revision = self._row
            raise StoreError(
                f"interval_block of day {day}, device {device}, series {series}, revision {revision}: {error}"
            ) from error
