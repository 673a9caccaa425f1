"""Octets to typed attributes and selective access: only DecodeError may come out."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError
    from meterway.stacks.dlms import axdr
    from meterway.stacks.dlms.classes import interface_classes, typed
    from meterway.stacks.dlms.classes.profile_generic import decode_selector

ATTRIBUTES = [
    (entry.class_id, attribute.index, entry.version)
    for entry in interface_classes()
    if entry.complete
    for attribute in entry.attributes
]


def one_input(octets: bytes) -> None:
    """The first octets choose the attribute, the rest is its data and the parameters of a selection."""
    if len(octets) < 3:
        return
    class_id, attribute, version = ATTRIBUTES[int.from_bytes(octets[:2], "big") % len(ATTRIBUTES)]
    with contextlib.suppress(DecodeError):
        decode_selector(octets[1] % 4, octets[2:])
    try:
        data = axdr.decode_all(octets[2:])
    except DecodeError:
        return
    typed(class_id, attribute, data, version)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
