"""What a server engine asks of the device behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from meterway.base.ciphers import Gcm12
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["Association", "DeviceSecurity", "LogicalDevice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """What one client SAP must bring and may do.

    ``mechanism`` is the authentication mechanism number, ``control`` the security control octet demanded of every
    protected APDU (0 for none), ``secret`` the LLS or HLS 3/4/6 secret.
    """

    client: int
    mechanism: int
    conformance: Conformance
    context: int = CONTEXT_LN
    control: int = 0
    secret: bytes = b""
    max_pdu: int = 0xFFFF

    def __repr__(self) -> str:
        return f"Association(client={self.client}, mechanism={self.mechanism}, control={self.control:#04x})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSecurity:
    """The keys and counters that protect an association with one client."""

    keys: Keys
    cipher: Gcm12
    send_counter: SendCounter
    received: ReceivedCounter


class LogicalDevice(Protocol):
    """A logical device: its associations and its objects.

    ``get``, ``set`` and ``act`` answer with encoded data or with a refusal, never with an exception; access rights are
    theirs to check. ``now`` is the engine's time in seconds.
    """

    @property
    def system_title(self) -> bytes:
        """Eight octets, unique in the world."""

    def association(self, client: int) -> Association | None:
        """The association that ``client`` may open, or None."""

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters for ``client``, or None where the device has none."""

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        """Write an attribute; ``value`` is one well-formed encoded value."""

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Something to log: ``associated``, ``released``, or what a ``SecurityError`` or bad APDU was about.

        The kinds are ``authentication``, ``tag``, ``counter``, ``policy``, ``suite``, ``key``, ``title``, ``decode``.
        """
