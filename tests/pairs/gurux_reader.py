"""Run as a program: a Gurux client (GPL, a program of its own) reads a meter and prints what it got as one JSON line.

One JSON object on standard input: port, interface (wrapper, hdlc), authentication (none, low, gmac), client, and keys.
"""

import contextlib
import datetime
import io
import json
import socket
import sys
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType, Security
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDisconnectControl,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.secure import GXDLMSSecureClient

LEVELS = {"none": Authentication.NONE, "low": Authentication.LOW, "gmac": Authentication.HIGH_GMAC}


class Reader:
    def __init__(self, job: dict[str, Any]) -> None:
        wrapper = job["interface"] == "wrapper"
        self.level = LEVELS[job["authentication"]]
        self.client = GXDLMSSecureClient(
            True,
            job["client"],
            1 if wrapper else GXDLMSClient.getServerAddress(1, 17),
            self.level,
            None,
            InterfaceType.WRAPPER if wrapper else InterfaceType.HDLC,
        )
        if job["authentication"] == "low":
            self.client.password = bytes.fromhex(job["lls"])
        if job["authentication"] == "gmac":
            ciphering = self.client.ciphering
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
            ciphering.systemTitle = b"GRX12345"
            ciphering.blockCipherKey = bytes.fromhex(job["guek"])
            ciphering.authenticationKey = bytes.fromhex(job["gak"])
            ciphering.invocationCounter = 1
        self.line = socket.create_connection(("127.0.0.1", job["port"]), timeout=10)
        if not wrapper:
            self.client.parseUAResponse(self.ask(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if job["authentication"] == "gmac":
            proof = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(proof.data)

    def ask(self, messages: Any) -> Any:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            self._exchange(message, reply)
            while reply.isMoreData():
                self._exchange(self.client.receiverReady(reply), reply)
        return reply

    def _exchange(self, message: Any, reply: Any) -> None:
        self.line.sendall(bytes(message))
        octets, notify = GXByteBuffer(), GXReplyData()
        while True:
            octets.set(self.line.recv(65536))
            if self.client.getData(octets, reply, notify):
                break
        if reply.error:
            raise RuntimeError(f"error {reply.error}")

    def value(self, thing: Any, attribute: int) -> Any:
        reply = self.ask(self.client.read(thing, attribute))
        return self.client.updateValue(thing, attribute, reply.value)


def measured(reader: Reader) -> dict[str, Any]:
    client = reader.client
    register = GXDLMSRegister("1.0.1.8.0.255")
    reader.value(register, 3)
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    reader.value(profile, 3)
    client.updateValue(profile, 2, reader.ask(client.readRowsByEntry(profile, 1, 2)).value)
    first = [list(row[1:]) for row in profile.buffer]
    profile.buffer = []
    end = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    rows = reader.ask(client.readRowsByRange(profile, end - datetime.timedelta(days=1), end))
    client.updateValue(profile, 2, rows.value)
    by_range = len(profile.buffer)
    profile.buffer = []
    reader.value(profile, 2)
    return {
        "register": reader.value(register, 2),
        "unit": int(register.unit),
        "first": first,
        "by_range": by_range,
        "whole": len(profile.buffer),
    }


def commanded(reader: Reader) -> dict[str, Any]:
    client = reader.client
    switch = GXDLMSDisconnectControl()
    switch.logicalName = "0.0.96.3.10.255"
    reader.ask(switch.remoteDisconnect(client))
    off = int(reader.value(switch, 3))
    reader.ask(switch.remoteReconnect(client))
    on = int(reader.value(switch, 3))
    alarms = GXDLMSData("0.0.97.98.10.255")
    alarms.value = 5
    alarms.setDataType(2, DataType.UINT32)
    reader.ask(client.write(alarms, 2))
    return {"off": off, "on": on, "set": reader.value(alarms, 2)}


def main() -> None:
    job = json.load(sys.stdin)
    with contextlib.redirect_stdout(io.StringIO()):
        reader = Reader(job)
        clock = GXDLMSClock()
        reader.value(clock, 2)
        found: dict[str, Any] = {"clock": clock.time.value.astimezone(datetime.UTC).timestamp()}
        if job["authentication"] != "none":
            found |= measured(reader)
        found["objects"] = len(reader.client.parseObjects(reader.ask(reader.client.getObjectsRequest()).data, True))
        if job["authentication"] == "gmac":
            found |= commanded(reader)
        reader.ask(reader.client.releaseRequest())
    print(json.dumps(found))


if __name__ == "__main__":
    main()
