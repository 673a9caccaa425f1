"""Octets of manufacturers through every bundled driver, and drivers' own texts: only our own errors may come out."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import ConfigError, MeterwayError
    from meterway.mapping.drivers.registry import drivers_of
    from meterway.mapping.drivers.schema import parse_driver
    from meterway.stacks.mbus.telegram import decode

DRIVERS = drivers_of(named=["sanxing_s34"])
HEAD = 'title = "x"\n[[match]]\nmanufacturer = "ABC"\n[[block]]\nplace = "payload"\n'


def one_input(octets: bytes) -> None:
    """The first octet chooses the driver; the rest is the payload of a telegram of its meters."""
    if not octets:
        return
    match = DRIVERS.drivers[octets[0] % len(DRIVERS.drivers)].matches[0]
    maker = min(match.manufacturers).to_bytes(2, "little")
    head = b"\x44" + maker + b"\x78\x56\x34\x12" + bytes((match.versions[0][0], match.types[0][0]))
    ci = bytes((min(match.cis),)) if match.cis else b""
    for body in (octets[1:], ci + octets[1:], b"\x7a\1\0\0\0\x0f" + octets[1:], b"\x78\x0d\xff\x5f" + octets[1:]):
        _telegram(bytes((len(head + body) & 0xFF,)) + head + body)
    with contextlib.suppress(ConfigError):
        parse_driver(HEAD + octets.decode("latin-1"), "x")


def _telegram(octets: bytes) -> None:
    try:
        telegram = decode(octets, dialects=DRIVERS.dialect)
    except MeterwayError:
        return
    for reading in DRIVERS.decoded(telegram, keys=[bytes(8)]).readings:
        if reading.value is None and not reading.quality:
            raise AssertionError("a value is missing without a reason")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
