"""The receiving side of a broadcast: a pre-established association, protected by a key that a group of devices shares.

Nothing is opened and nothing is answered. A request comes in general-glo-ciphering (it names the sender's system title)
with bit 6 of the security control set: the global broadcast encryption key (suite 0, authenticated and encrypted).
The counter is one for the key, whoever sends, so that no message ever counts twice; the last one once more is a
repetition against loss and no offence. Only SET and ACTION whole in one APDU make sense. IEC 62056-5-3 as far as known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.context import AUTHENTICATED, BROADCAST, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server.host import LogicalDevice
from meterway.stacks.dlms.server.services import Services
from meterway.stacks.dlms.xdlms.action import ActionRequestNormal
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.dlms.xdlms.set import SetRequestNormal

__all__ = ["BroadcastDevice", "BroadcastKeys", "BroadcastServer"]

_CONTROL: Final = AUTHENTICATED | ENCRYPTED | BROADCAST
_ROOM: Final = 0xFFFF
_GENERAL_GLO: Final = 0xDB
_TITLE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastKeys:
    """What opens the broadcasts of one pre-established association."""

    keys: Keys
    cipher: Gcm12
    received: ReceivedCounter


class BroadcastDevice(LogicalDevice, Protocol):
    """A logical device that takes broadcasts; access rights of ``client`` are its own to check."""

    def broadcast(self, client: int) -> BroadcastKeys | None:
        """The keys of a pre-established association, or None where there is none."""


class BroadcastServer:
    """Takes what comes by broadcast for the logical devices of a node."""

    __slots__ = ("_device_of",)

    def __init__(self, device_of: Callable[[int], BroadcastDevice | None]) -> None:
        self._device_of = device_of

    def take(self, apdu: bytes, *, client: int, server: int, now: float) -> bool:
        """Do what a broadcast says; False (and a notice to the device where it is an offence) if nothing was done."""
        device = self._device_of(server)
        keys = None if device is None else device.broadcast(client)
        if device is None or keys is None:
            return False
        try:
            request = decode_apdu(self._opened(device, keys, apdu))
        except DecodeError:
            device.noticed(client, "decode", now)
            return False
        except SecurityError as error:
            if error.check != "counter" or not _is_last(apdu, keys.received):
                device.noticed(client, error.check, now)
            return False
        if not isinstance(request, SetRequestNormal | ActionRequestNormal):
            return False
        Services(device, client, _ROOM).answer(request, now)
        return True

    @staticmethod
    def _opened(device: BroadcastDevice, keys: BroadcastKeys, apdu: bytes) -> bytes:
        envelope = decode_apdu(apdu)
        if not isinstance(envelope, GeneralCiphered) or envelope.tag != _GENERAL_GLO:
            raise SecurityError("a broadcast is protected by general-glo-ciphering", "policy")
        if len(envelope.system_title) != _TITLE or not envelope.protected or not envelope.protected[0] & BROADCAST:
            raise SecurityError("a broadcast names its sender and the broadcast key", "policy")
        security = SecurityContext(
            keys=keys.keys,
            cipher=keys.cipher,
            own_title=device.system_title,
            peer_title=envelope.system_title,
            send_counter=SendCounter(),
            received=keys.received,
            control=_CONTROL,
        )
        return security.open(envelope.protected)


def _is_last(apdu: bytes, received: ReceivedCounter) -> bool:
    """Whether a message that verified has the counter of the last one."""
    envelope = decode_apdu(apdu)
    return isinstance(envelope, GeneralCiphered) and int.from_bytes(envelope.protected[1:5], "big") == received.last
