"""A profile's buffer as columns (IEC 62056-6-2, Profile generic, attribute 2).

Rows of one shape are read in place: once every tag and length octet is seen to be what it must be, each column
is one strided view over the buffer. A few runs of different shapes are read run by run; any other buffer goes row
by row through the exact decoder and gives the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.dlms.axdr.irregular import Column, read_columns
from meterway.stacks.dlms.axdr.leaves import length_at
from meterway.stacks.dlms.axdr.pieces import read_pieces
from meterway.stacks.dlms.axdr.tags import Tag
from meterway.stacks.dlms.axdr.times import utc_seconds

__all__ = ["Column", "Columns", "decode_columns"]


@dataclass(frozen=True, slots=True)
class Columns:
    """``count`` rows as columns; ``end`` is the offset after the array."""

    count: int
    columns: tuple[Column, ...]
    end: int

    def times(
        self, index: int, *, deviation_sign: Literal[1, -1] = 1, default_deviation_min: int | None = 0
    ) -> NDArray[np.int64]:
        """Column ``index``, of date-times, as seconds since 1970 in UTC; NO_TIME for what is no moment.

        ``default_deviation_min`` stands in for an unspecified deviation (None: such a row is no moment);
        ``deviation_sign=-1`` is the quirk of meters that send minutes east of UTC. LocalProtocolError if the
        column does not hold octets.
        """
        values = self.columns[index].values
        if isinstance(values, list):
            values = _twelve(values)
        if values.ndim != 2 or values.shape[1] != 12:
            raise LocalProtocolError(f"column {index} does not hold date-times")
        return utc_seconds(
            values.view(np.uint8), deviation_sign=deviation_sign, default_deviation_min=default_deviation_min
        )


def _twelve(values: list[object]) -> NDArray[np.uint8]:
    """Rows of 12 octets; zeros, which are no moment, for what has another size."""
    rows = [value if isinstance(value, bytes) and len(value) == 12 else bytes(12) for value in values]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 12)


def decode_columns(octets: bytes, *, offset: int = 0, capture_period_s: int | None = None) -> Columns:
    """The array (or compact array) of rows at ``offset`` as columns.

    null-data repeats the value above it, and in a column of date-times the one above plus
    ``capture_period_s`` (no moment if that is not given); a delta adds to the value above. Raises DecodeError
    as ``decode``, and with ``columns`` for rows that are no table, ``delta`` for a delta without a value above.
    """
    try:
        if octets[offset] == Tag.ARRAY:
            count, start = length_at(octets, offset + 1)
            found = read_pieces(octets, start, count, capture_period_s) if count else None
            if found is not None:
                return Columns(count, *found)
    except (IndexError, DecodeError):
        pass  # the exact decoder says what is wrong and where
    return Columns(*read_columns(octets, offset, capture_period_s))
