"""wpa_supplicant's EAP-PSK peer joins by our server: messages, proofs, protected channel and session keys agree.

``eapol_test`` is a RADIUS client around that peer, so the test has as much of a RADIUS server as carries EAP (RFC 2865,
RFC 3579), and gives the session keys in the form of RFC 2548, which the program compares with its own.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from meterway.base.errors import SecurityError
from meterway.stacks.neighbourhood.eap_psk import Protected, Result, Server

pytestmark = [pytest.mark.peer, pytest.mark.needs("eapol_test"), pytest.mark.covers("SEC-03", "IF-C")]

SECRET: Final = b"shared"
PSK: Final = bytes.fromhex("00112233445566778899aabbccddeeff")
DEVICE: Final = b"METER001"
REQUEST, ACCEPT, REJECT, CHALLENGE = 1, 2, 3, 11
STATE, VENDOR, EAP_MESSAGE, AUTHENTICATOR = 24, 26, 79, 80
MICROSOFT: Final = (311).to_bytes(4, "big")


def attribute(kind: int, value: bytes) -> bytes:
    return bytes([kind, 2 + len(value)]) + value


def eap_of(octets: bytes) -> bytes:
    at, found = 20, b""
    while at < len(octets):
        kind, length = octets[at], octets[at + 1]
        if kind == EAP_MESSAGE:
            found += octets[at + 2 : at + length]
        at += length
    return found


def hidden(key: bytes, salt: bytes, request: bytes) -> bytes:
    plain = bytes([len(key)]) + key
    plain += bytes(-len(plain) % 16)
    made, before = b"", request[4:20] + salt
    for start in range(0, len(plain), 16):
        mask = hashlib.md5(SECRET + before).digest()
        before = bytes(one ^ two for one, two in zip(plain[start : start + 16], mask, strict=True))
        made += before
    return salt + made


def mppe(kind: int, key: bytes, salt: bytes, request: bytes) -> bytes:
    inner = hidden(key, salt, request)
    return attribute(VENDOR, MICROSOFT + bytes([kind, 2 + len(inner)]) + inner)


def answer(code: int, request: bytes, eap: bytes, more: bytes = b"") -> bytes:
    pieces = b"".join(attribute(EAP_MESSAGE, eap[at : at + 253]) for at in range(0, len(eap), 253))
    attributes = pieces + more
    length = 20 + len(attributes) + 18
    head = bytes([code, request[1]]) + length.to_bytes(2, "big")
    unsigned = head + request[4:20] + attributes + attribute(AUTHENTICATOR, bytes(16))
    signed = attributes + attribute(AUTHENTICATOR, hmac.new(SECRET, unsigned, "md5").digest())
    return head + hashlib.md5(head + request[4:20] + signed + SECRET).digest() + signed


def serve(line: socket.socket, psk: bytes, outcome: list[object]) -> None:
    """One exchange; ``outcome`` takes what the peer said, or the error."""
    server = Server(psk, b"COORDINA", bytes(range(100, 116)), 5)
    try:
        for step in range(3):
            request, source = line.recvfrom(4096)
            eap, more = eap_of(request), attribute(STATE, b"x")
            if step == 0:
                line.sendto(answer(CHALLENGE, request, server.first(), more), source)
            elif step == 1:
                third = server.second(eap, DEVICE, Protected(result=Result.SUCCESS))
                line.sendto(answer(CHALLENGE, request, third, more), source)
            else:
                outcome.append(server.fourth(eap))
                assert server.session is not None
                msk = server.session.msk
                keys = mppe(17, msk[:32], b"\x80\x01", request) + mppe(16, msk[32:], b"\x80\x02", request)
                line.sendto(answer(ACCEPT, request, server.end(success=True), keys), source)
    except SecurityError as error:
        outcome.append(error)
        line.sendto(answer(REJECT, request, server.end(success=False)), source)


def run(
    program: Callable[[str], Path], folder: Path, psk: bytes
) -> tuple[subprocess.CompletedProcess[str], list[object]]:
    settings = folder / "peer.conf"
    settings.write_text(f'network={{\n key_mgmt=WPA-EAP\n eap=PSK\n identity="METER001"\n password={PSK.hex()}\n}}\n')
    outcome: list[object] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(20)
        thread = threading.Thread(target=serve, args=(line, psk, outcome))
        thread.start()
        command = [
            str(program("eapol_test")),
            "-c",
            str(settings),
            "-a",
            "127.0.0.1",
            "-s",
            SECRET.decode(),
            "-t",
            "20",
        ]
        command += ["-p", str(line.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        thread.join(30)
    return done, outcome


def test_the_same_key_ends_in_success_and_in_the_same_session_keys(
    program: Callable[[str], Path], tmp_path: Path
) -> None:
    done, outcome = run(program, tmp_path, PSK)
    assert outcome == [Protected(result=Result.SUCCESS)]
    assert done.returncode == 0, done.stdout[-2000:]
    assert "MPPE keys OK: 1  mismatch: 0" in done.stdout
    assert done.stdout.rstrip().endswith("SUCCESS")


def test_another_key_is_found(program: Callable[[str], Path], tmp_path: Path) -> None:
    done, (outcome,) = run(program, tmp_path, bytes(16))
    assert isinstance(outcome, SecurityError)
    assert done.returncode != 0
    assert done.stdout.rstrip().endswith("FAILURE")
