"""Firmware images of the gateway itself: who made them, and which is which. Pure.

An image is ``MWLN``, the length of its identification, the identification, the content, and at the end the maker's
signature: r and s of ECDSA over the SHA-256 of all before it, on P-256, 32 octets each. The layout is this project's
own. Content that is a zip archive with the package in it is run by Python as it is; any other is kept for whoever
starts the gateway.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from meterway.base.errors import ConfigError, SecurityError

__all__ = ["MAGIC", "SIGNATURE", "Image", "MakerKey", "maker_key", "opened"]

MAGIC: Final = b"MWLN"
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
    body, signature = image[:-SIGNATURE], image[-SIGNATURE:]
    half = SIGNATURE // 2
    pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    try:
        key.verify(encode_dss_signature(*pair), body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SecurityError("the signature is not the maker's", "signature") from None
    size = body[len(MAGIC)]
    name = body[_HEAD : _HEAD + size]
    if not 0 < size <= _NAME_MAX or len(name) != size or name != identifier:
        raise SecurityError(
            f"the image is {name.decode('ascii', 'replace')!r}, not what was announced", "identification"
        )
    return Image(name, body[_HEAD + size :], signature)
