"""Security modes of the transport layer (EN 13757-7, OMS profiles A, B and D), in both directions.

Modes 5 (AES-CBC, address and access number as vector), 7 (AES-CBC under a derived key, CMAC in the authentication
layer) and 10 (AES-CCM under a derived key) are proven on captured telegrams. Modes 8 (AES-CTR with CMAC) and 9
(AES-GCM) have no public example and are proven against themselves only: the nonce of mode 9 follows that of mode 10,
the counter block of mode 8 holds the message counter and nothing that the CMAC does not cover. DES (modes 2 and 3) and
TLS (mode 13) are named and not done.

Every refusal is a SecurityError whose ``check`` names what failed: ``key`` (none known), ``2F2F``, ``cmac``,
``ccm-tag``, ``gcm-tag``, ``ell-crc``, ``counter``, ``mode``.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from meterway.base.ciphers import Gcm12, aes_cbc_encrypt, aes_cmac, aes_ctr
from meterway.base.errors import DecodeError, LocalProtocolError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl
from meterway.stacks.mbus.tpl import Tpl

__all__ = ["MODES", "NOT_DONE", "CounterGuard", "Protection", "Sealed", "derive_key", "open_payload", "seal_payload"]

MODES: Final[dict[int, str]] = {
    0: "none",
    1: "manufacturer",
    2: "DES-CBC",
    3: "DES-CBC with date",
    5: "AES-128-CBC, profile A",
    7: "AES-128-CBC with derived key, profile B",
    8: "AES-128-CTR with CMAC",
    9: "AES-128-GCM",
    10: "AES-128-CCM, profile D",
    13: "TLS, profile C",
}

NOT_DONE: Final = frozenset((2, 3, 13))
"""Modes that are named and not done: DES, which protects nothing any more, and TLS, which wants a session."""

IDLE: Final = b"\x2f\x2f"
_CBC: Final = (5, 7)
_WITH_MAC: Final = (7, 8)
_CCM_TAG: Final = 8
_GCM_TAG: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """How a telegram was protected and what was verified.

    ``state``: ``none``, ``verified`` (a MAC or tag under the key), ``decrypted`` (the known plaintext or CRC fits),
    ``already-decrypted`` (announced as encrypted, found plain: nothing is proven).
    """

    mode: int = 0
    state: str = "none"
    checks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mode in words."""
        return MODES.get(self.mode, f"manufacturer mode {self.mode}")


def derive_key(key: bytes, *, constant: int, counter: int, ident: bytes) -> bytes:
    """Key derivation function A: AES-CMAC over constant, message counter, identification number and padding.

    ``constant``: 00 encryption and 01 MAC by the meter, 10 and 11 by its partner.
    """
    return aes_cmac(key, bytes((constant,)) + counter.to_bytes(4, "little") + ident + b"\x07" * 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the keys and nonces of one message depend on."""

    tpl: Tpl
    afl: Afl | None
    sender: Address
    from_meter: bool = True
    begins: Collection[bytes] = (IDLE,)

    @property
    def meter(self) -> Address:
        """The address in the long header, else that of the link layer."""
        return self.tpl.address or self.sender

    def counter(self) -> int:
        """The message counter; SecurityError(counter) if the message has none."""
        afl = self.afl.counter if self.afl is not None else None
        counter = self.tpl.counter if self.tpl.counter is not None else afl
        if counter is None:
            raise SecurityError("the message has no message counter", "counter")
        return counter

    def key(self, key: bytes, *, mac: bool) -> bytes:
        """The key for encryption or MAC: derived, or the master key itself where no derivation is selected."""
        if self.tpl.extension and not self.tpl.extension[0] >> 4 & 3:
            return key
        constant = (0 if self.from_meter else 0x10) | mac
        return derive_key(key, constant=constant, counter=self.counter(), ident=self.meter.identification)

    def nonce(self) -> bytes:
        """Meter address and, high octet first, the message counter: what the AEAD modes number messages by."""
        return self.meter.to_radio() + self.counter().to_bytes(4, "big")

    def ccm_nonce(self) -> bytes:
        """Meter address, a zero octet, and the message counter with the high octet first."""
        return self.meter.to_radio() + b"\0" + self.counter().to_bytes(4, "big")

    def counter_block(self) -> bytes:
        """The first counter block of mode 8: the message counter, high octet first, and the block number.

        The key is derived from counter and identification, and the link address is not under the CMAC: were it in
        here, an altered one would decrypt to other numbers under a MAC that verifies.
        """
        return bytes(8) + self.counter().to_bytes(4, "big") + bytes(4)

    def vector(self) -> bytes:
        """The initial vector of AES-CBC: in mode 5 address and access number, in mode 7 zeros."""
        if self.tpl.mode == 7:
            return bytes(16)
        return self.meter.to_radio() + bytes((self.tpl.access,)) * 8

    def cbc_length(self, body: bytes) -> int:
        """How many octets of ``body`` are encrypted in blocks; DecodeError if they are not all there."""
        length = 16 * self.tpl.blocks
        if length > len(body):
            if self.tpl.blocks == 15:
                return len(body) & ~15
            raise DecodeError(f"{length} octets are announced as encrypted, {len(body)} are there", 0, "truncated")
        return length


def mac_of(key: bytes, context: Context, body: bytes) -> bytes:
    """The full CMAC of a message: message control, counter, length if announced, transport header and payload."""
    if context.afl is None:
        raise SecurityError("the message has no authentication layer", "cmac")
    message = context.afl.authenticated_prefix() + context.tpl.encode() + body
    return aes_cmac(context.key(key, mac=True), message)


def _check_mac(key: bytes, context: Context, body: bytes) -> None:
    mac = context.afl.mac if context.afl is not None else None
    if not mac:
        raise SecurityError("the message carries no MAC", "cmac")
    if len(mac) < 2 or not hmac.compare_digest(mac_of(key, context, body)[: len(mac)], mac):
        raise SecurityError("the CMAC does not verify: wrong key or altered octets", "cmac")


def open_payload(
    tpl: Tpl,
    body: bytes,
    key: bytes,
    *,
    sender: Address,
    afl: Afl | None = None,
    from_meter: bool = True,
    begins: Collection[bytes] = (IDLE,),
) -> tuple[bytes, Protection]:
    """The plain payload and what was verified; SecurityError names the check that failed.

    ``begins`` are the two octets that a payload decrypted in blocks may begin with.
    """
    if len(key) != 16:
        raise SecurityError(f"a key has 16 octets, not {len(key)}", "key")
    context = Context(tpl=tpl, afl=afl, sender=sender, from_meter=from_meter, begins=begins)
    mode = tpl.mode
    checks: tuple[str, ...] = ()
    if mode in _WITH_MAC or (afl is not None and afl.mac):
        _check_mac(key, context, body)
        checks = ("cmac",)
    if mode == 0:
        return body, Protection(state="verified" if checks else "none", checks=checks)
    opener = {5: _open_cbc, 7: _open_cbc, 8: _crypt_ctr, 9: _open_gcm, 10: _open_ccm}.get(mode)
    if opener is None:
        raise SecurityError(f"security mode {mode} ({MODES.get(mode, 'manufacturer')}) is not done here", "mode")
    plain = opener(key, context, body)
    check = {5: "2F2F", 7: "2F2F", 9: "gcm-tag", 10: "ccm-tag"}.get(mode)
    checks += (check,) if check else ()
    return plain, Protection(mode=mode, state="decrypted" if checks == ("2F2F",) else "verified", checks=checks)


@lru_cache(maxsize=4096)
def _block_decryptor(key: bytes) -> CipherContext:
    """The block cipher of a key, kept: whole blocks leave no state behind."""
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305  chained by the caller


def _cbc_decrypt(key: bytes, vector: bytes, octets: bytes) -> bytes:
    """AES-CBC on a kept block cipher: a third of the cost of a cipher object for each message."""
    blocks = _block_decryptor(key).update(octets)
    chain = vector + octets[:-16]
    mixed = int.from_bytes(blocks, "big") ^ int.from_bytes(chain, "big")
    return mixed.to_bytes(len(octets), "big")


def _open_cbc(key: bytes, context: Context, body: bytes) -> bytes:
    length = context.cbc_length(body)
    if not length:
        return body
    used = key if context.tpl.mode == 5 else context.key(key, mac=False)
    plain = _cbc_decrypt(used, context.vector(), body[:length])
    if plain[:2] not in context.begins:
        raise SecurityError("the decrypted payload does not begin with 2F2F: wrong key or altered octets", "2F2F")
    return plain + body[length:]


def _crypt_ctr(key: bytes, context: Context, body: bytes) -> bytes:
    return aes_ctr(context.key(key, mac=False), context.counter_block(), body)


def _open_ccm(key: bytes, context: Context, body: bytes) -> bytes:
    if len(body) < _CCM_TAG:
        raise DecodeError("the message is shorter than its tag", 0, "truncated")
    cipher = AESCCM(context.key(key, mac=False), tag_length=_CCM_TAG)
    try:
        return cipher.decrypt(context.ccm_nonce(), body, context.tpl.associated_data())
    except InvalidTag:
        raise SecurityError("the CCM tag does not verify: wrong key or altered octets", "ccm-tag") from None


def _open_gcm(key: bytes, context: Context, body: bytes) -> bytes:
    if len(body) < _GCM_TAG:
        raise DecodeError("the message is shorter than its tag", 0, "truncated")
    cipher = Gcm12(context.key(key, mac=False))
    try:
        return cipher.open(context.nonce(), body, context.tpl.associated_data())
    except SecurityError:
        raise SecurityError("the GCM tag does not verify: wrong key or altered octets", "gcm-tag") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A protected message: headers with their final contents, and the payload as it is sent."""

    afl: Afl | None
    tpl: Tpl
    body: bytes

    def encode(self) -> bytes:
        """Authentication layer (if any), transport header and payload."""
        return (self.afl.encode() if self.afl is not None else b"") + self.tpl.encode() + self.body


def seal_payload(
    tpl: Tpl, payload: bytes, key: bytes, *, sender: Address, afl: Afl | None = None, from_meter: bool = True
) -> Sealed:
    """Encrypt and authenticate ``payload`` by the mode of ``tpl``; its block count is filled in where the mode has one.

    ``afl`` with a message control field gets its MAC. LocalProtocolError if the mode cannot be done.
    """
    if tpl.mode in _CBC:
        payload = _padded(payload)
        blocks = len(payload) // 16
        if blocks > 15:
            raise LocalProtocolError(f"{blocks} blocks to encrypt, at most 15 can be announced")
        tpl = replace(tpl, config=tpl.config & ~0xF0 | blocks << 4)
    context = Context(tpl=tpl, afl=afl, sender=sender, from_meter=from_meter)
    sealer = {0: _plain, 5: _seal_cbc, 7: _seal_cbc, 8: _crypt_ctr, 9: _seal_gcm, 10: _seal_ccm}.get(tpl.mode)
    if sealer is None:
        raise LocalProtocolError(f"security mode {tpl.mode} is not done here")
    body = sealer(key, context, payload)
    if afl is not None and afl.mac_length:
        afl = replace(afl, mac=mac_of(key, context, body)[: afl.mac_length])
    return Sealed(afl=afl, tpl=tpl, body=body)


def _padded(payload: bytes) -> bytes:
    """2F2F in front and fillers behind, to whole blocks."""
    framed = payload if payload[:2] == IDLE else IDLE + payload
    return framed + b"\x2f" * (-len(framed) % 16)


def _plain(key: bytes, context: Context, payload: bytes) -> bytes:
    return payload


def _seal_cbc(key: bytes, context: Context, payload: bytes) -> bytes:
    used = key if context.tpl.mode == 5 else context.key(key, mac=False)
    return aes_cbc_encrypt(used, context.vector(), payload)


def _seal_ccm(key: bytes, context: Context, payload: bytes) -> bytes:
    cipher = AESCCM(context.key(key, mac=False), tag_length=_CCM_TAG)
    return cipher.encrypt(context.ccm_nonce(), payload, context.tpl.associated_data())


def _seal_gcm(key: bytes, context: Context, payload: bytes) -> bytes:
    return Gcm12(context.key(key, mac=False)).seal(context.nonce(), payload, context.tpl.associated_data())


class CounterGuard:
    """Message counters that only rise, one for each meter; the caller keeps ``last`` over restarts."""

    __slots__ = ("last",)

    def __init__(self, last: dict[str, int] | None = None) -> None:
        self.last: dict[str, int] = {} if last is None else last

    def accept(self, meter: Address, counter: int) -> None:
        """Take a verified message's counter; SecurityError(counter) if it was seen or passed before."""
        name = str(meter)
        last = self.last.get(name, -1)
        if counter <= last:
            raise SecurityError(f"message counter {counter} of {name} is not above {last}: a replay", "counter")
        self.last[name] = counter
