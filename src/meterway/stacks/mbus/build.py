"""Telegrams to send: records put under headers, protected, and framed. The inverse of ``telegram.decode``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.afl import Afl, fragment
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.link.frames import RSP_UD, LongFrame
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.security import seal_payload
from meterway.stacks.mbus.tpl import EXTENSIONS, Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio

__all__ = ["Wrapping", "radio_telegrams", "transport", "wired_telegram"]

_KEY_DERIVATION: Final = 0x10
_CCM_FORM: Final = 0x01
_MAC_8_WITH_COUNTER: Final = 0x25
_WITH_LENGTH: Final = 0x40
_ROOM: Final = 255 - 9
_CHECKED_ROOM: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """How messages of one sender are wrapped.

    ``mode`` is the security mode (0, 5, 7, 8, 9, 10) under ``key``; modes 7 to 10 derive keys from ``counter``, the
    message counter that must rise with every message. ``long`` puts ``sender`` into the transport header, ``ell`` is
    the extended link layer of radio. ``from_meter`` false derives the keys of the other direction.
    """

    sender: Address
    mode: int = 0
    key: bytes = field(default=bytes(16), repr=False)
    counter: int | None = None
    status: int = 0
    long: bool = False
    ell: Ell | None = None
    from_meter: bool = True


def transport(
    wrapping: Wrapping, payload: bytes, *, access: int, ci: int | None = None, length: int | None = None
) -> tuple[Afl | None, bytes]:
    """The authentication layer (if the mode has one) and the transport layer with its protected payload.

    ``ci`` is that of meter data unless given; ``length`` is that of the message where it goes in fragments and is to
    be authenticated. LocalProtocolError if the mode needs a message counter and has none.
    """
    mode, counter = wrapping.mode, wrapping.counter
    sizes = EXTENSIONS.get(mode, (0, 0))
    if sizes[0] and counter is None:
        raise LocalProtocolError(f"security mode {mode} wants a message counter")
    tpl = Tpl(
        ci=ci if ci is not None else 0x72 if wrapping.long else 0x7A,
        header="long" if wrapping.long else "short",
        address=wrapping.sender if wrapping.long else None,
        access=access & 0xFF,
        status=wrapping.status,
        config=mode << 8 | (0xFF if mode == 10 else 0),
        extension=bytes((_KEY_DERIVATION, _CCM_FORM))[: sizes[0]],
        counter=counter if sizes[1] else None,
    )
    afl = None
    if mode in (7, 8):
        control = _MAC_8_WITH_COUNTER | (_WITH_LENGTH if length is not None else 0)
        afl = Afl(message_control=control, counter=counter, message_length=length)
    sealed = seal_payload(tpl, payload, wrapping.key, sender=wrapping.sender, afl=afl, from_meter=wrapping.from_meter)
    return sealed.afl, sealed.tpl.encode() + sealed.body


def radio_telegrams(
    wrapping: Wrapping, payload: bytes | Iterable[Record], *, access: int, control: int = 0x44, coding: str = "bare"
) -> list[bytes]:
    """The frames of one message: one, or as many fragments as it takes (modes with an authentication layer only).

    ``payload`` is application data or the records of it. LocalProtocolError if it does not fit.
    """
    octets = payload if isinstance(payload, bytes) else b"".join(record.encode() for record in payload)
    afl, message = transport(wrapping, octets, access=access)
    room = _ROOM - (len(wrapping.ell.encode()) + 2 if wrapping.ell is not None else 0)
    room -= _CHECKED_ROOM if coding == "B" else 0
    if afl is not None and len(afl.encode()) + len(message) > room:
        afl, message = transport(wrapping, octets, access=access, length=len(message))
    parts = [message] if afl is None else fragment(afl, message, room)
    return [encode_radio(control, wrapping.sender, _extended(wrapping, part), coding) for part in parts]


def _extended(wrapping: Wrapping, part: bytes) -> bytes:
    ell = wrapping.ell
    if ell is None:
        return part
    if ell.has_payload_check:
        return ell.encode() + ell.seal(part, wrapping.key, wrapping.sender)
    return ell.encode() + part


def wired_telegram(wrapping: Wrapping, payload: bytes | Iterable[Record], *, primary: int, access: int) -> bytes:
    """An answer on the wired bus; it always has the long header. LocalProtocolError if it does not fit one frame."""
    if not wrapping.long:
        raise LocalProtocolError("an answer on the wired bus has the long header")
    octets = payload if isinstance(payload, bytes) else b"".join(record.encode() for record in payload)
    afl, message = transport(wrapping, octets, access=access)
    whole = message if afl is None else afl.encode() + message
    return LongFrame(control=RSP_UD, address=primary, ci=whole[0], data=whole[1:]).encode()
