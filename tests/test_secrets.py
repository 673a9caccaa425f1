"""No secret is shown by the text of an object that holds one: whatever has a field for it shows its name alone."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Final

import msgspec
import pytest

import meterway

SECRET: Final = re.compile(
    r"(^|_)(secret|secrets|password|token|key|keys|guek|gak|gbek|gbak|kek|octets_of_key|passphrase)$"
)
OPEN: Final = frozenset(
    {
        # the name of a file, of a field or of a row; a public key
        "master_key", "password_file",
        # what is wrapped or sealed, or only looks like one
        "meterway.home.memory._Kept.keys", "meterway.interfaces.mbus.store.BoundRow.keys",
        "meterway.meter.counters._Entry.key", "meterway.meter.counters._Entry.keys",
        "meterway.headend.web.figure.Shape.key",
    }
)  # fmt: skip
WORD: Final = b"0123456789abcdefSECRET"


def modules() -> Iterator[str]:
    """Every module of the package that can be imported here."""
    found = (one.name for one in pkgutil.walk_packages(meterway.__path__, "meterway."))
    yield from (name for name in found if not name.endswith(("__main__", ".schema.env")))


def holders() -> Iterator[tuple[type, str]]:
    """Every struct and dataclass, and a field of its own that is named like a secret and can hold one."""
    for name in modules():
        try:
            module = importlib.import_module(name)
        except (ImportError, RuntimeError):  # an extra that is not installed
            continue
        for thing in vars(module).values():
            if not isinstance(thing, type) or thing.__module__ != name:
                continue
            if issubclass(thing, msgspec.Struct):
                fields = {one.name: str(one.type) for one in msgspec.structs.fields(thing)}
            elif dataclasses.is_dataclass(thing):
                fields = {one.name: str(one.type) for one in dataclasses.fields(thing) if one.repr}
            else:
                continue
            for field, kind in fields.items():
                is_open = field in OPEN or f"{name}.{thing.__qualname__}.{field}" in OPEN
                if SECRET.search(field) and not is_open and re.search(r"\b(str|bytes)\b", kind):
                    yield thing, field


def shown(kind: type, field: str) -> str:
    """The text of an instance that holds a secret in a field, and nothing anywhere else."""
    if issubclass(kind, msgspec.Struct):
        return "" if kind.__repr__ is not msgspec.Struct.__repr__ else WORD.decode()
    one = object.__new__(kind)
    for each in dataclasses.fields(kind):
        object.__setattr__(one, each.name, WORD.decode() if each.name == field else None)
    try:
        return repr(one)
    except (AttributeError, TypeError):  # a text of its own that wants more than that
        return ""


@pytest.mark.covers("SEC-02")
def test_no_secret_is_in_the_text_of_what_holds_it() -> None:
    open_ones = {f"{kind.__module__}.{kind.__qualname__}.{field}" for kind, field in holders()
                 if WORD.decode() in shown(kind, field)}  # fmt: skip
    assert open_ones == set()
