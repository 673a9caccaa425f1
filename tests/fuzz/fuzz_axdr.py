"""Octets to COSEM data on every road: only DecodeError may come out, and the roads must agree."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.base.octets import Reader
    from meterway.stacks.dlms import axdr


def one_input(octets: bytes) -> None:
    """Decode exactly, plain and as columns; what decodes must be skipped, written and read again."""
    reader = Reader(octets)
    try:
        data = axdr.decode(reader)
    except DecodeError:
        for road in (axdr.to_native, axdr.decode_columns):
            try:
                road(octets)
            except DecodeError:
                continue
            raise AssertionError(f"{road.__name__} took what the exact decoder refused") from None
        with contextlib.suppress(DecodeError):
            axdr.skip(octets)
        return
    assert axdr.skip(octets) == reader.offset
    written = axdr.encode(data)
    assert axdr.encode(axdr.decode_all(written)) == written
    assert repr(axdr.to_native(octets)) == repr((axdr.native(data), reader.offset))
    try:
        columns = axdr.decode_columns(octets, capture_period_s=900)
    except DecodeError:
        return
    for index, column in enumerate(columns.columns):
        if isinstance(column.values, list) or column.values.shape[1:] == (12,):
            columns.times(index)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
