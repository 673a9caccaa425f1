"""What an interface class is: a numbered table of attributes and methods (IEC 62056-6-2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from meterway.base.errors import ConfigError
from meterway.stacks.dlms.classes.types import OBIS, Type

__all__ = ["Attribute", "InterfaceClass", "Method", "declare", "dynamic", "method", "static"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its number, the norm's name, its type, and whether only configuration changes it."""

    index: int
    name: str
    type: Type
    static: bool


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its number, the norm's name and the type of its parameter."""

    index: int
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """One version of one interface class. ``complete`` is False where only its name is tabulated."""

    class_id: int
    version: int
    name: str
    attributes: tuple[Attribute, ...]
    methods: tuple[Method, ...] = ()
    complete: bool = True
    _attributes: dict[int | str, Attribute] = field(init=False, repr=False, compare=False)
    _methods: dict[int | str, Method] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        attributes: dict[int | str, Attribute] = {}
        for attribute in self.attributes:
            attributes[attribute.index] = attributes[attribute.name] = attribute
        methods: dict[int | str, Method] = {}
        for entry in self.methods:
            methods[entry.index] = methods[entry.name] = entry
        object.__setattr__(self, "_attributes", attributes)
        object.__setattr__(self, "_methods", methods)

    def attribute(self, key: int | str) -> Attribute:
        """The attribute of that number or name (``scaler_unit`` or ``scaler-unit``); ConfigError if there is none."""
        found = self._attributes.get(_plain(key))
        if found is None:
            raise ConfigError(f"{self} has no attribute {key!r}; it has {_listing(self.attributes)}")
        return found

    def method(self, key: int | str) -> Method:
        """The method of that number or name; ConfigError if there is none."""
        found = self._methods.get(_plain(key))
        if found is None:
            raise ConfigError(f"{self} has no method {key!r}; it has {_listing(self.methods)}")
        return found

    def __str__(self) -> str:
        """``Register (class 3, version 0)``."""
        return f"{self.name} (class {self.class_id}, version {self.version})"


def _plain(key: int | str) -> int | str:
    return key.replace("-", "_").lower() if isinstance(key, str) else key


def _listing(entries: tuple[Attribute, ...] | tuple[Method, ...]) -> str:
    return ", ".join(f"{entry.index} {entry.name}" for entry in entries) or "none"


def static(name: str, kind: Type) -> tuple[str, Type, bool]:
    """A row of ``declare``: an attribute that only configuration changes."""
    return name, kind, True


def dynamic(name: str, kind: Type) -> tuple[str, Type, bool]:
    """A row of ``declare``: an attribute that the meter's own work changes."""
    return name, kind, False


def method(name: str, kind: Type) -> tuple[str, Type]:
    """A row of ``declare``: a method and the type of its parameter."""
    return name, kind


def declare(
    class_id: int,
    version: int,
    name: str,
    *,
    attributes: tuple[tuple[str, Type, bool], ...],
    methods: tuple[tuple[str, Type], ...] = (),
) -> InterfaceClass:
    """An interface class from its rows; attribute 1 is always ``logical_name``, the rows start at attribute 2."""
    numbered = [Attribute(1, "logical_name", OBIS, static=True)]
    numbered += [Attribute(index, *row) for index, row in enumerate(attributes, 2)]
    return InterfaceClass(
        class_id,
        version,
        name,
        tuple(numbered),
        tuple(Method(index, *row) for index, row in enumerate(methods, 1)),
    )
