"""Octets to what a concentrator tells of itself in tables: only DecodeError may come out, rows go as they came."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.mapping.alarms import decode_alarms, encode_alarms
    from meterway.mapping.neighbourhood import decode_nodes, decode_reports, encode_nodes, encode_reports
    from meterway.mapping.transformer import decode_balances
    from meterway.stacks.dlms import axdr


def one_input(octets: bytes) -> None:
    """Each table is refused, or says the same when it is encoded and decoded again."""
    try:
        found = decode_balances(octets)
    except DecodeError:
        pass
    else:
        if decode_balances(axdr.encode(axdr.array(*(one.encode() for one in found)))) != found:
            raise AssertionError("a balance does not come back as it went")
    tables = ((decode_nodes, encode_nodes), (decode_reports, encode_reports), (decode_alarms, encode_alarms))
    for decode, encode in tables:
        try:
            rows = decode(octets)
        except DecodeError:
            continue
        if decode(encode(rows)) != rows:  # type: ignore[operator]  # the pairs belong together
            raise AssertionError("a row does not come back as it went")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
