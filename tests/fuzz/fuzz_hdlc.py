"""Fuzz the HDLC parsers and both engines: only our own error types may come out. Run: python tests/fuzz/fuzz_hdlc.py"""

import sys

import atheris

with atheris.instrument_imports(include=["meterway"]):
    from meterway.base.errors import DecodeError
    from meterway.base.octets import Reader
    from meterway.stacks.dlms.framing import Role
    from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFrame, HdlcFraming, HdlcParameters, decode_stream

SERVER = HdlcAddress(logical=1, physical=17, size=2)
SNRM = HdlcFrame(destination=SERVER, source=HdlcAddress(logical=16), control=0x93).encode()
UA = HdlcFrame(destination=HdlcAddress(logical=16), source=SERVER, control=0x73).encode()


def _types(octets: bytes) -> None:
    for decode in (HdlcFrame.decode, HdlcParameters.decode, HdlcAddress.decode):
        reader = Reader(octets)
        try:
            value = decode(reader)
        except DecodeError:
            continue
        if isinstance(value, HdlcAddress) and value.encode() != octets[: reader.offset]:
            raise AssertionError("an address does not come back as it went")


def _engines(octets: bytes) -> None:
    client, server = (HdlcFraming(role=role, server=SERVER, max_apdu=1000) for role in (Role.CLIENT, Role.SERVER))
    client.connect(0)
    client.receive_data(UA, 0)
    server.receive_data(SNRM, 0)
    for engine in (client, server):
        step = 1 + (octets[0] if octets else 0)
        for now, start in enumerate(range(0, len(octets), step)):
            engine.receive_data(octets[start : start + step], now)
            engine.send(b"x", now)
            engine.handle_timeout(now)
            engine.data_to_send()
            while engine.next_event() is not None:
                pass


def one_input(octets: bytes) -> None:
    """One input to everything."""
    _types(octets)
    recording = decode_stream(octets)
    for placed in recording.frames:
        if octets[placed.offset : placed.offset + len(placed.octets)] != placed.octets:
            raise AssertionError("a frame is not where it is said to be")
    _engines(octets)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
