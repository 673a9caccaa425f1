"""Octets to the node table, orders and their reports: only DecodeError may come out, and what is read comes back."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.mapping.neighbourhood import (
        GroupOrder,
        decode_nodes,
        decode_reports,
        encode_nodes,
        encode_reports,
    )
    from meterway.stacks.dlms import axdr


def one_input(octets: bytes) -> None:
    """Each decoder reads or refuses; what it has read it reads again the same."""
    try:
        nodes = decode_nodes(octets)
    except DecodeError:
        pass
    else:
        if decode_nodes(encode_nodes(nodes)) != nodes:
            raise AssertionError("a node table does not come back")
    try:
        reports = decode_reports(octets)
    except DecodeError:
        pass
    else:
        if decode_reports(encode_reports(reports)) != reports:
            raise AssertionError("reports do not come back")
    try:
        order = GroupOrder.decode(octets)
    except DecodeError:
        return
    if GroupOrder.decode(axdr.encode(order.encode())) != order:
        raise AssertionError("an order does not come back")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
