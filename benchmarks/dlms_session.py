"""A whole session of our client and server engines in memory: HLS 5 ciphered, clock, a profile of 96 rows, release.

CPU time of each side in microseconds, without any input or output.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import dlms_device as device
from meterway.base.ciphers import Gcm12
from meterway.stacks.dlms.client import Associated, DlmsClient, GetDone, Released
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming

SESSIONS: Final = 300


def session(one: device.Device, counter: SendCounter, cipher: Gcm12) -> tuple[float, float]:
    """(client, server) seconds of one session."""
    ours = theirs = 0.0
    start = perf_counter()
    received = ReceivedCounter()
    settings = device.settings(device.SECURE, send_counter=counter, received=received, cipher=cipher)
    client = DlmsClient(WrapperFraming(device.SECURE, 1, role=Role.CLIENT), settings)
    client.open(0.0)
    client.get(device.CLOCK, now=0.0)
    client.get(device.LOAD, now=0.0)
    client.release(0.0)
    ours += perf_counter() - start
    start = perf_counter()
    server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: one)
    theirs += perf_counter() - start
    events: list[Any] = []
    while True:
        start = perf_counter()
        question = client.data_to_send()
        ours += perf_counter() - start
        if not question:
            break
        start = perf_counter()
        server.receive_data(question, 0.0)
        answer = server.data_to_send()
        theirs += perf_counter() - start
        start = perf_counter()
        client.receive_data(answer, 0.0)
        while (event := client.next_event()) is not None:
            events.append(event)
        ours += perf_counter() - start
    if [type(event) for event in events] != [Associated, GetDone, GetDone, Released]:
        raise ValueError(f"the session went otherwise: {events}")
    return ours, theirs


def measure() -> list[dict[str, Any]]:
    """Both sides, in microseconds a session."""
    one, counter, cipher = device.Device(), SendCounter(), Gcm12(device.KEYS.encryption)
    for _ in range(20):
        session(one, counter, cipher)
    sides = list(zip(*(session(one, counter, cipher) for _ in range(SESSIONS)), strict=True))
    rows = []
    for name, side, limit in zip(("client", "server"), sides, (150, 120), strict=True):
        rows.append(
            {
                "name": f"a ciphered session with clock and 96 rows, {name} engine",
                "unit": "µs",
                "ours": 1e6 * statistics.median(side),
                "better": "lower",
                "limit": limit,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
