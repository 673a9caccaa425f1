"""HDLC frames of other implementations are read by ours, and the other way round."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Final

import pytest

from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import ApduReceived, Connected, Noticed, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFrame, HdlcFraming, HdlcParameters

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-I")]

CLIENT: Final = HdlcAddress(logical=16)
SERVERS: Final = (
    HdlcAddress(logical=1),
    HdlcAddress(logical=1, physical=17, size=2),
    HdlcAddress(logical=300, physical=4711, size=4),
)

# Opens a link, asks for the clock, follows segments; one line of hex out, one line of hex in, then what it learned.
_GURUX: Final = """
import json
from gurux_dlms import GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, ObjectType
from gurux_dlms.objects import GXDLMSClock

def ask(octets):
    print(bytes(octets).hex(), flush=True)
    return bytes.fromhex(input())

client = GXDLMSClient(True, 16, GXDLMSClient.getServerAddress(1, 17), Authentication.NONE, None, InterfaceType.HDLC)
client.hdlcSettings.maxInfoTX = client.hdlcSettings.maxInfoRX = 200
client.hdlcSettings.windowSizeTX = client.hdlcSettings.windowSizeRX = 1
reply = GXReplyData()
client.getData(ask(client.snrmRequest()), reply, None)
client.parseUAResponse(reply.data)
limits = [client.hdlcSettings.maxInfoTX, client.hdlcSettings.maxInfoRX]
reply = GXReplyData()
for frame in client.read(GXDLMSClock(), 2):
    client.getData(ask(frame), reply, None)
    while reply.isMoreData():
        client.getData(ask(client.receiverReady(reply)), reply, None)
value = reply.value
ask(client.disconnectRequest())
print(json.dumps({"limits": limits, "value": bytes(value).hex()}))
"""


@pytest.mark.parametrize("server", SERVERS, ids=lambda address: f"{address.size} octets")
def test_dlms_cosem_and_ours_write_the_same_octets(server: HdlcAddress) -> None:
    pytest.importorskip("dlms_cosem", reason="dlms-cosem is not installed")
    from dlms_cosem.hdlc import address, frames

    theirs_server = address.HdlcAddress(server.logical, server.physical or None, "server")
    theirs_client = address.HdlcAddress(16, None, "client")
    ends = {"destination_address": theirs_server, "source_address": theirs_client}
    payload = bytes(range(60))
    for theirs, control, information in (
        (frames.SetNormalResponseModeFrame(**ends), 0x93, b""),
        (frames.DisconnectFrame(**ends), 0x53, b""),
        (frames.ReceiveReadyFrame(**ends, receive_sequence_number=5), 0xB1, b""),
        (
            frames.InformationFrame(**ends, payload=payload, send_sequence_number=3, receive_sequence_number=6),
            0xD6,
            payload,
        ),
    ):
        octets = theirs.to_bytes()
        ours = HdlcFrame(destination=server, source=CLIENT, control=control, information=information)
        assert ours.encode() == octets
        assert HdlcFrame.decode(Reader(octets)) == ours


# A source of four octets behind a destination of one is read as address 0 by dlms-cosem, so it is left out here.
@pytest.mark.parametrize("server", SERVERS[:2], ids=lambda address: f"{address.size} octets")
def test_dlms_cosem_reads_our_frames(server: HdlcAddress) -> None:
    pytest.importorskip("dlms_cosem", reason="dlms-cosem is not installed")
    from dlms_cosem.hdlc import frames

    ours = HdlcFrame(destination=CLIENT, source=server, control=0x52, information=b"answer", segmented=True)
    theirs = frames.InformationFrame.from_bytes(ours.encode())
    assert (theirs.payload, theirs.segmented, theirs.final) == (b"answer", True, True)
    assert (theirs.send_sequence_number, theirs.receive_sequence_number) == (1, 2)
    assert theirs.source_address.logical_address == server.logical
    assert HdlcFrame.decode(Reader(theirs.to_bytes())) == ours


def test_a_gurux_client_opens_a_link_to_ours_and_follows_segments() -> None:
    if find_spec("gurux_dlms") is None:
        pytest.skip("gurux-dlms is not installed")
    server = HdlcFraming(role=Role.SERVER, server=SERVERS[1], max_info_tx=100, max_info_rx=128)
    clock = bytes(index % 256 for index in range(400))
    answer = b"\xc4\x01\xc1\x00\x09\x82\x01\x90" + clock
    heard: list[object] = []
    process = subprocess.Popen([sys.executable, "-c", _GURUX], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        while not (line := process.stdout.readline()).startswith("{"):
            assert line, "the peer stopped without a result"
            server.receive_data(bytes.fromhex(line), 0)
            while (event := server.next_event()) is not None:
                heard.append(event)
                if isinstance(event, ApduReceived):
                    server.send(answer, 0)
            print(server.data_to_send().hex(), file=process.stdin, flush=True)
    result = json.loads(line)
    assert result == {"limits": [128, 100], "value": clock.hex()}
    assert isinstance(heard[0], Connected)
    assert isinstance(heard[1], ApduReceived)
    assert heard[1].apdu.startswith(b"\xc0\x01")
    assert heard[1].apdu.endswith(bytes.fromhex("00080000010000ff0200"))
    assert not [event for event in heard if isinstance(event, Noticed)]
    assert server.parameters == HdlcParameters(max_info_tx=100, max_info_rx=128)
    assert server.state.value == "closed"
