"""Security setup: which protection messages must have, and how keys are changed (class 64)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from meterway.stacks.dlms.classes.model import declare, method, static
from meterway.stacks.dlms.classes.types import ANY, ENUM, OCTETS, array, enumerated, structure

__all__ = [
    "CLASSES",
    "Certificate",
    "KeyAgreement",
    "KeyId",
    "KeyTransfer",
    "Policy",
    "policy_may_become",
    "policy_of",
]


class Policy(IntFlag):
    """What every message of an association must have; the bits of version 1."""

    NOTHING = 0
    AUTHENTICATED_REQUEST = 4
    ENCRYPTED_REQUEST = 8
    SIGNED_REQUEST = 16
    AUTHENTICATED_RESPONSE = 32
    ENCRYPTED_RESPONSE = 64
    SIGNED_RESPONSE = 128


class KeyId(IntEnum):
    """Which key is transferred or agreed."""

    GLOBAL_UNICAST_ENCRYPTION = 0
    GLOBAL_BROADCAST_ENCRYPTION = 1
    AUTHENTICATION = 2
    MASTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTransfer:
    """A new key, wrapped with the master key (RFC 3394)."""

    key_id: int
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAgreement:
    """One side's part of a key agreement: the ephemeral public key and its signature."""

    key_id: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate the server holds: whose it is, what for, and its names."""

    entity: int
    type: int
    serial_number: bytes
    issuer: bytes
    subject: bytes
    subject_alt_name: bytes


_AUTHENTICATED: Final = Policy.AUTHENTICATED_REQUEST | Policy.AUTHENTICATED_RESPONSE
_ENCRYPTED: Final = Policy.ENCRYPTED_REQUEST | Policy.ENCRYPTED_RESPONSE
_V0: Final = (Policy.NOTHING, _AUTHENTICATED, _ENCRYPTED, _AUTHENTICATED | _ENCRYPTED)


def policy_of(value: int, version: int) -> Policy | None:
    """A security policy as flags, from the coding of a Security setup version; None for a reserved value.

    Version 0 counts 0 nothing, 1 authenticated, 2 encrypted, 3 both, for requests and responses alike.
    """
    if version == 0:
        return _V0[value] if 0 <= value < len(_V0) else None
    return Policy(value) if 0 <= value <= 0xFF and not value & 0x03 else None


def policy_may_become(old: Policy, new: Policy) -> bool:
    """Whether ``security_activate`` takes the change: a policy is only ever strengthened."""
    return old & new == old


_KEYS = array(structure(KeyTransfer, enumerated(KeyId), OCTETS))
_ATTRIBUTES = (
    static("security_policy", ENUM),
    static("security_suite", ENUM),
    static("client_system_title", OCTETS),
    static("server_system_title", OCTETS),
)

CLASSES = (
    declare(
        64,
        0,
        "Security setup",
        attributes=_ATTRIBUTES,
        methods=(method("security_activate", ENUM), method("global_key_transfer", _KEYS)),
    ),
    declare(
        64,
        1,
        "Security setup",
        attributes=(
            *_ATTRIBUTES,
            static("certificates", array(structure(Certificate, ENUM, ENUM, OCTETS, OCTETS, OCTETS, OCTETS))),
        ),
        methods=(
            method("security_activate", ENUM),
            method("key_transfer", _KEYS),
            method("key_agreement", array(structure(KeyAgreement, enumerated(KeyId), OCTETS))),
            method("generate_key_pair", ENUM),
            method("generate_certificate_request", ENUM),
            method("import_certificate", OCTETS),
            method("export_certificate", ANY),
            method("remove_certificate", ANY),
        ),
    ),
)
