"""Which answer belongs to which request: what a device says by itself, or too late, must not be taken for one. Pure.

The relay has no keys. It sees tags, the invoke ids of what is not ciphered, and the prefixes of gateways behind one
another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.gateway.prefix import REQUEST, RESPONSE, GatewayAddress, split

__all__ = ["Answer", "Relays", "may_answer", "unwrapped"]

_NOTIFICATIONS: Final = frozenset((0x0F, 0xC2))
_GENERAL: Final = frozenset((0xDB, 0xDC, 0xDD, 0xDF))
"""Envelopes that any service may be in. Whoever asks in one is answered in one; else it is a push."""
_ERRORS: Final = frozenset((0x0E, 0xD8))
_AARQ, _AARE = 0x60, 0x61
_RLRQ, _RLRE = 0x62, 0x63
_ANSWERS: Final = {
    0xC0: 0xC4, 0xC1: 0xC5, 0xC3: 0xC7,  # get, set, action
    0xC8: 0xCC, 0xC9: 0xCD, 0xCB: 0xCF,  # ciphered under the global key
    0xD0: 0xD4, 0xD1: 0xD5, 0xD3: 0xD7,  # and under a dedicated one
    0xD9: 0xDA,  # access
    0x05: 0x0C, 0x06: 0x0D, 0x25: 0x2C, 0x26: 0x2D,  # by short names
}  # fmt: skip
_SERVICES: Final = frozenset(_ANSWERS.values())
_SHORT_ID: Final = frozenset((0xC0, 0xC1, 0xC3))
_LATE_S: Final = 60.0
_MOST_LATE: Final = 64

Answer = Callable[[bytes | None, float], None]
"""Hears the answer, or None if none came, and the time; once."""


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
    if tag in _GENERAL:
        return first in _GENERAL
    if tag in _SERVICES and first in _ANSWERS:
        return _ANSWERS[first] == tag and _invoked(asked) == _invoked(told)
    return True


def _invoked(apdu: bytes) -> int:
    """The invoke id of a service that shows it; 0 of any other."""
    if apdu[0] in _SHORT_ID or apdu[0] in (0xC4, 0xC5, 0xC7):
        return apdu[2] & 0x0F if len(apdu) > 2 else -1
    if apdu[0] in (0xD9, 0xDA):
        return int.from_bytes(apdu[1:5], "big") & 0xFFFFFF
    return 0


class _Waiting(NamedTuple):
    request: bytes
    answer: Answer
    until_s: float


class Relays:
    """Requests that were carried and wait for their answer, by whom they went to.

    A request whose time is over is remembered for a minute: an answer that may be its own is dropped, once, for it
    cannot be told from that of the next request. An association that opens anew ends that: what answers in it is new.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[_Waiting]] = {}
        self._late: dict[Hashable, deque[_Waiting]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def of(self, key: Hashable) -> int:
        """How many wait for one."""
        return len(self._waiting.get(key, ()))

    def add(self, key: Hashable, request: bytes, answer: Answer, until_s: float) -> None:
        """A request was sent."""
        self._waiting.setdefault(key, deque()).append(_Waiting(request, answer, until_s))

    def take(self, key: Hashable, apdu: bytes, now: float) -> bool:
        """Hand an APDU to the request it answers; False if it answers none, so that it may be anything else."""
        waiting = self._waiting.get(key, deque())
        found = next((one for one in waiting if may_answer(one.request, apdu)), None)
        late = next((one for one in self._late.get(key, ()) if may_answer(one.request, apdu)), None)
        is_opening = unwrapped(apdu, RESPONSE)[1][:1] == bytes((_AARE,))
        if late is not None and not (is_opening and found is not None):
            self._late[key].remove(late)
            return True
        if found is None:
            return False
        if is_opening:
            self._late.pop(key, None)
        waiting.remove(found)
        found.answer(apdu, now)
        return True

    def expire(self, now: float) -> None:
        """Tell those whose time is over that no answer came."""
        for key, waiting in list(self._waiting.items()):
            while waiting and waiting[0].until_s <= now:
                one = waiting.popleft()
                late = self._late.setdefault(key, deque(maxlen=_MOST_LATE))
                late.append(one._replace(until_s=now + _LATE_S, answer=_nobody))
                one.answer(None, now)
            if not waiting:
                self._waiting.pop(key, None)
        for key, late in list(self._late.items()):
            while late and late[0].until_s <= now:
                late.popleft()
            if not late:
                del self._late[key]

    def end(self, now: float, is_meant: Callable[[Hashable], bool] = lambda _: True) -> None:
        """Nobody will answer any more to those that are meant."""
        for key in [key for key in self._waiting if is_meant(key)]:
            for one in self._waiting.pop(key):
                one.answer(None, now)
            self._late.pop(key, None)


def _nobody(apdu: bytes | None, now: float) -> None:
    """Whoever asked has been told."""
