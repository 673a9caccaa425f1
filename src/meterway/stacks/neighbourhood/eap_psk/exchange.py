"""The exchange of EAP-PSK, one object for each side and run: four messages, keys, protected channel (RFC 4764).

What comes must come in order; the objects check content, whoever holds them keeps the time and repeats.
"""

from __future__ import annotations

import hmac

from meterway.base.ciphers import aes_cmac
from meterway.base.errors import RemoteProtocolError, SecurityError
from meterway.stacks.neighbourhood.eap_psk.eax import eax_open, eax_seal
from meterway.stacks.neighbourhood.eap_psk.keys import PskKeys, SessionKeys
from meterway.stacks.neighbourhood.eap_psk.message import (
    EAX_HEADER,
    Eap,
    EapCode,
    First,
    Fourth,
    Protected,
    Sealed,
    Second,
    Third,
    method,
)

__all__ = ["Peer", "Server"]

_NONCE_S, _NONCE_P = 0, 1


class Server:
    """The side that asks. ``rand_s`` are 16 octets that no run had before; ``identifier`` counts EAP requests."""

    __slots__ = ("_identifier", "_identity", "_keys", "_rand_s", "session")

    def __init__(self, psk: bytes, identity: bytes, rand_s: bytes, identifier: int = 0) -> None:
        self._keys = PskKeys.of(psk)
        self._identity = identity
        self._rand_s = rand_s
        self._identifier = identifier
        self.session: SessionKeys | None = None
        """The keys, from the second message on."""

    def first(self) -> bytes:
        """The packet that begins."""
        return _packet(EapCode.REQUEST, self._identifier, First(rand_s=self._rand_s, id_s=self._identity).encode())

    def second(self, packet: bytes, peer: bytes, say: Protected) -> bytes:
        """Check the peer's proof and give the third packet, which says ``say``.

        SecurityError(``tag``): the peer is not ``peer`` or has not the key. RemoteProtocolError: not that message.
        """
        message = self._response(packet)
        if not isinstance(message, Second):
            raise RemoteProtocolError("the second message of EAP-PSK was expected")
        proof = aes_cmac(self._keys.ak, peer + self._identity + self._rand_s + message.rand_p)
        if message.id_p != peer or not hmac.compare_digest(proof, message.mac_p):
            raise SecurityError("the device does not prove that it has the key", "tag")
        self.session = self._keys.session(message.rand_p)
        self._identifier = self._identifier + 1 & 0xFF
        mac_s = aes_cmac(self._keys.ak, self._identity + message.rand_p)
        return _third(self._identifier, self._rand_s, mac_s, self.session, say)

    def fourth(self, packet: bytes) -> Protected:
        """What the peer says at last; errors as of ``second``."""
        message = self._response(packet)
        if not isinstance(message, Fourth) or self.session is None:
            raise RemoteProtocolError("the fourth message of EAP-PSK was expected")
        return _open(packet, message.channel, _NONCE_P, self.session)

    def end(self, *, success: bool) -> bytes:
        """The packet that ends the exchange."""
        code = EapCode.SUCCESS if success else EapCode.FAILURE
        return Eap(code=code, identifier=self._identifier).encode()

    def _response(self, packet: bytes) -> Second | Fourth:
        eap = Eap.decode(packet)
        message = method(eap)
        if isinstance(message, First | Third) or eap.identifier != self._identifier:
            raise RemoteProtocolError("this is no answer to what was asked last")
        if message.rand_s != self._rand_s:
            raise RemoteProtocolError("an answer of another exchange")
        return message


class Peer:
    """The side that is asked. ``rand_p`` are 16 octets that no run had before."""

    __slots__ = ("_identity", "_keys", "_rand_p", "_rand_s", "_server", "identifier", "session")

    def __init__(self, psk: bytes, identity: bytes, rand_p: bytes) -> None:
        self._keys = PskKeys.of(psk)
        self._identity = identity
        self._rand_p = rand_p
        self._rand_s = self._server = b""
        self.identifier = 0
        """That of the last request taken."""
        self.session: SessionKeys | None = None

    def first(self, packet: bytes) -> bytes:
        """Take the first packet, give the second; RemoteProtocolError: not that message."""
        eap = Eap.decode(packet)
        message = method(eap)
        if not isinstance(message, First):
            raise RemoteProtocolError("the first message of EAP-PSK was expected")
        self._rand_s, self._server, self.identifier = message.rand_s, message.id_s, eap.identifier
        proof = aes_cmac(self._keys.ak, self._identity + self._server + self._rand_s + self._rand_p)
        second = Second(rand_s=self._rand_s, rand_p=self._rand_p, mac_p=proof, id_p=self._identity)
        return _packet(EapCode.RESPONSE, eap.identifier, second.encode())

    def third(self, packet: bytes) -> Protected:
        """Check the server's proof, give what it says; SecurityError(``tag``): no such proof, or octets changed."""
        eap = Eap.decode(packet)
        message = method(eap)
        if not isinstance(message, Third) or message.rand_s != self._rand_s:
            raise RemoteProtocolError("the third message of this exchange was expected")
        proof = aes_cmac(self._keys.ak, self._server + self._rand_p)
        if not hmac.compare_digest(proof, message.mac_s):
            raise SecurityError("the network does not prove that it has the key", "tag")
        session = self._keys.session(self._rand_p)
        said = _open(packet, message.channel, _NONCE_S, session)
        self.session, self.identifier = session, eap.identifier
        return said

    def fourth(self, say: Protected) -> bytes:
        """The packet that answers the third; RemoteProtocolError before that came."""
        if self.session is None:
            raise RemoteProtocolError("there was no third message")
        empty = Fourth(rand_s=self._rand_s, channel=Sealed(nonce=_NONCE_P, tag=bytes(16), octets=say.encode()))
        frame = _packet(EapCode.RESPONSE, self.identifier, empty.encode())
        channel = _seal(frame, _NONCE_P, say, self.session)
        return _packet(EapCode.RESPONSE, self.identifier, Fourth(rand_s=self._rand_s, channel=channel).encode())


def _packet(code: EapCode, identifier: int, data: bytes) -> bytes:
    return Eap(code=code, identifier=identifier, data=data).encode()


def _third(identifier: int, rand_s: bytes, mac_s: bytes, session: SessionKeys, say: Protected) -> bytes:
    channel = Sealed(nonce=_NONCE_S, tag=bytes(16), octets=say.encode())
    frame = _packet(EapCode.REQUEST, identifier, Third(rand_s=rand_s, mac_s=mac_s, channel=channel).encode())
    channel = _seal(frame, _NONCE_S, say, session)
    return _packet(EapCode.REQUEST, identifier, Third(rand_s=rand_s, mac_s=mac_s, channel=channel).encode())


def _seal(packet: bytes, nonce: int, say: Protected, session: SessionKeys) -> Sealed:
    """``packet`` is right in its header; what it says for channel does not count."""
    octets, tag = eax_seal(session.tek, nonce.to_bytes(16, "big"), packet[:EAX_HEADER], say.encode())
    return Sealed(nonce=nonce, tag=tag, octets=octets)


def _open(packet: bytes, channel: Sealed, nonce: int, session: SessionKeys) -> Protected:
    if channel.nonce != nonce:
        raise SecurityError(f"nonce {channel.nonce} in the protected channel instead of {nonce}", "counter")
    header = packet[:EAX_HEADER]
    return Protected.decode(eax_open(session.tek, nonce.to_bytes(16, "big"), header, channel.octets, channel.tag))
