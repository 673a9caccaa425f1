"""One client's association with one logical device: octets of an APDU in, octets of the answer out."""

from __future__ import annotations

from functools import lru_cache

from meterway.base.errors import DecodeError, MeterwayError, RemoteProtocolError, SecurityError
from meterway.base.obis import Obis
from meterway.base.octets import Reader
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED, Aare, Aarq, Rlre
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.association import State, Step, step
from meterway.stacks.dlms.axdr import decode_all, encode, octets
from meterway.stacks.dlms.security import hls
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.server.host import Association, LogicalDevice
from meterway.stacks.dlms.server.services import Services
from meterway.stacks.dlms.xdlms.action import ActionOutcome, ActionRequestNormal, ActionResponseNormal
from meterway.stacks.dlms.xdlms.ciphered import (
    DEDICATED_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GeneralCiphered,
    protected_octets,
)
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.initiate import DLMS_VERSION, InitiateRequest, InitiateResponse
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["ServerSession"]

_CURRENT_ASSOCIATION = MethodDescriptor(15, Obis(0, 0, 40, 0, 0), 1)
_ACTION = b"\xc3\x01"
_PROOF_FOLLOWS = _CURRENT_ASSOCIATION.encode() + b"\x01\x09"  # parameters, an octet-string
_CIPHER_OVERHEAD = 32  # general-glo: tag, title with length, length, control, counter, tag of 12
_MIN_PDU = 64
_GET_REQUEST = b"\xc0"
_NO_DEDICATED_KEY = b"\x01\x00"
_DEDICATED = frozenset(DEDICATED_TAGS.values())
_LONGEST_KEPT = 128
_RETURNED = b"\x00\x01\x00"  # success, something returned, data
_RELEASED = Rlre(reason=0).encode()
_NOT_ALLOWED = ExceptionResponse(state_error=1, service_error=1).encode()
_NOT_SUPPORTED = ExceptionResponse(state_error=2, service_error=2).encode()
_OTHER = ExceptionResponse(state_error=1, service_error=3).encode()
_DECIPHERING = ExceptionResponse(state_error=1, service_error=5).encode()

_REJECT_CONTEXT, _REJECT_MECHANISM, _REJECT_FAILURE, _REJECT_REQUIRED = 2, 11, 13, 14


@lru_cache(maxsize=1024)
def _known(plain: bytes) -> object:
    """A read request or an initiate request without a key; a client asks many devices the same."""
    return decode_apdu(plain)


def _is_plain_initiate(plain: bytes) -> bool:
    return plain[:2] == _NO_DEDICATED_KEY and len(plain) <= _LONGEST_KEPT


def _given_proof(plain: bytes) -> tuple[int, object] | None:
    """The invoke id and what was sent as a proof, None if the request is another one."""
    if (
        plain[:2] == _ACTION
        and plain[3:14] == _PROOF_FOLLOWS
        and len(plain) > 15
        and plain[14] == len(plain) - 15 < 0x80
    ):
        return plain[2], plain[15:]
    request = decode_apdu(plain)
    if (
        not isinstance(request, ActionRequestNormal)
        or request.method != _CURRENT_ASSOCIATION
        or request.parameters is None
    ):
        return None
    return request.invoke, decode_all(request.parameters).value


@lru_cache(maxsize=64)
def _initiate_response(agreed: Conformance, max_pdu: int) -> bytes:
    return InitiateResponse(conformance=agreed, max_pdu=max_pdu).encode()


class ServerSession:
    """Answers the APDUs of one client. A refused or malformed APDU gets the norm's error, never silence."""

    __slots__ = (
        "_association",
        "_challenge",
        "_client",
        "_device",
        "_is_general",
        "_own_challenge",
        "_peer_title",
        "_security",
        "_services",
        "state",
    )

    def __init__(self, device: LogicalDevice, client: int) -> None:
        self._device = device
        self._client = client
        self._association: Association | None = None
        self._security: SecurityContext | None = None
        self._services: Services | None = None
        self._challenge = b""
        self._own_challenge = b""
        self._peer_title = b""
        self._is_general = False
        self.state = State.IDLE

    def handle(self, apdu: bytes, now: float) -> bytes:
        """The answer to one APDU."""
        if not apdu:
            return _OTHER
        tag = apdu[0]
        try:
            if tag == 0x60:
                return self._open(Aarq.decode(Reader(apdu, 1)), now)
            if tag == 0x62:
                return self._release(now)
            if tag in PLAIN_TAGS:
                return self._ciphered(apdu, now)
            if tag in (0xDB, 0xDC):
                return self._ciphered_general(decode_apdu(apdu), now)
            return self._plain(apdu, now)
        except DecodeError:
            self._device.noticed(self._client, "decode", now)
            return _OTHER
        except SecurityError as error:
            self._device.noticed(self._client, error.check, now)
            return self._security_error(error)
        except RemoteProtocolError:
            return _NOT_ALLOWED

    def _security_error(self, error: SecurityError) -> bytes:
        if error.check == "counter" and self._security is not None:
            expected = (self._security.received.last + 1) & 0xFFFFFFFF
            return ExceptionResponse(state_error=1, service_error=6, invocation_counter=expected).encode()
        return _DECIPHERING

    # -- association --------------------------------------------------------------------------------------------------

    def _open(self, aarq: Aarq, now: float) -> bytes:
        self.state = step(self.state, Step.AARQ, ours=False)
        self._association = self._security = self._services = None
        try:
            return self._judge(aarq, now)
        except MeterwayError as error:
            self._device.noticed(self._client, error.check if isinstance(error, SecurityError) else "decode", now)
            return self._reject(aarq, _REJECT_FAILURE, now, ConfirmedServiceError(service=1, error_type=6, value=0))

    def _judge(self, aarq: Aarq, now: float) -> bytes:
        association = self._device.association(self._client)
        if association is None:
            return self._reject(aarq, 1, now)
        refusal = self._refusal(aarq, association)
        if refusal:
            return self._reject(aarq, refusal, now)
        self._peer_title = aarq.calling_ap_title or b""
        self._challenge = aarq.authentication_value or b""
        return self._agree(aarq, association, self._initiate(aarq, association), now)

    def _refusal(self, aarq: Aarq, association: Association) -> int:
        if aarq.context != association.context:
            return _REJECT_CONTEXT
        mechanism = aarq.mechanism or hls.LOWEST
        if mechanism != association.mechanism:
            return _REJECT_REQUIRED if mechanism == hls.LOWEST else _REJECT_MECHANISM
        given = aarq.authentication_value or b""
        if mechanism == hls.LLS and not hls.same_secret(given, association.secret):
            return _REJECT_FAILURE
        if mechanism > hls.LLS and not 8 <= len(given) <= 64:
            return _REJECT_FAILURE
        return 0

    def _initiate(self, aarq: Aarq, association: Association) -> InitiateRequest:
        if association.context == CONTEXT_LN_CIPHERED or association.mechanism == hls.HLS5:
            self._secure(association)
        request: object = decode_apdu(aarq.user_information)
        self._is_general = isinstance(request, GeneralCiphered)
        if self._security is not None and isinstance(request, GeneralCiphered):
            request = decode_apdu(self._unsealed_general(self._security, request))
        elif self._security is not None and isinstance(request, CipheredApdu):
            plain = self._unsealed(self._security, request.tag, request.protected)
            request = _known(plain) if _is_plain_initiate(plain) else decode_apdu(plain)
        elif association.control:
            raise SecurityError("the initiate request must be ciphered", "policy")
        if not isinstance(request, InitiateRequest):
            raise DecodeError("the user information is no initiate request", 0, "apdu")
        return request

    def _secure(self, association: Association) -> None:
        security = self._device.security(self._client)
        if security is None or len(self._peer_title) != 8:
            raise SecurityError("this association needs keys and the client's system title", "title")
        self._security = SecurityContext(
            keys=security.keys,
            cipher=security.cipher,
            own_title=self._device.system_title,
            peer_title=self._peer_title,
            send_counter=security.send_counter,
            received=security.received,
            control=association.control,
        )

    def _agree(self, aarq: Aarq, association: Association, request: InitiateRequest, now: float) -> bytes:
        if request.version < DLMS_VERSION or (request.max_pdu and request.max_pdu < _MIN_PDU):
            error = ConfirmedServiceError(service=1, error_type=6, value=1 if request.version < DLMS_VERSION else 3)
            return self._reject(aarq, 1, now, error)
        self._association = association
        size = min(request.max_pdu or 0xFFFF, association.max_pdu)
        room = size - _CIPHER_OVERHEAD if association.control else size
        agreed = request.conformance & association.conformance
        self._services = Services(self._device, self._client, room, agreed)
        response = _initiate_response(agreed, association.max_pdu)
        if self._security is not None and association.control:
            protect = self._security.protect_general if self._is_general else self._security.protect_initiate
            response = protect(response)
            if request.dedicated_key is not None:
                self._security.set_dedicated(request.dedicated_key)
        return self._accept(aarq, association, response, now)

    def _accept(self, aarq: Aarq, association: Association, user_information: bytes, now: float) -> bytes:
        is_hls = association.mechanism > hls.LLS
        self.state = step(self.state, Step.CHALLENGE if is_hls else Step.ACCEPTED, ours=True)
        self._own_challenge = self._new_challenge() if is_hls else b""
        if not is_hls:
            self._device.noticed(self._client, "associated", now)
        return Aare(
            context=aarq.context,
            result=0,
            diagnostic=14 if is_hls else 0,
            responding_ap_title=self._device.system_title if self._security is not None or is_hls else None,
            acse_requirements=is_hls,
            mechanism=association.mechanism if is_hls else None,
            authentication_value=self._own_challenge or None,
            user_information=user_information,
        ).encode()

    def _new_challenge(self) -> bytes:
        while (challenge := hls.new_challenge()) == self._challenge:
            continue
        return challenge

    def _reject(self, aarq: Aarq, diagnostic: int, now: float, error: ConfirmedServiceError | None = None) -> bytes:
        self.state = step(self.state, Step.REJECTED, ours=True)
        self._association = self._security = self._services = None
        if diagnostic in (_REJECT_FAILURE, _REJECT_REQUIRED, _REJECT_MECHANISM):
            self._device.noticed(self._client, "authentication", now)
        return Aare(
            context=aarq.context,
            result=1,
            diagnostic=diagnostic,
            acse_requirements=False,
            user_information=error.encode() if error is not None else None,
        ).encode()

    def _release(self, now: float) -> bytes:
        if self.state in (State.ASSOCIATED, State.PENDING):
            self._device.noticed(self._client, "released", now)
        self.lost()
        return _RELEASED

    def lost(self) -> None:
        """The line or the association is gone."""
        self.state = step(self.state, Step.LOST, ours=False)
        self._association = self._security = self._services = None

    # -- services -----------------------------------------------------------------------------------------------------

    def _ciphered(self, apdu: bytes, now: float) -> bytes:
        protected = protected_octets(apdu)
        security = self._security
        if security is None:
            return _NOT_ALLOWED
        return security.protect(self.service(self._unsealed(security, apdu[0], protected), now))

    def _ciphered_general(self, envelope: object, now: float) -> bytes:
        security = self._security
        if security is None:
            return _NOT_ALLOWED
        if not isinstance(envelope, GeneralCiphered):
            return _NOT_SUPPORTED
        return security.protect_general(self.service(self._unsealed_general(security, envelope), now))

    def _unsealed_general(self, security: SecurityContext, envelope: GeneralCiphered) -> bytes:
        if envelope.system_title not in (b"", self._peer_title):
            raise SecurityError("the system title is not that of the associated client", "title")
        return security.open(envelope.protected, dedicated=envelope.tag == 0xDC)

    @staticmethod
    def _unsealed(security: SecurityContext, tag: int, protected: bytes) -> bytes:
        plain = security.open(protected, dedicated=tag in _DEDICATED)
        if not plain or PLAIN_TAGS[tag] != plain[0]:
            raise DecodeError("the APDU inside is not what its envelope says", 0, "apdu")
        return plain

    def _plain(self, apdu: bytes, now: float) -> bytes:
        if self._association is not None and self._association.control:
            self._device.noticed(self._client, "policy", now)
            return _NOT_ALLOWED
        return self.service(apdu, now)

    def service(self, plain: bytes, now: float) -> bytes:
        """The answer to one service request in clear."""
        if self.state is State.PENDING:
            return self._prove(plain, now)
        is_short_get = plain[:1] == _GET_REQUEST and len(plain) <= _LONGEST_KEPT
        request = _known(plain) if is_short_get else decode_apdu(plain)
        if self.state is not State.ASSOCIATED or self._services is None:
            return _NOT_ALLOWED
        return self._services.answer(request, now) or _NOT_SUPPORTED

    def _prove(self, plain: bytes, now: float) -> bytes:
        given = _given_proof(plain)
        if given is None:
            return _NOT_ALLOWED
        invoke, answer = given
        if not isinstance(answer, bytes) or not self._is_proof(answer):
            self._device.noticed(self._client, "authentication", now)
            self.state = step(self.state, Step.FAILED, ours=False)
            self._services = self._association = None
            outcome = ActionOutcome(ActionResult.READ_WRITE_DENIED)
            return ActionResponseNormal(invoke=invoke, outcome=outcome).encode()
        self.state = step(self.state, Step.PROVED, ours=False)
        self._device.noticed(self._client, "associated", now)
        return b"\xc7\x01" + bytes((invoke,)) + _RETURNED + encode(octets(self._proof()))

    def _is_proof(self, answer: bytes) -> bool:
        association = self._association
        if association is None:
            return False
        if association.mechanism == hls.HLS5:
            if self._security is None:
                return False
            try:
                self._security.verify_challenge(self._own_challenge, answer)
            except SecurityError:
                return False
            return True
        expected = hls.hls_answer(
            association.mechanism,
            association.secret,
            self._own_challenge,
            own_title=self._peer_title,
            peer_title=self._device.system_title,
            own_challenge=self._challenge,
        )
        return hls.same_secret(answer, expected)

    def _proof(self) -> bytes:
        association = self._association
        if association is None:
            raise RemoteProtocolError("no association is open")
        if association.mechanism == hls.HLS5 and self._security is not None:
            return self._security.challenge_response(self._challenge)
        return hls.hls_answer(
            association.mechanism,
            association.secret,
            self._challenge,
            own_title=self._device.system_title,
            peer_title=self._peer_title,
            own_challenge=self._own_challenge,
        )
