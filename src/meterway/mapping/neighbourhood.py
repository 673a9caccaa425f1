"""What a concentrator (NNAP) shows of its neighbourhood as COSEM objects: its node table, and orders to groups.

Both are data objects (class 1) with codes of our own (OBIS groups C 128 and above are the manufacturer's). The octets
are fixed here, because concentrator and head end both speak them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self, TypeVar

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

__all__ = [
    "GROUP_ORDERS",
    "HEARD_SAP",
    "NODES",
    "GroupOrder",
    "NodeRole",
    "NodeRow",
    "NodeState",
    "OrderReport",
    "OrderState",
    "decode_nodes",
    "decode_reports",
    "encode_nodes",
    "encode_reports",
]

NODES: Final = Obis(0, 0, 128, 5, 0)
"""Data, value: array of the structures of ``NodeRow``; read only."""
GROUP_ORDERS: Final = Obis(0, 0, 128, 6, 0)
"""Data, value: written with one ``GroupOrder``, read as an array of ``OrderReport`` of the last ones."""

HEARD_SAP: Final = 4096
"""The logical device of a battery meter is this and its channel: those of nodes come before."""

_EUI: Final = 8
_NAME: Final = 16
_WITHOUT_ROLE: Final = 11
_TOP: Final = 0xFFFFFFFF


StateT = TypeVar("StateT", bound=IntEnum)


class NodeState(IntEnum):
    """How a node stands: it takes part, is not heard, asks to be let in, or is a concentrator itself.

    ``HEARD`` is no node of the network: a battery meter that the concentrator hears by radio. Its ``address`` is its
    channel, its ``eui`` the address on the air (EN 13757-7).
    """

    MEMBER = 0
    AWAY = 1
    PROPOSED = 2
    CASCADE = 3
    HEARD = 4


class NodeRole(IntEnum):
    """As what a node is listed at its concentrator, where it did not tell by its own name what else it is."""

    METER = 0
    SUPERVISION = 1
    GATEWAY = 2
    NNAP = 3
    HOME = 4


class OrderState(IntEnum):
    """What became of an order to a group at the concentrator; whether meters did it, only they can say.

    ``UNSURE``: it was about to go out when the concentrator fell, and its time was over when that came back.
    """

    WAITING = 0
    SENT = 1
    EXPIRED = 2
    REFUSED = 3
    UNSURE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A node of the neighbourhood. Times are Unix seconds, 0 where not known.

    ``parent`` is the EUI of the node it is reached through (empty: the concentrator, or not known), ``hops`` counts the
    links, ``quality`` is 0 to 100. ``sap`` is the logical device of its mirrored data at the concentrator, 0 for none;
    end to end it is reached by the gateway prefix with its EUI as the physical device address. ``role`` is what it is
    listed as, ``name`` the logical device name that it told of itself (empty: not asked, or it did not tell).
    """

    serial: str
    system_title: bytes
    eui: bytes
    state: NodeState
    address: int = 0
    parent: bytes = b""
    hops: int = 0
    quality: int = 0
    heard: int = 0
    joined: int = 0
    sap: int = 0
    role: NodeRole = NodeRole.METER
    name: bytes = b""

    def encode(self) -> Data:
        """One structure of thirteen."""
        return axdr.structure(
            axdr.octets(self.serial.encode()),
            axdr.octets(self.system_title),
            axdr.octets(self.eui),
            axdr.enum(self.state),
            axdr.u32(self.address),
            axdr.octets(self.parent),
            axdr.u8(self.hops),
            axdr.u8(self.quality),
            axdr.u32(self.heard),
            axdr.u32(self.joined),
            axdr.u16(self.sap),
            axdr.enum(self.role),
            axdr.octets(self.name),
        )

    @classmethod
    def decode(cls, row: object) -> Self:
        """From the native form of one structure, one of eleven without role and name too; DecodeError for others."""
        if isinstance(row, list) and len(row) == _WITHOUT_ROLE:
            row = [*row, 0, b""]
        match row:
            case [
                bytes(serial), bytes(title), bytes(eui), int(state), int(address), bytes(parent), int(hops),
                int(quality), int(heard), int(joined), int(sap), int(role), bytes(name),
            ] if len(eui) == _EUI and len(parent) in (0, _EUI) and len(title) in (0, _EUI):  # fmt: skip
                return cls(
                    serial=_text(serial),
                    system_title=title,
                    eui=eui,
                    state=_state(NodeState, state),
                    address=_within(address, _TOP),
                    parent=parent,
                    hops=_within(hops, 0xFF),
                    quality=_within(quality, 0xFF),
                    heard=_within(heard, _TOP),
                    joined=_within(joined, _TOP),
                    sap=_within(sap, 0xFFFF),
                    role=_state(NodeRole, role),
                    name=_named(name),
                )
        raise DecodeError("a row of the node table is a structure of thirteen", 0, "node")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOrder:
    """Send ``apdu`` to all ``members`` (EUIs; empty: everyone) at once, by the medium's broadcast.

    Times are Unix seconds: not before ``not_before``, not after ``expires``. The concentrator sends the APDU as it is
    (it has no keys), between ``client`` and ``server``, ``repeats`` times more against loss. The same ``id`` again
    changes nothing.
    """

    id: bytes
    apdu: bytes
    not_before: int
    expires: int
    members: tuple[bytes, ...] = ()
    client: int = 1
    server: int = 1
    repeats: int = 2

    def encode(self) -> Data:
        """One structure of eight."""
        return axdr.structure(
            axdr.octets(self.id),
            axdr.octets(self.apdu),
            axdr.u32(self.not_before),
            axdr.u32(self.expires),
            axdr.array(*map(axdr.octets, self.members)),
            axdr.u16(self.client),
            axdr.u16(self.server),
            axdr.u8(self.repeats),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From the encoded value; DecodeError for anything else."""
        match _native(octets):
            case [
                bytes(order), bytes(apdu), int(start), int(end), list(members), int(client), int(server), int(repeats)
            ] if order and apdu and all(isinstance(each, bytes) and len(each) == _EUI for each in members):  # fmt: skip
                return cls(
                    id=order,
                    apdu=apdu,
                    not_before=_within(start, _TOP),
                    expires=_within(end, _TOP),
                    members=tuple(members),
                    client=_within(client, 0xFFFF),
                    server=_within(server, 0xFFFF),
                    repeats=_within(repeats, 0xFF),
                )
        raise DecodeError("an order to a group is a structure of eight", 0, "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """How an order stands: ``sent_at`` (Unix seconds, 0 if it was not), ``sends`` how often it went out."""

    id: bytes
    state: OrderState
    sent_at: int = 0
    sends: int = 0

    def encode(self) -> Data:
        """One structure of four."""
        return axdr.structure(axdr.octets(self.id), axdr.enum(self.state), axdr.u32(self.sent_at), axdr.u8(self.sends))

    @classmethod
    def decode(cls, row: object) -> Self:
        """From the native form of one structure; DecodeError for anything else."""
        match row:
            case [bytes(order), int(state), int(sent_at), int(sends)]:
                return cls(
                    id=order,
                    state=_state(OrderState, state),
                    sent_at=_within(sent_at, _TOP),
                    sends=_within(sends, 0xFF),
                )
        raise DecodeError("a report of an order is a structure of four", 0, "order")


def encode_nodes(rows: tuple[NodeRow, ...]) -> bytes:
    """The node table as an encoded value."""
    return axdr.encode(axdr.array(*(row.encode() for row in rows)))


def decode_nodes(octets: bytes) -> tuple[NodeRow, ...]:
    """The node table from its encoded value; DecodeError if any row is none, or an EUI or a serial stands twice."""
    rows = tuple(NodeRow.decode(row) for row in _rows(octets, "the node table"))
    for name in ("eui", "serial"):
        seen = [getattr(row, name) for row in rows if getattr(row, name)]
        if len(set(seen)) != len(seen):
            raise DecodeError(f"an {name} stands twice in the node table", 0, "node")
    return rows


def encode_reports(reports: tuple[OrderReport, ...]) -> bytes:
    """Reports of orders as an encoded value."""
    return axdr.encode(axdr.array(*(report.encode() for report in reports)))


def decode_reports(octets: bytes) -> tuple[OrderReport, ...]:
    """Reports of orders from their encoded value; DecodeError if any is none."""
    return tuple(OrderReport.decode(row) for row in _rows(octets, "the list of orders"))


def _rows(octets: bytes, what: str) -> list[object]:
    rows = _native(octets)
    if not isinstance(rows, list):
        raise DecodeError(f"{what} is an array", 0, "node")
    return rows


def _native(octets: bytes) -> object:
    value, end = axdr.to_native(octets)
    if end != len(octets):
        raise DecodeError(f"{len(octets) - end} octets after the value", end, "trailing")
    return value


def _text(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise DecodeError("a serial is text", 0, "node") from None
    if len(text) > 64 or (text and not text.isprintable()):
        raise DecodeError("a serial has up to 64 printable characters", 0, "node")
    return text


def _named(octets: bytes) -> bytes:
    if len(octets) > _NAME:
        raise DecodeError(f"a logical device name has up to {_NAME} octets, not {len(octets)}", 0, "node")
    return octets


def _state(kind: type[StateT], value: int) -> StateT:
    try:
        return kind(value)
    except ValueError:
        raise DecodeError(f"{value} is no {kind.__name__}", 0, "node") from None


def _within(value: int, top: int) -> int:
    if isinstance(value, bool) or not 0 <= value <= top:
        raise DecodeError(f"{value} is not within 0 and {top}", 0, "node")
    return value
