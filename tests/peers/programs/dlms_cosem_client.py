"""A session of a dlms-cosem client with a meter, as a program of its own: JSON in, JSON out."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

from dlms_cosem import cosem, enumerations, security, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.protocol import xdlms
from dlms_cosem.time import datetime_from_bytes

Interface = enumerations.CosemInterface


def attribute(interface: Any, code: str, number: int = 2) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(interface, cosem.Obis.from_string(code), number)


CLOCK = attribute(Interface.CLOCK, "0.0.1.0.0.255")
ENERGY = attribute(Interface.REGISTER, "1.0.1.8.0.255")
LOAD = attribute(Interface.PROFILE_GENERIC, "1.0.99.1.0.255")


def connected(job: dict[str, Any]) -> DlmsClient:
    keyed = "key" in job
    method = security.HighLevelSecurityGmacAuthentication() if keyed else security.NoSecurityAuthentication()
    line = BlockingTcpIO(host="127.0.0.1", port=job["port"], timeout=20)
    client = DlmsClient(
        transport=TcpTransport(client_logical_address=job["client"], server_logical_address=1, io=line, timeout=20),
        authentication=method,
        encryption_key=bytes.fromhex(job["key"]) if keyed else None,
        authentication_key=bytes.fromhex(job["auth_key"]) if keyed else None,
        client_system_title=bytes.fromhex(job["title"]) if keyed else None,
        client_initial_invocation_counter=job.get("counter", 0),
        max_pdu_size=job.get("max_pdu", 65535),
        timeout=20,
    )
    # It takes no counter that is not above this one, and so no first counter of 0.
    client.dlms_connection.meter_invocation_counter = -1
    return client


def main() -> None:
    job = json.loads(sys.stdin.readline())
    client = connected(job)
    found: dict[str, Any] = {}
    client.connect()
    client.associate()
    moment, _ = datetime_from_bytes(bytes(utils.parse_as_dlms_data(client.get(CLOCK))))
    found["clock"] = moment.replace(tzinfo=None).isoformat()
    if "read" in job["work"]:
        found["energy"] = utils.parse_as_dlms_data(client.get(ENERGY))
    if "list" in job["work"]:
        items = [cosem.CosemAttributeWithSelection(item, None) for item in (CLOCK, ENERGY)]
        answer = client.get_many(items)
        assert isinstance(answer, xdlms.GetResponseWithList)
        found["list"] = len(answer.response_data)
    if "profile" in job["work"]:
        start = datetime.fromisoformat(job["from"])
        clock = CaptureObject(cosem_attribute=CLOCK, data_index=0)
        chosen = RangeDescriptor(restricting_object=clock, from_value=start, to_value=start + timedelta(hours=1))
        found["range"] = len(utils.parse_as_dlms_data(client.get(LOAD, chosen)))
        found["all"] = len(utils.parse_as_dlms_data(client.get(LOAD)))
    client.release_association()
    client.disconnect()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
