"""A load controller is asked with each collection how its relays stand, in the same session and one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError, DecodeError
from meterway.headend.collect import Collected
from meterway.headend.load_state import load_state
from meterway.mapping.home import CONSENT, LOAD_ORDER, PROGRAMME, RELAYS
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms.client.script import GetList, Script
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["has_loads", "with_load"]

_ASKED: Final = tuple(AttributeDescriptor(1, obis, 2) for obis in (RELAYS, LOAD_ORDER, PROGRAMME, CONSENT))


def has_loads(profile: str) -> bool:
    """Whether devices of a companion profile are load controllers: they show relays with their causes."""
    try:
        return RELAYS in load_profile(profile or "idis").objects
    except ConfigError:
        return False


def with_load(script: Script[Collected], into: Collected, clock: Callable[[], float]) -> Script[Collected]:
    """A collection, and after it, in the same session and one request, how the relays stand."""
    yield from script
    answer = yield GetList(tuple((item, None) for item in _ASKED))
    if not isinstance(answer, tuple) or not all(isinstance(one, bytes) for one in answer):
        into.refused(str(RELAYS), answer)
        return into
    try:
        into.load = load_state([one for one in answer if isinstance(one, bytes)], clock())
    except DecodeError as error:
        into.refusals.append((str(RELAYS), str(error)))
    return into
