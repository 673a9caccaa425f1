"""How an object of a load controller is made: attributes that are read, some that are set, methods, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.home.device import LoadController
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "BROADCAST", "CONSUMER", "GROUP", "OPERATOR", "OPERATORS", "PUBLIC", "Ask", "Attr", "Method", "Thing", "fixed",
]  # fmt: skip

PUBLIC: Final = 16
OPERATOR: Final = 1
CONSUMER: Final = 2
"""Only on the local port."""
BROADCAST: Final = 102
"""The pre-established association of broadcasts, as the companion profiles have it (as far as known)."""
OPERATORS: Final = frozenset((OPERATOR,))
GROUP: Final = frozenset((OPERATOR, BROADCAST))
"""Who may do what also comes by broadcast."""


class Ask(NamedTuple):
    """One question: to which device, when (Unix seconds), by which client, for which part."""

    device: LoadController
    now: float
    client: int
    selection: Selection | None = None


Read = Callable[[Ask], Data | bytes | DataAccessResult]
Write = Callable[[Ask, Data], DataAccessResult]
Call = Callable[[Ask, Data], ActionResult]


class Attr(NamedTuple):
    """An attribute: how it is read and, if it can be, set, and by which clients."""

    read: Read
    write: Write | None = None
    writers: frozenset[int] = OPERATORS


class Method(NamedTuple):
    """A method and who may call it."""

    call: Call
    callers: frozenset[int] = OPERATORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object: class, logical name, version, attributes from 2 on, methods. ``open``: anybody may read it."""

    class_id: int
    obis: Obis
    version: int = 0
    attributes: Mapping[int, Attr]
    methods: Mapping[int, Method] = field(default_factory=dict)
    open: bool = False

    @property
    def key(self) -> tuple[int, Obis]:
        """Class and logical name."""
        return self.class_id, self.obis


def fixed(data: Data) -> Attr:
    """An attribute that never changes."""
    encoded = axdr.encode(data)
    return Attr(lambda _: encoded)
