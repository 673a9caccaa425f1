"""The header of a record: data information block and value information block, parsed once and kept.

A head is the same for every telegram of a meter type, so it is cached by its octets; what is left to do for a record
is to look it up and to read the value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records import tables
from meterway.stacks.mbus.records.read import Read, Value, reader
from meterway.stacks.mbus.records.tables import Combinable, Meaning
from meterway.stacks.mbus.records.values import SIZES

__all__ = ["FUNCTIONS", "KNOWN", "Head", "head_at", "make_head"]

FUNCTIONS: Final = ("instantaneous", "maximum", "minimum", "error")

_CACHE_LIMIT: Final = 8192

Entry = tuple["Head", Read, int, int]
"""A head, its reader, the octets of its data field and those of the head: what is needed for each record."""

KNOWN: Final[dict[bytes, Entry]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a record before its data.

    The value in ``unit`` is the integer or real of the data field x ``num`` / ``den`` + ``offset``.
    ``notes`` are the combinable VIFEs in words, ``summary`` the quantity with them; ``vif`` is the value information
    block in hex; ``size`` the octets of data (-1: variable). ``kind`` as in ``tables.Meaning``, and ``profile``.
    ``problem`` says why no value is to be had. ``read`` makes the value of the octets of the data field (with the LVAR
    octet in front where there is one).
    """

    octets: bytes
    data_field: int
    size: int
    function: str
    storage: int
    tariff: int
    subunit: int
    vif: str
    quantity: str
    summary: str
    unit: str
    num: int
    den: int
    offset: float
    kind: str
    notes: tuple[str, ...]
    problem: str
    read: Read = field(compare=False, repr=False)


def _block_end(data: bytes, start: int, limit: int, what: str) -> int:
    """The offset after a chain of extension octets that begins at ``start`` (DIFEs or VIFEs, at most ten)."""
    end = start + 1
    while data[end - 1] & 0x80:
        end += 1
        if end - start > 11:
            raise DecodeError(f"more than ten {what}", start, "chain")
        if end > limit:
            raise DecodeError(f"the {what} are cut off", limit, "truncated")
    return end


def head_at(data: bytes, start: int, limit: int) -> Entry:
    """The head that begins at ``start``, kept in ``KNOWN``; DecodeError if the octets before ``limit`` are none."""
    if start >= limit:
        raise DecodeError("a record is missing", start, "truncated")
    middle = _block_end(data, start, limit, "DIFEs")
    if middle >= limit:
        raise DecodeError("the value information is cut off", limit, "truncated")
    end = _vib_end(data, middle, limit)
    octets = bytes(data[start:end])
    entry = KNOWN.get(octets)
    if entry is None:
        head = _parse(octets, middle - start, start)
        if len(KNOWN) >= _CACHE_LIMIT:
            KNOWN.clear()
        entry = KNOWN[octets] = (head, head.read, head.size, len(octets))
    return entry


def _vib_end(data: bytes, middle: int, limit: int) -> int:
    if data[middle] & 0x7F != 0x7C:
        return _block_end(data, middle, limit, "VIFEs")
    if middle + 1 >= limit:
        raise DecodeError("the plain-text unit is cut off", limit, "truncated")
    end = middle + 2 + data[middle + 1]
    if end > limit or (data[middle] & 0x80 and end >= limit):
        raise DecodeError("the plain-text unit is cut off", limit, "truncated")
    return _block_end(data, end, limit, "VIFEs") if data[middle] & 0x80 else end


def make_head(
    data_field: int, vib: bytes, *, storage: int = 0, tariff: int = 0, subunit: int = 0, function: str = "instantaneous"
) -> Head:
    """The head with these numbers, its DIB built as short as it can be; DecodeError if ``vib`` is malformed."""
    dif = data_field | FUNCTIONS.index(function) << 4 | (storage & 1) << 6
    dib = [dif]
    storage >>= 1
    while storage or tariff or subunit:
        dib[-1] |= 0x80
        dib.append(storage & 15 | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    octets = bytes(dib) + vib
    head = head_at(octets, 0, len(octets))[0]
    if head.octets != octets:
        raise DecodeError("the value information block has octets left over", len(head.octets), "trailing")
    return head


def _parse(octets: bytes, middle: int, place: int) -> Head:
    dif = octets[0]
    data_field = dif & 15
    if data_field == 15:
        raise DecodeError(f"DIF 0x{dif:02X} is reserved", place, "dif")
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    for step, dife in enumerate(octets[1:middle]):
        storage |= (dife & 15) << (1 + 4 * step)
        tariff |= (dife >> 4 & 3) << 2 * step
        subunit |= (dife >> 6 & 1) << step
    draft = _Draft(octets[middle:])
    return Head(
        octets=octets,
        data_field=data_field,
        size=SIZES[data_field],
        function=FUNCTIONS[dif >> 4 & 3],
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        vif=octets[middle:].hex().upper(),
        quantity=draft.meaning.quantity,
        summary=", ".join((draft.meaning.quantity, *draft.notes)),
        unit=draft.unit,
        num=draft.num,
        den=draft.den,
        offset=draft.offset,
        kind=draft.kind,
        notes=tuple(draft.notes),
        problem=draft.problem,
        read=_nothing if draft.problem else reader(data_field, draft.kind, draft.num, draft.den, draft.offset),
    )


def _nothing(data: bytes) -> Value:
    return None


class _Draft:
    """A value information block while it is being read."""

    def __init__(self, vib: bytes) -> None:
        self.notes: list[str] = []
        self.problem = ""
        self.offset = 0.0
        self.meaning, chain = self._meaning(vib)
        self.unit, self.num, self.den, self.kind = self.meaning[1:]
        maker = self.kind == "maker"
        for position, code in enumerate(chain):
            if maker:
                self.notes.append(f"manufacturer {chain[position:].hex().upper()}")
                break
            if code == 0x7F:
                maker = True
            elif code == 0x7C:
                self._apply(tables.COMBINABLE_2, code, chain[position + 1 : position + 2])
            elif not (position and chain[position - 1] == 0x7C):
                self._apply(tables.COMBINABLE, code, bytes((code,)))

    def _meaning(self, vib: bytes) -> tuple[Meaning, bytes]:
        """The meaning of the VIF (extension tables followed) and the VIFEs that are left, without extension bits."""
        first = vib[0] & 0x7F
        if first == 0x7C:
            end = 2 + vib[1]
            text = vib[2:end][::-1].decode("latin-1")
            return Meaning("plain text", text), _bare(vib[end:])
        chain = _bare(vib)
        if first == 0x7B and len(chain) > 1:
            return self._row(tables.FB, chain[1]), chain[2:]
        if first == 0x7D and len(chain) > 1:
            if chain[1] == 0x7D and len(chain) > 2:
                return self._row(tables.FD_2, chain[2]), chain[3:]
            return self._row(tables.FD, chain[1]), chain[2:]
        return self._row(tables.PRIMARY, first), chain[1:]

    def _row(self, table: dict[int, Meaning], code: int) -> Meaning:
        meaning = table.get(code)
        if meaning is None:
            self.problem = "the value information is reserved"
            return Meaning("reserved")
        return meaning

    def _apply(self, table: dict[int, Combinable], code: int, octets: bytes) -> None:
        row = table.get(octets[0]) if octets else None
        if row is None:
            self.notes.append(f"VIFE {code:02X}{octets.hex().upper() if code == 0x7C else ''}")
            if code != 0x7C:
                self.problem = self.problem or f"VIFE 0x{code:02X} is reserved"
            return
        effect, argument = row.effect, row.argument
        self.notes.append(row.text)
        if effect == "unit":
            self.unit += argument
        elif effect == "scale":
            self._scale(int(argument))
        elif effect == "offset":
            self.offset += 10.0 ** int(argument)
        elif effect in ("duration", "count"):
            self.unit, self.num, self.den, self.kind = argument, 1, 1, "number"
        elif effect == "time":
            self.unit, self.num, self.den, self.kind = "", 1, 1, "time"
        elif effect == "profile":
            self.kind = "profile"
        elif effect == "error":
            self.problem = self.problem or row.text

    def _scale(self, exponent: int) -> None:
        if exponent >= 0:
            self.num *= 10**exponent
        else:
            self.den *= 10**-exponent


def _bare(vib: bytes) -> bytes:
    return bytes(code & 0x7F for code in vib)
