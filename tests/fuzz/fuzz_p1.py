"""Fuzz the P1 decoder, its stream engine and its mapping: only our own errors may come out."""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["meterway"]):
    from meterway.base.errors import MeterwayError
    from meterway.mapping.p1 import decode_telegram
    from meterway.stacks.p1.stream import P1Stream

KEY = bytes(16)


def one(octets):
    with contextlib.suppress(MeterwayError):
        decode_telegram(octets, [KEY], crc=False).as_json()
    engine = P1Stream(key=KEY, limit=512)
    engine.receive_data(octets, 0.0)
    engine.receive_data(b"", 0.0)
    while engine.next_event() is not None:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
