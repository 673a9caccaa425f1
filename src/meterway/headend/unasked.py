"""What devices behind a concentrator say by themselves comes on its line, with its prefix: it is no answer to anybody.

It is a push like any other, and as a push it has to prove who says it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.framing import ApduReceived, Framing, FramingAround, FramingEvent, Noticed
from meterway.stacks.dlms.gateway import RESPONSE
from meterway.stacks.dlms.gateway.prefix import split

__all__ = ["UnaskedFraming", "unasked"]

_DEEPEST: Final = 8
_PUSHES: Final = frozenset((0x0F, 0xDB))
"""A data-notification, and the envelope that names its sender: everything else is somebody's answer."""


def unasked(apdu: bytes) -> bytes | None:
    """The push behind the prefixes, one for each concentrator on the way; None if it is no push or has no prefix."""
    said = apdu
    for _ in range(_DEEPEST):
        if not said or said[0] != RESPONSE:
            break
        try:
            _, said = split(said)
        except DecodeError:
            return None
    return said if said is not apdu and said and said[0] in _PUSHES else None


class UnaskedFraming(FramingAround):
    """A ``Framing`` around that of a session at a concentrator: what is a push of another device goes to ``push``.

    Another device's is what still has its prefix here, also where the framing below only took notice of it.
    """

    __slots__ = ("_push",)

    def __init__(self, inner: Framing, push: Callable[[bytes], None]) -> None:
        super().__init__(inner)
        self._push = push

    def next_event(self) -> FramingEvent | None:
        """The next thing that concerns the session, or None."""
        while (event := self._inner.next_event()) is not None:
            octets = event.apdu if isinstance(event, ApduReceived) else b""
            if isinstance(event, Noticed) and event.kind == "address":
                octets = event.octets
            said = unasked(octets)
            if said is None:
                return event
            self._push(said)
        return None
