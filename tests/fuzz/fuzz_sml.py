"""Fuzz SML: transport, values, messages and readings; only our own errors may come out, and what is read comes back."""

import contextlib
import json
import sys

import atheris

with atheris.instrument_imports(include=["meterway"]):
    from meterway.base.errors import DecodeError
    from meterway.base.octets import Reader
    from meterway.mapping.sml import decode_telegram
    from meterway.stacks.sml.transport import decode_transport, encode_transport
    from meterway.stacks.sml.values import encode_value, read_value


def one(octets):
    with contextlib.suppress(DecodeError):
        json.dumps(decode_telegram(octets).as_json(), allow_nan=False)
    assert decode_transport(encode_transport(octets)).file == octets
    with contextlib.suppress(DecodeError):
        value = read_value(Reader(octets))
        assert read_value(Reader(encode_value(value))) == value


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
