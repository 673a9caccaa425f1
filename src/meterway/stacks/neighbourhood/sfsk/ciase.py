"""The configuration initiation application of S-FSK (IEC 61334-4-512): how servers are found, named and asked for.

    ping request            19, system title
    ping response           1A, system title
    register                1C, system title of the initiator, count, then each: system title, MAC address 16
    discover                1D, response probability, allowed time slots 16, credit of the report, IC-equal-credit
    discover report         1E, count, then each: system title, 0 or 1 and an alarm descriptor
    repeater call           1F, highest MAC address 16, time slots for NEW, reception threshold
    clear alarm             39, 0 and an alarm descriptor for all (the other choices are not implemented)

A system title has eight octets, as COSEM has it (the older norm: six).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from meterway.base.errors import LocalProtocolError
from meterway.base.octets import Reader

__all__ = [
    "INITIATOR_LSAP",
    "INITIATOR_REPORT_LSAP",
    "SERVER_LSAP",
    "CiPdu",
    "ClearAlarm",
    "Discover",
    "DiscoverReport",
    "PingRequest",
    "PingResponse",
    "Register",
    "RepeaterCall",
    "decode_ci_pdu",
    "is_ci_pdu",
]

SERVER_LSAP: Final = 0x00
"""The LSAP of a server's CIASE."""
INITIATOR_LSAP: Final = 0x01
"""The LSAP an initiator's CIASE speaks from."""
INITIATOR_REPORT_LSAP: Final = 0xFD
"""The LSAP an initiator's CIASE is spoken to at."""
_TITLE: Final = 8


def _title(title: bytes) -> bytes:
    if len(title) != _TITLE:
        raise LocalProtocolError(f"a system title has {_TITLE} octets, not {len(title)}")
    return title


@dataclass(frozen=True, slots=True, kw_only=True)
class PingRequest:
    """Asks whether this server is there."""

    tag: ClassVar[int] = 0x19
    title: bytes

    @staticmethod
    def read(reader: Reader) -> PingRequest:
        """Read what follows the tag."""
        return PingRequest(title=reader.take(_TITLE, "system title"))

    def encode(self) -> bytes:
        """The octets with the tag."""
        return bytes((self.tag,)) + _title(self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class PingResponse:
    """Says that it is there."""

    tag: ClassVar[int] = 0x1A
    title: bytes

    @staticmethod
    def read(reader: Reader) -> PingResponse:
        """Read what follows the tag."""
        return PingResponse(title=reader.take(_TITLE, "system title"))

    def encode(self) -> bytes:
        """The octets with the tag."""
        return bytes((self.tag,)) + _title(self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Gives MAC addresses to servers: pairs of system title and address."""

    tag: ClassVar[int] = 0x1C
    initiator: bytes
    servers: tuple[tuple[bytes, int], ...]

    @staticmethod
    def read(reader: Reader) -> Register:
        """Read what follows the tag."""
        initiator = reader.take(_TITLE, "system title of the initiator")
        count = reader.u8("number of servers")
        servers = tuple((reader.take(_TITLE, "system title"), reader.u16("MAC address")) for _ in range(count))
        return Register(initiator=initiator, servers=servers)

    def encode(self) -> bytes:
        """The octets with the tag."""
        servers = b"".join(_title(title) + address.to_bytes(2, "big") for title, address in self.servers)
        return bytes((self.tag,)) + _title(self.initiator) + bytes((len(self.servers),)) + servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Asks NEW servers to report, each with ``probability`` percent, in one of ``slots`` time slots."""

    tag: ClassVar[int] = 0x1D
    probability: int
    slots: int
    report_credit: int = 0
    equal_credit: int = 0

    @staticmethod
    def read(reader: Reader) -> Discover:
        """Read what follows the tag."""
        return Discover(
            probability=reader.u8("response probability"),
            slots=reader.u16("allowed time slots"),
            report_credit=reader.u8("initial credit of the report"),
            equal_credit=reader.u8("IC-equal-credit"),
        )

    def encode(self) -> bytes:
        """The octets with the tag."""
        return bytes(
            (self.tag, self.probability, *self.slots.to_bytes(2, "big"), self.report_credit, self.equal_credit)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReport:
    """Servers that are NEW, or have an alarm: pairs of system title and alarm descriptor (None for none)."""

    tag: ClassVar[int] = 0x1E
    servers: tuple[tuple[bytes, int | None], ...]

    @staticmethod
    def read(reader: Reader) -> DiscoverReport:
        """Read what follows the tag."""
        servers = []
        for _ in range(reader.u8("number of servers")):
            title = reader.take(_TITLE, "system title")
            flag = reader.u8("presence of an alarm descriptor")
            servers.append((title, reader.u8("alarm descriptor") if flag else None))
        return DiscoverReport(servers=tuple(servers))

    def encode(self) -> bytes:
        """The octets with the tag."""
        servers = b"".join(
            _title(title) + (b"\x00" if alarm is None else bytes((1, alarm))) for title, alarm in self.servers
        )
        return bytes((self.tag, len(self.servers))) + servers


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeaterCall:
    """Begins the time in which servers find out whether they are to repeat."""

    tag: ClassVar[int] = 0x1F
    highest: int
    new_slots: int = 0
    threshold: int = 0

    @staticmethod
    def read(reader: Reader) -> RepeaterCall:
        """Read what follows the tag."""
        highest = reader.u16("highest MAC address")
        return RepeaterCall(highest=highest, new_slots=reader.u8("slots for NEW"), threshold=reader.u8("threshold"))

    def encode(self) -> bytes:
        """The octets with the tag."""
        return bytes((self.tag, *self.highest.to_bytes(2, "big"), self.new_slots, self.threshold))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAlarm:
    """Clears an alarm at all servers that hear it."""

    tag: ClassVar[int] = 0x39
    alarm: int

    @staticmethod
    def read(reader: Reader) -> ClearAlarm:
        """Read what follows the tag; DecodeError (choice) for what names servers."""
        choice = reader.u8("choice")
        if choice:
            raise reader.fail(f"clearing alarms by choice {choice}", "choice", back=1)
        return ClearAlarm(alarm=reader.u8("alarm descriptor"))

    def encode(self) -> bytes:
        """The octets with the tag."""
        return bytes((self.tag, 0, self.alarm))


CiPdu = PingRequest | PingResponse | Register | Discover | DiscoverReport | RepeaterCall | ClearAlarm
_READ: Final[dict[int, Callable[[Reader], CiPdu]]] = {
    kind.tag: kind.read
    for kind in (PingRequest, PingResponse, Register, Discover, DiscoverReport, RepeaterCall, ClearAlarm)
}


def is_ci_pdu(destination: int, source: int) -> bool:
    """Whether an LLC frame between these LSAPs is of the CIASE."""
    return (destination, source) in (
        (SERVER_LSAP, INITIATOR_LSAP),
        (INITIATOR_REPORT_LSAP, SERVER_LSAP),
    )


def decode_ci_pdu(octets: bytes) -> CiPdu:
    """One PDU of the CIASE; DecodeError kinds: ``truncated``, ``trailing``, ``tag``, ``choice``."""
    reader = Reader(octets)
    tag = reader.u8("CIASE tag")
    read = _READ.get(tag)
    if read is None:
        raise reader.fail(f"CIASE tag {tag:02X}", "tag", back=1)
    pdu = read(reader)
    reader.finish("CI-PDU")
    return pdu
