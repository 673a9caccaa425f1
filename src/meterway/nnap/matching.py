"""Whether an APDU can be the answer to another one: what a device says by itself must not be taken for one. Pure.

The relay has no keys. It sees tags only, and the prefixes of gateways behind one another.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.gateway.prefix import REQUEST, RESPONSE, GatewayAddress, split

__all__ = ["may_answer", "unwrapped"]

_NOTIFICATIONS: Final = frozenset((0x0F, 0xC2))
_GENERAL: Final = frozenset((0xDB, 0xDC, 0xDD, 0xDF))
"""Envelopes that any service may be in. Whoever asks in one is answered in one; else it is a push."""
_ERRORS: Final = frozenset((0x0E, 0xD8))
_AARQ, _AARE = 0x60, 0x61
_RLRQ, _RLRE = 0x62, 0x63


def unwrapped(apdu: bytes, tag: int) -> tuple[tuple[GatewayAddress, ...], bytes]:
    """The devices that the prefixes of a tag name, the nearest first, and the APDU after them.

    A prefix that makes no sense stays part of the APDU.
    """
    path: list[GatewayAddress] = []
    while apdu[:1] == bytes((tag,)):
        try:
            device, apdu = split(apdu)
        except DecodeError:
            break
        path.append(device)
    return tuple(path), apdu


def may_answer(request: bytes, apdu: bytes) -> bool:
    """Whether ``apdu`` can be the answer to ``request``, each with the prefixes it has left.

    An error, with or without the last prefixes, answers anything: a gateway on the way may have given it.
    """
    to, asked = unwrapped(request, REQUEST)
    by, told = unwrapped(apdu, RESPONSE)
    if not asked or not told or to[: len(by)] != by:
        return False
    tag, first = told[0], asked[0]
    if tag in _ERRORS:
        return True
    if len(to) != len(by) or tag in _NOTIFICATIONS:
        return False
    if first in (_AARQ, _RLRQ):
        return tag == (_AARE if first == _AARQ else _RLRE)
    return tag not in _GENERAL or first in _GENERAL
