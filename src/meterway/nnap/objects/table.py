"""How an object is made: attributes that are read, some that are set, methods, and who needs which right for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.nnap.site import Party, Right, Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["Ask", "Attr", "Method", "Thing", "data_object", "date_time", "fixed", "text"]

_LATEST_S: Final = 253402214400.0


class Ask(NamedTuple):
    """One question: of which logical device (0 the concentrator), when (Unix seconds), by whom, for which part."""

    site: Site
    channel: int
    now: float
    party: Party
    selection: Selection | None = None


Read = Callable[[Ask], Data | bytes | DataAccessResult]
Write = Callable[[Ask, bytes], DataAccessResult]
Call = Callable[[Ask, bytes], ActionResult]


class Attr(NamedTuple):
    """An attribute: how it is read and, if it can be, set, and the right that setting wants."""

    read: Read
    write: Write | None = None
    right: Right = Right.CONFIGURE


class Method(NamedTuple):
    """A method and the right it wants; its parameter comes encoded."""

    call: Call
    right: Right = Right.CONFIGURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object: class, logical name, version, attributes from 2 on, methods."""

    class_id: int
    obis: Obis
    version: int = 0
    attributes: Mapping[int, Attr]
    methods: Mapping[int, Method] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, Obis]:
        """Class and logical name."""
        return self.class_id, self.obis


def fixed(data: Data) -> Attr:
    """An attribute that never changes."""
    encoded = axdr.encode(data)
    return Attr(lambda _: encoded)


def text(value: str) -> Data:
    """A text as octet-string."""
    return axdr.octets(value.encode())


def date_time(unix_s: float) -> Data:
    """A moment in UTC as the 12 octets of COSEM."""
    moment = datetime.fromtimestamp(min(max(unix_s, 0.0), _LATEST_S), UTC)
    return axdr.octets(CosemDateTime.from_utc(moment, 0).encode())


def data_object(obis: Obis, attribute: Attr) -> Thing:
    """A data object (class 1) with this value."""
    return Thing(class_id=1, obis=obis, attributes={2: attribute})
