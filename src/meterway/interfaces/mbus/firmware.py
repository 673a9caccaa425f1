"""Firmware images of the gateway itself: who made them, and which is which. Pure.

An image is ``MWLN``, the length of its identification, the identification, the content, and at the end the maker's
signature: r and s of ECDSA over the SHA-256 of all before it, on P-256, 32 octets each. The layout is this project's
own. Content that is a zip archive with the package in it is run by Python as it is; any other is kept for whoever
starts the gateway.

The numbers in an identification are its version (``MWY-LNAP-1.10`` is 1.10, above 1.9). Firmware below the highest that
ever proved itself is taken only with a permit: ``MWLP``, then with its length in an octet each the serial number of the
one gateway it is for and the identification, when it expires (Unix seconds, four octets), and the maker's signature.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from meterway.base.errors import ConfigError, DecodeError, SecurityError
from meterway.base.octets import Reader

__all__ = ["MAGIC", "PERMIT", "SIGNATURE", "Image", "MakerKey", "is_older", "maker_key", "opened", "permitted"]

MAGIC: Final = b"MWLN"
PERMIT: Final = b"MWLP"
SIGNATURE: Final = 64
"""Octets of the signature."""
_HEAD: Final = len(MAGIC) + 1
_NAME_MAX: Final = 64

MakerKey = ec.EllipticCurvePublicKey


class Image(NamedTuple):
    """An image that is genuine: its identification, and what is in it."""

    identification: bytes
    content: bytes
    signature: bytes


def maker_key(pem: bytes, *, field: str) -> MakerKey:
    """The maker's public key from PEM; ConfigError names the field if it is none on P-256."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise ConfigError(f"{field}: no public key in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(f"{field}: an elliptic curve key on P-256 is wanted")
    return key


def opened(image: bytes, identifier: bytes, key: MakerKey | None) -> Image:
    """The image; SecurityError says why it is refused: nobody is trusted, it is none, another one, or not signed."""
    if key is None:
        raise SecurityError("the settings name no maker to trust", "maker")
    if len(image) < _HEAD + 1 + SIGNATURE or not image.startswith(MAGIC):
        raise SecurityError("this is no image of a gateway", "image")
    body, signature = _signed(image, key), image[-SIGNATURE:]
    size = body[len(MAGIC)]
    name = body[_HEAD : _HEAD + size]
    if not 0 < size <= _NAME_MAX or len(name) != size or name != identifier:
        raise SecurityError(
            f"the image is {name.decode('ascii', 'replace')!r}, not what was announced", "identification"
        )
    return Image(name, body[_HEAD + size :], signature)


def _signed(octets: bytes, key: MakerKey) -> bytes:
    """What the maker has signed."""
    body, signature = octets[:-SIGNATURE], octets[-SIGNATURE:]
    half = SIGNATURE // 2
    pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    try:
        key.verify(encode_dss_signature(*pair), body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SecurityError("the signature is not the maker's", "signature") from None
    return body


def _version(identification: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall("[0-9]+", identification[:_NAME_MAX]))


def is_older(identification: str, than: str) -> bool:
    """Whether the version of one identification is below that of another; one without any is below all that have."""
    return _version(identification) < _version(than)


def permitted(permit: bytes, serial: str, key: MakerKey | None, now: float) -> bytes:
    """The identification of the older firmware that a permit lets this gateway take.

    SecurityError says why it is refused: nobody is trusted, it is none, not signed, another gateway's, or expired.
    """
    if key is None:
        raise SecurityError("the settings name no maker to trust", "maker")
    if len(permit) <= len(PERMIT) + SIGNATURE or not permit.startswith(PERMIT):
        raise SecurityError("this is no permit", "image")
    reader = Reader(_signed(permit, key), len(PERMIT))
    try:
        gateway = reader.take(reader.u8("length of the serial number"), "serial number")
        name = reader.take(reader.u8("length of the identification"), "identification")
        expires = reader.u32("expiry")
    except DecodeError:
        raise SecurityError("this is no permit", "image") from None
    if gateway != serial.encode() or reader.remaining:
        raise SecurityError("the permit is for another gateway", "identification")
    if expires < now:
        raise SecurityError("the permit has expired", "policy")
    return name
