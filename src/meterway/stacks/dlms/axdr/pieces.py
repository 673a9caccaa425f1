"""Columns of rows that come in runs of one shape: one run as a rule, a few where null-data replaces repeated values."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.stacks.dlms.axdr.irregular import OCTETS, Column
from meterway.stacks.dlms.axdr.layout import Layout, learn
from meterway.stacks.dlms.axdr.tags import CODES, DELTAS, Tag
from meterway.stacks.dlms.axdr.times import advanced

__all__ = ["read_pieces"]

_SHORTEST_RUN: Final = 8  # where runs are shorter on average, the exact decoder is as good


class _Field(NamedTuple):
    """How one column is taken out of rows: ``wire`` and ``own`` dtype of a number, else a size in octets."""

    tag: int
    position: int
    size: int
    wire: np.dtype[np.generic] | None
    own: np.dtype[np.generic] | None


class _Piece(NamedTuple):
    """A run of ``rows`` rows from ``start`` on."""

    start: int
    rows: int
    stride: int
    fields: tuple[_Field, ...]


_NULL: Final = _Field(Tag.NULL_DATA, 0, 0, None, None)


def read_pieces(
    octets: bytes, start: int, count: int, capture_period_s: int | None
) -> tuple[tuple[Column, ...], int] | None:
    """Columns and end of ``count`` rows; None if they need the exact decoder, which would give the same."""
    pieces = _pieces(octets, start, count)
    if not pieces:
        return None
    last = pieces[-1]
    end = last.start + last.rows * last.stride
    if len(pieces) == 1 and _NULL not in last.fields:
        return tuple([Column(field.tag, _view(octets, last, field)) for field in last.fields]), end
    if len({len(piece.fields) for piece in pieces}) != 1:
        return None
    columns = []
    for index in range(len(last.fields)):
        column = _joined(octets, pieces, index, capture_period_s)
        if column is None:
            return None
        columns.append(column)
    return tuple(columns), end


def _pieces(octets: bytes, start: int, count: int) -> list[_Piece] | None:
    pieces: list[_Piece] = []
    done = 0
    while done < count:
        layout = learn(octets, start)
        fields = None if layout is None else _fields(layout)
        if layout is None or fields is None or len(pieces) * _SHORTEST_RUN > done + _SHORTEST_RUN:
            return None
        rows = layout.matching(octets, start, count - done)
        pieces.append(_Piece(start, rows, layout.stride, fields))
        start += rows * layout.stride
        done += rows
    return pieces


@lru_cache(maxsize=512)
def _fields(layout: Layout) -> tuple[_Field, ...] | None:
    """The fields of a layout; None if its rows are not flat or hold what needs the exact decoder."""
    if not isinstance(layout.shape, tuple):
        return None
    fields = []
    for part in layout.shape:
        if part is None:
            fields.append(_NULL)
            continue
        if not isinstance(part, int):
            return None
        position, tag, size, _ = layout.places[part]
        if tag in OCTETS:
            fields.append(_Field(tag, position, size, None, None))
        elif tag in CODES and tag not in DELTAS:
            code = CODES[tag]
            fields.append(_Field(tag, position, size, np.dtype(">" + code), np.dtype("=" + code)))
        else:
            return None
    return tuple(fields)


def _view(octets: bytes, piece: _Piece, field: _Field) -> NDArray[np.generic]:
    tag, position, size, wire, own = field
    start, rows, stride, _ = piece
    if wire is None:
        return np.ndarray((rows, size), np.uint8, octets, start + position, (stride, 1))
    if tag == Tag.BOOLEAN:
        return np.ndarray((rows,), np.uint8, octets, start + position, (stride,)).astype(np.bool_)
    return np.ndarray((rows,), wire, octets, start + position, (stride,)).astype(own)


def _joined(octets: bytes, pieces: list[_Piece], index: int, capture_period_s: int | None) -> Column | None:
    """One column over all runs; None if it needs the exact decoder."""
    kinds = {(field.tag, field.size) for piece in pieces if (field := piece.fields[index]) is not _NULL}
    if not kinds:
        rows = sum(piece.rows for piece in pieces)
        return Column(int(Tag.NULL_DATA), np.zeros(rows, np.int64), np.ones(rows, np.bool_))
    if len(kinds) > 1:
        return None
    parts: list[NDArray[np.generic]] = []
    for piece in pieces:
        if piece.fields[index] is not _NULL:
            parts.append(_view(octets, piece, piece.fields[index]))
            continue
        part = _repeated(parts[-1][-1:], piece.rows, capture_period_s) if parts else None
        if part is None:
            return None
        parts.append(part)
    return Column(kinds.pop()[0], np.concatenate(parts))


def _repeated(last: NDArray[np.generic], rows: int, capture_period_s: int | None) -> NDArray[np.generic] | None:
    if last.shape[1:] != (12,):
        return last[np.zeros(rows, np.intp)]
    return advanced(last.view(np.uint8), rows, capture_period_s)
