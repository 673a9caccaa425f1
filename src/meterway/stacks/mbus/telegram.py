"""Any M-Bus telegram, wired or radio, opened layer by layer down to its records.

``decode`` is the one door; the caller keeps what outlives a telegram (keys, formats, fragments) and passes it in.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import AFL_CI, Afl, Reassembly, decode_afl
from meterway.stacks.mbus.ci import meaning_of
from meterway.stacks.mbus.ell import ELL_CIS, Ell, decode_ell
from meterway.stacks.mbus.link.frames import Frame, LongFrame, decode_frame
from meterway.stacks.mbus.making import positional
from meterway.stacks.mbus.records.compact import Formats, decode_compact, decode_format
from meterway.stacks.mbus.records.fixed import FIXED_SIZE, decode_fixed
from meterway.stacks.mbus.records.head import head_at
from meterway.stacks.mbus.records.profiles import Stamped, expand
from meterway.stacks.mbus.records.read import BCD_FIELDS
from meterway.stacks.mbus.records.record import Record, Records, decode_records
from meterway.stacks.mbus.security import IDLE, MODES, NOT_DONE, Protection, open_payload
from meterway.stacks.mbus.tpl import Tpl, decode_tpl, status_words
from meterway.stacks.mbus.wireless.frames import RadioFrame, decode_radio, from_meter

__all__ = ["Dialect", "Dialects", "Keys", "Telegram", "decode", "sender_of"]

Keys = Sequence[bytes] | Callable[[Address], Sequence[bytes]]
Link = Literal["auto", "wired", "radio"]


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


_NO_RECORDS: Final = Records()
_UNPROTECTED: Final = Protection()
_NOBODY: Final = Address(manufacturer=0, ident="00000000", version=0, device_type=0)
_FIXED: Final = (0x73, 0x77)
_LAST_STORAGE: Final = 0xFFFF
_LAST_TARIFF: Final = 63
_LAST_SUBUNIT: Final = 15
_WITH_RECORDS: Final = frozenset(("data", "command"))
_PARTIAL_MODES: Final = frozenset((5, 7))
_BY_CHANCE: Final = ("2F2F",)
"""Checks that one in 65536 wrong keys passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """One telegram, opened.

    ``kind`` is what it carries (``data``, ``compact frame``, ``alarm``, ``manufacturer``, ``fragment``, ``link`` ...),
    ``device`` who sent it where it says so, ``payload`` the plain application octets, ``protection`` and
    ``link_protection`` how transport and extended link layer protected it.
    """

    frame: RadioFrame | Frame
    kind: str = "link"
    device: Address | None = None
    access: int | None = None
    status: int = 0
    ell: Ell | None = None
    afl: Afl | None = None
    tpl: Tpl | None = None
    payload: bytes = b""
    content: Records = field(default=_NO_RECORDS)
    protection: Protection = field(default=_UNPROTECTED)
    link_protection: Protection = field(default=_UNPROTECTED)
    quirks: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """The data records."""
        return self.content.records

    @property
    def profile_values(self) -> tuple[Stamped, ...]:
        """The values of compact profiles, with their times; DecodeError if one is malformed."""
        return expand(self.content.records)

    @property
    def status_words(self) -> tuple[str, ...]:
        """What the status octet of the meter complains of."""
        return status_words(self.status)


_telegram: Final = positional(Telegram)


class _Opener:
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


def decode(
    octets: bytes,
    *,
    keys: Keys = (),
    link: Link = "auto",
    formats: Formats | None = None,
    fragments: MutableMapping[Address, Reassembly] | None = None,
    allow_plain: bool = True,
    dialects: Dialects | None = None,
) -> Telegram:
    """Open one telegram, from its first octet (wired 68, 10, E5; radio: length) to its last.

    ``keys`` are tried one after the other, or asked for by meter. ``formats`` learns record formats and serves compact
    frames. ``fragments`` holds unfinished messages by sender; without it a fragment comes out as it is.
    ``allow_plain`` accepts payloads that are announced as encrypted but are plain (quirk ``already-decrypted``), as
    receivers and recordings with decryption of their own give them. ``dialects`` says how meters depart from the norm.

    Raises DecodeError if octets are malformed and SecurityError, with the name of the check, if a key is missing or
    wrong.
    """
    octets = bytes(octets)
    opener = _Opener(keys, formats, fragments, allow_plain=allow_plain, dialects=dialects)
    try:
        if link == "wired" or (link == "auto" and _looks_wired(octets)):
            return _wired(octets, opener)
        return _radio(octets, opener)
    except DecodeError as error:
        if opener.protection.checks != _BY_CHANCE:
            raise
        raise SecurityError(
            f"the decrypted records are malformed, the key may be wrong: {error.message}", "records"
        ) from None


def sender_of(octets: bytes, *, link: Link = "auto") -> Address | None:
    """Who sent a telegram, as far as that can be read without a key; None if the telegram does not say.

    DecodeError if the frame is malformed.
    """
    if link == "wired" or (link == "auto" and _looks_wired(octets)):
        frame = decode_frame(octets)
        if not isinstance(frame, LongFrame):
            return None
        return _fixed(frame).device if _is_fixed(frame) else _named(bytes((frame.ci,)) + frame.data)
    radio = decode_radio(octets)
    body, address = radio.body, radio.address
    while body and body[0] in ELL_CIS:
        ell, end = decode_ell(body, 0)
        address = ell.address or address
        body = b"" if ell.encrypted else body[end + 2 * ell.has_payload_check :]
    return _named(body) or address


def _named(body: bytes) -> Address | None:
    """The meter in a long transport header, which may stand behind an authentication layer."""
    if body[:1] == bytes((AFL_CI,)):
        body = body[decode_afl(body, 0)[1] :]
    meaning = meaning_of(body[0]) if body else None
    return Address.from_wired(body[1:9]) if meaning is not None and meaning.header == "long" else None


def _looks_wired(octets: bytes) -> bool:
    if len(octets) > 5 and octets[0] == 0x68:
        return octets[3] == 0x68 and octets[1] == octets[2]
    return octets == b"\xe5" or (len(octets) == 5 and octets[0] == 0x10)


def _wired(octets: bytes, opener: _Opener) -> Telegram:
    frame = decode_frame(octets)
    if not isinstance(frame, LongFrame):
        return Telegram(frame=frame)
    opener.from_meter = not frame.control & 0x40
    if _is_fixed(frame):
        return _fixed(frame)
    body = bytes((frame.ci,)) + frame.data
    nobody = _NOBODY
    if frame.ci == AFL_CI:
        rest = opener.fragment(body, nobody)
        if rest is None:
            return Telegram(frame=frame, kind="fragment", afl=opener.afl, payload=body)
        body = rest
    return _application(frame, body, nobody, opener, wired=True)


def _is_fixed(frame: LongFrame) -> bool:
    """Whether CI 73 or 77 means two counters, as on the wire, and no compact frame."""
    return frame.ci in _FIXED and len(frame.data) == FIXED_SIZE


def _fixed(frame: LongFrame) -> Telegram:
    data = decode_fixed(frame.data, high_first=frame.ci == 0x77)
    return Telegram(
        frame=frame,
        kind="fixed data",
        device=Address(manufacturer=0, ident=data.ident, version=0, device_type=data.device_type),
        access=data.access,
        payload=frame.data,
        content=Records(records=data.records),
    )


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


def _radio(octets: bytes, opener: _Opener) -> Telegram:
    frame = decode_radio(octets)
    if "trailing-octets" not in frame.quirks:
        return _radio_frame(frame, opener)
    try:
        return _radio_frame(frame, opener)
    except DecodeError as error:
        if error.kind != "truncated":
            raise
        opener.quirks.clear()
        return _radio_frame(decode_radio(octets, trust_length=False), opener)


def _radio_frame(frame: RadioFrame, opener: _Opener) -> Telegram:
    opener.quirks += frame.quirks
    opener.from_meter = from_meter(frame.control)
    body = opener.extended(frame.body, frame.address)
    sender = opener.ell.address if opener.ell is not None and opener.ell.address is not None else frame.address
    if body and body[0] == AFL_CI:
        rest = opener.fragment(body, sender)
        if rest is None:
            return Telegram(frame=frame, kind="fragment", device=sender, ell=opener.ell, afl=opener.afl, payload=body)
        body = rest
    if not body:
        access = opener.ell.access if opener.ell is not None else None
        return Telegram(frame=frame, device=sender, access=access, ell=opener.ell, quirks=tuple(opener.quirks))
    return _application(frame, body, sender, opener, wired=False)


def _without_fillers(tpl: Tpl, payload: bytes) -> bytes:
    """What was sent, without what AES-CBC puts before and behind it."""
    if tpl.header != "none" and tpl.mode in _PARTIAL_MODES and payload.startswith(IDLE):
        return payload[len(IDLE) :].rstrip(IDLE[:1])
    return payload


def _application(
    frame: RadioFrame | LongFrame, body: bytes, sender: Address, opener: _Opener, *, wired: bool
) -> Telegram:
    tpl, end = decode_tpl(body, 0)
    meaning = meaning_of(tpl.ci)
    kind = meaning.kind if meaning is not None else "reserved"
    if opener.dialects is not None:
        opener.dialect = opener.dialects(tpl.address or sender, tpl.ci)
    payload = body[end:]
    if tpl.header != "none":
        payload = opener.unprotected(tpl, payload, sender, wired=wired)
    try:
        content = opener.records(kind, payload, wired=wired)
    except DecodeError as error:
        raise DecodeError(error.message, error.offset + end, error.kind) from None
    if kind not in _WITH_RECORDS:
        payload = _without_fillers(tpl, payload)
    if opener.protection.checks == _BY_CHANCE and content.records:
        opener.doubt(content.records)
    access = tpl.access if tpl.header != "none" else (opener.ell.access if opener.ell is not None else None)
    return _telegram(
        frame,
        kind,
        tpl.address or (None if wired else sender),
        access,
        tpl.status,
        opener.ell,
        opener.afl,
        tpl,
        payload,
        content,
        opener.protection,
        opener.link_protection,
        tuple(opener.quirks),
    )
