"""Protecting and opening an APDU of 200 octets under suite 0: ours, dlms-cosem and gurux-dlms in the same run.

dlms-cosem runs in this process, at the level of its cipher functions, where it is fastest; gurux-dlms runs as a
program of its own. CPU time, median of repeats.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from meterway.stacks.dlms.security.context import Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

KEYS: Final = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))
TITLE: Final = b"MWY\x00\x00\x00\x00\x01"
APDU: Final = b"\xc4\x01\xc1\x00\x09\x81\xc1" + bytes(193)
COUNT: Final = 2000

GURUX: Final = """
import json, statistics, sys, time
from gurux_dlms.enums import Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms import GXDLMSClient
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.AesGcmParameter import AesGcmParameter

job = json.loads(sys.stdin.readline())
title, key, auth, apdu = (bytes.fromhex(job[name]) for name in ("title", "key", "auth", "apdu"))
client = GXDLMSClient(True)
printed, sys.stdout = sys.stdout, open("/dev/null", "w")

def parameter():
    made = AesGcmParameter(0xCC, title, key, auth)
    made.security = Security.AUTHENTICATION_ENCRYPTION
    made.invocationCounter = 5
    return made

def protect(counter):
    return GXDLMSChippering.encryptAesGcm(parameter(), apdu)

def opened(octets):
    return GXDLMSChippering.decryptAesGcm(client.settings, parameter(), GXByteBuffer(octets))

def timed(work):
    took = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(4):
            work()
        took.append((time.process_time() - start) / 4)
    return statistics.median(took)

octets = protect(5)
assert bytes(octets).hex() == job["sealed"], bytes(octets).hex()
figures = {"protect": timed(lambda: protect(5))}
try:
    assert bytes(opened(octets)) == apdu
    figures["open"] = timed(lambda: opened(octets))
except Exception as error:
    print(repr(error), file=sys.stderr)
print(json.dumps(figures), file=printed)
"""


def rate(work: Callable[[], int]) -> float:
    """Operations a second of CPU time; ``work`` returns how many it did."""
    work()
    rates = []
    for _ in range(9):
        start = time.process_time()
        count = work()
        rates.append(count / (time.process_time() - start))
    return statistics.median(rates)


def context(start: int = 0) -> SecurityContext:
    """One side of an association with a device that is its own peer."""
    return SecurityContext(
        keys=KEYS, own_title=TITLE, peer_title=TITLE, send_counter=SendCounter(start), received=ReceivedCounter()
    )


def our_rates() -> tuple[float, float]:
    """(protected, opened) APDUs a second."""
    sender = context()
    receiver = context()
    sealed = [context(counter).protect(APDU)[3:] for counter in range(COUNT)]
    if receiver.open(sealed[0]) != APDU:
        raise ValueError("ours did not open what it protected")

    def protect() -> int:
        for _ in range(COUNT):
            sender.protect(APDU)
        return COUNT

    def opened() -> int:
        receiver.received.last = -1
        for octets in sealed:
            receiver.open(octets)
        return COUNT

    return rate(protect), rate(opened)


def dlms_cosem_rates() -> tuple[float, float] | None:
    """(encrypted, decrypted) APDUs a second of dlms-cosem; None if it is not installed."""
    try:
        from dlms_cosem import security
    except ImportError:
        return None
    control = security.SecurityControlField(security_suite=0, authenticated=True, encrypted=True)
    fixed = {
        "security_control": control,
        "system_title": TITLE,
        "key": KEYS.encryption,
        "auth_key": KEYS.authentication,
    }
    sealed = security.encrypt(invocation_counter=5, plain_text=APDU, **fixed)
    if sealed != context(5).protect(APDU)[8:]:
        raise ValueError("dlms-cosem protects otherwise")

    def protect() -> int:
        for counter in range(COUNT):
            security.encrypt(invocation_counter=counter, plain_text=APDU, **fixed)
        return COUNT

    def opened() -> int:
        for _ in range(COUNT):
            security.decrypt(invocation_counter=5, cipher_text=sealed, **fixed)
        return COUNT

    return rate(protect), rate(opened)


def gurux_rates() -> dict[str, float]:
    """APDUs a second of gurux-dlms by operation; empty if it is not installed."""
    job = {
        "title": TITLE.hex(),
        "key": KEYS.encryption.hex(),
        "auth": KEYS.authentication.hex(),
        "apdu": APDU.hex(),
        "sealed": context(5).protect(APDU).hex(),
    }
    command = [sys.executable, "-W", "ignore", "-c", GURUX]
    done = subprocess.run(command, input=json.dumps(job) + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        if "ModuleNotFoundError: No module named 'gurux_dlms'" in done.stderr:
            return {}
        raise RuntimeError(done.stderr)
    return {name: 1 / seconds for name, seconds in json.loads(done.stdout.splitlines()[-1]).items()}


def measure() -> list[dict[str, Any]]:
    """Both directions, in APDUs a second."""
    ours = our_rates()
    cosem = dlms_cosem_rates()
    gurux = gurux_rates()
    rows = []
    for place, name in enumerate(("protect", "open")):
        peers = {} if cosem is None else {"dlms-cosem": cosem[place]}
        peers |= {"gurux-dlms": gurux[name]} if name in gurux else {}
        rows.append(
            {
                "name": f"{name} an APDU of 200 octets, authenticated and encrypted",
                "unit": "/s",
                "ours": ours[place],
                "peers": peers,
                "better": "higher",
                "target": {"dlms-cosem": 1.5, "gurux-dlms": 200},
                "limit": 200_000,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
