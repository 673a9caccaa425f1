"""A session of a Gurux client with a meter, as a program of its own: a job in JSON in, what it read in JSON out.

The last line of output is the result. Times are given as the meter's local time without zone.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSGateway, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDisconnectControl,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.secure import GXDLMSSecureClient


class Session:
    """One association over a socket."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.is_hdlc = job["link"] == "hdlc"
        interface = InterfaceType.HDLC if self.is_hdlc else InterfaceType.WRAPPER
        server = GXDLMSClient.getServerAddress(1, job["physical"]) if self.is_hdlc else 1
        self.authentication = Authentication[job["authentication"]]
        client = GXDLMSSecureClient(True, job["client"], server, self.authentication, None, interface)
        if "password" in job:
            client.password = job["password"].encode()
        if "key" in job:
            client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
            client.ciphering.systemTitle = bytes.fromhex(job["title"])
            client.ciphering.blockCipherKey = bytes.fromhex(job["key"])
            client.ciphering.authenticationKey = bytes.fromhex(job["auth_key"])
            client.ciphering.invocationCounter = job["counter"]
        if "behind" in job:
            client.gateway = GXDLMSGateway()
            client.gateway.networkId = job["network"]
            client.gateway.physicalDeviceAddress = bytes.fromhex(job["behind"])
        if "max_pdu" in job:
            client.maxReceivePDUSize = job["max_pdu"]
        self.client = client
        self.socket = socket.create_connection(("127.0.0.1", job["port"]), timeout=20)
        self.exchanges = 0

    def ask(self, requests: Any) -> GXReplyData:
        """Send what the client made, follow frames and blocks to the end."""
        reply = GXReplyData()
        for request in flat(requests):
            self._exchange(request, reply)
            while reply.isMoreData():
                self._exchange(self.client.receiverReady(reply), reply)
        return reply

    def _exchange(self, request: Any, reply: GXReplyData) -> None:
        self.exchanges += 1
        received = GXByteBuffer()
        if request:
            self.socket.sendall(bytes(request))
        while True:
            octets = self.socket.recv(65536)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            received.set(octets)
            if self.client.getData(received, reply, GXReplyData()):
                break
        if reply.error:
            raise ValueError(f"the meter refused with {int(reply.error)}")

    def open(self) -> None:
        if self.is_hdlc:
            self.client.parseUAResponse(self.ask(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if self.authentication > Authentication.LOW:
            reply = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def close(self) -> None:
        self.ask(self.client.releaseRequest())
        if self.is_hdlc:
            self.ask(self.client.disconnectRequest())
        self.socket.close()

    def read(self, thing: Any, attribute: int) -> Any:
        reply = self.ask(self.client.read(thing, attribute))
        self.client.updateValue(thing, attribute, reply.value)
        return reply.value

    def rows(self, thing: GXDLMSProfileGeneric, requests: Any) -> list[list[Any]]:
        thing.buffer = []
        reply = self.ask(requests)
        self.client.updateValue(thing, 2, reply.value)
        return [list(row) for row in thing.buffer]


def flat(requests: Any) -> Iterator[Any]:
    """Frames one by one: some calls give lists of lists."""
    if isinstance(requests, list):
        for request in requests:
            yield from flat(request)
    else:
        yield requests


def plain(value: Any) -> Any:
    """Rows as JSON: a moment as ISO text."""
    moment = getattr(value, "value", value)
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None).isoformat()
    return moment.hex() if isinstance(moment, bytes | bytearray) else value


def read_profile(session: Session, found: dict[str, Any]) -> None:
    client, load = session.client, GXDLMSProfileGeneric("1.0.99.1.0.255")
    session.read(load, 3)
    found["columns"] = len(load.captureObjects)
    found["entry"] = [[plain(cell) for cell in row] for row in session.rows(load, client.readRowsByEntry(load, 1, 3))]
    newest = load.buffer[-1][0].value
    start = newest + timedelta(minutes=15)
    ranged = session.rows(load, client.readRowsByRange(load, start, start + timedelta(hours=1)))
    found["range"] = [[plain(cell) for cell in row] for row in ranged]
    before = session.exchanges
    found["all"] = len(session.rows(load, client.read(load, 2)))
    found["exchanges"] = session.exchanges - before


def command(session: Session, found: dict[str, Any]) -> None:
    client = session.client
    switch = GXDLMSDisconnectControl()
    switch.logicalName = "0.0.96.3.10.255"
    states = []
    for call in (switch.remoteDisconnect, switch.remoteReconnect):
        session.ask(call(client))
        states.append(session.read(switch, 3))
    found["states"] = states
    filtered = GXDLMSData("0.0.97.98.10.255")
    filtered.value = 5
    filtered.setDataType(2, DataType.UINT32)
    session.ask(client.write(filtered, 2))
    found["written"] = session.read(filtered, 2)


def main() -> None:
    job = json.loads(sys.stdin.readline())
    session = Session(job)
    session.open()
    clock = GXDLMSClock()
    session.read(clock, 2)
    found: dict[str, Any] = {"clock": plain(clock.time)}
    work = job["work"]
    if "read" in work:
        energy = GXDLMSRegister("1.0.1.8.0.255")
        session.read(energy, 3)
        found["energy"] = session.read(energy, 2)
        found["unit"] = int(energy.unit)
        found["objects"] = len(session.client.parseObjects(session.ask(session.client.getObjectsRequest()).data, True))
    if "list" in work:
        pair = [(GXDLMSClock(), 2), (GXDLMSRegister("1.0.1.8.0.255"), 2)]
        reply = session.ask(session.client.readList(pair))
        found["list"] = len(reply.value)
    if "profile" in work:
        read_profile(session, found)
    if "command" in work:
        command(session, found)
    session.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
