"""From the outcome of a collection to rows of the store: everything of a batch in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.headend.collect import Collected, Raw
from meterway.headend.contact import Outcome
from meterway.headend.decode import ProfileRows, blocks_of, decode_log, decode_profile, register_value
from meterway.headend.fleet import Entry
from meterway.headend.layout import ProfileLayout
from meterway.headend.plan import MIRROR_AGE
from meterway.headend.rules import ClockVerdict, judge_clock, load_profile_of
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.store.block import Block
from meterway.store.contacts import Contact
from meterway.store.events import Event
from meterway.store.readings import Reading
from meterway.store.tasks import Task

__all__ = ["Harvest", "Sheaf", "thresh"]

_AHEAD_S: Final = 120.0
_BEHIND_S: Final = 86400.0
_MS: Final = 1000
_NO_SCALER: Final = (0, 255)
_MIRRORED: Final = b'{"source": "mirror", "age_s": %d}'


@dataclass(frozen=True, slots=True)
class Harvest:
    """One device's collection: who, what was due, what came of it."""

    entry: Entry
    task: Task | None
    collected: Collected
    outcome: Outcome[Collected]


@dataclass(slots=True)
class Sheaf:
    """One harvest decoded: what is to be stored, and the words it is counted by."""

    harvest: Harvest
    blocks: list[Block] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    watermarks: dict[str, int] = field(default_factory=dict)
    values: int = 0
    cause: str = "ok"
    error: str = ""
    refused_rows: int = 0
    clock: ClockVerdict = ClockVerdict.GOOD

    def contact(self) -> Contact:
        """The row of the contact log."""
        outcome = self.harvest.outcome
        detail = {
            "quirks": sorted({quirk.kind for quirk in outcome.report.quirks}),
            "clock_offset_s": self.harvest.collected.clock_offset_s,
            "refusals": self.harvest.collected.refusals[:20],
            "refused_rows": self.refused_rows,
        }
        return Contact(
            device=self.harvest.entry.device.id,
            kind="collect",
            started_ms=int(outcome.started_s * _MS),
            duration_us=int(outcome.duration_s * 1e6),
            result=self.cause,
            error=self.error,
            octets_in=outcome.report.octets,
            values_read=self.values,
            detail=msgspec.json.encode(detail).decode(),
        )


def thresh(harvest: Harvest, *, load_profile: Obis, clock_invalid_beyond_s: float) -> Sheaf:
    """Decode what a session brought, also one that broke off; what makes no sense is counted, never guessed."""
    sheaf = Sheaf(harvest)
    report = harvest.outcome.report
    if isinstance(report, SessionFailed):
        sheaf.cause, sheaf.error = report.cause, str(report.error)
    collected = harvest.collected
    if collected.clock is not None:
        sheaf.clock = judge_clock(collected.clock_offset_s, invalid_beyond_s=clock_invalid_beyond_s)
        if sheaf.clock is ClockVerdict.INVALID:
            sheaf.cause = "clock"
            sheaf.error = f"the device's clock is {_off(collected.clock_offset_s)}: its readings have no time to trust"
            return sheaf
    _registers(sheaf)
    known = collected.layout.profiles if collected.layout is not None else {}
    load = load_profile_of(map(Obis.parse, known), load_profile)
    for layout, raw in collected.profiles:
        with _noting(sheaf):
            _profile(sheaf, layout, raw, is_load=raw.obis == load)
    for raw in collected.logs:
        with _noting(sheaf):
            _log(sheaf, raw)
    return sheaf


@contextmanager
def _noting(sheaf: Sheaf) -> Iterator[None]:
    """A profile or log that makes no sense is noted and takes none of the others with it."""
    try:
        yield
    except DecodeError as error:
        sheaf.cause, sheaf.error = "decode", str(error)


def _off(offset_s: float | None) -> str:
    return "not set" if offset_s is None else f"{offset_s / 86400:+.1f} days off"


def _registers(sheaf: Sheaf) -> None:
    harvest = sheaf.harvest
    layout = harvest.collected.layout
    scalers = layout.scalers if layout is not None else {}
    age_s = _age(harvest) if harvest.entry.is_mirror else 0
    for raw in harvest.collected.registers:
        value = register_value(raw.octets)
        if value is None:
            harvest.collected.refusals.append((str(raw.obis), "no whole number"))
            continue
        scaler, unit = scalers.get(str(raw.obis), _NO_SCALER)
        sheaf.readings.append(
            Reading(
                device=harvest.entry.device.id,
                obis=raw.obis,
                time_ms=int((raw.received_s - age_s) * _MS),
                value=value,
                scaler=scaler,
                unit=unit,
                evidence=_MIRRORED % age_s if age_s else b"",
            )
        )
        sheaf.values += 1


def _age(harvest: Harvest) -> int:
    """How long before this session the registers were read of the meter, by the concentrator's word; seconds."""
    found = (register_value(raw.octets) for raw in harvest.collected.registers if raw.obis == MIRROR_AGE.obis)
    return max(next(found, None) or 0, 0)


def _profile(sheaf: Sheaf, layout: ProfileLayout, raw: Raw, *, is_load: bool) -> None:
    rows = decode_profile(raw.octets, layout, latest_s=raw.received_s + _AHEAD_S, earliest_s=raw.from_s - _BEHIND_S)
    sheaf.refused_rows += rows.refused
    sheaf.values += int(rows.values.size)
    singles = rows
    if is_load and layout.period_s:
        blocks, on_grid = blocks_of(rows, layout.period_s)
        sheaf.blocks += blocks
        off = ~on_grid
        singles = ProfileRows(rows.times_s[off], rows.status[off], rows.values[:, off], rows.channels)
    sheaf.readings += _single_readings(sheaf.harvest.entry.device.id, singles)
    if rows.times_s.size:
        sheaf.watermarks[f"read:{raw.obis}"] = int(rows.times_s.max())


def _single_readings(device: int, rows: ProfileRows) -> list[Reading]:
    times_ms = (rows.times_s * _MS).tolist()
    qualities = rows.status.tolist()
    readings: list[Reading] = []
    for channel, values in zip(rows.channels, rows.values.tolist(), strict=True):
        obis = Obis.parse(channel.obis)
        readings += [
            Reading(
                device=device,
                obis=obis,
                time_ms=time_ms,
                value=value,
                scaler=channel.scaler,
                unit=channel.unit,
                quality=quality,
            )
            for time_ms, value, quality in zip(times_ms, values, qualities, strict=True)
        ]
    return readings


def _log(sheaf: Sheaf, raw: Raw) -> None:
    found, odd = decode_log(raw.octets)
    earliest, latest = raw.from_s - _BEHIND_S, raw.received_s + _AHEAD_S
    entries = [entry for entry in found if earliest <= entry.time_s <= latest]
    odd += len(found) - len(entries)
    if odd:
        sheaf.refused_rows += odd
        sheaf.harvest.collected.refusals.append((str(raw.obis), f"{odd} rows are no events of the time asked for"))
    sheaf.events += [
        Event(
            device=sheaf.harvest.entry.device.id,
            log=str(raw.obis),
            code=entry.code,
            time_ms=int(entry.time_s * _MS),
            received_ms=int(raw.received_s * _MS),
        )
        for entry in entries
    ]
    if entries:
        sheaf.watermarks[f"read:{raw.obis}"] = int(max(entry.time_s for entry in entries))
