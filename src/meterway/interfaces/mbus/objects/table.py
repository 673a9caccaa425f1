"""The tables of the gateway's objects, for questions about its site."""

from __future__ import annotations

from collections.abc import Callable

from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.site import Site
from meterway.stacks.dlms import tabled
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["Ask", "Attr", "Call", "Method", "Read", "Thing"]

Ask = tabled.Ask[Site, Party]
Attr = tabled.Attr[Ask]
Method = tabled.Method[Ask]
Thing = tabled.Thing[Ask]
Read = Callable[[Ask], Data | bytes | DataAccessResult]
Call = Callable[[Ask, Data], ActionResult]
