"""The balance on the concentrator's schedule: each day once it is over, and anew when rows of it come late.

Which days have new rows is known from the numbers of the rows, and kept in the file: a restart forgets no day. A day is
judged meter by meter, so that nobody else waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.transformer import DayBalance
from meterway.nnap.balance import DAY_S, BalanceRules, DaySums, Registers, beyond_run
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import CaptureObject, ScalerUnit
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["LOAD", "Balancer", "registers_of"]

OnAlarm = Callable[[bool, str, float], None]
"""Whether the alarm stands now, what of, and when."""
LOAD: Final = Obis(1, 0, 99, 1, 0)
_IMPORT, _EXPORT = (CaptureObject(class_id=3, obis=Obis(1, 0, part, 8, 0), attribute=2) for part in (1, 2))
_BACK_DAYS: Final = 14
_OFF: Final = "balance-off"
_NOT_VALID: Final = 0x06
"""Bits of the profile status in the companion profiles, as far as known: clock invalid, data not valid."""


class _Member(NamedTuple):
    """A node of the white list, now or once, with its number in the file."""

    number: int
    node: Node
    is_gone: bool


def registers_of(ledger: Ledger, number: int, node: Node, from_s: int, to_s: int) -> Registers:
    """The registers of import and export (Wh) of a node's load profile within [from, to].

    Rows whose clock or values the meter itself calls invalid are left out; a meter without an export register feeds
    nothing in.
    """
    series = node.mirror.series.get(LOAD)
    if series is None or _IMPORT not in series.columns:
        return {}
    columns = series.columns
    places = [(columns.index(one), _scaler(ledger, number, one)) for one in (_IMPORT, _EXPORT) if one in columns]
    status = next((at for at, one in enumerate(columns) if one.class_id == 1 and one.obis[2:4] == (96, 10)), None)
    found: dict[int, tuple[int, int]] = {}
    for row in ledger.store.rows(number, LOAD, from_s, to_s):
        fields = _fields(row.octets)
        marks = fields[status] if status is not None and status < len(fields) else 0
        if isinstance(marks, int) and marks & _NOT_VALID:
            continue
        values = [_wh(fields[place], scaler) for place, scaler in places if place < len(fields)]
        if len(values) == len(places) and values[0] is not None and values[-1] is not None:
            found[row.time_s] = (values[0], values[1] if len(values) > 1 and values[1] is not None else 0)
    return found


def _fields(octets: bytes) -> list[object]:
    value = axdr.decode_all(octets).value
    return [part.value for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []


def _wh(value: object, scaler: int) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return int(value * 10**scaler) if scaler >= 0 else int(value // 10**-scaler)


def _scaler(ledger: Ledger, number: int, column: CaptureObject) -> int:
    found = ledger.store.attribute(number, AttributeDescriptor(3, column.obis, 3))
    try:
        unit = None if found is None else typed(3, 3, axdr.decode_all(found.octets))
    except DecodeError:
        unit = None
    return max(-9, min(unit.scaler, 9)) if isinstance(unit, ScalerUnit) else 0


class Balancer:
    """Judges the days of one transformer. ``left_out`` are serials of nodes that take nothing from it.

    ``on_alarm`` hears when the loss has left its band for long enough, in words, and when it is within again.

    Without a supervision meter on the list there is nothing to judge, and nothing happens.
    """

    def __init__(
        self, ledger: Ledger, rules: BalanceRules, on_alarm: OnAlarm, *, left_out: frozenset[str] = frozenset()
    ) -> None:
        self._ledger = ledger
        self._on_alarm = on_alarm
        self._rules = rules
        self._left_out = left_out

    @property
    def has_supervision(self) -> bool:
        """Whether there is a meter at the transformer."""
        return any(node.role == "supervision" for node in self._ledger.roll)

    def due(self, now: float) -> list[int]:
        """The begins of the days (Unix seconds) that are over and have rows that were not judged, the oldest first."""
        store = self._ledger.store
        with store.transaction():
            store.note_due_days(LOAD)
        today = int(now) // DAY_S * DAY_S
        return [day for day in store.due_days() if today - _BACK_DAYS * DAY_S <= day < today]

    def judge(self, day_s: int, now: float) -> Iterator[None]:
        """Judge a day, a step for each meter; it is on the disk, with what follows from it, after the last step."""
        store = self._ledger.store
        members = self._members(day_s)
        periods = [series.period_s for one in members if (series := one.node.mirror.series.get(LOAD)) is not None]
        period_s = max((one for one in periods if one > 0 and DAY_S % one == 0), default=900)
        tops = [one.node.listed_s for one in members if one.node.role == "supervision"]
        sums = DaySums(day_s, period_s)
        for one in members:
            node = one.node
            sums.add(
                node.serial,
                registers_of(self._ledger, one.number, node, day_s, day_s + DAY_S),
                is_supervision=node.role == "supervision",
                # who was listed with the transformer's meter or before is always expected
                from_s=node.listed_s if tops and node.listed_s > min(tops) else float("-inf"),
                is_gone=one.is_gone,
            )
            yield
        with store.transaction():
            store.day_done(day_s)
            if tops and sums.is_known:
                self._keep(sums, now)

    def _keep(self, sums: DaySums, now: float) -> None:
        """Store the day if it says anything new."""
        store = self._ledger.store
        before = store.balance(sums.day_s)
        found = sums.judged(self._rules, now=now)
        if before is not None:
            same = replace(found, revision=before.revision, judged=before.judged)
            if same == before:
                return
            found = replace(found, revision=before.revision + 1)
        store.keep_balance(found)
        self._alarm(now)

    def _alarm(self, now: float) -> None:
        """Raise after enough days beyond the band, end with the first day within."""
        store = self._ledger.store
        run = beyond_run(store.balances())
        was_off = bool(store.state(_OFF))
        if not was_off and len(run) >= self._rules.days:
            self._on_alarm(True, _in_words(run), now)
            store.keep_state(_OFF, b"1")
        elif was_off and not run:
            self._on_alarm(False, "", now)
            store.keep_state(_OFF, b"")

    def _members(self, day_s: int) -> list[_Member]:
        """Who takes or gives energy on that day: all that are listed now, and who was and has rows of it."""
        ledger = self._ledger
        listed = [
            _Member(ledger.number(node), node, is_gone=False)
            for node in ledger.roll
            if node.role in ("meter", "supervision", "gateway") and node.serial not in self._left_out
        ]
        known = {one.number for one in listed}
        gone = [
            _Member(number, node, is_gone=True)
            for number, node in ledger.gone_nodes().items()
            if number not in known
            and node.role in ("meter", "supervision")
            and node.serial not in self._left_out
            and node.mirror.series.get(LOAD) is not None
        ]
        return [*listed, *gone]


def _in_words(run: Sequence[DayBalance]) -> str:
    """What an event says of days beyond the band: how many, and what the last one lost."""
    last = run[-1]
    share = f"{last.share:.1%}" if last.share is not None else "nothing given"
    return f"{len(run)} days, {last.lost} Wh of {last.given} lost ({share})"
