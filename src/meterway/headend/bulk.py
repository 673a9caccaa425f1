"""Bulk reports of concentrators (G2) into the store: each once, whole or not at all, acknowledged when on disk."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np

from meterway.base.errors import ConfigError, DecodeError, SecurityError
from meterway.base.obis import Obis
from meterway.headend.bulk_topology import rows_of
from meterway.headend.coupling import CLAIMED, LOG
from meterway.headend.decode import ProfileRows, blocks_of
from meterway.headend.fleet import Fleet
from meterway.headend.hearers import Hearers, is_heard
from meterway.headend.laying import Part, laid
from meterway.headend.layout import Channel
from meterway.headend.neighbourhood import Neighbourhood
from meterway.headend.plan import LOAD_PROFILE
from meterway.headend.rules import load_profile_of
from meterway.headend.watch import alarm_rows, balance_days, reported_alarms, reported_balances
from meterway.model.report import Receipt, Report, Series
from meterway.store.block import Block, merged
from meterway.store.contacts import Contact
from meterway.store.database import Store
from meterway.store.devices import Device
from meterway.store.events import Event
from meterway.store.readings import Reading

__all__ = ["Bulk", "BulkError", "Delivered"]

_REGISTERS: Final = frozenset((3, 4, 5))
_AHEAD_S: Final = 120
_DAY_S: Final = 86400
_TOP: Final = (1 << 63) - 1
_DEEPEST: Final = 8
_HISTORY: Final = 5000


class BulkError(ConfigError):
    """A report that cannot be taken; the message names field and place, ``is_conflict`` an id used for another.

    ``report`` is the id of a report whose sender is proven.
    """

    def __init__(self, message: str, *, is_conflict: bool = False) -> None:
        super().__init__(message)
        self.is_conflict = is_conflict
        self.report = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a report: the receipt, values stored, rows refused (ahead of now), what became known of nodes."""

    receipt: Receipt
    nnap: str
    values: int = 0
    refused: int = 0
    changes: tuple[str, ...] = ()


class Bulk:
    """Stores reports; called in the thread that writes. One transaction a report."""

    def __init__(self, store: Store, fleet: Fleet, neighbourhood: Neighbourhood) -> None:
        self._store = store
        self._fleet = fleet
        self._neighbourhood = neighbourhood
        self._hearers = Hearers(store)

    def store(self, report: Report, sender: str, *, octets: int, now_s: float | None = None) -> Delivered:
        """Take a report that ``sender`` (a concentrator's serial, proven) delivered; its receipt says it is on disk.

        SecurityError if it is in another's name; BulkError for a meter, a value or a code that makes no sense: nothing
        of the report is stored then. StoreError if the store refuses.
        """
        now = time.time() if now_s is None else now_s
        if report.nnap != sender:
            raise SecurityError(f"nnap: a report of {report.nnap!r} that {sender!r} delivers", "title")
        nnap = self._store.devices.find(sender)
        if nnap is None:
            raise BulkError(f"nnap: {sender!r} is not in the registry")
        try:
            return self._store_of(nnap, report, octets, now)
        except DecodeError as error:
            refused = BulkError(str(error))
        except BulkError as error:
            refused = error
        refused.report = report.id
        raise refused

    def _store_of(self, nnap: Device, report: Report, octets: int, now: float) -> Delivered:
        _check_title("system_title", nnap, report.system_title)
        _check_time("created", report.created, int(now))
        digest = sha256(msgspec.json.encode(report)).digest()
        with self._store.transaction():
            if not self._store.reports.take(nnap.id, report.id, digest, now_ms=int(now * 1000)):
                return self._again(nnap, report, digest)
            delivered = self._take(nnap, report, now)
            self._contact(nnap, report, delivered, octets=octets, now=now)
        return delivered

    def _again(self, nnap: Device, report: Report, digest: bytes) -> Delivered:
        if self._store.reports.digest(nnap.id, report.id) != digest:
            raise BulkError(f"id: {report.id} was another report of {nnap.serial}", is_conflict=True)
        return Delivered(Receipt(id=report.id, result="duplicate"), nnap.serial)

    def _take(self, nnap: Device, report: Report, now: float) -> Delivered:
        now_ms = int(now * 1000)
        changes = self._topology(nnap, report, now_ms)
        _check_watch(report, int(now))
        evidence = msgspec.json.encode({"source": "bulk", "nnap": nnap.serial, "report": report.id})
        blocks: dict[tuple[int, int], Block] = {}
        readings: list[Reading] = []
        values = refused = 0
        heard: dict[int, int] = {}
        for index, series in enumerate(report.meters):
            place = f"meters[{index}]"
            device = self._meter(nnap, place, series.serial, series.system_title)
            obis = _obis(f"{place}.profile", series.profile)
            is_load = _is_load(obis, series.period_s)
            for rows in _tables(place, series, now + _AHEAD_S):
                refused += rows.refused
                values += int(rows.values.size)
                readings += self._rows(device.id, rows, series.period_s if is_load else 0, blocks, evidence)
            heard[device.id] = max([heard.get(device.id, 0), *(at for at in series.times if at <= now)])
        parts = [
            Part(device, block, evidence, fills_only=self._is_anothers(device, nnap.id))
            for (device, _), block in blocks.items()
        ]
        self._store.blocks.upsert_many(list(laid(self._store, parts)), now_ms=now_ms)
        self._store.readings.add_many(readings, now_ms=now_ms)
        self._store.events.add_many(list(self._events(nnap, report, now_ms)))
        self._store.balances.put_many(balance_days(nnap.id, reported_balances(report)))
        self._store.alarms.put_many(alarm_rows(nnap.id, reported_alarms(report)))
        self._store.devices.seen([(device, at * 1000) for device, at in heard.items() if at])
        receipt = Receipt(id=report.id, result="stored")
        return Delivered(receipt, nnap.serial, values, refused, tuple(changes))

    def _topology(self, nnap: Device, report: Report, now_ms: int) -> list[str]:
        """Follow the nodes, unless something newer was heard of them."""
        known = self._store.nodes.of_nnap(nnap.id)
        if not report.topology or any(node.changed_ms > report.created * 1000 for node in known):
            return []
        for index, one in enumerate(report.topology):
            for name, at in (("heard", one.heard), ("joined", one.joined)):
                _check_time(f"topology[{index}].{name}", at, now_ms // 1000)
        saps = {node.eui: node.sap for node in known}
        return self._neighbourhood.settle(nnap, rows_of(report, saps), now_ms=min(now_ms, report.created * 1000))

    def _meter(self, nnap: Device, place: str, serial: str, title: str) -> Device:
        """The device, which must be, or have been, behind the sender."""
        device = self._store.devices.find(serial)
        if device is None:
            raise BulkError(f"{place}.serial: {serial!r} is not in the registry")
        told = (nnap.serial in {one.serial for one in self._hearers.of(device.id)}, self._is_behind(device, nnap.id))
        if not (any(told) or self._was_behind(device, nnap.serial)):
            raise BulkError(f"{place}.serial: {serial!r} is not behind {nnap.serial}")
        _check_title(f"{place}.system_title", device, title)
        return device

    def _is_anothers(self, device: int, nnap: int) -> bool:
        """Whether another concentrator hears this meter better: what this one heard fills gaps and corrects nothing."""
        node = self._store.nodes.find(device)
        return node is not None and is_heard(node) and node.nnap != nnap

    def _is_behind(self, device: Device, nnap: int) -> bool:
        at = device
        for _ in range(_DEEPEST):
            if at.id == nnap:
                return True
            if at.parent is None:
                return False
            at = self._store.devices.get(at.parent)
        return False

    def _was_behind(self, device: Device, serial: str) -> bool:
        told = self._store.events.of_device(device.id, limit=_HISTORY)
        return any(event.log == LOG and event.code != CLAIMED and serial in event.detail.split() for event in told)

    def _rows(
        self, device: int, rows: ProfileRows, period_s: int, blocks: dict[tuple[int, int], Block], evidence: bytes
    ) -> list[Reading]:
        """Rows on the grid into blocks, the others as readings."""
        if not rows.channels or not rows.times_s.size:
            return []
        off = np.ones(rows.times_s.shape, np.bool_)
        if period_s:
            found, on_grid = blocks_of(rows, period_s)
            for block in found:
                key = (device, block.day)
                before = blocks.get(key)
                if before is not None and before.interval_s != block.interval_s:
                    raise BulkError("meters: two periods of one meter and day in one report")
                blocks[key] = block if before is None else merged(before, block)
            off = ~on_grid
        return [
            Reading(
                device=device,
                obis=Obis.parse(channel.obis),
                time_ms=int(at) * 1000,
                value=int(value),
                scaler=channel.scaler,
                unit=channel.unit,
                quality=int(quality),
                evidence=evidence,
            )
            for channel, row in zip(rows.channels, rows.values, strict=True)
            for at, value, quality in zip(rows.times_s[off], row[off], rows.status[off], strict=True)
        ]

    def _events(self, nnap: Device, report: Report, now_ms: int) -> Iterator[Event]:
        for index, one in enumerate(report.events):
            place = f"events[{index}]"
            device = self._meter(nnap, place, one.serial, one.system_title)
            log = str(_obis(f"{place}.log", one.log))
            _check_time(f"{place}.time", one.time, now_ms // 1000)
            yield Event(
                device=device.id, log=log, code=one.code, time_ms=one.time * 1000, received_ms=now_ms, source="bulk",
                detail=one.text,
            )  # fmt: skip

    def _contact(self, nnap: Device, report: Report, done: Delivered, *, octets: int, now: float) -> None:
        detail = {"report": report.id, "meters": len(report.meters), "refused_rows": done.refused}
        self._store.contacts.add(
            Contact(
                device=nnap.id, kind="bulk", started_ms=int(now * 1000), duration_us=0, result="ok", octets_in=octets,
                values_read=done.values, detail=msgspec.json.encode(detail).decode(),
            )
        )  # fmt: skip
        self._store.devices.seen([(nnap.id, int(now * 1000))])


def _is_load(obis: Obis, period_s: int) -> bool:
    return load_profile_of((obis,), LOAD_PROFILE) == obis and 0 < period_s <= _DAY_S and _DAY_S % period_s == 0


def _check_time(place: str, at: int, now_s: int) -> None:
    if at > now_s + _AHEAD_S:
        raise BulkError(f"{place}: {at} is {at - now_s} s ahead")


def _check_watch(report: Report, now_s: int) -> None:
    """Balances and alarms: of days that are days, and of no time to come."""
    for index, one in enumerate(report.balances):
        place = f"balances[{index}]"
        if one.day % _DAY_S:
            raise BulkError(f"{place}.day: {one.day} is not the begin of a day")
        if one.complete > one.intervals:
            raise BulkError(f"{place}.complete: {one.complete} of {one.intervals} intervals")
        _check_time(f"{place}.day", one.day, now_s)
        _check_time(f"{place}.judged", one.judged, now_s)
    for index, alarm in enumerate(report.alarms):
        _check_time(f"alarms[{index}].raised", alarm.raised, now_s)
        _check_time(f"alarms[{index}].cleared", alarm.cleared, now_s)


def _check_title(place: str, device: Device, title: str) -> None:
    """The title is the device's, or zeros: who delivers does not know it."""
    if not title.strip("0"):
        return
    if device.system_title and device.system_title.hex() != title:
        raise BulkError(f"{place}: {title} is not that of {device.serial}")


def _obis(place: str, text: str) -> Obis:
    try:
        return Obis.parse(text)
    except ConfigError as error:
        raise BulkError(f"{place}: {error}") from None


def _tables(place: str, series: Series, latest_s: float) -> Iterator[ProfileRows]:
    """The quantities of a series as columns: one table for the rows that have all, one for each set that some lack."""
    channels = [
        (index, Channel(index, str(_obis(f"{place}.columns[{index}].obis", one.obis)), one.scaler, one.unit))
        for index, one in enumerate(series.columns)
        if one.class_id in _REGISTERS and one.attribute == 2
    ]
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    refused = 0
    for row, at in enumerate(series.times):
        if at > latest_s:
            refused += 1
            continue
        groups[tuple(index for index, _ in channels if series.values[index][row] is not None)].append(row)
    for has, rows in groups.items():
        numbers = [
            [_whole(f"{place}.values[{index}][{row}]", series.values[index][row]) for row in rows] for index in has
        ]
        yield ProfileRows(
            np.array([series.times[row] for row in rows], np.int64),
            np.array([series.status[row] if series.status else 0 for row in rows], np.uint8),
            np.array(numbers, np.int64).reshape(len(has), len(rows)),
            tuple(channel for index, channel in channels if index in has),
        )
    if refused:
        empty = np.zeros(0, np.int64)
        yield ProfileRows(empty, empty.astype(np.uint8), np.zeros((0, 0), np.int64), (), refused)


def _whole(place: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -_TOP <= value <= _TOP:
        return value
    raise BulkError(f"{place}: a whole number of at most 63 bits is wanted")
