"""One client's association on the server's side: every mechanism, every refusal, release and beginning anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
from meterway.base.octets import Reader
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import Aare, Aarq, Rlre
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.association import State
from meterway.stacks.dlms.client.opening import Opening
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.security.counter import MAX_COUNTER, SendCounter
from meterway.stacks.dlms.server import ServerSession
from meterway.stacks.dlms.xdlms.action import ActionRequestNormal, ActionResponseNormal
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.get import GetRequestNormal, GetResponseNormal
from meterway.stacks.dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult

pytestmark = pytest.mark.covers("IF-I", "SEC-03")

GET = GetRequestNormal(invoke=0xC1, attribute=device.ENERGY).encode()
ENERGY = GetResponseNormal(invoke=0xC1, result=axdr.encode(axdr.u32(123456)))
NOT_ALLOWED = ExceptionResponse(state_error=1, service_error=1)
PLAIN_INITIATE = InitiateRequest(conformance=device.ALL, max_pdu=0xFFFF)


class Talk:
    """A session of a server, and the client's half by hand."""

    def __init__(self, client: int, *, server: device.Device | None = None, **changes: Any) -> None:
        self.device = server or device.Device()
        self.session = ServerSession(self.device, client)
        self.settings = device.settings(client, **changes)
        self.opening = Opening(self.settings)

    def raw(self, octets: bytes) -> Any:
        return decode_apdu(self.session.handle(octets, 0.0))

    def associate(self) -> Any:
        """Open as far as the mechanism goes; the last plain answer."""
        octets = self.session.handle(self.opening.aarq(), 0.0)
        proof = self.opening.take(octets)
        if proof is None:
            return decode_apdu(octets)
        answer = self.session.handle(self.sealed(proof), 0.0)
        return decode_apdu(self.opened(answer))

    def sealed(self, plain: bytes) -> bytes:
        security = self.opening.security
        return plain if security is None else security.protect(plain)

    def opened(self, octets: bytes) -> bytes:
        security = self.opening.security
        if security is None or not self.settings.control or octets[0] == 0xD8:
            return octets
        return security.open(octets[2:], dedicated=octets[0] == 0xD7)

    def ask(self, plain: bytes) -> Any:
        return decode_apdu(self.opened(self.session.handle(self.sealed(plain), 0.0)))


CLIENTS = sorted(device.MECHANISM)
PROVED = [client for client in CLIENTS if device.MECHANISM[client] > 1]


@pytest.mark.parametrize("client", CLIENTS)
def test_each_mechanism_associates_reads_and_releases(client: int) -> None:
    talk = Talk(client)
    talk.associate()
    assert talk.session.state is State.ASSOCIATED
    assert talk.ask(GET) == ENERGY
    assert talk.raw(bytes.fromhex("6203800100")) == Rlre(reason=0)
    assert talk.session.state is State.IDLE
    assert talk.device.kinds == ["associated", "released"]
    talk.opening = Opening(talk.settings)
    talk.associate()
    assert talk.ask(GET) == ENERGY


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_served_before_the_association_is_proved(client: int) -> None:
    talk = Talk(client)
    assert talk.raw(GET) == NOT_ALLOWED
    talk.session.handle(talk.opening.aarq(), 0.0)
    if device.MECHANISM[client] > 1:
        assert talk.session.state is State.PENDING
        assert talk.raw(GET) == NOT_ALLOWED
        assert talk.device.selections == []


def test_an_association_is_renewed_by_a_second_request() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    talk.opening = Opening(talk.settings)
    talk.associate()
    assert talk.ask(GET) == ENERGY
    assert talk.device.kinds == ["associated", "associated"]


def _rejected(answer: Any, diagnostic: int) -> Aare:
    assert isinstance(answer, Aare)
    assert (answer.result, answer.diagnostic) == (1, diagnostic)
    return answer


@pytest.mark.parametrize("secret", [b"", b"wrong", device.SECRET[:-1], device.SECRET + b"!"])
def test_a_wrong_password_is_rejected_and_noticed(secret: bytes) -> None:
    talk = Talk(device.READER, secret=secret)
    _rejected(talk.raw(talk.opening.aarq()), 13)
    assert talk.device.kinds == ["authentication"]
    assert talk.raw(GET) == NOT_ALLOWED


@pytest.mark.parametrize(
    ("client", "changes", "diagnostic"),
    [
        (99, {}, 1),
        (device.PUBLIC, {"mechanism": 1}, 11),
        (device.READER, {"mechanism": 0}, 14),
        (device.SECURE, {"mechanism": 0, "control": 0}, 2),
        (device.HLS5, {"mechanism": 3}, 11),
        (device.HLS3, {"mechanism": 0}, 14),
    ],
)
def test_another_mechanism_or_context_is_rejected(client: int, changes: dict[str, Any], diagnostic: int) -> None:
    talk = Talk(client, **changes)
    _rejected(talk.raw(talk.opening.aarq()), diagnostic)
    assert talk.session.state is State.IDLE


@pytest.mark.parametrize("length", [0, 7, 65])
def test_a_challenge_too_short_or_too_long_is_rejected(length: int) -> None:
    talk = Talk(device.HLS3)
    aarq = Aarq(
        context=1, mechanism=3, authentication_value=bytes(length) or None, user_information=PLAIN_INITIATE.encode()
    )
    _rejected(talk.raw(aarq.encode()), 13)


@pytest.mark.parametrize("client", PROVED)
def test_a_wrong_proof_ends_the_association(client: int) -> None:
    talk = Talk(client)
    talk.session.handle(talk.opening.aarq(), 0.0)
    octets = talk.session.handle(talk.opening.aarq(), 0.0)
    proof = talk.opening.take(octets)
    assert proof is not None
    wrong = proof[:-1] + bytes((proof[-1] ^ 1,))
    answer = talk.ask(wrong)
    assert isinstance(answer, ActionResponseNormal)
    assert answer.outcome.result is ActionResult.READ_WRITE_DENIED
    assert answer.outcome.returned is None
    assert talk.session.state is State.IDLE
    assert talk.device.kinds == ["authentication"]


@pytest.mark.parametrize("client", PROVED)
def test_the_proof_of_another_session_does_not_prove(client: int) -> None:
    talk = Talk(client)
    proof = talk.opening.take(talk.session.handle(talk.opening.aarq(), 0.0))
    assert proof is not None
    talk.session.handle(talk.opening.aarq(), 0.0)
    answer = talk.ask(proof)
    assert answer.outcome.result is ActionResult.READ_WRITE_DENIED


def test_only_the_reply_to_the_challenge_is_taken_while_unproved() -> None:
    talk = Talk(device.HLS3)
    talk.session.handle(talk.opening.aarq(), 0.0)
    other = MethodDescriptor(15, device.CLOCK.obis, 1)
    for request in (
        ActionRequestNormal(invoke=1, method=other, parameters=b"\x09\x00"),
        ActionRequestNormal(invoke=1, method=MethodDescriptor(15, device.ECHO.obis._replace(c=40, d=0), 1)),
        GetRequestNormal(invoke=1, attribute=device.CLOCK),
    ):
        assert talk.raw(request.encode()) == NOT_ALLOWED
    assert talk.session.state is State.PENDING
    assert talk.device.called == []


@pytest.mark.covers("SEC-04")
def test_a_plain_request_in_a_protected_association_is_refused() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    assert talk.raw(GET) == NOT_ALLOWED
    assert talk.device.kinds[-1] == "policy"
    assert talk.device.selections == []


@pytest.mark.covers("SEC-04")
def test_a_plain_initiate_request_for_a_protected_association_is_rejected() -> None:
    talk = Talk(device.SECURE)
    aarq = Aarq(
        context=3,
        mechanism=5,
        calling_ap_title=device.CLIENT_TITLE,
        authentication_value=bytes(16),
        user_information=PLAIN_INITIATE.encode(),
    )
    answer = _rejected(talk.raw(aarq.encode()), 13)
    assert answer.user_information == ConfirmedServiceError(service=1, error_type=6, value=0).encode()
    assert talk.device.kinds == ["policy", "authentication"]


@pytest.mark.covers("SEC-05")
def test_a_replayed_association_request_is_rejected() -> None:
    talk = Talk(device.SECURE)
    aarq = talk.opening.aarq()
    assert isinstance(talk.raw(aarq), Aare)
    _rejected(talk.raw(aarq), 13)
    assert "counter" in talk.device.kinds


@pytest.mark.covers("SEC-05")
def test_a_replayed_request_is_told_the_counter_that_is_expected() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    request = talk.sealed(GET)
    talk.session.handle(request, 0.0)
    refused = talk.raw(request)
    assert isinstance(refused, ExceptionResponse)
    assert (refused.service_error, refused.invocation_counter) == (6, talk.device.received.last + 1)
    assert talk.device.kinds[-1] == "counter"
    assert talk.ask(GET) == ENERGY


@pytest.mark.covers("SEC-04")
def test_an_altered_request_is_refused_and_the_association_goes_on() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    octets = bytearray(talk.sealed(GET))
    octets[-1] ^= 1
    assert talk.raw(bytes(octets)) == ExceptionResponse(state_error=1, service_error=5)
    assert talk.device.kinds[-1] == "tag"
    assert talk.ask(GET) == ENERGY


@pytest.mark.covers("SEC-04")
def test_weaker_protection_another_title_and_another_service_inside_are_refused() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    security = talk.opening.security
    assert security is not None
    octets = bytearray(security.protect_general(GET))
    octets[9] ^= 1
    assert talk.raw(bytes(octets)) == ExceptionResponse(state_error=1, service_error=5)
    assert talk.device.kinds[-1] == "title"
    envelope = bytearray(security.protect(GET))
    envelope[0] = 0xC9
    talk.raw(bytes(envelope))
    assert talk.device.kinds[-1] == "decode"
    signed = SecurityContext(
        keys=device.KEYS,
        own_title=device.CLIENT_TITLE,
        peer_title=device.SERVER_TITLE,
        send_counter=SendCounter(1000),
        received=security.received,
        control=0x10,
    )
    talk.raw(signed.protect(GET))
    assert talk.device.kinds[-1] == "policy"
    assert talk.device.selections == []


@pytest.mark.covers("SEC-04")
def test_a_general_envelope_is_answered_in_one() -> None:
    talk = Talk(device.SECURE)
    talk.associate()
    security = talk.opening.security
    assert security is not None
    octets = talk.session.handle(security.protect_general(GET), 0.0)
    assert octets[:10] == b"\xdb\x08" + device.SERVER_TITLE
    assert decode_apdu(security.open(octets[11:])) == ENERGY


@pytest.mark.covers("SEC-05")
def test_where_nothing_is_ciphered_an_envelope_without_a_tag_cannot_raise_the_counter() -> None:
    talk = Talk(device.HLS5)
    talk.associate()
    last = talk.device.received.last
    for control in (b"\x00", b"\x20"):
        talk.raw(b"\xc8\x12" + control + b"\xff\xff\xff\xff" + GET)
        assert talk.device.kinds[-1] == "policy"
    assert talk.device.received.last == last


@pytest.mark.covers("SEC-07")
def test_a_dedicated_key_is_used_from_then_on() -> None:
    talk = Talk(device.SECURE, dedicated_key=bytes(range(16, 32)))
    talk.associate()
    request = talk.sealed(GET)
    assert request[0] == 0xD0
    answer = talk.session.handle(request, 0.0)
    assert answer[0] == 0xD4
    assert talk.opening.security is not None
    assert decode_apdu(talk.opening.security.open(answer[2:], dedicated=True)) == ENERGY


def test_a_dedicated_key_of_a_wrong_length_is_rejected_and_the_next_request_is_heard() -> None:
    talk = Talk(device.SECURE)
    talk.settings = device.settings(device.SECURE)
    opening = Opening(talk.settings)
    assert opening.security is not None
    request = InitiateRequest(conformance=device.ALL, max_pdu=0xFFFF, dedicated_key=bytes(5))
    aarq = Aarq(
        context=3,
        mechanism=5,
        calling_ap_title=device.CLIENT_TITLE,
        authentication_value=bytes(16),
        user_information=opening.security.protect_initiate(request.encode()),
    )
    _rejected(talk.raw(aarq.encode()), 13)
    assert talk.session.state is State.IDLE
    talk.opening = Opening(device.settings(device.SECURE, send_counter=SendCounter(10)))
    talk.associate()
    assert talk.session.state is State.ASSOCIATED


def test_a_server_whose_counters_are_used_up_rejects_and_does_not_hang() -> None:
    server = device.Device(send_counter=SendCounter(MAX_COUNTER + 1))
    talk = Talk(device.SECURE, server=server)
    for _ in range(2):
        _rejected(talk.raw(talk.opening.aarq()), 13)
    assert talk.session.state is State.IDLE


@pytest.mark.parametrize(("changes", "title"), [({"has_keys": False}, device.CLIENT_TITLE), ({}, b""), ({}, b"short")])
def test_protection_needs_keys_and_the_title_of_the_client(changes: dict[str, Any], title: bytes) -> None:
    talk = Talk(device.SECURE, server=device.Device(**changes))
    aarq = Aarq(
        context=3,
        mechanism=5,
        calling_ap_title=title or None,
        authentication_value=bytes(16),
        user_information=b"\x21\x05\x30\x00\x00\x00\x00",
    )
    _rejected(talk.raw(aarq.encode()), 13)
    assert talk.device.kinds[0] == "title"


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        (InitiateRequest(conformance=device.ALL, max_pdu=0xFFFF, version=5), 1),
        (InitiateRequest(conformance=device.ALL, max_pdu=63), 3),
    ],
)
def test_an_old_version_and_too_small_a_pdu_are_rejected(request_: InitiateRequest, value: int) -> None:
    talk = Talk(device.PUBLIC)
    answer = _rejected(talk.raw(Aarq(context=1, user_information=request_.encode()).encode()), 1)
    assert answer.user_information == ConfirmedServiceError(service=1, error_type=6, value=value).encode()


def test_what_both_sides_know_is_agreed_and_answers_fit_the_client() -> None:
    reads = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET
    talk = Talk(device.PUBLIC, server=device.Device(conformance=reads | Conformance.SET, max_pdu=1000))
    wanted = InitiateRequest(conformance=reads | Conformance.ACTION, max_pdu=100)
    aare = talk.raw(Aarq(context=1, user_information=wanted.encode()).encode())
    assert decode_apdu(aare.user_information) == InitiateResponse(conformance=reads, max_pdu=1000)
    answer = talk.session.handle(GetRequestNormal(invoke=1, attribute=device.LOAD).encode(), 0.0)
    assert len(answer) <= 100
    assert answer[:2] == b"\xc4\x02"


def test_what_was_not_agreed_is_not_served() -> None:
    talk = Talk(device.PUBLIC, server=device.Device(conformance=Conformance.GET | Conformance.ACTION))
    wanted = InitiateRequest(conformance=Conformance.GET, max_pdu=1000)
    talk.raw(Aarq(context=1, user_information=wanted.encode()).encode())
    refused = talk.session.handle(ActionRequestNormal(invoke=1, method=device.RESET).encode(), 0.0)
    assert refused == ExceptionResponse(state_error=2, service_error=2).encode()
    assert talk.session.handle(GetRequestNormal(invoke=1, attribute=device.ENERGY).encode(), 0.0)[:2] == b"\xc4\x01"


@pytest.mark.parametrize("client", [device.SECURE, device.SIGNED])
@pytest.mark.parametrize("general", [False, True])
def test_a_protected_answer_fits_the_client_too(client: int, general: bool) -> None:
    talk = Talk(client, max_pdu=200)
    talk.associate()
    security = talk.opening.security
    assert security is not None
    request = GetRequestNormal(invoke=1, attribute=device.LOAD).encode()
    sealed = security.protect_general(request) if general else security.protect(request)
    assert 150 < len(talk.session.handle(sealed, 0.0)) <= 200


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        ("", "d80103"),
        ("ff", "d80103"),
        ("c0", "d80103"),
        ("c001c1", "d80103"),
        ("c009c1", "d80103"),
        ("c401c10000", "d80202"),
        ("0f0000000100", "d80202"),
        ("d9400000000000" + "00", "d80202"),
        ("e0c10001000000", "d80202"),
        ("6105", "d80103"),
        ("6003a10100", "d80103"),
    ],
)
def test_what_is_malformed_or_not_served_gets_the_error_of_the_norm(octets: str, answer: str) -> None:
    talk = Talk(device.PUBLIC)
    talk.associate()
    assert talk.session.handle(bytes.fromhex(octets), 0.0).hex() == answer
    if octets[:2] != "60":
        assert talk.ask(GET) == ENERGY


def test_ciphered_requests_without_a_context_are_not_allowed() -> None:
    talk = Talk(device.PUBLIC)
    talk.associate()
    assert talk.raw(b"\xc8\x12" + bytes(18)) == NOT_ALLOWED
    assert talk.raw(b"\xdb\x00\x05" + bytes(5)) == NOT_ALLOWED


def test_the_challenge_of_the_server_is_never_the_one_it_got(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(device.HLS3)
    aarq = decode_apdu(talk.opening.aarq())
    assert isinstance(aarq, Aarq)
    given_challenges = iter([aarq.authentication_value, aarq.authentication_value, b"another one at last"])
    monkeypatch.setattr("meterway.stacks.dlms.security.hls.new_challenge", lambda: next(given_challenges))
    aare = talk.raw(aarq.encode())
    assert aare.authentication_value == b"another one at last"


def test_releasing_twice_is_answered_twice_and_noticed_once() -> None:
    talk = Talk(device.PUBLIC)
    talk.associate()
    for _ in range(2):
        assert talk.raw(bytes.fromhex("6200")) == Rlre(reason=0)
    assert talk.device.kinds == ["associated", "released"]


@pytest.mark.covers("SEC-11")
@given(st.sampled_from(CLIENTS), st.lists(st.binary(max_size=60), max_size=4), st.booleans())
def test_no_octets_bring_a_session_down(client: int, requests: list[bytes], associated: bool) -> None:
    talk = Talk(client)
    if associated:
        talk.associate()
    for octets in requests:
        answer = talk.session.handle(octets, 0.0)
        assert Reader(answer).remaining > 0
