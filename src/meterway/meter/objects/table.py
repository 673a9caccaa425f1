"""How an object is described: what each attribute answers, what may be written, what methods do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "Ask",
    "Attr",
    "CosemObject",
    "Key",
    "fixed",
    "moment",
    "settable",
    "store",
    "typed_of",
    "u32",
]

Key = tuple[int, Obis, int]
"""Class, logical name, attribute."""


class Ask(NamedTuple):
    """One question: to which meter, when (Unix seconds), by which client, for which part."""

    meter: Meter
    now: float
    client: int
    selection: Selection | None = None


Read = Callable[[Ask], bytes | DataAccessResult]
Write = Callable[[Meter, Data, float], DataAccessResult]
After = Callable[[Meter, float], None]
Call = Callable[[Meter, Data, float], ActionResult]


class Attr(NamedTuple):
    """An attribute: how it is read, whether it may be set, by what (None: type check and store), what follows."""

    read: Read
    writable: bool = False
    write: Write | None = None
    after: After | None = None


class CosemObject:
    """One object of the meter's model; attribute 1 is added."""

    __slots__ = ("attributes", "class_id", "methods", "obis", "version")

    def __init__(
        self,
        class_id: int,
        obis: str,
        attributes: dict[int, Attr],
        methods: dict[int, Call] | None = None,
        *,
        version: int = 0,
    ) -> None:
        self.class_id = class_id
        self.version = version
        self.obis = Obis.parse(obis)
        self.attributes = {1: fixed(axdr.octets(self.obis.encode())), **attributes}
        self.methods = methods or {}

    def key(self, attribute: int) -> Key:
        """How ``Meter.changed`` names an attribute."""
        return self.class_id, self.obis, attribute


def fixed(data: Data) -> Attr:
    """An attribute that never changes; encoded once for all meters."""
    octets = axdr.encode(data)
    return Attr(lambda _: octets)


def settable(data: Data, after: After | None = None) -> Attr:
    """An attribute with a value from the factory that may be set to any other of its type."""
    return Attr(fixed(data).read, writable=True, after=after)


def u32(value: int) -> bytes:
    """double-long-unsigned, encoded; it rolls over as a register does."""
    return b"\x06" + (value & 0xFFFFFFFF).to_bytes(4, "big")


def store(thing: CosemObject, attribute: int, meter: Meter, value: Data) -> DataAccessResult:
    """Keep a value that was set, if it has the attribute's type."""
    table = interface_class(thing.class_id, thing.version).attribute(attribute)
    try:
        table.type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    meter.changed = {**(meter.changed or {}), thing.key(attribute): axdr.encode(value)}
    return DataAccessResult.SUCCESS


def typed_of(thing: CosemObject, attribute: int, meter: Meter, now: float) -> object:
    """The typed value that an attribute of this meter has now; None if it does not say."""
    octets = (meter.changed or {}).get(thing.key(attribute))
    if octets is None:
        answer = thing.attributes[attribute].read(Ask(meter, now, 0))
        if isinstance(answer, DataAccessResult):
            return None
        octets = answer
    return interface_class(thing.class_id, thing.version).attribute(attribute).type.typed(axdr.decode_all(octets), [])


_INVALID: Final = 0x01


def moment(meter: Meter, unix_s: float) -> bytes:
    """A moment as the meter's clock shows it: 12 octets of local date-time with deviation and status."""
    zone = meter.load.zone
    bounded = min(max(unix_s, 0.0), 253402214400.0)
    local = zone.local(bounded)
    summer = zone.is_summer(bounded)
    return CosemDateTime(
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=local.isoweekday(),
        hour=local.hour,
        minute=local.minute,
        second=local.second,
        hundredths=0,
        deviation_min=-zone.offset_min(bounded),
        status=0x80 * summer,
    ).encode()
