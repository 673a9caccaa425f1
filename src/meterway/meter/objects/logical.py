"""The logical device that a server engine asks: associations, keys, objects, access rights."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from meterway.base.ciphers import Gcm12
from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.model import MECHANISMS, Model, model_of
from meterway.meter.objects.table import Ask, Attr, CosemObject, store
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN, CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.security.hls import HLS5, LLS, LOWEST
from meterway.stacks.dlms.server import Association, BroadcastKeys, DeviceSecurity
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CounterStore", "LogicalMeter", "send_counter"]

_READS: Final = (
    Conformance.GET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_GET
    | Conformance.MULTIPLE_REFERENCES
)
_WRITES: Final = (
    Conformance.SET | Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_SET | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
_NOTICED: Final = {
    "authentication": EventCode.AUTHENTICATION_FAILED,
    "tag": EventCode.DECRYPTION_FAILED,
    "counter": EventCode.REPLAY_ATTACK,
}


@lru_cache(maxsize=1024)
def _association(client: int, mechanism: int, configures: bool, secret: bytes, max_pdu: int) -> Association:
    ciphered = mechanism == HLS5
    proves = Conformance.ACTION if mechanism > LLS else Conformance(0)
    return Association(
        client=client,
        mechanism=mechanism,
        conformance=_READS | _WRITES if configures else _READS | proves,
        context=CONTEXT_LN_CIPHERED if ciphered else CONTEXT_LN,
        control=AUTHENTICATED | ENCRYPTED if ciphered else 0,
        secret=secret,
        max_pdu=max_pdu,
    )


class CounterStore(Protocol):
    """Where invocation counters outlive the process."""

    def first(self, meter: Meter) -> int:
        """The first counter that was never used or reserved under the meter's encryption key."""

    def reserve(self, meter: Meter, limit: int) -> None:
        """Make durable that counters below ``limit`` may be used."""

    def last_received(self, meter: Meter, client: int) -> int:
        """The highest counter a client was seen to use, or -1."""

    def ordered(self, meter: Meter) -> None:
        """Keep what a client had it do, and the counter of the order, before the client is told that it is done."""


def send_counter(meter: Meter, counters: CounterStore) -> SendCounter:
    """The one counter of everything the meter protects with its encryption key."""
    if meter.send_counter is None:
        meter.send_counter = SendCounter(
            counters.first(meter), reserve=lambda limit: counters.reserve(meter, limit), step=10_000
        )
    return meter.send_counter


class LogicalMeter:
    """A meter as one logical device. ``unix`` turns the engine's time into Unix seconds.

    ``max_pdu`` is the longest APDU that its network carries.
    """

    __slots__ = ("_counters", "_max_pdu", "_model", "_unix", "meter")

    def __init__(
        self, meter: Meter, counters: CounterStore, unix: Callable[[float], float], *, max_pdu: int = 0xFFFF
    ) -> None:
        self.meter = meter
        self._max_pdu = max_pdu
        self._model: Model = model_of(meter.config.country)
        self._counters = counters
        self._unix = unix

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self.meter.title

    def association(self, client: int) -> Association | None:
        """The association that ``client`` may open, or None."""
        found = self._model.associations.get(client)
        if found is None:
            return None
        mechanism = MECHANISMS[found.authentication]
        secret = b"" if mechanism in (LOWEST, HLS5) else self.meter.keys.lls
        return _association(client, mechanism, found.configure, secret, self._max_pdu)

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters for ``client``, or None where it has none."""
        found = self._model.associations.get(client)
        if found is None or found.authentication != "hls5":
            return None
        meter = self.meter
        keys = meter.keys
        received = (meter.received or {}).get(client)
        if received is None:
            received = ReceivedCounter(self._counters.last_received(meter, client))
            meter.received = {**(meter.received or {}), client: received}
        return DeviceSecurity(
            keys=Keys(keys.guek, keys.gak),
            cipher=Gcm12(keys.guek),
            send_counter=send_counter(meter, self._counters),
            received=received,
        )

    def broadcast(self, client: int) -> BroadcastKeys | None:
        """What opens a broadcast to a pre-established association; None without one, or without its key."""
        meter = self.meter
        keys = meter.keys
        if client not in self._model.broadcasts or not keys.gbek:
            return None
        received = (meter.received or {}).get(client)
        if received is None:
            received = ReceivedCounter(self._counters.last_received(meter, client))
            meter.received = {**(meter.received or {}), client: received}
        return BroadcastKeys(keys=Keys(keys.gbek, keys.gbak or keys.gak), cipher=Gcm12(keys.gbek), received=received)

    def _find(self, class_id: int, obis: Obis, number: int) -> tuple[CosemObject, Attr] | DataAccessResult:
        thing = self._model.objects.get((class_id, obis))
        if thing is None:
            known = obis in self._model.classes
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT if known else DataAccessResult.OBJECT_UNDEFINED
        found = thing.attributes.get(number)
        if found is not None:
            return thing, found
        known = 1 <= number <= len(thing.table.attributes)
        return DataAccessResult.READ_WRITE_DENIED if known else DataAccessResult.OBJECT_UNDEFINED

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        class_id, obis, number = attribute
        found = self._find(class_id, obis, number)
        if isinstance(found, DataAccessResult):
            return found
        if not self._model.shows(client, obis):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None and (class_id != 7 or number != 2):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        changed = self.meter.changed
        if changed is not None:
            octets = changed.get((class_id, obis, number))
            if octets is not None:
                return octets
        return found[1].read(Ask(self.meter, self._unix(now), client, selection))

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        """Write an attribute."""
        result = self._write(client, attribute, selection, value, now)
        self._keep()
        return result

    def _keep(self) -> None:
        if self.meter.touched:
            self._counters.ordered(self.meter)

    def _write(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        class_id, obis, number = attribute
        found = self._find(class_id, obis, number)
        if isinstance(found, DataAccessResult):
            return found
        thing, entry = found
        if not entry.writable or not self._model.may_configure(client) or not self._model.shows(client, obis):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        data = axdr.decode_all(value)
        unix = self._unix(now)
        if entry.write is not None:
            return entry.write(self.meter, data, unix)
        result = store(thing, number, self.meter, data)
        if result is DataAccessResult.SUCCESS:
            if entry.after is not None:
                entry.after(self.meter, unix)
            else:
                self.meter.log(unix, Log.STANDARD, EventCode.PARAMETERS_CHANGED)
        return result

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""
        thing = self._model.objects.get((method.class_id, method.obis))
        if thing is None:
            known = method.obis in self._model.classes
            return ActionOutcome(ActionResult.OBJECT_CLASS_INCONSISTENT if known else ActionResult.OBJECT_UNDEFINED)
        call = thing.methods.get(method.method)
        if call is None:
            known = 1 <= method.method <= len(thing.table.methods)
            return ActionOutcome(ActionResult.READ_WRITE_DENIED if known else ActionResult.OBJECT_UNDEFINED)
        if not self._model.may_configure(client) or not self._model.shows(client, method.obis):
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        data = axdr.null() if parameters is None else axdr.decode_all(parameters)
        outcome = ActionOutcome(call(self.meter, data, self._unix(now)))
        self._keep()
        return outcome

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        code = _NOTICED.get(kind)
        if code is not None:
            self.meter.log(self._unix(now), Log.FRAUD, code)
