"""Calls from the field side: a wake-up datagram that is genuine, and how a line that the concentrator opens begins.

Both are data-notifications in general-glo-ciphering under the keys of a party for the concentrator's own logical
device. A wake-up's body is a structure of the text ``wake`` and the time it was made; its invocation counter is new,
and it is no older than agreed. What the concentrator says first on a line is a push: who calls.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.base.obis import Obis
from meterway.nnap.site import Party, Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.tabled import CounterStore
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.notification import DataNotification

__all__ = ["check_wake", "greeting", "wake_datagram"]

_SETUP: Final = Obis(0, 0, 25, 9, 0)
_WORD: Final = "wake"
_CONTROL: Final = AUTHENTICATED | ENCRYPTED
_GLOBAL: Final = 0xDB
_AHEAD_S: Final = 60.0


def _context(keys: Keys, own: bytes, peer: bytes, sent: SendCounter, received: ReceivedCounter) -> SecurityContext:
    return SecurityContext(
        keys=keys, own_title=own, peer_title=peer, send_counter=sent, received=received, control=_CONTROL
    )


def _notification(body: axdr.Data, now: float, invoke: int) -> bytes:
    stamp = date_time(now).value
    octets = stamp if isinstance(stamp, bytes) else b""
    return DataNotification(invoke=invoke, date_time=octets, body=axdr.encode(body)).encode()


def wake_datagram(*, title: bytes, keys: Keys, counter: SendCounter, now: float) -> bytes:
    """What a head end with this system title sends to wake a concentrator."""
    body = axdr.structure(axdr.visible(_WORD), axdr.u32(int(now)))
    context = _context(keys, title, b"", counter, ReceivedCounter())
    return context.protect_general(_notification(body, now, 1))


def check_wake(
    datagram: bytes, site: Site, party: Party, counters: CounterStore[Party], *, now: float, valid_s: float
) -> None:
    """Return if the datagram is a genuine wake-up of this party; SecurityError or DecodeError if it is not."""
    envelope = decode_apdu(datagram)
    if not isinstance(envelope, GeneralCiphered) or envelope.tag != _GLOBAL or len(envelope.system_title) != 8:
        raise SecurityError("a wake-up is protected and names its sender", "policy")
    if envelope.system_title == site.title(0):
        # under the same keys: a greeting sent back would use up the counters of who may wake
        raise SecurityError("a wake-up in the concentrator's own name", "title")
    context = _context(
        site.keys(party, 0), site.title(0), envelope.system_title, SendCounter(), counters.receiving(party, 0)
    )
    notification = decode_apdu(context.open(envelope.protected))
    if not isinstance(notification, DataNotification):
        raise DecodeError("a wake-up is a data-notification", 0, "wake")
    body, _ = axdr.to_native(notification.body)
    match body:
        case [str(word), int(made)] if word == _WORD:
            if not now - valid_s <= made <= now + _AHEAD_S:
                raise SecurityError("the wake-up is too old, or of a time to come", "policy")
        case _:
            raise DecodeError("a wake-up says so, and when it was made", 0, "wake")


def greeting(site: Site, party: Party, counters: CounterStore[Party], *, now: float, invoke: int = 1) -> bytes:
    """The first APDU on a line that the concentrator opened: push setup, logical device name, no alarms."""
    name = site.flag.encode() + site.title(0)[3:]
    body = axdr.structure(axdr.octets(_SETUP.encode()), axdr.octets(name), axdr.u32(0))
    context = _context(site.keys(party, 0), site.title(0), b"", counters.sending(party, 0), ReceivedCounter())
    return context.protect_general(_notification(body, now, invoke))
