"""Firmware images of gateways as a maker makes them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAKER = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
"""A key for tests alone."""


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def made(name: bytes, content: bytes, *, maker: ec.EllipticCurvePrivateKey = MAKER) -> bytes:
    return signed(b"MWLN" + bytes((len(name),)) + name + content, maker)


def permit(serial: bytes, name: bytes, expires: int, *, maker: ec.EllipticCurvePrivateKey = MAKER) -> bytes:
    """What lets one gateway take firmware that is older than what it ran."""
    body = b"MWLP" + bytes((len(serial),)) + serial + bytes((len(name),)) + name + expires.to_bytes(4, "big")
    return signed(body, maker)


def signed(body: bytes, maker: ec.EllipticCurvePrivateKey) -> bytes:
    r, s = decode_dss_signature(maker.sign(body, ec.ECDSA(SHA256())))
    return body + r.to_bytes(32, "big") + s.to_bytes(32, "big")
