"""Finding meters on the wired bus: by primary address, by secondary address, by line speed.

The search by secondary address walks a tree over the sixteen nibbles of the address. It begins with the last digit of
the identification number, in which meters of one delivery differ first; a branch is opened only where several meters
answered at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from meterway.base.errors import DecodeError, LinkError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Answer, Ask, Found, Heard, LineSpeed, Procedure
from meterway.stacks.mbus.link.frames import REQ_UD2, SELECTED, LongFrame, ShortFrame
from meterway.stacks.mbus.link.procedures import WILDCARD, CountBits, deselect, reset, select
from meterway.stacks.mbus.records.fixed import decode_fixed

__all__ = ["BAUDS", "address_in", "scan_primary", "search_bauds", "search_secondary"]

BAUDS: Final = (2400, 300, 9600, 4800, 19200, 38400, 1200, 600)
"""Line speeds, the usual ones first."""

_LAST_PRIMARY: Final = 250
_DECIMAL: Final = tuple(range(10))
_LETTERS: Final = tuple(range(10, 15))
_ID_NIBBLES: Final = 8
_RETRIES: Final = 2


def address_in(frame: LongFrame) -> Address | None:
    """The secondary address in an answer; None if it carries none."""
    try:
        if frame.ci in (0x73, 0x77) and len(frame.data) == 16:
            fixed = decode_fixed(frame.data, high_first=frame.ci == 0x77)
            return Address(manufacturer=0xFFFF, ident=fixed.ident, version=0xFF, device_type=0xFF)
        return Address.from_wired(frame.data[:8])
    except DecodeError:
        return None


def scan_primary(bits: CountBits, addresses: Iterable[int] = range(_LAST_PRIMARY + 1)) -> Procedure[list[Found]]:
    """Reset each address; whoever acknowledges is there. An address where several answer is a conflict."""
    found = []
    for address in addresses:
        bits.reset(address)
        answer = yield Ask(frame=ShortFrame(control=0x40, address=address))
        if answer.heard is Heard.SILENCE:
            continue
        meter = Found(primary=address, conflict=answer.heard is Heard.GARBAGE)
        found.append(meter)
        yield meter
    return found


def search_secondary(bits: CountBits, pattern: bytes = WILDCARD, *, limit: int = 20_000) -> Procedure[list[Found]]:
    """Every meter whose secondary address matches ``pattern`` (8 octets ``ID M V T``, nibble F matches anything).

    LinkError after ``limit`` selections: on a line that answers everything with noise no search ends.
    """
    search = _Search(bits, limit)
    yield from search.branch(pattern, _open_nibbles(pattern))
    yield from deselect(bits)
    return search.found


def _open_nibbles(pattern: bytes) -> tuple[int, ...]:
    """The nibbles that are wildcards, by number from the low end: 2n is the low and 2n + 1 the high nibble of octet n.

    Identification number first, its last digit first; then device type, version and manufacturer.
    """
    order = (*range(_ID_NIBBLES), 14, 15, 12, 13, 8, 9, 10, 11)
    return tuple(nibble for nibble in order if _nibble(pattern, nibble) == 15)


def _nibble(pattern: bytes, number: int) -> int:
    return pattern[number // 2] >> 4 * (number & 1) & 15


def _with(pattern: bytes, number: int, value: int) -> bytes:
    shift = 4 * (number & 1)
    octets = bytearray(pattern)
    octets[number // 2] = octets[number // 2] & ~(15 << shift) | value << shift
    return bytes(octets)


class _Search:
    """One walk through the tree of secondary addresses."""

    def __init__(self, bits: CountBits, limit: int) -> None:
        self.found: list[Found] = []
        self._bits = bits
        self._left = limit

    def branch(self, pattern: bytes, nibbles: tuple[int, ...]) -> Procedure[int]:
        """Look behind one pattern; how many meters are known to be there."""
        answer = yield from self._probe(pattern)
        if answer.heard is Heard.SILENCE:
            return 0
        if answer.frame is not None:
            return (yield from self._report(answer.frame))
        if not nibbles:
            return (yield from self._last_try(pattern))
        nibble, rest = nibbles[0], nibbles[1:]
        count = 0
        for value in _DECIMAL if nibble < _ID_NIBBLES else (*_DECIMAL, *_LETTERS):
            count += yield from self.branch(_with(pattern, nibble, value), rest)
        # at least two answered: where fewer were found, one has a letter here, or F, which cannot be asked for
        if count < 2 and nibble < _ID_NIBBLES:
            for value in _LETTERS:
                count += yield from self.branch(_with(pattern, nibble, value), rest)
        if count < 2:
            count += yield from self.branch(pattern, rest)
        return count

    def _probe(self, pattern: bytes) -> Procedure[Answer]:
        """Select; if one acknowledgement comes back, ask for data to see whether it is one meter or several."""
        self._left -= 1
        if self._left < 0:
            raise LinkError("the search was given up: too many selections were answered by noise")
        answer = yield from select(self._bits, pattern, tries=1)
        if answer.heard is not Heard.ACK:
            return answer
        request = Ask(frame=ShortFrame(control=self._bits.control(REQ_UD2, SELECTED), address=SELECTED))
        answer = yield request
        for _ in range(_RETRIES):
            if answer.heard is not Heard.SILENCE:
                return answer
            answer = yield request
        return answer if answer.heard is not Heard.SILENCE else Answer(heard=Heard.GARBAGE)

    def _last_try(self, pattern: bytes) -> Procedure[int]:
        """Nothing is left to tell apart: a disturbance goes away when repeated, meters of one address do not."""
        for _ in range(_RETRIES):
            answer = yield from self._probe(pattern)
            if answer.frame is not None:
                return (yield from self._report(answer.frame))
            if answer.heard is Heard.SILENCE:
                return 0
        meter = Found(secondary=Address.from_wired(pattern), conflict=True)
        self.found.append(meter)
        yield meter
        return 2

    def _report(self, frame: LongFrame) -> Procedure[int]:
        meter = Found(primary=frame.address, secondary=address_in(frame))
        if meter in self.found:
            return 0
        self.found.append(meter)
        yield meter
        return 1


def search_bauds(
    bits: CountBits, addresses: Iterable[int] = (), bauds: Iterable[int] = BAUDS
) -> Procedure[dict[int, list[Found]]]:
    """Which meters answer at which speed: by primary address where some are given, else by secondary address.

    The line is left at the last speed tried.
    """
    wanted = tuple(addresses)
    out: dict[int, list[Found]] = {}
    for baud in bauds:
        yield LineSpeed(baud=baud)
        yield from reset(bits, 255)
        found = yield from scan_primary(bits, wanted) if wanted else search_secondary(bits)
        if found:
            out[baud] = found
    return out
