"""What client and server agree on when they associate (IEC 62056-5-3, InitiateRequest and -Response)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import encode_octets, read_octets

__all__ = ["DLMS_VERSION", "InitiateRequest", "InitiateResponse"]

DLMS_VERSION = 6
_CONFORMANCE_HEAD = b"\x5f\x1f\x04\x00"  # [APPLICATION 31] of 4 octets, no unused bits
_VAA_LN = 0x0007


def _read_conformance(reader: Reader) -> Conformance:
    head = reader.take(4, "conformance")
    if head != _CONFORMANCE_HEAD:
        raise reader.fail(f"conformance begins with 5f 1f 04 00, not {head.hex(' ')}", back=4)
    return Conformance(reader.uint(3, "conformance"))


def _optional(reader: Reader, what: str) -> bool:
    flag = reader.u8(what)
    if flag > 1:
        raise reader.fail(f"{what}: a presence flag is 0 or 1, not {flag}", back=1)
    return flag == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """What the client proposes; a dedicated key is only ever sent encrypted."""

    TAG: ClassVar[bytes] = b"\x01"
    conformance: Conformance
    max_pdu: int
    dedicated_key: bytes | None = None
    response_allowed: bool = True
    quality_of_service: int | None = None
    version: int = DLMS_VERSION

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        key = read_octets(reader, "dedicated key") if _optional(reader, "dedicated key") else None
        allowed = reader.u8("response allowed") != 0 if _optional(reader, "response allowed") else True
        quality = reader.i8("quality of service") if _optional(reader, "quality of service") else None
        return cls(
            dedicated_key=key,
            response_allowed=allowed,
            quality_of_service=quality,
            version=reader.u8("DLMS version"),
            conformance=_read_conformance(reader),
            max_pdu=reader.u16("maximum PDU size"),
        )

    def encode(self) -> bytes:
        """The whole APDU."""
        key = b"\x00" if self.dedicated_key is None else b"\x01" + encode_octets(self.dedicated_key)
        allowed = b"\x00" if self.response_allowed else b"\x01\x00"
        quality = b"\x00" if self.quality_of_service is None else bytes((1, self.quality_of_service & 0xFF))
        tail = bytes((self.version,)) + _CONFORMANCE_HEAD + self.conformance.to_bytes(3, "big")
        return self.TAG + key + allowed + quality + tail + self.max_pdu.to_bytes(2, "big")

    def __repr__(self) -> str:
        key = "None" if self.dedicated_key is None else "<hidden>"
        return f"InitiateRequest(conformance={self.conformance!r}, max_pdu={self.max_pdu}, dedicated_key={key})"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateResponse:
    """What the server agrees to; ``vaa_name`` is 7 for logical names."""

    TAG: ClassVar[bytes] = b"\x08"
    conformance: Conformance
    max_pdu: int
    quality_of_service: int | None = None
    version: int = DLMS_VERSION
    vaa_name: int = _VAA_LN

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        quality = reader.i8("quality of service") if _optional(reader, "quality of service") else None
        return cls(
            quality_of_service=quality,
            version=reader.u8("DLMS version"),
            conformance=_read_conformance(reader),
            max_pdu=reader.u16("maximum PDU size"),
            vaa_name=reader.u16("VAA name"),
        )

    def encode(self) -> bytes:
        """The whole APDU."""
        quality = b"\x00" if self.quality_of_service is None else bytes((1, self.quality_of_service & 0xFF))
        tail = bytes((self.version,)) + _CONFORMANCE_HEAD + self.conformance.to_bytes(3, "big")
        return self.TAG + quality + tail + self.max_pdu.to_bytes(2, "big") + self.vaa_name.to_bytes(2, "big")
