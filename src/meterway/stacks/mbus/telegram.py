"""Any M-Bus telegram, wired or radio, opened layer by layer down to its records.

``decode`` is the one door; the caller keeps what outlives a telegram (keys, formats, fragments) and passes it in.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Final, Literal

from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import AFL_CI, Afl, Reassembly, decode_afl
from meterway.stacks.mbus.ci import meaning_of
from meterway.stacks.mbus.ell import ELL_CIS, Ell, decode_ell
from meterway.stacks.mbus.link.frames import Frame, LongFrame, decode_frame
from meterway.stacks.mbus.making import positional
from meterway.stacks.mbus.opening import BY_CHANCE, Dialects, Keys, Opener
from meterway.stacks.mbus.records.compact import Formats
from meterway.stacks.mbus.records.fixed import FIXED_SIZE, decode_fixed
from meterway.stacks.mbus.records.profiles import Stamped, expand
from meterway.stacks.mbus.records.record import Record, Records
from meterway.stacks.mbus.security import IDLE, Protection
from meterway.stacks.mbus.tpl import Tpl, decode_tpl, status_words
from meterway.stacks.mbus.wireless.frames import RadioFrame, decode_radio, from_meter

__all__ = ["Telegram", "decode", "sender_of"]

Link = Literal["auto", "wired", "radio"]

_NO_RECORDS: Final = Records()
_UNPROTECTED: Final = Protection()
_NOBODY: Final = Address(manufacturer=0, ident="00000000", version=0, device_type=0)
_FIXED: Final = (0x73, 0x77)
_WITH_RECORDS: Final = frozenset(("data", "command"))
_PARTIAL_MODES: Final = frozenset((5, 7))


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
    opener = Opener(keys, formats, fragments, allow_plain=allow_plain, dialects=dialects)
    try:
        if link == "wired" or (link == "auto" and _looks_wired(octets)):
            return _wired(octets, opener)
        return _radio(octets, opener)
    except DecodeError as error:
        if opener.protection.checks != BY_CHANCE:
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


def _wired(octets: bytes, opener: Opener) -> Telegram:
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


def _radio(octets: bytes, opener: Opener) -> Telegram:
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


def _radio_frame(frame: RadioFrame, opener: Opener) -> Telegram:
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
    frame: RadioFrame | LongFrame, body: bytes, sender: Address, opener: Opener, *, wired: bool
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
    if opener.protection.checks == BY_CHANCE and content.records:
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
