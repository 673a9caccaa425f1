"""A small logical device and the pair of engines that talk to it: for the tests of both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from meterway.base.ciphers import Gcm12
from meterway.base.obis import Obis
from meterway.links.memory import MemoryLine
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN, CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Framing, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import Association, DeviceSecurity, DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

KEYS: Final = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))
SECRET: Final = b"a shared secret!"
SERVER_TITLE: Final = b"MWY\x00\x00\x00\x00\x01"
CLIENT_TITLE: Final = b"MWYHEAD1"
PUBLIC, READER, HLS3, HLS4, HLS5, HLS6, SECURE, SIGNED = 16, 2, 3, 4, 5, 6, 1, 7
MECHANISM: Final = {PUBLIC: 0, READER: 1, HLS3: 3, HLS4: 4, HLS5: 5, HLS6: 6, SECURE: 5, SIGNED: 5}
CONTROL: Final = {SECURE: 0x30, SIGNED: 0x10}
ALL: Final = Conformance(0x00FE1F) | Conformance.GENERAL_PROTECTION

CLOCK: Final = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
ENERGY: Final = AttributeDescriptor(3, Obis(1, 0, 1, 8, 0), 2)
UNIT: Final = AttributeDescriptor(3, Obis(1, 0, 1, 8, 0), 3)
LOAD: Final = AttributeDescriptor(7, Obis(1, 0, 99, 1, 0), 2)
TEXT: Final = AttributeDescriptor(1, Obis(0, 0, 96, 13, 0), 2)
LOCKED: Final = AttributeDescriptor(1, Obis(0, 0, 96, 1, 0), 2)
ECHO: Final = MethodDescriptor(9, Obis(0, 0, 10, 0, 0), 1)
RESET: Final = MethodDescriptor(3, Obis(1, 0, 1, 8, 0), 1)
NOTHING: Final = AttributeDescriptor(3, Obis(9, 9, 9, 9, 9), 2)

NOW_OCTETS: Final = bytes.fromhex("07ea030b030c0f1e00ffc400")


def profile(rows: int = 96) -> bytes:
    """A load profile: clock, status, four registers."""
    return axdr.encode(
        axdr.array(
            *[
                axdr.structure(
                    axdr.octets(NOW_OCTETS), axdr.u8(0), *[axdr.u32(row * 7 + column) for column in range(4)]
                )
                for row in range(rows)
            ]
        )
    )


@dataclass
class Device:
    """Objects in a dict; remembers what was written, called and noticed."""

    rows: int = 96
    max_pdu: int = 0xFFFF
    conformance: Conformance = ALL
    values: dict[AttributeDescriptor, bytes] = field(default_factory=dict)
    written: list[tuple[AttributeDescriptor, bytes]] = field(default_factory=list)
    called: list[tuple[MethodDescriptor, bytes | None]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    selections: list[Selection | None] = field(default_factory=list)
    send_counter: SendCounter = field(default_factory=SendCounter)
    received: ReceivedCounter = field(default_factory=ReceivedCounter)
    system_title: bytes = SERVER_TITLE
    has_keys: bool = True

    def __post_init__(self) -> None:
        self._cipher = Gcm12(KEYS.encryption)
        self.values |= {
            CLOCK: axdr.encode(axdr.octets(NOW_OCTETS)),
            ENERGY: axdr.encode(axdr.u32(123456)),
            UNIT: axdr.encode(axdr.structure(axdr.i8(0), axdr.enum(30))),
            LOAD: profile(self.rows),
            TEXT: axdr.encode(axdr.octets(b"")),
        }

    def association(self, client: int) -> Association | None:
        if client not in MECHANISM:
            return None
        control = CONTROL.get(client, 0)
        return Association(
            client=client,
            mechanism=MECHANISM[client],
            conformance=self.conformance,
            context=CONTEXT_LN_CIPHERED if control else CONTEXT_LN,
            control=control,
            secret=SECRET,
            max_pdu=self.max_pdu,
        )

    def security(self, client: int) -> DeviceSecurity | None:
        if not self.has_keys:
            return None
        return DeviceSecurity(keys=KEYS, cipher=self._cipher, send_counter=self.send_counter, received=self.received)

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        self.selections.append(selection)
        return self.values.get(attribute, DataAccessResult.OBJECT_UNDEFINED)

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        if attribute == LOCKED:
            return DataAccessResult.READ_WRITE_DENIED
        self.written.append((attribute, value))
        self.values[attribute] = value
        return DataAccessResult.SUCCESS

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        self.called.append((method, parameters))
        if method == ECHO:
            return ActionOutcome(ActionResult.SUCCESS, parameters)
        if method == RESET:
            return ActionOutcome(ActionResult.SUCCESS)
        return ActionOutcome(ActionResult.OBJECT_UNDEFINED)

    def noticed(self, client: int, kind: str, now: float) -> None:
        self.kinds.append(kind)


def settings(client: int = SECURE, **changes: Any) -> ClientSettings:
    """What the client of the given address brings."""
    mechanism = changes.pop("mechanism", MECHANISM.get(client, 0))
    control = changes.pop("control", CONTROL.get(client, 0))
    wanted: dict[str, Any] = {
        "mechanism": mechanism,
        "control": control,
        "secret": SECRET,
        "keys": KEYS if mechanism == 5 or control else None,
        "system_title": CLIENT_TITLE if mechanism > 1 or control else b"",
        "send_counter": SendCounter(),
        "received": ReceivedCounter(),
    }
    return ClientSettings(**(wanted | changes))


class Pair:
    """A client and a server engine on a line in memory, over the wrapper or over HDLC."""

    def __init__(
        self,
        client: int = SECURE,
        *,
        device: Device | None = None,
        hdlc: bool = False,
        info: int = 128,
        start: float = 0.0,
        **changes: Any,
    ) -> None:
        self.device = device or Device()
        ours: Framing
        theirs: Framing
        if hdlc:
            address = HdlcAddress(logical=1, physical=17, size=2)
            ours = HdlcFraming(role=Role.CLIENT, server=address, client=client, max_info_tx=info, max_info_rx=info)
            theirs = HdlcFraming(role=Role.SERVER, server=address, max_info_tx=info, max_info_rx=info)
        else:
            ours, theirs = WrapperFraming(client, 1, role=Role.CLIENT), WrapperFraming(0, 0, role=Role.SERVER)
        self.client = DlmsClient(ours, settings(client, **changes))
        self.server = DlmsServer(theirs, lambda number: self.device if number == 1 else None)
        self.line = MemoryLine(self.client, self.server, start=start)

    @property
    def events(self) -> list[Any]:
        """What the client reported so far."""
        return self.line.left_events

    def open(self) -> Any:
        self.client.open(self.line.now)
        return self.last()

    def last(self) -> Any:
        """Deliver all; the client's last event."""
        self.line.settle()
        return self.events[-1] if self.events else None

    def get(self, attribute: AttributeDescriptor, selection: Selection | None = None) -> Any:
        self.client.get(attribute, selection, now=self.line.now)
        return self.last()

    def get_list(self, *attributes: AttributeDescriptor) -> Any:
        self.client.get_list(tuple((attribute, None) for attribute in attributes), now=self.line.now)
        return self.last()

    def set(self, *pairs: tuple[AttributeDescriptor, bytes]) -> Any:
        self.client.set(
            tuple((attribute, None) for attribute, _ in pairs), tuple(value for _, value in pairs), now=self.line.now
        )
        return self.last()

    def act(self, method: MethodDescriptor, parameters: bytes | None = None) -> Any:
        self.client.act(method, parameters, now=self.line.now)
        return self.last()

    def release(self) -> Any:
        self.client.release(self.line.now)
        return self.last()
