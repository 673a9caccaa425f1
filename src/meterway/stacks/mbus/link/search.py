"""Finding meters on the wired bus: by primary address, by secondary address, by line speed.

The search by secondary address walks a tree over the sixteen nibbles of the address; a branch is opened only where
several meters answered at once. It begins as the number is written. Where one digit separates nobody, the last digits
are tried, in which meters of one delivery differ. Where meters of a branch are known, it is divided by the first digit
in which they differ; and once meters are seen to come in lots with numbers in a row, as the largest lot was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from meterway.base.errors import DecodeError, LinkError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Answer, Ask, Found, Heard, LineSpeed, Procedure
from meterway.stacks.mbus.link.frames import REQ_UD2, SELECTED, LongFrame, ShortFrame
from meterway.stacks.mbus.link.procedures import WILDCARD, CountBits, deselect, reset, select
from meterway.stacks.mbus.link.slave import matches
from meterway.stacks.mbus.records.fixed import decode_fixed

__all__ = ["BAUDS", "address_in", "scan_primary", "search_bauds", "search_secondary"]

BAUDS: Final = (2400, 300, 9600, 4800, 19200, 38400, 1200, 600)
"""Line speeds, the usual ones first."""

_LAST_PRIMARY: Final = 250
_DECIMAL: Final = tuple(range(10))
_LETTERS: Final = tuple(range(10, 15))
_ID_NIBBLES: Final = 8
_OTHER_NIBBLES: Final = (14, 15, 12, 13, 8, 9, 10, 11)
_FROM_THE_FRONT: Final = (*reversed(range(_ID_NIBBLES)), *_OTHER_NIBBLES)
_RETRIES: Final = 2
_SEVERAL: Final = 2
_TELLING: Final = 4
_LOT_OCTETS: Final = 1
_ALIKE: Final = 2
"""Meters come in lots if there are so many (behind one digit), and so many for each beginning of their numbers."""


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

    Identification number first, as it is written; then device type, version and manufacturer.
    """
    return tuple(nibble for nibble in _FROM_THE_FRONT if _nibble(pattern, nibble) == 15)


def _nibble(pattern: bytes, number: int) -> int:
    return pattern[number // 2] >> 4 * (number & 1) & 15


def _fixed_nibbles(pattern: bytes) -> tuple[int, int]:
    """A mask of the nibbles that are no wildcards, and their values."""
    mask = value = 0
    for octet in pattern:
        for digit in (octet >> 4, octet & 15):
            mask, value = mask << 4 | (0 if digit == 15 else 15), value << 4 | (0 if digit == 15 else digit)
    return mask, value


def _with(pattern: bytes, number: int, value: int) -> bytes:
    shift = 4 * (number & 1)
    octets = bytearray(pattern)
    octets[number // 2] = octets[number // 2] & ~(15 << shift) | value << shift
    return bytes(octets)


def _without(nibbles: tuple[int, ...], nibble: int) -> tuple[int, ...]:
    return tuple(other for other in nibbles if other != nibble)


def _from_the_back(nibbles: tuple[int, ...]) -> tuple[int, ...]:
    digits = sorted(nibble for nibble in nibbles if nibble < _ID_NIBBLES)
    return (*digits, *(nibble for nibble in nibbles if nibble >= _ID_NIBBLES))


def _lot(name: bytes) -> bytes:
    """The first digits of an identification number."""
    return name[_LOT_OCTETS : _ID_NIBBLES // 2]


def _largest_lot(names: list[bytes]) -> list[bytes]:
    (begun, _), *_ = Counter(map(_lot, names)).most_common(1)
    return [name for name in names if _lot(name) == begun]


def _shared(lot: list[bytes], nibble: int) -> int:
    """How many values of a nibble more than one meter has: each must be looked behind once more."""
    return sum(count > 1 for count in Counter(_nibble(name, nibble) for name in lot).values())


Meters = frozenset[int]
"""Which of the meters found, by their place in the list."""


class _Search:
    """One walk through the tree of secondary addresses."""

    def __init__(self, bits: CountBits, limit: int) -> None:
        self.found: list[Found] = []
        self._bits = bits
        self._left = limit
        self._seen: list[tuple[int, int]] = []

    def branch(self, pattern: bytes, nibbles: tuple[int, ...], *, sure: bool = False) -> Procedure[Meters]:
        """Look behind one pattern, where several meters are for ``sure`` or perhaps; which meters are known there."""
        if not nibbles:
            there = yield from self._last_try(pattern)
        else:
            there = yield from self._divided(pattern, nibbles, sure=sure)
        self._seen.append(_fixed_nibbles(pattern))
        return there

    def _divided(self, pattern: bytes, nibbles: tuple[int, ...], *, sure: bool) -> Procedure[Meters]:
        nibble = self._choice(pattern, nibbles)
        there = yield from self._opened(pattern, nibble, nibbles, _DECIMAL, sure=sure)
        if not sure and self._count(there) < _SEVERAL:
            alone = yield from self._look(pattern)
            if alone is not None:
                return there | alone
        # at least two answered: where fewer were found, one has a letter here, or F, which cannot be asked for
        if nibble >= _ID_NIBBLES or self._count(there) < _SEVERAL:
            there |= yield from self._opened(pattern, nibble, nibbles, _LETTERS)
        if self._count(there) < _SEVERAL:
            there |= yield from self.branch(pattern, _without(nibbles, nibble), sure=True)
        return there

    def _opened(
        self, pattern: bytes, nibble: int, nibbles: tuple[int, ...], values: tuple[int, ...], *, sure: bool = False
    ) -> Procedure[Meters]:
        """Look behind each value of one nibble; go by a better nibble as soon as that shows."""
        there: Meters = frozenset()
        several: dict[bytes, bool] = {}
        for value in values:
            child = _with(pattern, nibble, value)
            # who was nowhere else must be here
            alone = None if sure and value == values[-1] and not (there or several) else (yield from self._look(child))
            if alone is None:
                several[child] = bool(there or several) or not sure
            else:
                there |= alone
        rest = _without(nibbles, nibble)
        if len(several) == 1 and not there:
            rest = _from_the_back(rest)
        covered = False
        for place, child in enumerate(several):
            if not covered or self._count(self._known(child)) < _SEVERAL:
                there |= yield from self.branch(child, rest, sure=several[child])
            left = len(several) - place - 1
            if not covered and left > _SEVERAL and self._in_lots(self._known(pattern)):
                better = self._choice(pattern, nibbles)
                covered = better != nibble
                there |= (yield from self._opened(pattern, better, nibbles, _DECIMAL)) if covered else frozenset()
        return there | self._known(pattern)

    def _look(self, pattern: bytes) -> Procedure[Meters | None]:
        """Who answers to a pattern: nobody, one; None if several do."""
        if self._was_seen(pattern):
            return self._known(pattern)
        answer = yield from self._probe(pattern)
        if answer.heard is not Heard.SILENCE and answer.frame is None:
            return None
        self._seen.append(_fixed_nibbles(pattern))
        return frozenset() if answer.frame is None else (yield from self._report(answer.frame))

    def _choice(self, pattern: bytes, nibbles: tuple[int, ...]) -> int:
        """The first digit in which two known meters of this branch differ.

        Without two, the digit that tells the meters of a lot apart if there are lots, else the next of the order.
        """
        known = self._names(self._known(pattern))
        digits = sorted(nibbles, key=_FROM_THE_FRONT.index)
        for nibble in digits:
            if len({_nibble(name, nibble) for name in known}) > 1:
                return nibble
        if not self._in_lots(everybody := frozenset(range(len(self.found)))):
            return nibbles[0]
        lot = _largest_lot(self._names(everybody))
        telling = [nibble for nibble in digits if len({_nibble(name, nibble) for name in lot}) > 1]
        return min(telling, key=lambda nibble: _shared(lot, nibble), default=nibbles[0])

    def _names(self, there: Meters) -> list[bytes]:
        return [meter.secondary.to_wired() for place in there if (meter := self.found[place]).secondary]

    def _in_lots(self, there: Meters) -> bool:
        """Whether meters look numbered in a row: many begin alike. Otherwise another division gains nothing."""
        names = [_lot(name) for name in self._names(there)]
        return len(names) >= _TELLING and _ALIKE * len(set(names)) <= len(names)

    def _was_seen(self, pattern: bytes) -> bool:
        mask, value = _fixed_nibbles(pattern)
        return any(mask & fixed == fixed and value & fixed == seen for fixed, seen in self._seen)

    def _known(self, pattern: bytes) -> Meters:
        return frozenset(
            place
            for place, meter in enumerate(self.found)
            if meter.secondary is not None and matches(pattern, meter.secondary)
        )

    def _count(self, there: Meters) -> int:
        """How many meters these are at least: at a conflict there are two."""
        return sum(1 + self.found[place].conflict for place in there)

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

    def _last_try(self, pattern: bytes) -> Procedure[Meters]:
        """Nothing is left to tell apart: a disturbance goes away when repeated, meters of one address do not."""
        for _ in range(_RETRIES):
            answer = yield from self._probe(pattern)
            if answer.frame is not None:
                return (yield from self._report(answer.frame))
            if answer.heard is Heard.SILENCE:
                return frozenset()
        return (yield from self._take(Found(secondary=Address.from_wired(pattern), conflict=True)))

    def _report(self, frame: LongFrame) -> Procedure[Meters]:
        return (yield from self._take(Found(primary=frame.address, secondary=address_in(frame))))

    def _take(self, meter: Found) -> Procedure[Meters]:
        if meter not in self.found:
            self.found.append(meter)
            yield meter
        return frozenset((self.found.index(meter),))


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
