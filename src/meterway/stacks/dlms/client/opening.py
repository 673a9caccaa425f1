"""The client's half of opening an association: AARQ, AARE and, with HLS, proving both sides."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from meterway.base.errors import MeterwayError, RemoteProtocolError, SecurityError
from meterway.base.obis import Obis
from meterway.base.octets import Reader
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN, CONTEXT_LN_CIPHERED, Aare, Aarq
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.axdr import decode_all, encode, octets
from meterway.stacks.dlms.client.events import Associated
from meterway.stacks.dlms.client.settings import ClientSettings
from meterway.stacks.dlms.security import hls
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.action import ActionRequestNormal, ActionResponseNormal
from meterway.stacks.dlms.xdlms.ciphered import CipheredApdu, GeneralCiphered
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["Opening"]

_REPLY_TO_HLS = MethodDescriptor(15, Obis(0, 0, 40, 0, 0), 1)
_INVOKE = 0xC1
_PROOF_HEAD: Final = ActionRequestNormal(invoke=_INVOKE, method=_REPLY_TO_HLS, parameters=b"").encode()
_ACTION_RESPONSE: Final = b"\xc7\x01"
_OCTETS_FOLLOW: Final = b"\x00\x01\x00\x09"  # success, something returned, data, octet-string


@lru_cache(maxsize=64)
def _initiate_request(conformance: Conformance, max_pdu: int) -> bytes:
    return InitiateRequest(conformance=conformance, max_pdu=max_pdu).encode()


@lru_cache(maxsize=64)
def _initiate_response(plain: bytes) -> InitiateResponse:
    """What a device agrees to; there are few kinds of devices."""
    response = decode_apdu(plain)
    if not isinstance(response, InitiateResponse):
        raise RemoteProtocolError("the user information of the AARE is no initiate response")
    return response


def _returned(apdu: bytes) -> bytes:
    """The octet-string in the answer to our proof."""
    if (
        len(apdu) > 8
        and apdu[:2] == _ACTION_RESPONSE
        and apdu[3:7] == _OCTETS_FOLLOW
        and apdu[7] == len(apdu) - 8 < 0x80
    ):
        return apdu[8:]
    response = decode_apdu(apdu)
    if not isinstance(response, ActionResponseNormal):
        raise SecurityError("the device did not answer our proof", "authentication")
    outcome = response.outcome
    if outcome.result is not ActionResult.SUCCESS or not isinstance(outcome.returned, bytes):
        raise SecurityError(f"the device refused our proof: {outcome.result.word}", "authentication")
    answer = decode_all(outcome.returned).value
    if not isinstance(answer, bytes):
        raise SecurityError("the device's answer to our challenge has the wrong type", "authentication")
    return answer


class Opening:
    """Makes the AARQ, judges the AARE, answers the server's challenge and verifies the server's answer."""

    __slots__ = (
        "_challenge",
        "_conformance",
        "_max_pdu",
        "_server_challenge",
        "_server_title",
        "_settings",
        "security",
    )

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._challenge = hls.new_challenge() if settings.mechanism > hls.LLS else b""
        self._server_challenge = b""
        self._server_title = settings.server_title
        self._conformance = settings.conformance
        self._max_pdu = 0
        self.security = self._secure() if settings.control or settings.mechanism == hls.HLS5 else None

    def _secure(self) -> SecurityContext:
        settings = self._settings
        if settings.keys is None:
            raise SecurityError("ciphering and HLS 5 need the device's keys", "key")
        return SecurityContext(
            keys=settings.keys,
            cipher=settings.cipher,
            own_title=settings.system_title,
            peer_title=settings.server_title,
            send_counter=SendCounter() if settings.send_counter is None else settings.send_counter,
            received=ReceivedCounter() if settings.received is None else settings.received,
            control=settings.control,
        )

    @property
    def room(self) -> int:
        """How many octets of one APDU the server takes."""
        return self._max_pdu or 0xFFFF

    def aarq(self) -> bytes:
        """The association request."""
        settings = self._settings
        value = settings.secret if settings.mechanism == hls.LLS else self._challenge
        return Aarq(
            context=CONTEXT_LN_CIPHERED if settings.control else CONTEXT_LN,
            calling_ap_title=settings.system_title or None,
            acse_requirements=settings.mechanism > hls.LOWEST,
            mechanism=settings.mechanism or None,
            authentication_value=value or None,
            user_information=self._initiate(),
        ).encode()

    def _initiate(self) -> bytes:
        settings = self._settings
        key = settings.dedicated_key if settings.control else None
        if key is None:
            request = _initiate_request(settings.conformance, settings.max_pdu)
        else:
            request = InitiateRequest(
                conformance=settings.conformance, max_pdu=settings.max_pdu, dedicated_key=key
            ).encode()
        if self.security is None or not settings.control:
            return request
        if settings.is_general:
            return self.security.protect_general(request)
        return self.security.protect_initiate(request)

    def take(self, apdu: bytes) -> bytes | None:
        """The plain APDU that proves us (HLS), or None when the association stands; raises when it was refused."""
        if apdu[:1] != b"\x61":
            raise self._no_aare(apdu)
        aare = Aare.decode(Reader(apdu, 1))
        if aare.result != 0:
            raise self._rejected(aare)
        if aare.responding_ap_title:
            self._server_title = aare.responding_ap_title
        if self.security is not None:
            if len(self._server_title) != 8:
                raise SecurityError("the device sent no system title and none is set", "title")
            self.security.peer_title = self._server_title
        self._agree(aare.user_information or b"")
        return self._answer(aare) if self._settings.mechanism > hls.LLS else None

    @staticmethod
    def _no_aare(apdu: bytes) -> MeterwayError:
        answer = decode_apdu(apdu)
        if isinstance(answer, ExceptionResponse | ConfirmedServiceError):
            return RemoteProtocolError(f"the association was refused: {answer.words}")
        return RemoteProtocolError(f"the association request was answered with {type(answer).__name__}")

    @staticmethod
    def _rejected(aare: Aare) -> MeterwayError:
        words = aare.words
        if aare.user_information and aare.user_information[:1] == b"\x0e":
            error = decode_apdu(aare.user_information)
            words += f" ({error.words})" if isinstance(error, ConfirmedServiceError) else ""
        if aare.diagnostic in (13, 14):
            return SecurityError(f"the association was {words}", "authentication")
        return RemoteProtocolError(f"the association was {words}")

    def _agree(self, user_information: bytes) -> None:
        plain = user_information
        if plain[:1] == b"\x28":
            plain = self._keyed().open(CipheredApdu.decode(0x28, Reader(plain, 1)).protected)
        elif plain[:1] == b"\xdb":
            plain = self._keyed().open(GeneralCiphered.decode(0xDB, Reader(plain, 1)).protected)
        elif self._settings.control:
            raise SecurityError("the initiate response came unprotected", "policy")
        response = _initiate_response(plain)
        self._conformance = response.conformance
        self._max_pdu = response.max_pdu
        if self._settings.dedicated_key is not None and self._settings.control:
            self._keyed().set_dedicated(self._settings.dedicated_key)

    def _keyed(self) -> SecurityContext:
        if self.security is None:
            raise SecurityError("a protected APDU came, no keys are set", "key")
        return self.security

    def _answer(self, aare: Aare) -> bytes:
        if aare.authentication_value is None:
            raise SecurityError("the device sent no challenge", "authentication")
        self._server_challenge = aare.authentication_value
        if self._server_challenge == self._challenge:
            raise SecurityError("the device sent our own challenge back", "authentication")
        return _PROOF_HEAD + encode(octets(self._proof()))

    def _proof(self) -> bytes:
        if self._settings.mechanism == hls.HLS5:
            return self._keyed().challenge_response(self._server_challenge)
        return hls.hls_answer(
            self._settings.mechanism,
            self._settings.secret,
            self._server_challenge,
            own_title=self._settings.system_title,
            peer_title=self._server_title,
            own_challenge=self._challenge,
        )

    def prove(self, apdu: bytes) -> Associated:
        """Verify the server's answer to our challenge; SecurityError(authentication) if it is wrong."""
        self._verify(_returned(apdu))
        return self.associated()

    def _verify(self, answer: bytes) -> None:
        if self._settings.mechanism == hls.HLS5:
            self._keyed().verify_challenge(self._challenge, answer)
            return
        expected = hls.hls_answer(
            self._settings.mechanism,
            self._settings.secret,
            self._challenge,
            own_title=self._server_title,
            peer_title=self._settings.system_title,
            own_challenge=self._server_challenge,
        )
        if not hls.same_secret(answer, expected):
            raise SecurityError("the device's answer to our challenge does not verify", "authentication")

    def associated(self) -> Associated:
        """What was agreed."""
        return Associated(self._server_title, self._conformance, self._max_pdu)
