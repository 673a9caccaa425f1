"""AARQ, AARE, RLRQ, RLRE: how an association opens and closes (IEC 62056-5-3, ISO/IEC 8650-1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final, Self

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.acse.ber import element, read_elements, unwrap
from meterway.stacks.dlms.axdr import read_length

__all__ = ["CONTEXT_LN", "CONTEXT_LN_CIPHERED", "DIAGNOSTICS", "MECHANISMS", "Aare", "Aarq", "Rlre", "Rlrq"]

CONTEXT_LN = 1
CONTEXT_LN_CIPHERED = 3
MECHANISMS: Final = {
    0: "lowest",
    1: "lls",
    2: "hls2",
    3: "hls3-md5",
    4: "hls4-sha1",
    5: "hls5-gmac",
    6: "hls6-sha256",
    7: "hls7-ecdsa",
}
DIAGNOSTICS: Final = {
    0: "none",
    1: "no reason given",
    2: "application context name not supported",
    11: "authentication mechanism name not recognised",
    12: "authentication mechanism name required",
    13: "authentication failure",
    14: "authentication required",
}

_DLMS_ARC: Final = b"\x60\x85\x74\x05\x08"  # 2.16.756.5.8
_ACSE_REQUIREMENTS: Final = b"\x07\x80"  # authentication functional unit
_Fields = dict[int, tuple[bytes, int]]


@lru_cache(maxsize=64)
def _encode_context(context: int) -> bytes:
    return element(0xA1, element(0x06, _DLMS_ARC + bytes((1, context))))


_CONTEXTS: Final = {_encode_context(context)[2:]: context for context in range(1, 5)}
_MECHANISM_NAMES: Final = {_DLMS_ARC + bytes((2, number)): number for number in MECHANISMS}


def _oid_number(content: bytes, place: int, branch: int, what: str) -> int:
    if len(content) != 7 or content[:5] != _DLMS_ARC or content[5] != branch:
        raise DecodeError(f"{what}: not a DLMS object identifier: {content.hex(' ')}", place, "oid")
    return content[6]


def _context(fields: _Fields) -> int:
    if 0xA1 not in fields:
        raise DecodeError("the application context name is missing", 0, "ber")
    content, place = fields[0xA1]
    usual = _CONTEXTS.get(content)
    if usual is not None:
        return usual
    return _oid_number(unwrap(content, place, 0x06, "application context name"), place, 1, "application context name")


def _octets(fields: _Fields, tag: int, inner: int, what: str) -> bytes | None:
    field = fields.get(tag)
    return None if field is None else unwrap(*field, inner, what)


def _integer(fields: _Fields, tag: int, what: str) -> int | None:
    octets = _octets(fields, tag, 0x02, what)
    return None if octets is None else _small(octets, fields[tag][1], what)


def _encode_small(value: int | None) -> bytes | None:
    return None if value is None else bytes((value,))


def _small(octets: bytes, place: int, what: str) -> int:
    if len(octets) != 1:
        raise DecodeError(f"{what}: an integer of one octet expected, not of {len(octets)}", place, "ber")
    return octets[0]


def _mechanism(fields: _Fields, tag: int) -> int | None:
    if tag not in fields:
        return None
    content, place = fields[tag]
    usual = _MECHANISM_NAMES.get(content)
    return usual if usual is not None else _oid_number(content, place, 2, "mechanism name")


def _known(fields: _Fields, tags: frozenset[int]) -> None:
    if fields.keys() <= tags:
        return
    for tag, (_, place) in fields.items():
        if tag not in tags:
            raise DecodeError(f"BER tag {tag:#04x} has no place in this APDU", place, "ber")


def _body(reader: Reader) -> _Fields:
    return read_elements(reader.sub(read_length(reader), "ACSE APDU"))


def _optional(tag: int, inner: int, octets: bytes | None) -> bytes:
    if octets is None:
        return b""
    length = len(octets)
    if length < 0x7E:
        return bytes((tag, length + 2, inner, length)) + octets
    return element(tag, element(inner, octets))


@lru_cache(maxsize=64)
def _authentication(requirement: int, name: int, mechanism: int | None, *, always: bool) -> bytes:
    if mechanism is None:
        return b""
    head = element(requirement, _ACSE_REQUIREMENTS) if always else b""
    return head + element(name, _DLMS_ARC + bytes((2, mechanism)))


_AARQ_TAGS: Final = frozenset((0x80, 0xA1, 0xA2, 0xA6, 0xA7, 0xA8, 0xA9, 0x8A, 0x8B, 0xAC, 0xBE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """Ask for an association. ``user_information`` is an InitiateRequest, plain or ciphered."""

    TAG: ClassVar[bytes] = b"\x60"
    context: int
    user_information: bytes
    called_ap_title: bytes | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ap_invocation: int | None = None
    calling_user_id: int | None = None
    acse_requirements: bool = True
    mechanism: int | None = None
    authentication_value: bytes | None = None
    protocol_version: bytes | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        fields = _body(reader)
        _known(fields, _AARQ_TAGS)
        return cls(
            protocol_version=fields[0x80][0] if 0x80 in fields else None,
            context=_context(fields),
            called_ap_title=_octets(fields, 0xA2, 0x04, "called AP title"),
            calling_ap_title=_octets(fields, 0xA6, 0x04, "calling AP title"),
            calling_ae_qualifier=_octets(fields, 0xA7, 0x04, "calling AE qualifier"),
            calling_ap_invocation=_integer(fields, 0xA8, "calling AP invocation id"),
            calling_user_id=_integer(fields, 0xA9, "calling AE invocation id"),
            acse_requirements=0x8A in fields,
            mechanism=_mechanism(fields, 0x8B),
            authentication_value=_octets(fields, 0xAC, 0x80, "calling authentication value"),
            user_information=_octets(fields, 0xBE, 0x04, "user information") or b"",
        )

    def encode(self) -> bytes:
        """The whole APDU."""
        version = b"" if self.protocol_version is None else element(0x80, self.protocol_version)
        body = (
            version,
            _encode_context(self.context),
            _optional(0xA2, 0x04, self.called_ap_title),
            _optional(0xA6, 0x04, self.calling_ap_title),
            _optional(0xA7, 0x04, self.calling_ae_qualifier),
            _optional(0xA8, 0x02, _encode_small(self.calling_ap_invocation)),
            _optional(0xA9, 0x02, _encode_small(self.calling_user_id)),
            _authentication(0x8A, 0x8B, self.mechanism, always=self.acse_requirements),
            _optional(0xAC, 0x80, self.authentication_value),
            _optional(0xBE, 0x04, self.user_information or None),
        )
        return element(0x60, b"".join(body))

    def __repr__(self) -> str:
        return f"Aarq(context={self.context}, mechanism={self.mechanism}, calling_ap_title={self.calling_ap_title!r})"


@lru_cache(maxsize=64)
def _encode_result(result: int, source: int, diagnostic: int) -> bytes:
    reason = element(0xA0 | source, element(0x02, bytes((diagnostic,))))
    return element(0xA2, element(0x02, bytes((result,)))) + element(0xA3, reason)


_AARE_TAGS: Final = frozenset((0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0x88, 0x89, 0xAA, 0xBE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """The answer: ``result`` 0 accepted, 1 rejected for good, 2 rejected for now."""

    TAG: ClassVar[bytes] = b"\x61"
    context: int
    result: int
    diagnostic: int
    diagnostic_source: int = 1
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ap_invocation: int | None = None
    responding_ae_invocation: int | None = None
    acse_requirements: bool = True
    mechanism: int | None = None
    authentication_value: bytes | None = None
    user_information: bytes | None = None
    protocol_version: bytes | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        fields = _body(reader)
        _known(fields, _AARE_TAGS)
        result = _integer(fields, 0xA2, "result")
        if result is None:
            raise reader.fail("the association result is missing", "ber")
        source, diagnostic = _diagnostic(fields)
        return cls(
            protocol_version=fields[0x80][0] if 0x80 in fields else None,
            context=_context(fields),
            result=result,
            diagnostic_source=source,
            diagnostic=diagnostic,
            responding_ap_title=_octets(fields, 0xA4, 0x04, "responding AP title"),
            responding_ae_qualifier=_octets(fields, 0xA5, 0x04, "responding AE qualifier"),
            responding_ap_invocation=_integer(fields, 0xA6, "responding AP invocation id"),
            responding_ae_invocation=_integer(fields, 0xA7, "responding AE invocation id"),
            acse_requirements=0x88 in fields,
            mechanism=_mechanism(fields, 0x89),
            authentication_value=_octets(fields, 0xAA, 0x80, "responding authentication value"),
            user_information=_octets(fields, 0xBE, 0x04, "user information"),
        )

    def encode(self) -> bytes:
        """The whole APDU."""
        version = b"" if self.protocol_version is None else element(0x80, self.protocol_version)
        body = (
            version,
            _encode_context(self.context),
            _encode_result(self.result, self.diagnostic_source, self.diagnostic),
            _optional(0xA4, 0x04, self.responding_ap_title),
            _optional(0xA5, 0x04, self.responding_ae_qualifier),
            _optional(0xA6, 0x02, _encode_small(self.responding_ap_invocation)),
            _optional(0xA7, 0x02, _encode_small(self.responding_ae_invocation)),
            _authentication(0x88, 0x89, self.mechanism, always=self.acse_requirements),
            _optional(0xAA, 0x80, self.authentication_value),
            _optional(0xBE, 0x04, self.user_information),
        )
        return element(0x61, b"".join(body))

    @property
    def words(self) -> str:
        """Result and diagnostic in words."""
        result = {0: "accepted", 1: "rejected permanently", 2: "rejected for now"}.get(self.result, str(self.result))
        return f"{result}: {DIAGNOSTICS.get(self.diagnostic, f'diagnostic {self.diagnostic}')}"


def _diagnostic(fields: _Fields) -> tuple[int, int]:
    if 0xA3 not in fields:
        return 1, 0
    content, place = fields[0xA3]
    source = content[0] & 0x1F if content else 0
    if source not in (1, 2):
        raise DecodeError("the diagnostic comes from the ACSE user (1) or provider (2)", place, "ber")
    inner = unwrap(content, place, 0xA0 | source, "diagnostic")
    return source, _small(unwrap(inner, place + 2, 0x02, "diagnostic"), place + 2, "diagnostic")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    """The form that both release APDUs share."""

    TAG: ClassVar[bytes]
    reason: int | None = 0
    user_information: bytes | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        fields = _body(reader)
        _known(fields, frozenset((0x80, 0xBE)))
        reason = _small(*fields[0x80], "reason") if 0x80 in fields else None
        return cls(reason=reason, user_information=_octets(fields, 0xBE, 0x04, "user information"))

    def encode(self) -> bytes:
        """The whole APDU."""
        head = b"" if self.reason is None else element(0x80, bytes((self.reason,)))
        return element(self.TAG[0], head + _optional(0xBE, 0x04, self.user_information))


class Rlrq(_Release):
    """Ask to close the association; ``reason`` 0 normal, 1 urgent, 30 user defined."""

    __slots__ = ()
    TAG = b"\x62"


class Rlre(_Release):
    """The association is closed; ``reason`` 0 normal, 1 not finished, 30 user defined."""

    __slots__ = ()
    TAG = b"\x63"
