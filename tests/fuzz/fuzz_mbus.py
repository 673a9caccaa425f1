"""Octets to M-Bus telegrams, wired and radio: only our own errors may come out, and records lead back to octets."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError, MeterwayError
    from meterway.mapping.mbus import decoded
    from meterway.stacks.mbus.link.deframer import Deframer, Noise
    from meterway.stacks.mbus.records.compact import Formats, compact_frame, decode_compact
    from meterway.stacks.mbus.records.record import decode_records
    from meterway.stacks.mbus.telegram import decode

KEY = bytes(range(16))
RADIO = bytes.fromhex("44931578563412330378")
FORMATS = Formats()


def one_input(octets: bytes) -> None:
    """As a telegram, as the payload of a radio telegram, as records, and as a stream."""
    for telegram in (octets, bytes((len(octets) + 10 & 0xFF,)) + RADIO + octets):
        with contextlib.suppress(MeterwayError):
            decoded(decode(telegram, keys=[KEY], formats=FORMATS, fragments={})).as_json()
    _records(octets)
    deframer = Deframer()
    parts = [*deframer.receive(octets), *deframer.flush()]
    if b"".join(part.octets if isinstance(part, Noise) else part.encode() for part in parts) != octets:
        raise AssertionError("octets were lost between frames")


def _records(octets: bytes) -> None:
    try:
        content = decode_records(octets)
    except DecodeError:
        return
    if content.encode() != octets:
        raise AssertionError("records do not lead back to their octets")
    for record in content.records:
        if record.value is None and not record.quality:
            raise AssertionError("a value is missing without a reason")
    formats = Formats()
    if (
        formats.learn(content) is not None
        and decode_compact(compact_frame(content), formats).records != content.records
    ):
        raise AssertionError("a compact frame gives other records")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
