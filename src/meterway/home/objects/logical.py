"""The logical device that a server engine asks: associations, keys, objects, access rights.

Over the neighbourhood only the public, the operator and broadcasts come in; the consumer's association, with keys of
its own, is for the local port.
"""

from __future__ import annotations

from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, LocalProtocolError, SecurityError
from meterway.base.obis import Obis
from meterway.home.device import LoadController
from meterway.home.memory import HomeMemory
from meterway.home.objects.table import BROADCAST, CONSUMER, OPERATOR, PUBLIC, Ask, Method, Thing, fixed
from meterway.home.objects.things import things_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.hls import HLS5, LOWEST
from meterway.stacks.dlms.security.keys import unwrap_key
from meterway.stacks.dlms.server import Association, BroadcastKeys, DeviceSecurity
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["LogicalHome"]

_READS: Final = (
    Conformance.GET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_GET
    | Conformance.MULTIPLE_REFERENCES
)
_WRITES: Final = (
    Conformance.SET | Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_SET | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
_ASSOCIATION: Final = Obis(0, 0, 40, 0, 0)
_SECURITY: Final = Obis(0, 0, 43, 0, 0)
_ARC: Final = b"\x09\x07\x60\x85\x74\x05\x08"
_TRANSFER: Final = interface_class(64, 0).method(2).type
_KEY_FIELDS: Final = ("guek", "gbek", "gak")
_ATTACKS: Final = frozenset(("authentication", "tag", "counter", "policy", "title", "key"))


class LogicalHome:
    """A load controller as one logical device. ``is_local``: asked on the local port, not over the neighbourhood.

    ``max_pdu`` is the longest APDU that its network carries. The engine's time is Unix seconds.
    """

    __slots__ = ("_is_local", "_max_pdu", "_memory", "_things", "device")

    def __init__(
        self, device: LoadController, memory: HomeMemory, *, is_local: bool = False, max_pdu: int = 0xFFFF
    ) -> None:
        self.device = device
        self._memory = memory
        self._is_local = is_local
        self._max_pdu = max_pdu
        self._things: dict[tuple[int, Obis], Thing] | None = None

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self.device.title

    # -- associations -------------------------------------------------------------------------------------------------

    def association(self, client: int) -> Association | None:
        """The association that ``client`` may open, or None."""
        if client == PUBLIC:
            return Association(client=client, mechanism=LOWEST, conformance=_READS, max_pdu=self._max_pdu)
        if self._keys(client) is None:
            return None
        return Association(
            client=client,
            mechanism=HLS5,
            conformance=_READS | _WRITES,
            context=CONTEXT_LN_CIPHERED,
            control=AUTHENTICATED | ENCRYPTED,
            max_pdu=self._max_pdu,
        )

    def _keys(self, client: int) -> Keys | None:
        keys = self.device.keys
        if client == OPERATOR:
            return Keys(keys.guek, keys.gak)
        return Keys(keys.consumer_guek, keys.consumer_gak) if client == CONSUMER and self._is_local else None

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters for ``client``, or None where it has none."""
        keys = self._keys(client)
        if keys is None:
            return None
        return DeviceSecurity(
            keys=keys,
            cipher=Gcm12(keys.encryption),
            send_counter=self._memory.sending(self.device, client),
            received=self._memory.receiving(self.device, client),
        )

    def broadcast(self, client: int) -> BroadcastKeys | None:
        """What opens a broadcast; None for another client, or without the group's key."""
        keys = self.device.keys
        if client != BROADCAST or not keys.gbek:
            return None
        return BroadcastKeys(
            keys=Keys(keys.gbek, keys.gbak or keys.gak),
            cipher=Gcm12(keys.gbek),
            received=self._memory.receiving(self.device, client),
        )

    # -- services -----------------------------------------------------------------------------------------------------

    def _all(self) -> dict[tuple[int, Obis], Thing]:
        if self._things is None:
            security = _security_setup(self.device)
            self._things = {security.key: security, **things_of(self.device)}
        return self._things

    def _find(self, class_id: int, obis: Obis) -> Thing | DataAccessResult:
        found = self._all().get((class_id, obis))
        if found is not None:
            return found
        known = any(obis == other for _, other in self._all())
        return DataAccessResult.OBJECT_CLASS_INCONSISTENT if known else DataAccessResult.OBJECT_UNDEFINED

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        class_id, obis, number = attribute
        self.device.advance(now)
        if (class_id, obis) == (15, _ASSOCIATION):
            return self._own(client, number)
        thing = self._find(class_id, obis)
        if isinstance(thing, DataAccessResult):
            return thing
        if client == PUBLIC and not thing.open:
            return DataAccessResult.READ_WRITE_DENIED
        if number == 1:
            return axdr.encode(axdr.octets(obis.encode()))
        found = thing.attributes.get(number)
        if found is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if selection is not None and (class_id != 7 or number != 2):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        answer = found.read(Ask(self.device, now, client, selection))
        return axdr.encode(answer) if isinstance(answer, Data) else answer

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        """Write an attribute."""
        class_id, obis, number = attribute
        thing = self._find(class_id, obis)
        if isinstance(thing, DataAccessResult):
            return thing
        found = thing.attributes.get(number)
        if found is None and number != 1:
            return DataAccessResult.OBJECT_UNDEFINED
        if found is None or found.write is None or client not in found.writers:
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return found.write(Ask(self.device, now, client), axdr.decode_all(value))

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""
        thing = self._find(method.class_id, method.obis)
        if isinstance(thing, DataAccessResult):
            known = thing is DataAccessResult.OBJECT_CLASS_INCONSISTENT
            return ActionOutcome(ActionResult.OBJECT_CLASS_INCONSISTENT if known else ActionResult.OBJECT_UNDEFINED)
        found = thing.methods.get(method.method)
        if found is None:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        if client not in found.callers:
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        try:
            data = axdr.null() if parameters is None else axdr.decode_all(parameters)
            return ActionOutcome(found.call(Ask(self.device, now, client), data))
        except (DecodeError, LocalProtocolError):
            return ActionOutcome(ActionResult.TYPE_UNMATCHED)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        if kind in _ATTACKS:
            self.device.failed(kind, now)

    # -- the association itself ---------------------------------------------------------------------------------------

    def _own(self, client: int, number: int) -> bytes | DataAccessResult:
        if number == 2:
            shown = [one for one in self._all().values() if client != PUBLIC or one.open]
            return axdr.encode(axdr.array(*[_listed(client, thing) for thing in shown]))
        secured = client != PUBLIC
        return {
            1: axdr.encode(axdr.octets(_ASSOCIATION.encode())),
            3: b"\x02\x02\x0f" + bytes((client & 0x7F,)) + b"\x12\x00\x01",
            4: _ARC + (b"\x01\x03" if secured else b"\x01\x01"),
            6: _ARC + (b"\x02\x05" if secured else b"\x02\x00"),
            8: b"\x16\x02",
            9: axdr.encode(axdr.octets(_SECURITY.encode())),
        }.get(number, DataAccessResult.OBJECT_UNDEFINED)


def _listed(client: int, thing: Thing) -> Data:
    attributes = [axdr.structure(axdr.i8(1), axdr.enum(1), axdr.null())]
    for number, one in sorted(thing.attributes.items()):
        selectors = axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == 7 and number == 2 else axdr.null()
        mode = 1 | 2 * (one.write is not None and client in one.writers)
        attributes.append(axdr.structure(axdr.i8(number), axdr.enum(mode), selectors))
    methods = [
        axdr.structure(axdr.i8(number), axdr.enum(int(client in one.callers)))
        for number, one in sorted(thing.methods.items())
    ]
    rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
    return axdr.structure(axdr.u16(thing.class_id), axdr.u8(thing.version), axdr.octets(thing.obis.encode()), rights)


def _security_setup(device: LoadController) -> Thing:
    return Thing(
        class_id=64,
        obis=_SECURITY,
        attributes={
            2: fixed(axdr.enum(3)),
            3: fixed(axdr.enum(0)),
            4: fixed(axdr.octets(b"")),
            5: fixed(axdr.octets(device.title)),
        },
        methods={2: Method(_transfer_keys)},
    )


def _transfer_keys(ask: Ask, parameter: Data) -> ActionResult:
    """All keys or none; the association that is open goes on with the old ones. The master key stays."""
    try:
        wanted = _TRANSFER.typed(parameter, [])
    except Mismatch:
        return ActionResult.TYPE_UNMATCHED
    if not isinstance(wanted, tuple) or not wanted:
        return ActionResult.TYPE_UNMATCHED
    fresh: dict[str, bytes] = {}
    for entry in wanted:
        if not isinstance(entry, KeyTransfer) or not 0 <= entry.key_id < len(_KEY_FIELDS):
            return ActionResult.OTHER_REASON
        try:
            key = unwrap_key(ask.device.keys.kek, entry.wrapped)
        except SecurityError:
            return ActionResult.OTHER_REASON
        if len(key) != 16:
            return ActionResult.OTHER_REASON
        fresh[_KEY_FIELDS[entry.key_id]] = key
    ask.device.change_keys(fresh, ask.now)
    return ActionResult.SUCCESS
