"""One M-Bus telegram while it is opened: keys tried, layers taken off, records read; what departs from the norm."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl, Reassembly, decode_afl
from meterway.stacks.mbus.ell import ELL_CIS, Ell, decode_ell
from meterway.stacks.mbus.records.compact import Formats, decode_compact, decode_format
from meterway.stacks.mbus.records.head import head_at
from meterway.stacks.mbus.records.read import BCD_FIELDS
from meterway.stacks.mbus.records.record import Record, Records, decode_records
from meterway.stacks.mbus.security import IDLE, MODES, NOT_DONE, Protection, open_payload
from meterway.stacks.mbus.tpl import Tpl

__all__ = ["BY_CHANCE", "Dialect", "Dialects", "Keys", "Opener"]

Keys = Sequence[bytes] | Callable[[Address], Sequence[bytes]]

_NO_RECORDS: Final = Records()
_UNPROTECTED: Final = Protection()
_LAST_STORAGE: Final = 0xFFFF
_LAST_TARIFF: Final = 63
_LAST_SUBUNIT: Final = 15
_WITH_RECORDS: Final = frozenset(("data", "command"))
_PARTIAL_MODES: Final = frozenset((5, 7))
BY_CHANCE: Final = ("2F2F",)
"""Checks that one in 65536 wrong keys passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a meter departs from the norm where that must be known before its payload can be read.

    ``opaque``: the payload holds no records. ``plain_modes``: security modes of the manufacturer under which the
    payload is given as it is. ``begins``: the two octets its decrypted payload begins with in the place of 2F2F.
    """

    opaque: bool = False
    plain_modes: frozenset[int] = frozenset()
    begins: frozenset[bytes] = frozenset()


Dialects = Callable[[Address, int], Dialect | None]
"""The dialect of a meter for a CI field, or None."""


class Opener:
    """One telegram while it is being opened."""

    def __init__(
        self,
        keys: Keys,
        formats: Formats | None,
        fragments: MutableMapping[Address, Reassembly] | None,
        *,
        allow_plain: bool,
        dialects: Dialects | None = None,
    ) -> None:
        self.keys = keys
        self.dialects = dialects
        self.dialect: Dialect | None = None
        self.formats = formats
        self.fragments = fragments
        self.allow_plain = allow_plain
        self.quirks: list[str] = []
        self.protection = self.link_protection = _UNPROTECTED
        self.ell: Ell | None = None
        self.afl: Afl | None = None
        self.from_meter = True

    def keys_of(self, address: Address) -> Sequence[bytes]:
        """The keys to try for a meter."""
        return self.keys(address) if callable(self.keys) else self.keys

    # the layers, from the outside in

    def extended(self, body: bytes, sender: Address) -> bytes:
        """Open extended link layers; what follows them is given back."""
        while body and body[0] in ELL_CIS:
            ell, end = decode_ell(body, 0)
            self.ell = ell
            body = body[end:]
            if ell.has_payload_check:
                body = self._ell_payload(ell, body, sender)
        return body

    def _ell_payload(self, ell: Ell, body: bytes, sender: Address) -> bytes:
        if not ell.encrypted:
            if ell.session is not None and ell.session >> 29:
                raise SecurityError(f"encryption {ell.session >> 29} of the extended link layer is not known", "mode")
            return ell.open(body, None, sender)
        keys = self.keys_of(ell.address or sender)
        for key in keys:
            try:
                plain = ell.open(body, key, sender)
            except SecurityError as error:
                refusal = error
                continue
            self.link_protection = Protection(mode=1, state="decrypted", checks=("ell-crc",))
            return plain
        if self.allow_plain:
            try:
                plain = ell.open(body, None, sender)
            except SecurityError:
                pass
            else:
                self.quirks.append("already-decrypted")
                self.link_protection = Protection(mode=1, state="already-decrypted")
                return plain
        if keys:
            raise refusal
        who = ell.address or sender
        raise SecurityError(f"the extended link layer is encrypted and no key for {who} is known", "key")

    def fragment(self, body: bytes, sender: Address) -> bytes | None:
        """Open the authentication and fragmentation layer; None if more fragments must come first."""
        waiting = self.fragments.get(sender) if self.fragments is not None else None
        afl, end = decode_afl(body, 0, waiting.header if waiting is not None else None)
        self.afl = afl
        rest = body[end:]
        if not afl.more_fragments and afl.fragment_id <= 1 and waiting is None:
            return rest
        if self.fragments is None:
            return None
        if waiting is None:
            waiting = self.fragments[sender] = Reassembly()
        whole = waiting.add(afl, rest)
        if whole is None:
            return None
        del self.fragments[sender]
        self.afl, message = whole
        return message

    def unprotected(self, tpl: Tpl, body: bytes, sender: Address, *, wired: bool) -> bytes:
        """The plain payload under a transport header."""
        mode = tpl.mode
        afl = self.afl
        if mode == 0 and (afl is None or not afl.mac):
            return body
        if mode not in MODES or mode == 1:
            return self._foreign(mode, body, wired=wired)
        begins = self._begins()
        if mode in _PARTIAL_MODES and not tpl.blocks and (afl is None or not afl.mac):
            return body
        keys = self.keys_of(tpl.address or sender)
        refusal: SecurityError | None = None
        for key in keys:
            try:
                plain, self.protection = open_payload(
                    tpl, body, key, sender=sender, afl=afl, from_meter=self.from_meter, begins=begins
                )
            except SecurityError as error:
                refusal = refusal or error
            else:
                return self._usual_beginning(plain, begins)
        if self.allow_plain and self._is_plain(mode, body):
            return body
        if refusal is not None:
            raise refusal
        if mode in NOT_DONE:
            raise SecurityError(f"security mode {mode} ({MODES[mode]}) is not done here", "mode")
        who = tpl.address or sender
        raise SecurityError(f"the telegram is protected in mode {mode} and no key for {who} is known", "key")

    def _begins(self) -> tuple[bytes, ...]:
        return (IDLE,) if self.dialect is None else (IDLE, *self.dialect.begins)

    def _usual_beginning(self, plain: bytes, begins: tuple[bytes, ...]) -> bytes:
        """The payload with fillers where the meter sends octets of its own in their place."""
        if plain[:2] == IDLE or plain[:2] not in begins or self.protection.mode not in _PARTIAL_MODES:
            return plain
        self.quirks.append(f"begins-with-{plain[:2].hex().upper()}")
        return IDLE + plain[2:]

    def _foreign(self, mode: int, body: bytes, *, wired: bool) -> bytes:
        if self.dialect is not None and mode in self.dialect.plain_modes:
            self.quirks.append("manufacturer-security-mode")
        elif wired:
            self.quirks.append("pseudo-security-mode")
        elif self.allow_plain and body[:2] == IDLE:
            self._note_plain(mode)
        else:
            raise SecurityError(f"security mode {mode} belongs to the manufacturer", "mode")
        return body

    def _is_plain(self, mode: int, body: bytes) -> bool:
        if mode and body[:2] != IDLE:
            return False
        if mode:
            self._note_plain(mode)
        else:
            self.protection = Protection(state="unchecked")
        return True

    def _note_plain(self, mode: int) -> None:
        self.quirks.append("already-decrypted")
        self.protection = Protection(mode=mode, state="already-decrypted")

    def records(self, kind: str, payload: bytes, *, wired: bool) -> Records:
        """The records of an application layer; empty for one without."""
        if self.dialect is not None and self.dialect.opaque:
            return _NO_RECORDS
        if kind in _WITH_RECORDS:
            content = self._data(payload, wired=wired)
            if self.formats is not None and kind == "data":
                self.formats.learn(content)
            return content
        if kind == "compact frame":
            return decode_compact(payload, self.formats or Formats())
        if kind == "format frame":
            heads = decode_format(payload)
            if self.formats is not None:
                self.formats.add(heads)
        return _NO_RECORDS

    def doubt(self, records: tuple[Record, ...]) -> None:
        """Look at records under a check that one in 65536 wrong keys passes: random octets make unlikely ones.

        SecurityError(records) if most are unlikely, a quirk if some are.
        """
        unlikely = sum(_is_unlikely(record) for record in records)
        if 2 * unlikely > len(records):
            raise SecurityError("most of the decrypted records make no sense: the key may be wrong", "records")
        if unlikely:
            self.quirks.append("unlikely-records")

    def _data(self, payload: bytes, *, wired: bool) -> Records:
        """The records; on radio two octets may be left that form no record, as receivers leave a check sum in."""
        try:
            return decode_records(payload)
        except DecodeError as error:
            if wired or error.kind != "truncated" or not _cut_head(payload[-2:]):
                raise
            refusal = error
        try:
            content = decode_records(payload, 0, len(payload) - 2)
        except DecodeError:
            raise refusal from None
        self.quirks.append("two-octets-left")
        return content


def _is_unlikely(record: Record) -> bool:
    """Whether a record is one that meters hardly send: reserved codes, odd digits, storage numbers without end."""
    head = record.head
    if head.problem or head.storage > _LAST_STORAGE or head.tariff > _LAST_TARIFF or head.subunit > _LAST_SUBUNIT:
        return True
    return record.value is None and head.data_field in BCD_FIELDS and set(record.data) != {0xFF}


def _cut_head(octets: bytes) -> bool:
    """Whether these octets are no header of a record."""
    try:
        head_at(octets, 0, len(octets))
    except DecodeError:
        return True
    return False
