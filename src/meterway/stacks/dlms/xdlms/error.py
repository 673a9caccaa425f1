"""How a server says that it did not understand or does not allow (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from meterway.base.octets import Reader

__all__ = ["ConfirmedServiceError", "ExceptionResponse"]

_STATE_ERRORS: Final = {1: "service-not-allowed", 2: "service-unknown"}
_SERVICE_ERRORS: Final = {
    1: "operation-not-possible",
    2: "service-not-supported",
    3: "other-reason",
    4: "pdu-too-long",
    5: "deciphering-error",
    6: "invocation-counter-error",
}
_SERVICES: Final = {1: "initiate-error", 5: "read", 6: "write"}
_ERROR_TYPES: Final = {
    0: "application-reference",
    1: "hardware-resource",
    2: "vde-state-error",
    3: "service",
    4: "definition",
    5: "access",
    6: "initiate",
    7: "load-data-set",
    9: "task",
}
_INITIATE_ERRORS: Final = {
    0: "other",
    1: "dlms-version-too-low",
    2: "incompatible-conformance",
    3: "pdu-size-too-short",
    4: "refused-by-the-VDE-handler",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionResponse:
    """The request could not be handled at all; with error 6 the counter the server expects."""

    TAG: ClassVar[bytes] = b"\xd8"
    state_error: int
    service_error: int
    invocation_counter: int | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        state, service = reader.u8("state error"), reader.u8("service error")
        counter = reader.u32("invocation counter") if service == 6 and reader.remaining else None
        return cls(state_error=state, service_error=service, invocation_counter=counter)

    def encode(self) -> bytes:
        """The whole APDU."""
        counter = b"" if self.invocation_counter is None else self.invocation_counter.to_bytes(4, "big")
        return self.TAG + bytes((self.state_error, self.service_error)) + counter

    @property
    def words(self) -> str:
        """Both errors in the norm's words."""
        state = _STATE_ERRORS.get(self.state_error, f"state error {self.state_error}")
        return f"{state}, {_SERVICE_ERRORS.get(self.service_error, f'service error {self.service_error}')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedServiceError:
    """A service failed; in an association request usually the initiate service."""

    TAG: ClassVar[bytes] = b"\x0e"
    service: int
    error_type: int
    value: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(service=reader.u8("service"), error_type=reader.u8("error type"), value=reader.u8("error"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.service, self.error_type, self.value))

    @property
    def words(self) -> str:
        """Service, type and error in the norm's words."""
        service = _SERVICES.get(self.service, f"service {self.service}")
        kind = _ERROR_TYPES.get(self.error_type, f"type {self.error_type}")
        error = _INITIATE_ERRORS.get(self.value) if self.error_type == 6 else None
        return f"{service}: {kind} {error or self.value}"
