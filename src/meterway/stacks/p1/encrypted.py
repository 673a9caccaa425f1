"""Encrypted P1: the whole telegram in one general-glo-ciphering frame, as Luxembourg and Austria send it.

Frame: ``DB``, length and system title of the meter, length, security control, invocation counter, ciphertext, tag of
12 octets. The nonce is system title and counter; authenticated besides the text are security control and
authentication key. The authentication key of Luxembourg is public and fixed, so the customer needs one key only.
Source: IEC 62056-5-3 (general-glo-ciphering); Luxembourg P1 specification 1.1.3, 3.2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, SecurityError
from meterway.base.octets import Reader

__all__ = [
    "PUBLIC_AUTH_KEY",
    "TAG",
    "Decrypted",
    "EncryptedFrame",
    "decrypt",
    "decrypt_unverified",
    "encrypt",
    "frame_length",
]

PUBLIC_AUTH_KEY: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TAG: Final = 0xDB
_AUTHENTICATED: Final = 0x10
_ENCRYPTED: Final = 0x20
_MAX_LENGTH_OCTETS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedFrame:
    """The fields of the frame; ``sealed`` is ciphertext and, when the control octet says so, the tag."""

    system_title: bytes
    security_control: int
    counter: int
    sealed: bytes

    @classmethod
    def decode(cls, octets: bytes) -> EncryptedFrame:
        """Read one frame; DecodeError ``tag``, ``truncated`` or ``trailing``."""
        reader = Reader(octets)
        if reader.u8("tag") != TAG:
            raise reader.fail("an encrypted P1 frame begins with DB", "tag", back=1)
        title = reader.take(reader.u8("system title length"), "system title")
        body = reader.sub(_length(reader), "ciphered octets")
        frame = cls(
            system_title=title,
            security_control=body.u8("security control"),
            counter=body.u32("invocation counter"),
            sealed=body.rest(),
        )
        reader.finish("encrypted P1 frame")
        return frame

    def encode(self) -> bytes:
        """The octets; the length takes as few octets as it can."""
        body = bytes((self.security_control,)) + self.counter.to_bytes(4, "big") + self.sealed
        return bytes((TAG, len(self.system_title))) + self.system_title + _length_octets(len(body)) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrypted:
    """The telegram and how it was protected; ``verified`` says whether a tag was there and was right."""

    telegram: bytes
    system_title: bytes
    counter: int
    security_control: int
    verified: bool
    quirks: tuple[str, ...] = ()


def _length(reader: Reader) -> int:
    first = reader.u8("length")
    if first < 0x80:
        return first
    if not 1 <= first & 0x7F <= _MAX_LENGTH_OCTETS:
        raise reader.fail("a length of 1 to 4 octets must stand here", "length", back=1)
    return reader.uint(first & 0x7F, "length")


def _length_octets(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def frame_length(octets: bytes) -> int | None:
    """How many octets the frame that begins here has, None while its head is not whole.

    DecodeError if no such frame can begin with these octets (a system title has 8 octets).
    """
    if octets[:1] not in (b"", b"\xdb") or octets[1:2] not in (b"", b"\x08"):
        raise DecodeError("an encrypted P1 frame begins with DB 08", 0, "tag")
    reader = Reader(octets, 10)
    if reader.remaining < 1 or reader.remaining < 1 + max(0, reader.peek() - 0x80):
        if reader.remaining >= 1 and reader.peek() > 0x80 + _MAX_LENGTH_OCTETS:
            raise reader.fail("a length of 1 to 4 octets must stand here", "length")
        return None
    length = _length(reader)
    return reader.offset + length


def decrypt(octets: bytes, key: bytes, auth_key: bytes = PUBLIC_AUTH_KEY, *, system_title: bytes = b"") -> Decrypted:
    """Open one frame; ``system_title`` stands in for one that the frame leaves out.

    SecurityError: ``tag`` for a wrong key or altered octets, ``policy`` for a frame that is not encrypted or is
    compressed. Quirks: ``tag-without-aad`` (the tag is right but covers the text only), ``no-tag`` (encrypted only;
    nothing proves that the key was right but the telegram's own CRC).
    """
    frame = EncryptedFrame.decode(octets)
    title = frame.system_title or system_title
    if len(title) != 8:
        raise SecurityError(f"a system title of 8 octets is needed to decrypt, not of {len(title)}", "system-title")
    if not frame.security_control & _ENCRYPTED or frame.security_control & 0x8F:
        raise SecurityError(f"security control {frame.security_control:02X} is not suite 0 with encryption", "policy")
    cipher = Gcm12(key)
    nonce = title + frame.counter.to_bytes(4, "big")
    if frame.security_control & _AUTHENTICATED:
        plain, quirks = _open(cipher, nonce, frame, auth_key)
    else:
        plain, quirks = cipher.crypt(nonce, frame.sealed), ("no-tag",)
    return Decrypted(
        telegram=plain,
        system_title=title,
        counter=frame.counter,
        security_control=frame.security_control,
        verified=bool(frame.security_control & _AUTHENTICATED),
        quirks=quirks,
    )


def decrypt_unverified(octets: bytes, key: bytes, *, system_title: bytes = b"") -> Decrypted:
    """Open one frame without looking at its tag, where the authentication key is not known; quirk ``tag-not-verified``.

    Nothing proves here that the key was right: the caller must have another proof, as the telegram's own CRC.
    """
    frame = EncryptedFrame.decode(octets)
    title = frame.system_title or system_title
    if len(title) != 8 or frame.security_control & 0xBF != _AUTHENTICATED | _ENCRYPTED or len(frame.sealed) < Gcm12.TAG:
        raise SecurityError("not an authenticated and encrypted frame of suite 0", "policy")
    nonce = title + frame.counter.to_bytes(4, "big")
    return Decrypted(
        telegram=Gcm12(key).crypt(nonce, frame.sealed[: -Gcm12.TAG]),
        system_title=title,
        counter=frame.counter,
        security_control=frame.security_control,
        verified=False,
        quirks=("tag-not-verified",),
    )


def _open(cipher: Gcm12, nonce: bytes, frame: EncryptedFrame, auth_key: bytes) -> tuple[bytes, tuple[str, ...]]:
    try:
        return cipher.open(nonce, frame.sealed, bytes((frame.security_control,)) + auth_key), ()
    except SecurityError as refused:
        try:
            return cipher.open(nonce, frame.sealed, b""), ("tag-without-aad",)
        except SecurityError:
            raise refused from None


def encrypt(
    telegram: bytes, key: bytes, auth_key: bytes = PUBLIC_AUTH_KEY, *, system_title: bytes, counter: int
) -> bytes:
    """Put a telegram into an authenticated and encrypted frame; ``counter`` must never repeat under one key."""
    control = _AUTHENTICATED | _ENCRYPTED
    nonce = system_title + counter.to_bytes(4, "big")
    sealed = Gcm12(key).seal(nonce, telegram, bytes((control,)) + auth_key)
    return EncryptedFrame(system_title=system_title, security_control=control, counter=counter, sealed=sealed).encode()
