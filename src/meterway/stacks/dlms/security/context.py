"""Protecting and opening APDUs under a pair of symmetric keys (IEC 62056-5-3; security suite 0 is AES-GCM-128).

The security control octet: bits 0-3 suite, bit 4 authenticated, bit 5 encrypted, bit 6 broadcast key,
bit 7 compressed. Initialisation vector: system title of the sender (8) and invocation counter (4). Additional
authenticated data: security control and authentication key, and the plaintext too if it is not encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.dlms.axdr import encode_length
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.ciphered import DEDICATED_TAGS, GLOBAL_TAGS

__all__ = ["AUTHENTICATED", "ENCRYPTED", "Keys", "SecurityContext", "key_octets", "open_octets"]

AUTHENTICATED: Final = 0x10
ENCRYPTED: Final = 0x20
BROADCAST: Final = 0x40
COMPRESSED: Final = 0x80
_BOTH: Final = AUTHENTICATED | ENCRYPTED
_HEAD: Final = 5
_SHORTEST: Final = _HEAD + Gcm12.TAG


def key_octets(key: bytes, what: str, suite: int = 0) -> bytes:
    """The key if its length fits the suite; SecurityError(key) names it otherwise, never its octets."""
    wanted = 32 if suite == 2 else 16
    if len(key) != wanted:
        raise SecurityError(f"{what} has {len(key)} octets, suite {suite} wants {wanted}", "key")
    return key


@dataclass(frozen=True, slots=True)
class Keys:
    """The block cipher key and the authentication key of one direction pair; never shown."""

    encryption: bytes
    authentication: bytes

    def __repr__(self) -> str:
        return "Keys(<hidden>)"


def open_octets(
    cipher: Gcm12, authentication_key: bytes | None, system_title: bytes, protected: bytes, *, header: bytes = b""
) -> tuple[bytes, int, int]:
    """(plaintext, security control, invocation counter) of a protected APDU's octets.

    ``header`` is what an envelope authenticates beside them (general-ciphering: the fields before its key info).
    Without an authentication key an encrypted APDU is decrypted without verifying its tag; one that is only
    authenticated needs no key to read. Raises DecodeError when too short, SecurityError(tag) or (compressed).
    """
    if len(protected) < _HEAD:
        raise DecodeError(f"a protected APDU has at least {_HEAD} octets, not {len(protected)}", 0, "truncated")
    control = protected[0]
    counter = int.from_bytes(protected[1:5], "big")
    if control & COMPRESSED:
        raise SecurityError("the APDU is compressed: V.44 is not done", "compressed")
    nonce = system_title + protected[1:5]
    body = protected[5:]
    if control & ENCRYPTED:
        key = None if authentication_key is None else authentication_key + header
        return _open_encrypted(cipher, key, nonce, control, body), control, counter
    if not control & AUTHENTICATED:
        return body, control, counter
    if len(body) < Gcm12.TAG:
        raise DecodeError("an authenticated APDU ends in a tag of 12 octets", _HEAD, "truncated")
    plain = body[: -Gcm12.TAG]
    if authentication_key is not None:
        cipher.open(nonce, body[-Gcm12.TAG :], bytes((control,)) + authentication_key + header + plain)
    return plain, control, counter


def _open_encrypted(cipher: Gcm12, authenticated: bytes | None, nonce: bytes, control: int, body: bytes) -> bytes:
    if not control & AUTHENTICATED:
        return cipher.crypt(nonce, body)
    if authenticated is None:
        if len(body) < Gcm12.TAG:
            raise DecodeError("an authenticated APDU ends in a tag of 12 octets", _HEAD, "truncated")
        return cipher.crypt(nonce, body[: -Gcm12.TAG])
    return cipher.open(nonce, body, bytes((control,)) + authenticated)


class SecurityContext:
    """One side's security in one association: what it sends and what it accepts.

    ``control`` is the security control octet it sends with and the protection it demands of the peer at least.
    """

    __slots__ = (
        "_aad",
        "_authentication_key",
        "_cipher",
        "_control_octet",
        "_dedicated",
        "_usual",
        "control",
        "own_title",
        "peer_title",
        "received",
        "received_dedicated",
        "send_counter",
        "send_counter_dedicated",
        "suite",
    )

    def __init__(
        self,
        *,
        keys: Keys,
        own_title: bytes,
        peer_title: bytes,
        send_counter: SendCounter,
        received: ReceivedCounter,
        control: int = AUTHENTICATED | ENCRYPTED,
        cipher: Gcm12 | None = None,
    ) -> None:
        self.suite = control & 0x0F
        key_octets(keys.encryption, "the encryption key", self.suite)
        key_octets(keys.authentication, "the authentication key", self.suite)
        if len(own_title) != 8:
            raise SecurityError(f"a system title has 8 octets, not {len(own_title)}", "title")
        self.own_title = own_title
        self.peer_title = peer_title
        self.control = control
        self.send_counter = send_counter
        self.received = received
        self.send_counter_dedicated = SendCounter()
        self.received_dedicated = ReceivedCounter()
        self._authentication_key = keys.authentication
        self._cipher = Gcm12(keys.encryption) if cipher is None else cipher
        self._dedicated: Gcm12 | None = None
        self._control_octet = bytes((control,))
        self._aad = self._control_octet + keys.authentication
        self._usual = control if control & 0xF0 == _BOTH else -1

    def set_dedicated(self, key: bytes) -> None:
        """From now on protect with this association's own key; its counters start at 0."""
        self._dedicated = Gcm12(key_octets(key, "the dedicated key", self.suite))
        self.send_counter_dedicated = SendCounter()
        self.received_dedicated = ReceivedCounter()

    @property
    def has_dedicated(self) -> bool:
        """Whether a dedicated key is in use."""
        return self._dedicated is not None

    def protect(self, apdu: bytes) -> bytes:
        """The APDU in its service-specific envelope; AARQ, AARE and the like pass as they are."""
        if self._dedicated is not None:
            tag = DEDICATED_TAGS.get(apdu[0])
            cipher, counter = self._dedicated, self.send_counter_dedicated
        else:
            tag = GLOBAL_TAGS.get(apdu[0])
            cipher, counter = self._cipher, self.send_counter
        if tag is None or not self.control & (AUTHENTICATED | ENCRYPTED):
            return apdu
        protected = self._seal(cipher, counter, apdu)
        return bytes((tag,)) + encode_length(len(protected)) + protected

    def protect_general(self, apdu: bytes) -> bytes:
        """Any APDU in general-glo-ciphering, with this side's system title in clear; as it is where none is agreed."""
        if not self.control & (AUTHENTICATED | ENCRYPTED):
            return apdu
        protected = self._seal(self._cipher, self.send_counter, apdu)
        head = b"\xdb" + encode_length(len(self.own_title)) + self.own_title
        return head + encode_length(len(protected)) + protected

    def protect_initiate(self, apdu: bytes) -> bytes:
        """An initiate APDU under the global key, whatever key is used later."""
        protected = self._seal(self._cipher, self.send_counter, apdu)
        return bytes((GLOBAL_TAGS[apdu[0]],)) + encode_length(len(protected)) + protected

    def _seal(self, cipher: Gcm12, counter: SendCounter, apdu: bytes) -> bytes:
        octets = counter.take().to_bytes(4, "big")
        nonce = self.own_title + octets
        if self.control & ENCRYPTED:
            if self.control & AUTHENTICATED:
                return self._control_octet + octets + cipher.seal(nonce, apdu, self._aad)
            return self._control_octet + octets + cipher.crypt(nonce, apdu)
        return self._control_octet + octets + apdu + cipher.tag(nonce, self._aad + apdu)

    def open(self, protected: bytes, *, dedicated: bool = False, title: bytes | None = None) -> bytes:
        """The plain APDU inside ``protected`` (security control, counter, octets).

        Raises SecurityError: (policy) weaker protection than this association demands, or an APDU without a tag where
        encryption alone was not agreed, (tag) wrong key or altered octets, (counter) replay, (suite), (key) no key was
        agreed. A counter counts only once its message verified.
        """
        if not protected:
            raise DecodeError("a protected APDU is empty", 0, "truncated")
        control = protected[0]
        sender = self.peer_title if title is None else title
        cipher, received = self._receiving(dedicated)
        if control == self._usual and len(protected) >= _SHORTEST:
            octets = protected[1:5]
            plain = cipher.open(sender + octets, protected[5:], self._aad)
            counter = int.from_bytes(octets, "big")
        else:
            self._demand(control)
            plain, _, counter = open_octets(cipher, self._authentication_key, sender, protected)
        received.check(counter)
        received.last = counter
        return plain

    def _demand(self, control: int) -> None:
        if control & 0x0F != self.suite:
            raise SecurityError(f"suite {control & 0x0F} came, suite {self.suite} was agreed", "suite")
        if self.control & ~control & _BOTH or (not control & AUTHENTICATED and self.control & _BOTH != ENCRYPTED):
            raise SecurityError(f"security control {control:#04x} protects less than agreed", "policy")

    def _receiving(self, dedicated: bool) -> tuple[Gcm12, ReceivedCounter]:
        if not dedicated:
            return self._cipher, self.received
        if self._dedicated is None:
            raise SecurityError("the message uses a dedicated key, none was agreed", "key")
        return self._dedicated, self.received_dedicated

    def challenge_response(self, challenge: bytes) -> bytes:
        """HLS 5 (GMAC): what this side sends to prove it holds the keys."""
        control = bytes((AUTHENTICATED | self.suite,))
        octets = self.send_counter.take().to_bytes(4, "big")
        aad = control + self._authentication_key + challenge
        return control + octets + self._cipher.tag(self.own_title + octets, aad)

    def verify_challenge(self, challenge: bytes, response: bytes) -> None:
        """HLS 5 (GMAC): SecurityError(authentication) unless the peer proved it holds the keys.

        The counter inside was taken before that of the envelope, so it may be lower; the fresh challenge, not the
        counter, is what keeps a replay out.
        """
        if len(response) != _HEAD + Gcm12.TAG or response[0] != AUTHENTICATED | self.suite:
            raise SecurityError("the peer's answer to the challenge has the wrong form", "authentication")
        aad = response[:1] + self._authentication_key + challenge
        counter = int.from_bytes(response[1:5], "big")
        try:
            self._cipher.open(self.peer_title + response[1:5], response[5:], aad)
        except SecurityError:
            raise SecurityError("the peer's answer to the challenge does not verify", "authentication") from None
        self.received.last = max(self.received.last, counter)
