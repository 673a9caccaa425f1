"""Fuzz the messages and both engines of IEC 62056-21: only our own errors may come out."""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["meterway"]):
    from meterway.base.errors import DecodeError
    from meterway.stacks.iec21.exchange import Device, Reader
    from meterway.stacks.iec21.messages import DataMessage, Identification, bcc

TOLD = DataMessage(lines=())


def one(octets):
    with contextlib.suppress(DecodeError):
        Identification.decode(octets)
    body = octets + b"!\r\n\x03"
    with contextlib.suppress(DecodeError):
        DataMessage.decode(b"\x02" + body + bytes((bcc(body),))).encode()
    device = Device(Identification(maker="MWY", speed="5", ident="X"), lambda: TOLD)
    reader = Reader()
    reader.open(0.0)
    for engine in (device, reader):
        engine.receive_data(octets, 0.0)
        engine.handle_timeout(10.0)
        engine.data_to_send()
        while engine.next_event() is not None:
            pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
