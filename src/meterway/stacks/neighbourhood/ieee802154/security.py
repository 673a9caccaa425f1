"""Frame security: AES-CCM* under a shared key, and the window that tells a replay from a frame that was overtaken.

IEEE 802.15.4-2006. CCM* differs from CCM (RFC 3610) only in that it also encrypts without an integrity code (level 4),
which is not done here. The norm takes only counters above the last one; a window is taken instead, because frames that
are urgent overtake others on the way, and within the window each counter is taken once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.neighbourhood.ieee802154.frame import MacFrame, SecurityHeader

__all__ = ["ReplayWindow", "nonce", "open_frame", "seal_frame"]

_MIC: Final = {1: 4, 2: 8, 3: 16, 5: 4, 6: 8, 7: 16}
_ENCRYPTED: Final = 5
_WINDOW: Final = 1024
_SEEN: Final = (1 << _WINDOW) - 1


def nonce(source: bytes, security: SecurityHeader) -> bytes:
    """The 13 octets: source (eight octets, as a rule the sender's EUI-64), counter, level."""
    return source + security.counter.to_bytes(4, "big") + bytes([security.level])


def seal_frame(frame: MacFrame, key: bytes, source: bytes) -> MacFrame:
    """``frame``, whose payload is plain, secured as its security header says; ``source`` goes into the nonce."""
    security = frame.security
    if security is None:
        raise LocalProtocolError("a frame without a security header cannot be secured")
    cipher, header = AESCCM(key, tag_length=_MIC[security.level]), frame.header()
    if security.level < _ENCRYPTED:
        sealed = frame.payload + cipher.encrypt(nonce(source, security), b"", header + frame.payload)
    else:
        sealed = cipher.encrypt(nonce(source, security), frame.payload, header)
    return replace(frame, payload=sealed)


def open_frame(frame: MacFrame, key: bytes, source: bytes) -> bytes:
    """The plain payload of a secured frame; SecurityError: ``tag`` does not verify, ``policy`` not secured."""
    security = frame.security
    if security is None:
        raise SecurityError("the frame is not secured", "policy")
    size = _MIC[security.level]
    if len(frame.payload) < size:
        raise SecurityError("the frame is shorter than its integrity code", "tag")
    cipher, header = AESCCM(key, tag_length=size), frame.header()
    try:
        if security.level < _ENCRYPTED:
            plain = frame.payload[:-size]
            cipher.decrypt(nonce(source, security), frame.payload[-size:], header + plain)
            return plain
        return cipher.decrypt(nonce(source, security), frame.payload, header)
    except InvalidTag:
        raise SecurityError("the integrity code does not verify: wrong key or altered octets", "tag") from None


class ReplayWindow:
    """Which frame counters of one sender under one key were taken, as far as 1,024 back."""

    __slots__ = ("_last", "_seen")

    def __init__(self) -> None:
        self._last = -1
        self._seen = 0

    def take(self, counter: int) -> bool:
        """Whether ``counter`` is new; it is not from then on. Ask only for a frame whose integrity is proven."""
        ahead = counter - self._last
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & _SEEN if ahead < _WINDOW else 1
            self._last = counter
            return True
        if -ahead >= _WINDOW or self._seen >> -ahead & 1:
            return False
        self._seen |= 1 << -ahead
        return True
