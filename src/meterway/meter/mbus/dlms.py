"""A wired utility meter that also speaks DLMS: APDUs in M-Bus long frames (EN 13757-1, CI 00 to 1F).

The CI numbers the segments of an APDU (low four bits; bit 4 marks the last), two octets name source and destination
service access point. A master sends its request as user data and fetches the segments of the answer one by one.
The meter shows who it is, its clock and its registers; everything else it tells in M-Bus records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta, timezone
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.mbus_cosem import is_converting, measured
from meterway.meter.mbus import records
from meterway.meter.mbus.config import DlmsKeys
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.wired import WiredMeter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter, counter_at
from meterway.stacks.dlms.server import Association, DeviceSecurity
from meterway.stacks.dlms.server.session import ServerSession
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.mbus.link.slave import Slave

__all__ = ["DlmsMeter", "UtilityDevice", "segments"]

MANAGEMENT: Final = 1
PUBLIC: Final = 16
LOGICAL_DEVICE: Final = 1

_HLS5, _ENCRYPTED_AND_AUTHENTICATED = 5, 0x30
_LAST, _NUMBER = 0x10, 0x0F
_SEGMENT: Final = 248
_LONGEST: Final = _SEGMENT * 16
_NAME, _SERIAL, _CLOCK = Obis(0, 0, 42, 0, 0), Obis(0, 0, 96, 1, 0), Obis(0, 0, 1, 0, 0)
_IDENTITY: Final = (_NAME, _SERIAL, _CLOCK)
_READS: Final = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET | Conformance.MULTIPLE_REFERENCES
_WRITES: Final = Conformance.SET | Conformance.ACTION


def segments(apdu: bytes, source: int, destination: int) -> list[tuple[int, bytes]]:
    """The frames of an APDU, each as CI and data; there are at most 16 numbers, and they begin anew after that."""
    parts = [apdu[place : place + _SEGMENT] for place in range(0, len(apdu), _SEGMENT)]
    last = len(parts) - 1
    saps = bytes((source, destination))
    return [(number & _NUMBER | (_LAST if number == last else 0), saps + part) for number, part in enumerate(parts)]


class UtilityDevice:
    """The logical device: everybody may ask who it is, the management client under its keys for the rest."""

    __slots__ = ("_counter", "_keys", "_received", "_unix", "meter")

    def __init__(self, meter: MbusMeter, keys: DlmsKeys | None, unix: Callable[[], float]) -> None:
        self.meter = meter
        self._keys = None if keys is None else Keys(*keys.secrets)
        self._unix = unix
        self._counter = SendCounter(counter_at(unix()))  # a restart never goes back
        self._received = ReceivedCounter()

    @property
    def system_title(self) -> bytes:
        """Three letters of the maker, the device type and the identification number."""
        address = self.meter.address
        return address.manufacturer_text.encode() + bytes((address.device_type,)) + bytes.fromhex(address.ident)

    def association(self, client: int) -> Association | None:
        """Lowest security for the public client; the management client proves itself if the meter has DLMS keys."""
        if client == PUBLIC:
            return Association(client=client, mechanism=0, conformance=_READS)
        if client != MANAGEMENT or self._keys is None:
            return None
        return Association(
            client=client,
            mechanism=_HLS5,
            conformance=_READS | _WRITES,
            context=CONTEXT_LN_CIPHERED,
            control=_ENCRYPTED_AND_AUTHENTICATED,
        )

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters of the management client."""
        if client != MANAGEMENT or self._keys is None:
            return None
        cipher = Gcm12(self._keys.encryption)
        return DeviceSecurity(keys=self._keys, cipher=cipher, send_counter=self._counter, received=self._received)

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        class_id, obis, number = attribute
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if client == PUBLIC and obis not in _IDENTITY:
            return DataAccessResult.READ_WRITE_DENIED
        values = self._attributes(class_id, obis)
        if values is None:
            return DataAccessResult.OBJECT_UNDEFINED
        found = {1: axdr.octets(obis.encode()), **values}.get(number)
        return DataAccessResult.OBJECT_UNDEFINED if found is None else axdr.encode(found)

    def _attributes(self, class_id: int, obis: Obis) -> dict[int, axdr.Data] | None:
        """The values of an object; None if there is no such object of that class."""
        meter, unix_s = self.meter, self._unix()
        if class_id == 1 and obis in (_NAME, _SERIAL):
            name = f"{meter.config.manufacturer}{meter.address.device_type:02X}{meter.config.ident}"
            return {2: axdr.octets((name if obis == _NAME else meter.config.ident).encode())}
        if class_id == 8 and obis == _CLOCK:
            return {2: axdr.octets(self._clock(unix_s)), 3: axdr.i16(-meter.config.utc_offset_min)}
        return self._register(obis, unix_s) if class_id == 3 else None

    def _clock(self, unix_s: float) -> bytes:
        offset_min = self.meter.config.utc_offset_min
        shown = self.meter.clock(unix_s).replace(tzinfo=timezone(timedelta(minutes=offset_min)))
        return CosemDateTime.from_utc(shown, -offset_min).encode()

    def _register(self, obis: Obis, unix_s: float) -> dict[int, axdr.Data] | None:
        told = [*records.current(self.meter, unix_s), *records.due(self.meter, unix_s)]
        kind = self.meter.address.device_type
        converts = is_converting(told, kind)
        for record in told:
            found = measured(record, kind, converts=converts)
            if found is not None and found.obis == obis:
                scaled = axdr.structure(axdr.i8(found.scaler), axdr.enum(found.unit))
                return {2: axdr.i64(found.raw), 3: scaled}
        return None

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        """Write an attribute: the clock only."""
        if client != MANAGEMENT or attribute != AttributeDescriptor(8, _CLOCK, 2):
            return DataAccessResult.READ_WRITE_DENIED
        data = axdr.decode_all(value).value
        try:
            moment = CosemDateTime.decode(data).utc() if isinstance(data, bytes) else None
        except DecodeError:
            moment = None
        if moment is None:
            return DataAccessResult.TYPE_UNMATCHED
        shown = moment.replace(tzinfo=None) + timedelta(minutes=self.meter.config.utc_offset_min)
        self.meter.set_clock(shown, self._unix())
        return DataAccessResult.SUCCESS

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method: there are none beside those of the association."""
        return ActionOutcome(ActionResult.OBJECT_UNDEFINED)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """A meter this small keeps no log of it."""


class DlmsMeter:
    """The host behind a slave engine: DLMS in CI 00 to 1F, anything else as ``WiredMeter`` does it."""

    __slots__ = ("_answer", "_device", "_number", "_parts", "_sessions", "slave", "wired")

    def __init__(
        self,
        meter: MbusMeter,
        unix: Callable[[], float],
        *,
        on_change: Callable[[MbusMeter], None] = lambda _: None,
    ) -> None:
        self.wired = WiredMeter(meter, unix, on_change=on_change)
        self._device = UtilityDevice(meter, meter.config.dlms, unix)
        self._sessions: dict[int, ServerSession] = {}
        self._parts = b""
        self._number = 0
        self._answer: list[tuple[int, bytes]] = []
        self.slave = Slave(self, primary=meter.primary, secondary=meter.address)
        self.wired.slave = self.slave

    def user_data(self) -> Sequence[tuple[int, bytes]]:
        """The segments of the answer to the last request, else the read-out in M-Bus records."""
        answer, self._answer = self._answer, []
        return answer or self.wired.user_data()

    def alarm(self) -> tuple[int, bytes] | None:
        """As on M-Bus."""
        return self.wired.alarm()

    def received(self, ci: int, data: bytes) -> bool:
        """Take a segment of a request or an order."""
        if ci > _LAST | _NUMBER:
            return self.wired.received(ci, data)
        if len(data) < 3 or data[1] != LOGICAL_DEVICE:
            return False
        number = ci & _NUMBER
        if number == 0:
            self._parts, self._number = b"", 0
        if number != self._number & _NUMBER or len(self._parts) + len(data) > _LONGEST:
            return False
        self._parts += data[2:]
        self._number += 1
        if ci & _LAST:
            self._request(data[0], self._parts)
        return True

    def _request(self, client: int, apdu: bytes) -> None:
        self._parts, self._number = b"", 0
        session = self._sessions.get(client)
        if session is None:
            session = self._sessions[client] = ServerSession(self._device, client)
        answer = session.handle(apdu, 0.0)
        self._answer = segments(answer, LOGICAL_DEVICE, client) if answer else []
