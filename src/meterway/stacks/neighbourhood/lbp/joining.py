"""The device's side of LBP (LBD): from the first JOINING to a short address and the group key.

It answers, and whoever holds it repeats ``last`` when nothing comes: that the device repeats, and not the server, is a
choice of ours (EAP has the server repeat). A request that comes twice gets the same answer twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from meterway.base.errors import DecodeError, ProtocolError, RemoteProtocolError, SecurityError
from meterway.stacks.neighbourhood.eap_psk import Eap, EapCode, Peer, Protected, Result
from meterway.stacks.neighbourhood.eap_psk.message import First, Third, method
from meterway.stacks.neighbourhood.lbp.message import Lbp, LbpKind, eap_of, eap_to_lbp
from meterway.stacks.neighbourhood.lbp.parameters import Grant, ParameterResult, write_result

__all__ = ["Grant", "JoinState", "Joining", "Refused"]


class JoinState(Enum):
    """How far a device has come."""

    ASKED = "asked to join"
    PROVED = "proved that it has the key"
    PROMISED = "has its parameters, not yet accepted"
    DONE = "joined or refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The attempt ended without joining."""

    eui: bytes
    reason: str


class Joining:
    """One attempt. ``random(n)`` gives n random octets; ``last`` is what was sent last, to be repeated."""

    __slots__ = ("_answered", "_eui", "_grant", "_peer", "_psk", "_random", "last", "server", "state")

    def __init__(self, eui: bytes, psk: bytes, random: Callable[[int], bytes]) -> None:
        self._eui = eui
        self._psk = psk
        self._random = random
        self._peer: Peer | None = None
        self._grant: Grant | None = None
        self._answered = b""
        self.state = JoinState.ASKED
        self.server = b""
        """The server's identity (its EUI-64): what it says first, proven from the third message on."""
        self.last = Lbp(kind=LbpKind.JOINING, eui=eui)

    def take(self, message: Lbp) -> Lbp | Grant | Refused | None:
        """An answer to send, the end, or None for what does not matter now; ProtocolError for what is wrong."""
        if message.eui != self._eui or self.state is JoinState.DONE:
            return None
        if message.kind is LbpKind.DECLINE:
            return self._refuse("the network declined")
        if message.kind is LbpKind.CHALLENGE:
            return self._challenge(eap_of(message.data))
        if message.kind is LbpKind.ACCEPTED:
            return self._accepted(eap_of(message.data))
        return None

    def _challenge(self, packet: bytes) -> Lbp | Refused | None:
        if packet == self._answered:
            return self.last
        request = method(Eap.decode(packet))
        if isinstance(request, First):
            self._peer = Peer(self._psk, self._eui, self._random(16))
            self.server = request.id_s
            self.state = JoinState.PROVED
            return self._answer(packet, self._peer.first(packet))
        if not isinstance(request, Third) or self._peer is None or self.state is not JoinState.PROVED:
            raise RemoteProtocolError(f"a challenge that does not fit: the device {self.state.value}")
        try:
            said = self._peer.third(packet)
        except SecurityError as error:
            return self._refuse(error.message)
        return self._parameters(packet, said)

    def _parameters(self, packet: bytes, said: Protected) -> Lbp:
        assert self._peer is not None  # noqa: S101  only after its third message
        try:
            self._grant = Grant.decode(said.extension)
        except DecodeError as error:
            what = ParameterResult.MISSING if error.kind == "missing" else ParameterResult.INVALID
            answer = Protected(result=Result.FAILURE, extension=write_result(what))
        else:
            self.state = JoinState.PROMISED
            answer = Protected(result=Result.SUCCESS, extension=write_result(ParameterResult.SUCCESS))
        return self._answer(packet, self._peer.fourth(answer))

    def _accepted(self, packet: bytes) -> Grant:
        if Eap.decode(packet).code is not EapCode.SUCCESS:
            raise ProtocolError("an acceptance without EAP success")
        if self.state is not JoinState.PROMISED or self._grant is None:
            raise RemoteProtocolError(f"an acceptance that does not fit: the device {self.state.value}")
        self.state = JoinState.DONE
        return self._grant

    def _answer(self, packet: bytes, answer: bytes) -> Lbp:
        self._answered = packet
        self.last = Lbp(kind=LbpKind.JOINING, eui=self._eui, data=eap_to_lbp(answer))
        return self.last

    def _refuse(self, reason: str) -> Refused:
        self.state = JoinState.DONE
        return Refused(eui=self._eui, reason=reason)
