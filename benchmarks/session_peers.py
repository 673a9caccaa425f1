"""Run as a program: a peer's client does whole sessions with a meter and prints the CPU milliseconds of one.

One JSON object as argument: peer (gurux-dlms or dlms-cosem), port, count, rows and keys.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

FIRST_COUNTER = {"gurux-dlms": 1_000_000, "dlms-cosem": 2_000_000}


def gurux(job: dict[str, Any]) -> Callable[[int], None]:
    """A session of gurux-dlms (GPL, used as a program of its own)."""
    from gurux_dlms import GXByteBuffer, GXReplyData
    from gurux_dlms.enums import Authentication, InterfaceType, Security
    from gurux_dlms.objects import GXDLMSClock, GXDLMSProfileGeneric
    from gurux_dlms.secure import GXDLMSSecureClient

    def ask(client: Any, line: socket.socket, messages: Any) -> Any:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            exchange(client, line, message, reply)
            while reply.isMoreData():
                exchange(client, line, client.receiverReady(reply), reply)
        return reply

    def exchange(client: Any, line: socket.socket, message: Any, reply: Any) -> None:
        line.sendall(bytes(message))
        octets, notify = GXByteBuffer(), GXReplyData()
        while True:
            octets.set(line.recv(65536))
            if client.getData(octets, reply, notify):
                break
        if reply.error:
            raise RuntimeError(f"error {reply.error}")

    def session(counter: int) -> None:
        client = GXDLMSSecureClient(True, 1, 1, Authentication.HIGH_GMAC, None, InterfaceType.WRAPPER)
        ciphering = client.ciphering
        ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        ciphering.systemTitle = b"GRX12345"
        ciphering.blockCipherKey = bytes.fromhex(job["guek"])
        ciphering.authenticationKey = bytes.fromhex(job["gak"])
        ciphering.invocationCounter = counter
        with socket.create_connection(("127.0.0.1", job["port"]), timeout=10) as line:
            client.parseAareResponse(ask(client, line, client.aarqRequest()).data)
            proof = ask(client, line, client.getApplicationAssociationRequest())
            client.parseApplicationAssociationResponse(proof.data)
            clock = GXDLMSClock()
            client.updateValue(clock, 2, ask(client, line, client.read(clock, 2)).value)
            profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
            start, end = _span(job["rows"])
            rows = ask(client, line, client.readRowsByRange(profile, start, end)).value
            assert len(rows) == job["rows"], len(rows)
            ask(client, line, client.releaseRequest())

    return session


def cosem(job: dict[str, Any]) -> Callable[[int], None]:
    """A session of dlms-cosem (BSL, used as a program of its own)."""
    from dlms_cosem import cosem as objects
    from dlms_cosem import enumerations, security, utils
    from dlms_cosem.client import DlmsClient
    from dlms_cosem.cosem import selective_access
    from dlms_cosem.io import BlockingTcpIO, TcpTransport

    clock = objects.CosemAttribute(enumerations.CosemInterface.CLOCK, objects.Obis(0, 0, 1, 0, 0, 255), 2)
    profile = objects.CosemAttribute(enumerations.CosemInterface.PROFILE_GENERIC, objects.Obis(1, 0, 99, 1, 0, 255), 2)
    stamp = selective_access.CaptureObject(cosem_attribute=clock, data_index=0)

    def session(counter: int) -> None:
        line = TcpTransport(
            client_logical_address=1, server_logical_address=1, io=BlockingTcpIO(host="127.0.0.1", port=job["port"])
        )
        client = DlmsClient(
            transport=line,
            authentication=security.HighLevelSecurityGmacAuthentication(),
            encryption_key=bytes.fromhex(job["guek"]),
            authentication_key=bytes.fromhex(job["gak"]),
            client_system_title=b"COS12345",
            client_initial_invocation_counter=counter,
        )
        start, end = (each.replace(tzinfo=datetime.UTC) for each in _span(job["rows"]))
        with client.session() as open_client:
            utils.parse_as_dlms_data(open_client.get(clock))
            chosen = selective_access.RangeDescriptor(restricting_object=stamp, from_value=start, to_value=end)
            rows = utils.parse_as_dlms_data(open_client.get(profile, access_descriptor=chosen))
            assert len(rows) == job["rows"], len(rows)

    return session


def _span(rows: int) -> tuple[datetime.datetime, datetime.datetime]:
    today = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    start = today - datetime.timedelta(days=3)
    return start, start + datetime.timedelta(minutes=15 * (rows - 1))


def main() -> None:
    """Warm up, wait for a line, measure."""
    logging.disable()
    job = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(io.StringIO()):
        session = (gurux if job["peer"] == "gurux-dlms" else cosem)(job)
        counter = FIRST_COUNTER[job["peer"]]
        session(counter)
    print("warm", flush=True)
    sys.stdin.readline()
    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        for number in range(job["count"]):
            session(counter + (number + 1) * 100)
    print((time.process_time() - begun) * 1000 / job["count"], flush=True)


if __name__ == "__main__":
    main()
