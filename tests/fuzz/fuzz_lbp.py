"""Octets as LBP messages and configuration parameters, and to both sides of a bootstrapping: only ProtocolError."""

from __future__ import annotations

import contextlib
import sys
from random import Random

import atheris

with atheris.instrument_imports():
    from meterway.base.errors import DecodeError, ProtocolError
    from meterway.stacks.neighbourhood.lbp import Bootstrap, Grant, Joining, Lbp
    from meterway.stacks.neighbourhood.lbp.parameters import read_result

EUI, KEY = b"METER001", bytes(16)
GRANT = Grant(short=1, keys={0: KEY}, active=0)


def one_input(octets: bytes) -> None:
    """The exchange goes ``octets[0]`` steps well, then a message of the rest comes to both."""
    if not octets:
        return
    for read in (Grant.decode, read_result):
        with contextlib.suppress(DecodeError):
            read(octets[1:])
    server = Bootstrap(b"COORDINA", lambda eui: KEY, lambda eui: GRANT, Random(1).randbytes)
    device = Joining(EUI, KEY, Random(2).randbytes)
    for _ in range(octets[0] % 4):
        answer, _ = server.take(device.last, 0.0)
        if answer is not None:
            device.take(answer)
    try:
        message = Lbp.decode(octets[1:3] + EUI + octets[3:])
    except DecodeError:
        return
    for take in (device.take, lambda one: server.take(one, 0.0)):
        with contextlib.suppress(ProtocolError):
            take(message)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
