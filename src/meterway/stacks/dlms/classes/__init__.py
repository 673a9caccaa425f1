"""COSEM interface classes: what an object shows and does, as tables that serve meter and head end (IEC 62056-6-2).

Look a class up with ``interface_class``; ``typed`` and ``untyped`` turn the data of an attribute into plain
Python and back. What the norm makes a class *do* stands beside its table, pure, with time passed in.
"""

from meterway.stacks.dlms.classes.elements import ActionItem, CaptureObject, ScalerUnit, ValueDefinition
from meterway.stacks.dlms.classes.model import Attribute, InterfaceClass, Method
from meterway.stacks.dlms.classes.registry import interface_class, interface_classes, typed, untyped

__all__ = [
    "ActionItem",
    "Attribute",
    "CaptureObject",
    "InterfaceClass",
    "Method",
    "ScalerUnit",
    "ValueDefinition",
    "interface_class",
    "interface_classes",
    "typed",
    "untyped",
]
