"""Readings for other programs: a device's range as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Final

from meterway.base.units import symbol_of
from meterway.store.blocks import StoredBlock

__all__ = ["CSV_HEADER", "csv_lines"]

CSV_HEADER: Final = ("time", "obis", "value", "unit", "quality", "revision")


def csv_lines(blocks: Iterable[StoredBlock]) -> Iterator[str]:
    """The header and one line a slot and channel, each with its line end; values are scaled, times UTC.

    The value of a missing slot is empty. Give it what ``Blocks.read_range`` returns.
    """
    yield _line(CSV_HEADER)
    for stored in blocks:
        times = [f"{datetime.fromtimestamp(each, UTC):%Y-%m-%dT%H:%M:%SZ}" for each in stored.block.times_s.tolist()]
        for channel in stored.block.channels:
            obis, unit = str(channel.column.obis), symbol_of(channel.column.unit)
            slots = zip(times, channel.values.tolist(), channel.present.tolist(), channel.quality.tolist(), strict=True)
            for time, value, present, quality in slots:
                shown = f"{Decimal(value).scaleb(channel.column.scaler):f}" if present else ""
                yield _line((time, obis, shown, unit, quality, stored.revision))


def _line(fields: Iterable[str | int]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
