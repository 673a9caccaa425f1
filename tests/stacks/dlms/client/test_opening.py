"""The client's half of opening an association, and what it refuses to believe."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import dlms_device as device
from meterway.base.errors import MeterwayError, RemoteProtocolError, SecurityError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import Aare, Aarq
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.client.opening import Opening
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.server import ServerSession
from meterway.stacks.dlms.xdlms.action import ActionOutcome, ActionResponseNormal
from meterway.stacks.dlms.xdlms.initiate import InitiateResponse
from meterway.stacks.dlms.xdlms.results import ActionResult

pytestmark = pytest.mark.covers("IF-I", "SEC-03")

PROVED = [client for client, mechanism in device.MECHANISM.items() if mechanism > 1]


def answered(client: int, **changes: Any) -> tuple[Opening, ServerSession, Aare]:
    """An opening, the session that answered it, and the answer."""
    opening = Opening(device.settings(client, **changes))
    session = ServerSession(device.Device(), client)
    aare = decode_apdu(session.handle(opening.aarq(), 0.0))
    assert isinstance(aare, Aare)
    return opening, session, aare


def check_of(work: Any, *arguments: Any) -> str:
    with pytest.raises(SecurityError) as refused:
        work(*arguments)
    return refused.value.check


def test_without_authentication_nothing_of_it_is_sent() -> None:
    aarq = decode_apdu(Opening(device.settings(device.PUBLIC)).aarq())
    assert isinstance(aarq, Aarq)
    assert (aarq.context, aarq.mechanism, aarq.acse_requirements, aarq.authentication_value) == (1, None, False, None)
    assert aarq.calling_ap_title is None


def test_a_password_is_sent_with_its_mechanism() -> None:
    aarq = decode_apdu(Opening(device.settings(device.READER)).aarq())
    assert isinstance(aarq, Aarq)
    assert (aarq.mechanism, aarq.acse_requirements, aarq.authentication_value) == (1, True, device.SECRET)


@pytest.mark.covers("SEC-07")
def test_a_dedicated_key_is_only_sent_encrypted() -> None:
    key = bytes(range(100, 116))
    ciphered = Opening(device.settings(device.SECURE, dedicated_key=key)).aarq()
    plain = Opening(device.settings(device.HLS5, dedicated_key=key)).aarq()
    assert key not in ciphered
    assert key not in plain


@pytest.mark.parametrize("client", PROVED)
def test_both_sides_prove_themselves(client: int) -> None:
    opening, session, aare = answered(client)
    proof = opening.take(aare.encode())
    assert proof is not None
    security = opening.security
    control = device.CONTROL.get(client, 0)
    reply = session.handle(security.protect(proof) if security is not None else proof, 0.0)
    if control and security is not None:
        reply = security.open(reply[2:])
    associated = opening.prove(reply)
    assert associated.server_title == device.SERVER_TITLE
    assert associated.max_pdu == 0xFFFF
    changed = bytearray(reply)
    changed[-1] ^= 1
    assert check_of(opening.prove, bytes(changed)) == "authentication"


@pytest.mark.parametrize("client", PROVED)
def test_our_own_challenge_sent_back_is_refused(client: int) -> None:
    opening, _, aare = answered(client)
    aarq = decode_apdu(Opening(device.settings(client)).aarq())
    assert isinstance(aarq, Aarq)
    echoed = dataclasses.replace(aare, authentication_value=opening._challenge)
    assert check_of(opening.take, echoed.encode()) == "authentication"


@pytest.mark.parametrize("client", PROVED)
def test_an_answer_without_a_challenge_is_refused(client: int) -> None:
    opening, _, aare = answered(client)
    assert check_of(opening.take, dataclasses.replace(aare, authentication_value=None).encode()) == "authentication"


def test_without_a_system_title_nothing_can_be_verified() -> None:
    opening, _, aare = answered(device.SECURE)
    assert check_of(opening.take, dataclasses.replace(aare, responding_ap_title=None).encode()) == "title"


@pytest.mark.covers("SEC-04")
def test_an_unprotected_initiate_response_is_refused() -> None:
    opening, _, aare = answered(device.SECURE)
    plain = InitiateResponse(conformance=device.ALL, max_pdu=1000).encode()
    assert check_of(opening.take, dataclasses.replace(aare, user_information=plain).encode()) == "policy"
    assert check_of(opening.take, dataclasses.replace(aare, user_information=None).encode()) == "policy"


@pytest.mark.covers("SEC-04")
def test_a_protected_initiate_response_without_keys_is_refused() -> None:
    opening, _, aare = answered(device.PUBLIC)
    sealed = dataclasses.replace(aare, user_information=b"\x28\x05\x30\x00\x00\x00\x00")
    assert check_of(opening.take, sealed.encode()) == "key"
    sealed = dataclasses.replace(aare, user_information=b"\xdb\x00\x05\x30\x00\x00\x00\x00")
    assert check_of(opening.take, sealed.encode()) == "key"


def test_keys_are_needed_where_they_are_needed() -> None:
    for client in (device.SECURE, device.HLS5):
        assert check_of(Opening, device.settings(client, keys=None)) == "key"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("611fa109060760857405080101a203020101a305a10302010dbe0604040e010600", SecurityError, "authentication failure"),
        ("6117a109060760857405080101a203020101a305a10302010e", SecurityError, "authentication required"),
        ("6117a109060760857405080101a203020102a305a103020101", RemoteProtocolError, "rejected for now"),
        (
            "611fa109060760857405080101a203020101a305a103020101be0604040e010603",
            RemoteProtocolError,
            "pdu-size-too-short",
        ),
        ("0e010600", RemoteProtocolError, "initiate other"),
        ("d80101", RemoteProtocolError, "service-not-allowed"),
        ("c401c10000", RemoteProtocolError, "answered with GetResponseNormal"),
        ("6117a109060760857405080101a203020100a305a103020100", MeterwayError, "."),
    ],
)
def test_a_refused_association_is_told_in_words(answer: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        Opening(device.settings(device.PUBLIC)).take(bytes.fromhex(answer))


@pytest.mark.parametrize(
    "answer",
    [
        ActionResponseNormal(invoke=1, outcome=ActionOutcome(ActionResult.READ_WRITE_DENIED)).encode(),
        ActionResponseNormal(invoke=1, outcome=ActionOutcome(ActionResult.SUCCESS)).encode(),
        ActionResponseNormal(invoke=1, outcome=ActionOutcome(ActionResult.SUCCESS, axdr.encode(axdr.u8(1)))).encode(),
        bytes.fromhex("c401c10000"),
    ],
)
def test_a_device_that_does_not_prove_itself_is_refused(answer: bytes) -> None:
    opening, _, aare = answered(device.HLS3)
    opening.take(aare.encode())
    assert check_of(opening.prove, answer) == "authentication"


def test_an_accepted_association_may_be_general() -> None:
    opening, _, aare = answered(device.SECURE, send_counter=SendCounter(5))
    assert aare.user_information is not None
    title = device.SERVER_TITLE
    general = b"\xdb\x08" + title + aare.user_information[1:]
    assert opening.take(dataclasses.replace(aare, user_information=general).encode()) is not None
    assert opening.room == 0xFFFF
