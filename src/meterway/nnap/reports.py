"""Bulk reports (G2): what came since the last one, put together in the order it came, and kept until acknowledged.

Building a report, marking its rows as reported and putting it into the spool is one transaction: no row is in no report
and none is in two. A report that is sent twice has the same id.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
import zstandard

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.alarms import Alarm as Told
from meterway.mapping.alarms import AlarmKind, decode_alarms
from meterway.mapping.neighbourhood import NodeRole, NodeState
from meterway.mapping.transformer import DayBalance, Verdict
from meterway.model.report import Alarm, Balance, Column, Missing, Node, Raw, Report, ReportEvent, Series, encode_report
from meterway.nnap.collector import News
from meterway.nnap.events import Code
from meterway.nnap.ledger import columns_of
from meterway.nnap.node import Node as KnownNode
from meterway.nnap.site import Site
from meterway.nnap.store import Shape, StoredRow
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import CaptureObject, ScalerUnit
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["Compression", "Form", "Reporter", "compressed"]

Form = Literal["json", "xml"]
Compression = Literal["gzip", "zstd", "none"]
_SCALER_AT: Final = {3: 3, 4: 3, 5: 4}
_MOST_CODE: Final = 0xFFFF
_LOGS: Final = (Obis(0, 0, 99, 98, 0), Obis(0, 0, 99, 98, 1))
_STATES: Final[dict[NodeState, Literal["member", "away", "proposed", "cascade", "heard"]]] = {
    NodeState.MEMBER: "member",
    NodeState.AWAY: "away",
    NodeState.PROPOSED: "proposed",
    NodeState.CASCADE: "cascade",
    NodeState.HEARD: "heard",
}
_KINDS: Final[
    dict[AlarmKind, Literal["lost", "flapping", "branch", "stranger", "medium", "completeness", "balance"]]
] = {
    AlarmKind.LOST: "lost",
    AlarmKind.FLAPPING: "flapping",
    AlarmKind.BRANCH: "branch",
    AlarmKind.STRANGER: "stranger",
    AlarmKind.MEDIUM: "medium",
    AlarmKind.COMPLETENESS: "completeness",
    AlarmKind.BALANCE: "balance",
}
_VERDICTS: Final[dict[Verdict, Literal["open", "within", "beyond"]]] = {
    Verdict.OPEN: "open",
    Verdict.WITHIN: "within",
    Verdict.BEYOND: "beyond",
}


_ROLES: Final[dict[NodeRole, Literal["meter", "supervision", "gateway", "nnap", "home"]]] = {
    NodeRole.METER: "meter",
    NodeRole.SUPERVISION: "supervision",
    NodeRole.GATEWAY: "gateway",
    NodeRole.NNAP: "nnap",
    NodeRole.HOME: "home",
}


def compressed(octets: bytes, compression: Compression) -> bytes:
    """The octets as they go over the line."""
    if compression == "gzip":
        return gzip.compress(octets, 6, mtime=0)
    return zstandard.compress(octets, 9) if compression == "zstd" else octets


class Reporter:
    """Builds the reports of a site. ``rows`` bounds how many rows one has."""

    def __init__(
        self, site: Site, *, form: Form = "json", compression: Compression = "gzip", rows: int = 20_000
    ) -> None:
        self._site = site
        self._form: Form = form
        self._compression: Compression = compression
        self._rows = rows
        self._now = 0.0

    def build(self, now: float) -> str:
        """Put a report of what is new into the spool; its id, empty if nothing is new. Durable when it returns."""
        site, store = self._site, self._site.ledger.store
        self._now = now
        site.ledger.flush(site.concentrator)
        with store.transaction():
            rows = store.rows_after(store.counter("reported-rows"), self._rows)
            events = store.events_after(store.counter("reported-events"))
            heard = self._heard()
            judged = store.balances_after(store.counter("reported-balances"))
            alarms = store.spooled_alarms("report")
            if not (rows or events or judged or alarms or heard.series or heard.events):
                store.keep_counter("reported-heard", heard.slot)
                store.keep_counter("reported-heard-events", heard.event)
                return ""
            number = store.counter("reports") + 1
            report = Report(
                id=f"{site.serial}-{number:08d}-{secrets.token_hex(6)}",
                nnap=site.serial,
                system_title=site.title(0).hex(),
                created=int(now),
                from_=store.counter("reported-until"),
                to=int(now),
                meters=[],
                events=[],
                topology=self._topology(),
            )
            meters, logged = self._meters(rows)
            own = [self._own_event(event.time_s, event.code, event.serial, event.detail) for _, event in events]
            report = msgspec.structs.replace(
                report,
                meters=[*meters, *heard.series],
                events=[*logged, *own, *heard.events],
                balances=[_balance(one) for _, one in judged],
                alarms=[_alarm(one) for _, octets in alarms for one in decode_alarms(octets)],
            )
            octets = encode_report(report, xml=self._form == "xml")
            store.add_report(report.id, compressed(octets, self._compression))
            store.keep_counter("reports", number)
            store.keep_counter("reported-until", int(now))
            store.keep_counter("reported-heard", heard.slot)
            store.keep_counter("reported-heard-events", heard.event)
            if rows:
                store.keep_counter("reported-rows", rows[-1].number)
            if events:
                store.keep_counter("reported-events", events[-1][0])
            if judged:
                store.keep_counter("reported-balances", judged[-1][0])
            if alarms:
                store.unspool_alarms("report", alarms[-1][0])
        return report.id

    def _heard(self) -> News:
        """What battery meters said; their file is another, and what was reported of it is kept with the report."""
        store, collector = self._site.ledger.store, self._site.collector
        slot, event = store.counter("reported-heard"), store.counter("reported-heard-events")
        return News([], [], slot, event) if collector is None else collector.news(slot, event, self._rows)

    def _own_event(self, time_s: float, code: int, serial: str, detail: str) -> ReportEvent:
        """An event of the concentrator; the node it is about stands in the text."""
        return ReportEvent(
            serial=self._site.serial,
            system_title=self._site.title(0).hex(),
            time=int(time_s),
            log=str(_LOGS[0]),
            code=int(code),
            text=f"{serial} {detail}".strip()[:200],
        )

    def _topology(self) -> list[Node]:
        return [
            Node(
                serial=row.serial or row.eui.hex(),
                system_title=(row.system_title or bytes(8)).hex(),
                eui=row.eui.hex(),
                address=row.address,
                state=_STATES[row.state],
                parent=row.parent.hex(),
                hops=row.hops,
                quality=min(row.quality, 100),
                heard=row.heard,
                joined=row.joined,
                role=_ROLES[row.role],
                name=row.name.hex(),
            )
            for row in self._site.node_rows()
        ]

    # -- rows -------------------------------------------------------------------------------------------------

    def _meters(self, rows: Iterable[StoredRow]) -> tuple[list[Series], list[ReportEvent]]:
        names = self._names()
        series: list[Series] = []
        events: list[ReportEvent] = []
        for (number, _, shape), found in self._grouped(rows).items():
            node = names.get(number)
            columns = () if shape is None else columns_of(shape.columns)
            if node is None or shape is None:
                self._refuse(node, found[0], f"{len(found)} rows of nothing that is known")
                continue
            found = [row for row in found if self._is_sound(node, row, columns)]
            found.sort(key=lambda row: row.time_s)
            if _is_log(columns):
                events += [_event(node, row) for row in found]
            elif found:
                series.append(self._series(node, number, shape.period_s, columns, found))
        return series, events

    def _grouped(self, rows: Iterable[StoredRow]) -> dict[tuple[int, Obis, Shape | None], list[StoredRow]]:
        """By node, and by profile and what that captured when they came."""
        shapes: dict[tuple[int, Obis], list[Shape]] = {}
        grouped: dict[tuple[int, Obis, Shape | None], list[StoredRow]] = {}
        for row in rows:
            place = (row.node, row.profile)
            if place not in shapes:
                shapes[place] = self._site.ledger.store.shapes(*place)[::-1]
            shape = next((one for one in shapes[place] if one.since <= row.number), None)
            grouped.setdefault((*place, shape), []).append(row)
        return grouped

    def _is_sound(self, node: KnownNode, row: StoredRow, columns: tuple[CaptureObject, ...]) -> bool:
        """Whether a row has what its columns say; one that has not is left out and logged with its place."""
        try:
            table = _fields(row.octets, len(columns))
            for place, column in enumerate(columns):
                value = table[place].value
                if _is_status(column) and not (value is None or isinstance(value, int)):
                    raise DecodeError(f"{column.obis}: a status is a number", place, "row")
                if _is_log(columns) and column != CLOCK_TIME and not _is_code(value):
                    raise DecodeError(f"{column.obis}: an event's code is a number up to 65535", place, "row")
        except DecodeError as error:
            self._refuse(node, row, str(error))
            return False
        return True

    def _refuse(self, node: KnownNode | None, row: StoredRow, reason: str) -> None:
        self._site.log(self._now, Code.ROW_REFUSED, node, f"{row.profile}, row {row.number}: {reason}")

    def _names(self) -> dict[int, KnownNode]:
        """Every node that has rows; one that was removed is still known by what was kept of it."""
        ledger = self._site.ledger
        names = {ledger.number(node): node for node in ledger.roll}
        names.update(ledger.gone_nodes())
        return names

    def _series(
        self, node: KnownNode, number: int, period_s: int, columns: tuple[CaptureObject, ...], rows: list[StoredRow]
    ) -> Series:
        table = [_fields(row.octets, len(columns)) for row in rows]
        status = next((place for place, column in enumerate(columns) if _is_status(column)), None)
        shown = [place for place, column in enumerate(columns) if column != CLOCK_TIME and place != status]
        marks = [] if status is None else [_number(row[status]) & 0xFF for row in table]
        return Series(
            serial=node.serial,
            system_title=(node.title or bytes(8)).hex(),
            profile=str(rows[0].profile),
            period_s=period_s,
            columns=[self._column(number, columns[place]) for place in shown],
            times=[row.time_s for row in rows],
            status=marks,
            values=[[_raw(row[place]) for row in table] for place in shown],
        )

    def _column(self, number: int, column: CaptureObject) -> Column:
        place = _SCALER_AT.get(column.class_id)
        unit: object = None
        if place is not None:
            item = AttributeDescriptor(column.class_id, column.obis, place)
            found = self._site.ledger.store.attribute(number, item)
            try:
                unit = None if found is None else typed(column.class_id, place, axdr.decode_all(found.octets))
            except DecodeError:
                unit = None
        scaler, code = (unit.scaler, unit.unit) if isinstance(unit, ScalerUnit) else (0, 255)
        return Column(
            class_id=column.class_id, obis=str(column.obis), attribute=column.attribute, scaler=scaler, unit=code
        )


def _balance(day: DayBalance) -> Balance:
    return Balance(
        day=day.day,
        revision=day.revision,
        judged=day.judged,
        period_s=day.period,
        intervals=day.intervals,
        complete=day.complete,
        given=day.given,
        taken=day.taken,
        low=day.low,
        high=day.high,
        verdict=_VERDICTS[day.verdict],
        lacking=day.lacking,
        missing=[Missing(serial=one.serial, intervals=one.intervals) for one in day.missing],
    )


def _alarm(alarm: Told) -> Alarm:
    return Alarm(
        kind=_KINDS[alarm.kind],
        subject=alarm.subject,
        raised=alarm.raised,
        cleared=alarm.cleared,
        count=alarm.count,
        text=alarm.text,
    )


def _is_status(column: CaptureObject) -> bool:
    return column.class_id == 1 and column.obis[2:4] == (96, 10)


def _is_log(columns: tuple[CaptureObject, ...]) -> bool:
    """Clock and event code, as all logs here are."""
    return len(columns) == 2 and columns[0] == CLOCK_TIME and columns[1].obis[2:4] == (96, 11)


def _fields(octets: bytes, width: int) -> list[Data]:
    value = axdr.decode_all(octets).value
    fields = [part for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []
    if len(fields) != width:
        raise DecodeError(f"{len(fields)} values where there are {width} columns", 0, "row")
    return fields


def _event(node: KnownNode, row: StoredRow) -> ReportEvent:
    return ReportEvent(
        serial=node.serial,
        system_title=(node.title or bytes(8)).hex(),
        time=row.time_s,
        log=str(row.profile),
        code=_number(_fields(row.octets, 2)[1]),
    )


def _is_code(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= _MOST_CODE


def _number(data: Data) -> int:
    return data.value if isinstance(data.value, int) else 0


def _raw(data: Data) -> Raw:
    """A value as a report has it: numbers and text as they are, octets and anything composed as hex digits."""
    value = data.value
    if data.tag == Tag.NULL_DATA:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | str):
        return value
    return value.hex() if isinstance(value, bytes) else axdr.encode(data).hex()
