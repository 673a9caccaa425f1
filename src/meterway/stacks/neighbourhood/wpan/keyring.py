"""Group keys, the own frame counter, and what was taken from whom: the MAC's security of one station."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.neighbourhood.ieee802154 import MacFrame, ReplayWindow, open_frame, seal_frame
from meterway.stacks.neighbourhood.wpan.profile import Profile

__all__ = ["Keyring", "first_counter"]

_EPOCH: Final = 1577836800  # 2020-01-01, Unix time
_PER_SECOND: Final = 4
_LAST: Final = 0xFFFFFFFF


def first_counter(now: float) -> int:
    """A frame counter to begin with, above all that were used before under the same key: it follows the clock.

    In place of the memory that a real device keeps its counter in; right while a station sends fewer than four secured
    frames a second on average (a coordinator that begins anew has a new key anyway). It lasts until the year 2054.
    """
    since = now - _EPOCH if now >= _EPOCH else max(now, 0.0)
    return min(int(since * _PER_SECOND), _LAST)


class Keyring:
    """Secures and opens frames. Keys are known by their index, 0 or 1."""

    __slots__ = ("_active", "_counter", "_keys", "_pan", "_profile", "_windows")

    def __init__(self, profile: Profile, pan: int) -> None:
        self._profile = profile
        self._pan = pan
        self._keys: dict[int, bytes] = {}
        self._active = 0
        self._counter = 0
        self._windows: dict[tuple[bytes, int], ReplayWindow] = {}

    @property
    def is_ready(self) -> bool:
        """Whether there is a key to send with."""
        return self._active in self._keys

    @property
    def granted(self) -> tuple[dict[int, bytes], int]:
        """What a device that joins is given: the active key and its index."""
        return {self._active: self._keys[self._active]}, self._active

    def begin(self, now: float) -> None:
        """Take a counter to begin with."""
        self._counter = max(self._counter, first_counter(now))

    def set(self, keys: dict[int, bytes], active: int) -> None:
        """Take group keys; what was counted under a key that is still the same stays."""
        for index in {*keys, *self._keys}:
            if keys.get(index) != self._keys.get(index):
                for known in [known for known in self._windows if known[1] == index]:
                    del self._windows[known]
        self._keys, self._active = dict(keys), active

    def clear(self) -> None:
        """Send and open nothing until keys come again. What was taken under the last keys is remembered."""
        self._active = -1

    def seal(self, frame: MacFrame, short: int, eui: bytes) -> MacFrame:
        """``frame`` secured under the active key; LocalProtocolError when no key or no counter is left."""
        key = self._keys.get(self._active)
        if key is None or self._counter > _LAST:
            raise LocalProtocolError("there is no group key, or its frame counter is used up")
        secured = replace(frame, security=self._profile.security(self._counter, self._active))
        self._counter += 1
        return seal_frame(secured, key, self._profile.nonce_source(self._pan, short, eui))

    def open(self, frame: MacFrame, short: int, eui: bytes) -> bytes:
        """The payload of a frame from ``short``; SecurityError: ``key``, ``policy``, ``tag``, ``counter`` (replay)."""
        security = frame.security
        if security is None or security.key_index is None or security.level != self._profile.level:
            raise SecurityError("the frame is not secured as this network asks", "policy")
        index = security.key_index - self._profile.key_offset
        key = self._keys.get(index)
        if key is None or self._active < 0:
            raise SecurityError(f"group key {index} is not known", "key")
        plain = open_frame(frame, key, self._profile.nonce_source(self._pan, short, eui))
        window = self._windows.setdefault((eui, index), ReplayWindow())
        if not window.take(security.counter):
            raise SecurityError(f"frame counter {security.counter} was there already", "counter")
        return plain
