"""Fuzz what comes as text: lines a user pastes, readouts, TIC frames, captures; only our own errors may come out."""

import contextlib
import json
import sys

import atheris

with atheris.instrument_imports(include=["meterway"]):
    from meterway.base.errors import DecodeError
    from meterway.cli.pasted import octets_of
    from meterway.mapping.capture import Capture
    from meterway.mapping.iec21 import decode_telegram as decode_readout
    from meterway.mapping.tic import decode_telegram as decode_tic


def one(octets):
    octets_of(octets)
    capture = Capture()
    for part in (*capture.feed(octets[:40]), *capture.feed(octets[40:]), *capture.flush()):
        assert part
    for decode in (decode_readout, decode_tic):
        with contextlib.suppress(DecodeError):
            json.dumps(decode(octets).as_json(), allow_nan=False)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
