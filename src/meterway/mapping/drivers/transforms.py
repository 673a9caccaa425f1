"""What data cannot say: functions that make a manufacturer's octets readable, named by drivers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.mbus.telegram import Telegram
from meterway.stacks.mbus.wireless.frames import RadioFrame

__all__ = ["TRANSFORMS", "Transform", "prios"]

Transform = Callable[[bytes, Telegram, Sequence[bytes]], bytes]
"""From the octets of a block, its telegram and the keys that are known to the octets the fields lie in.

DecodeError or SecurityError say why not; the block then stays as it was received.
"""

_PRIOS_HEAD: Final = 4
_PRIOS_SIGN: Final = 0x4B
_PRIOS_KEY_SIZE: Final = 8
_WORD: Final = 0xFFFFFFFF


def prios(octets: bytes, telegram: Telegram, keys: Sequence[bytes]) -> bytes:
    """Diehl PRIOS: four plain octets, then octets scrambled by a shift register of 32 bits.

    The register begins as the exclusive or of the key's halves, the radio address, CI and plain octets. Of keys with 8
    octets, the one under which the first octet is 4B fits; SecurityError(key) if none does.
    """
    frame, tpl = telegram.frame, telegram.tpl
    if not isinstance(frame, RadioFrame) or tpl is None or len(octets) <= _PRIOS_HEAD:
        raise DecodeError("a PRIOS block comes by radio and has more than four octets", 0, "truncated")
    start = frame.address.to_radio() + bytes((tpl.ci,)) + octets[: _PRIOS_HEAD - 1]
    scramble = octets[_PRIOS_HEAD:]
    for key in keys:
        if len(key) == _PRIOS_KEY_SIZE:
            plain = _descrambled(scramble, _folded(key + start))
            if plain[0] == _PRIOS_SIGN:
                return octets[:_PRIOS_HEAD] + plain
    raise SecurityError("scrambled (PRIOS): no key of 8 octets fits", "key")


def _folded(octets: bytes) -> int:
    """The exclusive or of words of four octets, high octet first."""
    word = 0
    for place in range(0, len(octets), 4):
        word ^= int.from_bytes(octets[place : place + 4], "big")
    return word


def _descrambled(octets: bytes, register: int) -> bytes:
    """Each octet with the low octet of the register after eight more steps; taps are bits 1, 2, 11 and 31."""
    out = bytearray()
    for octet in octets:
        for _ in range(8):
            bit = register >> 1 ^ register >> 2 ^ register >> 11 ^ register >> 31
            register = (register << 1 | bit & 1) & _WORD
        out.append(octet ^ register & 0xFF)
    return bytes(out)


TRANSFORMS: Final[dict[str, Transform]] = {"prios": prios}
"""The functions a driver may name."""
