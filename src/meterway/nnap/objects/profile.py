"""Buffers of profiles: rows as they were kept, by range, by entry and by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meterway.nnap.rows import Row, joined_rows
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.tabled.profile import wanted_of
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["buffer_of"]

Rows = Callable[[float, float], list[Row]]


def buffer_of(selection: Selection | None, columns: tuple[CaptureObject, ...], rows: Rows) -> bytes | DataAccessResult:
    """The encoded rows of a selection; without one, all."""
    wanted = wanted_of(selection, columns)
    if isinstance(wanted, DataAccessResult):
        return wanted
    found = rows(wanted.from_s, wanted.to_s)
    found = found[wanted.part(len(found))]
    if len(wanted.chosen) == len(columns):
        return joined_rows(row.octets for row in found)
    return joined_rows(_part(row.octets, wanted.chosen) for row in found)


def _part(octets: bytes, chosen: Sequence[int]) -> bytes:
    value = axdr.decode_all(octets).value
    fields = [part for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []
    return axdr.encode(axdr.structure(*[fields[place] for place in chosen]))
