"""What a client brings to an association."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.ciphers import Gcm12
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.conformance import Conformance

__all__ = ["DEFAULT_CONFORMANCE", "ClientSettings"]

DEFAULT_CONFORMANCE = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.EVENT_NOTIFICATION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET
    | Conformance.BLOCK_TRANSFER_WITH_SET
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.PRIORITY
    | Conformance.ATTRIBUTE_0_WITH_GET
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to associate with one device; keys and secrets are never shown.

    ``mechanism`` 0 none, 1 LLS, 3 to 6 HLS. ``control`` is the security control octet to send with (0x30 for suite 0
    authenticated and encrypted, 0 for none). ``keys`` and ``system_title`` are needed for HLS 5 and for ciphering.
    ``response_timeout_s`` bounds the wait for each answer, ``max_response`` the octets of one answer.
    """

    mechanism: int = 0
    control: int = 0
    secret: bytes = b""
    keys: Keys | None = None
    cipher: Gcm12 | None = None
    system_title: bytes = b""
    server_title: bytes = b""
    send_counter: SendCounter | None = None
    received: ReceivedCounter | None = None
    dedicated_key: bytes | None = None
    is_general: bool = False
    conformance: Conformance = DEFAULT_CONFORMANCE
    max_pdu: int = 0xFFFF
    response_timeout_s: float = 10.0
    max_response: int = 1 << 24

    def __repr__(self) -> str:
        return f"ClientSettings(mechanism={self.mechanism}, control={self.control:#04x})"
