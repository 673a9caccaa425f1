"""Association LN and SAP assignment: who may see what, and which logical devices there are (classes 15, 17)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.model import declare, dynamic, method, static
from meterway.stacks.dlms.classes.types import (
    BIT_STRING,
    BOOLEAN,
    ENUM,
    INTEGER,
    LONG_UNSIGNED,
    NULL,
    OBIS,
    OCTETS,
    UNSIGNED,
    UTF8,
    VISIBLE,
    Type,
    array,
    choice,
    enumerated,
    structure,
)

__all__ = [
    "CLASSES",
    "Access",
    "AccessRights",
    "AssociatedPartners",
    "AssociationStatus",
    "AttributeAccess",
    "MethodAccess",
    "ObjectIdentifier",
    "ObjectListElement",
    "SapAssignment",
    "UserEntry",
    "XdlmsContext",
    "attribute_access",
    "method_access",
]


class Access(IntFlag):
    """What an access right allows and asks for, one bit each; the coding of version 3."""

    NONE = 0
    READ = 1
    WRITE = 2
    AUTHENTICATED_REQUEST = 4
    ENCRYPTED_REQUEST = 8
    SIGNED_REQUEST = 16
    AUTHENTICATED_RESPONSE = 32
    ENCRYPTED_RESPONSE = 64
    SIGNED_RESPONSE = 128


class AssociationStatus(IntEnum):
    """Whether the association is open."""

    NON_ASSOCIATED = 0
    ASSOCIATION_PENDING = 1
    ASSOCIATED = 2


_AUTHENTICATED: Final = Access.AUTHENTICATED_REQUEST | Access.AUTHENTICATED_RESPONSE
_BEFORE_V3: Final = (
    Access.NONE,
    Access.READ,
    Access.WRITE,
    Access.READ | Access.WRITE,
    Access.READ | _AUTHENTICATED,
    Access.WRITE | _AUTHENTICATED,
    Access.READ | Access.WRITE | _AUTHENTICATED,
)


def attribute_access(mode: int, version: int) -> Access:
    """An attribute's access mode as flags, from the coding of an Association LN version; unknown is no access."""
    if version >= 3:
        return Access(mode)
    return _BEFORE_V3[mode] if mode < len(_BEFORE_V3) else Access.NONE


def method_access(mode: int, version: int) -> Access:
    """A method's access mode as flags; ``READ`` says that it may be called."""
    if version >= 3:
        return Access(mode)
    return (Access.NONE, Access.READ, Access.READ | _AUTHENTICATED)[mode] if 0 <= mode <= 2 else Access.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeAccess:
    """The right to one attribute, and the access selectors it takes (None: none)."""

    attribute: int
    mode: int
    selectors: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodAccess:
    """The right to one method."""

    method: int
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRights:
    """The rights to every attribute and method of an object."""

    attributes: tuple[AttributeAccess, ...]
    methods: tuple[MethodAccess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectListElement:
    """One object that the association shows."""

    class_id: int
    version: int
    obis: Obis
    access: AccessRights


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociatedPartners:
    """The addresses of client and server."""

    client_sap: int
    server_sap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectIdentifier:
    """The name of an application context or an authentication mechanism, arc by arc."""

    joint_iso_ctt: int = 2
    country: int = 16
    country_name: int = 756
    identified_organization: int = 5
    dlms_ua: int = 8
    kind: int
    identifier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class XdlmsContext:
    """What was negotiated when the association was opened."""

    conformance: str
    max_receive_pdu_size: int
    max_send_pdu_size: int
    dlms_version_number: int
    quality_of_service: int
    cyphering_info: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """A user of the client."""

    user_id: int
    user_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SapAssignment:
    """The address of a logical device and its name."""

    sap: int
    logical_device_name: bytes


def _object(method_mode: Type) -> Type:
    attribute = structure(AttributeAccess, INTEGER, ENUM, choice(NULL, array(INTEGER)))
    rights = structure(AccessRights, array(attribute), array(structure(MethodAccess, INTEGER, method_mode)))
    return structure(ObjectListElement, LONG_UNSIGNED, UNSIGNED, OBIS, rights)


_OID = structure(ObjectIdentifier, UNSIGNED, UNSIGNED, LONG_UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED)
_USER = structure(UserEntry, UNSIGNED, choice(VISIBLE, UTF8))
_CONTEXT = structure(XdlmsContext, BIT_STRING, LONG_UNSIGNED, LONG_UNSIGNED, UNSIGNED, INTEGER, OCTETS)


def _attributes(element: Type) -> tuple[tuple[str, Type, bool], ...]:
    return (
        static("object_list", array(element)),
        static("associated_partners_id", structure(AssociatedPartners, INTEGER, LONG_UNSIGNED)),
        static("application_context_name", choice(_OID, OCTETS)),
        dynamic("xdlms_context_info", _CONTEXT),
        static("authentication_mechanism_name", choice(_OID, OCTETS)),
        static("secret", OCTETS),
        dynamic("association_status", enumerated(AssociationStatus)),
    )


def _methods(element: Type) -> tuple[tuple[str, Type], ...]:
    return (
        method("reply_to_hls_authentication", OCTETS),
        method("change_hls_secret", OCTETS),
        method("add_object", element),
        method("remove_object", element),
    )


_V0 = _object(BOOLEAN)
_V1 = _object(ENUM)
_SECURITY = static("security_setup_reference", OBIS)
_USERS = (static("user_list", array(_USER)), dynamic("current_user", _USER))
_USER_METHODS = (method("add_user", _USER), method("remove_user", _USER))
_NAME = "Association LN"
_SAP = structure(SapAssignment, LONG_UNSIGNED, OCTETS)

CLASSES = (
    declare(15, 0, _NAME, attributes=_attributes(_V0), methods=_methods(_V0)),
    declare(15, 1, _NAME, attributes=(*_attributes(_V1), _SECURITY), methods=_methods(_V1)),
    *[
        declare(
            15,
            version,
            _NAME,
            attributes=(*_attributes(_V1), _SECURITY, *_USERS),
            methods=(*_methods(_V1), *_USER_METHODS),
        )
        for version in (2, 3)
    ],
    declare(
        17,
        0,
        "SAP assignment",
        attributes=(static("sap_assignment_list", array(_SAP)),),
        methods=(method("connect_logical_device", _SAP),),
    ),
)
