"""Altered and invented APDUs into both sides of an association: no exception, and no end without a word."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports():
    import dlms_device as device
    from meterway.stacks.dlms.client import DlmsClient, Failed, Released
    from meterway.stacks.dlms.framing import Role
    from meterway.stacks.dlms.server import DlmsServer
    from meterway.stacks.dlms.wrapper import WrapperFraming
    from meterway.stacks.dlms.wrapper.frame import encode_frame

CLIENTS = tuple(device.MECHANISM)
LIMIT = 60


def _altered(apdu: bytes, data: atheris.FuzzedDataProvider) -> bytes:
    """The APDU as it is, with one octet changed, cut, sealed octets inside changed, or another one altogether."""
    kind = data.ConsumeIntInRange(0, 7)
    if kind == 0 and apdu:
        place = data.ConsumeIntInRange(0, len(apdu) - 1)
        return apdu[:place] + bytes((data.ConsumeIntInRange(0, 255),)) + apdu[place + 1 :]
    if kind == 1:
        return apdu[: data.ConsumeIntInRange(0, len(apdu))]
    if kind == 2:
        return data.ConsumeBytes(data.ConsumeIntInRange(1, 60))
    if kind == 3:
        return apdu[:4] + data.ConsumeBytes(data.ConsumeIntInRange(0, 40))
    return apdu


def _spoilt(octets: bytes, data: atheris.FuzzedDataProvider) -> bytes:
    """Wrapper frames with their APDUs altered."""
    frames, place = b"", 0
    while place + 8 <= len(octets):
        length = int.from_bytes(octets[place + 6 : place + 8], "big")
        source, destination = (int.from_bytes(octets[at : at + 2], "big") for at in (place + 2, place + 4))
        frames += encode_frame(source, destination, _altered(octets[place + 8 : place + 8 + length], data))
        place += 8 + length
    return frames


def one_input(octets: bytes) -> None:
    """A whole session, with either side's APDUs altered on the way."""
    data = atheris.FuzzedDataProvider(octets)
    number = CLIENTS[data.ConsumeIntInRange(0, len(CLIENTS) - 1)]
    spoils_server, small = data.ConsumeBool(), data.ConsumeBool()
    one = device.Device(rows=6, max_pdu=80 if small else 0xFFFF)
    dedicated = bytes(16) if data.ConsumeBool() else None
    settings = device.settings(number, max_pdu=90 if small else 0xFFFF, max_response=4000, dedicated_key=dedicated)
    client = DlmsClient(WrapperFraming(number, 1, role=Role.CLIENT), settings)
    server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: one)
    client.open(0)
    value = bytes((9, 200)) + bytes(200)
    client.get(device.LOAD, now=0)
    client.get_list(((device.ENERGY, None), (device.UNIT, None)), now=0)
    client.set(((device.TEXT, None),), (value,), now=0)
    client.act(device.ECHO, value, now=0)
    client.release(0)
    ends = 0
    for turn in range(LIMIT):
        question = client.data_to_send()
        server.receive_data(_spoilt(question, data) if not spoils_server else question, turn)
        answer = server.data_to_send()
        client.receive_data(_spoilt(answer, data) if spoils_server else answer, turn) if answer else None
        while (event := client.next_event()) is not None:
            ends += isinstance(event, Failed | Released)
        if not answer:
            break
    client.receive_data(b"", LIMIT)
    while (event := client.next_event()) is not None:
        ends += isinstance(event, Failed | Released)
    if ends != 1:
        raise AssertionError(f"the association ended {ends} times")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
