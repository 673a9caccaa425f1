"""A logical device whose objects are tables of functions: what a gateway, a concentrator and a load controller show."""

from meterway.stacks.dlms.tabled.logical import CounterStore, TabledDevice
from meterway.stacks.dlms.tabled.sited import SitedDevice
from meterway.stacks.dlms.tabled.table import Ask, Attr, Method, Right, Thing

__all__ = ["Ask", "Attr", "CounterStore", "Method", "Right", "SitedDevice", "TabledDevice", "Thing"]
