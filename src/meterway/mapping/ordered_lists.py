"""Pushed lists that carry no codes: what stands at which place, by maker and length, or by form.

Facts as the makers publish them for their consumer ports, and as grid operators in Austria configure meters of several
makers alike. A list that no table knows is left unnamed; nothing is guessed from a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meterway.base.obis import Obis
from meterway.stacks.dlms.axdr import Data, Tag

__all__ = ["is_known_by_form", "ordered_list"]

_W, _VAR, _WH, _VARH, _A, _V = 27, 29, 30, 32, 33, 35
_NONE: Final = (0, 255)
Place = tuple[str, int, int]
Named = tuple[Obis, Data, int, int]

_KAIFA_HEAD: Final[tuple[Place, ...]] = (
    ("1-0:0.2.129", *_NONE),
    ("0-0:96.1.0", *_NONE),
    ("0-0:96.1.7", *_NONE),
    ("1-0:1.7.0", 0, _W),
    ("1-0:2.7.0", 0, _W),
    ("1-0:3.7.0", 0, _VAR),
    ("1-0:4.7.0", 0, _VAR),
)
_KAIFA_HOUR: Final[tuple[Place, ...]] = (
    ("0-0:1.0.0", *_NONE),
    ("1-0:1.8.0", 0, _WH),
    ("1-0:2.8.0", 0, _WH),
    ("1-0:3.8.0", 0, _VARH),
    ("1-0:4.8.0", 0, _VARH),
)
_ONE_PHASE: Final[tuple[Place, ...]] = (("1-0:31.7.0", -3, _A), ("1-0:32.7.0", -1, _V))
_THREE_PHASES: Final[tuple[Place, ...]] = (
    ("1-0:31.7.0", -3, _A),
    ("1-0:51.7.0", -3, _A),
    ("1-0:71.7.0", -3, _A),
    ("1-0:32.7.0", -1, _V),
    ("1-0:52.7.0", -1, _V),
    ("1-0:72.7.0", -1, _V),
)
_KAIFA: Final[dict[int, tuple[Place, ...]]] = {
    len(places): places
    for phases in (_ONE_PHASE, _THREE_PHASES)
    for places in (_KAIFA_HEAD + phases, _KAIFA_HEAD + phases + _KAIFA_HOUR)
}
_KAIFA_POWER: Final[tuple[Place, ...]] = (("1-0:1.7.0", 0, _W),)
_ISKRA: Final[tuple[Place, ...]] = (
    ("0-0:42.0.0", *_NONE),
    ("0-0:96.1.2", *_NONE),
    ("1-0:1.7.0", 0, _W),
    ("1-0:2.7.0", 0, _W),
    ("1-0:3.7.0", 0, _VAR),
    ("1-0:4.7.0", 0, _VAR),
    ("1-0:32.7.0", -1, _V),
    ("1-0:52.7.0", -1, _V),
    ("1-0:72.7.0", -1, _V),
    ("1-0:31.7.0", *_NONE),
    ("1-0:51.7.0", *_NONE),
    ("1-0:71.7.0", *_NONE),
    ("1-0:21.7.0", 0, _W),
    ("1-0:41.7.0", 0, _W),
    ("1-0:61.7.0", 0, _W),
    ("1-0:22.7.0", 0, _W),
    ("1-0:42.7.0", 0, _W),
    ("1-0:62.7.0", 0, _W),
)

_ISKRA_ENERGY: Final[tuple[Place, ...]] = (
    ("0-0:42.0.0", *_NONE),
    ("0-0:96.1.3", *_NONE),
    ("0-0:96.3.10", *_NONE),
    ("0-0:96.14.0", *_NONE),
    ("1-0:1.8.0", 0, _WH),
    ("1-0:1.8.1", 0, _WH),
    ("1-0:1.8.2", 0, _WH),
    ("1-0:2.8.0", 0, _WH),
    ("1-0:2.8.1", 0, _WH),
    ("1-0:2.8.2", 0, _WH),
    ("1-0:3.8.0", 0, _VARH),
    ("1-0:4.8.0", 0, _VARH),
)
_ISKRA_LISTS: Final = {len(places): places for places in (_ISKRA, _ISKRA_ENERGY)}


_ENERGY: Final[tuple[Place, ...]] = (
    ("1-0:1.8.0", 0, _WH),
    ("1-0:2.8.0", 0, _WH),
    ("1-0:3.8.0", 0, _VARH),
    ("1-0:4.8.0", 0, _VARH),
)
_POWER: Final[tuple[Place, ...]] = (
    ("1-0:1.7.0", 0, _W),
    ("1-0:2.7.0", 0, _W),
    ("1-0:3.7.0", 0, _VAR),
    ("1-0:4.7.0", 0, _VAR),
)
_NUMBER, _SHORT = -1, -2
Form = tuple[int, ...]
"""What stands at each place: an octet-string of so many octets (0: of any number), or a number of 4 or 2 octets."""
_FORMS: Final[tuple[tuple[Form, tuple[Place | None, ...]], ...]] = (
    # Vienna: time and values, from some meters behind their name
    ((12, *[_NUMBER] * 8), (("0-0:1.0.0", *_NONE), *_ENERGY, *_POWER)),
    ((16, 12, *[_NUMBER] * 8), (("0-0:42.0.0", *_NONE), ("0-0:1.0.0", *_NONE), *_ENERGY, *_POWER)),
    # Burgenland: voltages in V, currents in 10 mA, power, energy, device
    (
        (*[_SHORT] * 6, *[_NUMBER] * 4, 0),
        (
            *((f"1-0:{phase}2.7.0", 0, _V) for phase in (3, 5, 7)),
            *((f"1-0:{phase}1.7.0", -2, _A) for phase in (3, 5, 7)),
            *_POWER[:2],
            *_ENERGY[:2],
            ("0-0:96.1.0", *_NONE),
        ),
    ),
    # Carinthia, Upper Austria: push, device, time of day, date, values; text and code of a message from some
    ((6, 0, 4, 5, *[_NUMBER] * 6), (None, ("0-0:96.1.0", *_NONE), None, None, *_ENERGY, *_POWER[:2])),
    (
        (6, 0, 4, 5, *[_NUMBER] * 6, 0, 0),
        (
            None,
            ("0-0:96.1.0", *_NONE),
            None,
            None,
            *_ENERGY,
            *_POWER[:2],
            ("0-0:96.13.0", *_NONE),
            ("0-0:96.13.1", *_NONE),
        ),
    ),
)
_PUSH_SETUP: Final = bytes((0, 6, 25, 9, 0, 255))


def is_known_by_form(items: Sequence[Data]) -> bool:
    """Whether it is the form of the list alone that names its places."""
    return _by_form(items) is not None


def _by_form(items: Sequence[Data]) -> list[Named] | None:
    for form, places in _FORMS:
        if len(items) == len(form) and all(_fits(item, size) for item, size in zip(items, form, strict=True)):
            if form[0] == len(_PUSH_SETUP) and items[0].value != _PUSH_SETUP:
                continue
            known = [(place, item) for place, item in zip(places, items, strict=True) if place is not None]
            return [(Obis.parse(code), item, scaler, unit) for (code, scaler, unit), item in known]
    return None


def _fits(item: Data, size: int) -> bool:
    if size in (_NUMBER, _SHORT):
        return item.tag == (Tag.DOUBLE_LONG_UNSIGNED if size == _NUMBER else Tag.LONG_UNSIGNED)
    return item.tag == Tag.OCTET_STRING and isinstance(item.value, bytes) and size in (0, len(item.value))


def ordered_list(items: Sequence[Data], *, is_tagged: bool = False) -> list[Named] | None:
    """(code, value, scaler, unit) for each element of a list that a table knows, else None.

    ``is_tagged``: the push's date-time carried its type tag, which marks the one maker whose shortest list is a bare
    power.
    """
    places = _places(items, is_tagged=is_tagged)
    if places is None:
        return _by_form(items)
    return [(Obis.parse(code), item, scaler, unit) for (code, scaler, unit), item in zip(places, items, strict=True)]


def _places(items: Sequence[Data], *, is_tagged: bool) -> tuple[Place, ...] | None:
    if is_tagged and len(items) == 1 and items[0].tag == Tag.DOUBLE_LONG_UNSIGNED:
        return _KAIFA_POWER
    first = items[0].value if items else None
    if not isinstance(first, bytes):
        return None
    if first.startswith(b"KFM_"):
        return _KAIFA.get(len(items))
    return _ISKRA_LISTS.get(len(items)) if first.startswith(b"ISK") else None
