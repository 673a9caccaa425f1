"""Telegrams that were whole, altered: what may still come out of them.

Under a MAC, a tag or a check sum an altered telegram gives what the whole one gave, or is refused. Without protection
every number must lead back to the octets it was read from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError, MeterwayError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.build import Wrapping, radio_telegrams, wired_telegram
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.records.read import write
from meterway.stacks.mbus.records.record import Record, decode_records
from meterway.stacks.mbus.telegram import Telegram, decode

__all__ = ["KEY", "ORIGINALS", "PLAIN", "alter", "check_numbers", "check_telegram"]

KEY: Final = bytes(range(16))
_METER: Final = Address.parse("KAM-12345678-01-07")
_RECORDS: Final = bytes.fromhex("0413393000000C06785634120265100D426CBF2C4413E8030000055B0000C041 02FD170000")
_EXACT: Final = 1 << 50
PLAIN: Final = "plain, without a check"


def _radio(mode: int, coding: str, *, ell: bool = False) -> bytes:
    session = Ell(ci=0x8D, control=0x20, access=5, session=1 << 29 | 77) if ell else None
    wrapping = Wrapping(sender=_METER, mode=mode, key=KEY, counter=9, ell=session)
    return radio_telegrams(wrapping, _RECORDS, access=5, coding=coding)[0]


def _wired(mode: int) -> bytes:
    wrapping = Wrapping(sender=_METER, mode=mode, key=KEY, counter=9, long=True)
    return wired_telegram(wrapping, _RECORDS, primary=1, access=5)


ORIGINALS: Final[tuple[tuple[str, bytes], ...]] = (
    *((f"mode {mode} {coding}", _radio(mode, coding)) for mode in (7, 8, 9, 10) for coding in ("bare", "A", "B")),
    *((f"wired mode {mode}", _wired(mode)) for mode in (7, 8, 9, 10)),
    ("link encryption", _radio(0, "bare", ell=True)),
    ("plain A", _radio(0, "A")),
    ("wired plain", _wired(0)),
    (PLAIN, _radio(0, "bare")),
)
_TOLD: Final = decode_records(_RECORDS).records


def alter(octets: bytes, recipe: bytes) -> bytes:
    """Change octets as the recipe says: two octets a change, its place and what is added there (modulo 256)."""
    out = bytearray(octets)
    for place, change in zip(recipe[::2], recipe[1::2], strict=False):
        out[place % len(out)] = out[place % len(out)] + change & 0xFF
    return bytes(out)


def _opened(octets: bytes) -> Telegram | None:
    try:
        return decode(octets, keys=[KEY], allow_plain=False)
    except MeterwayError:
        return None


def check_telegram(name: str, octets: bytes, changes: int) -> str:
    """What became of an altered telegram: ``refused``, ``same``, ``unprotected``; AssertionError if it tells a lie.

    ``changes`` is how many octets were altered: a single one no check sum lets pass.
    """
    telegram = _opened(octets)
    if telegram is None:
        return "refused"
    for record in telegram.records:
        check_numbers(record)
    proven = telegram.protection.state == "verified" or (changes == 1 and name != PLAIN)
    if proven and telegram.records not in ((), _TOLD):
        raise AssertionError(f"{name}: other records under a check that passed: {octets.hex()}")
    return "same" if proven else "unprotected"


def check_numbers(record: Record) -> None:
    """AssertionError unless a number leads back to its octets: written in the same field it gives them again."""
    value, head = record.value, record.head
    if isinstance(value, bool) or not isinstance(value, (int, float)) or head.data_field in (5, 13):
        return
    if abs(value) * head.den / head.num >= _EXACT or head.offset:
        return
    octets = write(value, head.data_field, head.kind, head.num, head.den, head.offset)
    if octets != record.data and not _is_minus_zero(record):
        raise AssertionError(f"{value} {head.unit} is not what {record.data.hex()} holds")


def _is_minus_zero(record: Record) -> bool:
    """Digits F000: a sign before nothing."""
    return record.value == 0 and record.data[-1] >> 4 == 15


def one_input(octets: bytes, choose: Callable[[int], int] = lambda number: number) -> str:
    """The first octet chooses the telegram, the others alter it; or, at FF, they are records as they are."""
    if not octets:
        return "nothing"
    if octets[0] == 0xFF:
        try:
            content = decode_records(octets[1:])
        except DecodeError:
            return "refused"
        for record in content.records:
            check_numbers(record)
        return "unprotected"
    name, whole = ORIGINALS[choose(octets[0]) % len(ORIGINALS)]
    return check_telegram(name, alter(whole, octets[1:]), len(octets) // 2)
