"""The tables of the concentrator's objects, for questions about its site."""

from __future__ import annotations

from meterway.nnap.site import Party, Site
from meterway.stacks.dlms import tabled

__all__ = ["Ask", "Attr", "Method", "Thing"]

Ask = tabled.Ask[Site, Party]
Attr = tabled.Attr[Ask]
Method = tabled.Method[Ask]
Thing = tabled.Thing[Ask]
