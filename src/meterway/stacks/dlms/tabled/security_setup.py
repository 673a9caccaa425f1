"""The security setup (class 64) of such a device: policy and suite do not change, keys may be transferred."""

from __future__ import annotations

from typing import Final, TypeVar

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.tabled.table import Method, Right, Thing, fixed

__all__ = ["SECURITY_SETUP", "security_setup"]

SECURITY_SETUP: Final = Obis(0, 0, 43, 0, 0)
_KEY_TRANSFER: Final = 2
_AUTHENTICATED_AND_ENCRYPTED: Final = 3
AskT = TypeVar("AskT")


def security_setup(title: bytes, transfer: Method[AskT] | None) -> Thing[AskT]:
    """Version 0, suite 0, every message authenticated and encrypted; any party may read it.

    ``title`` is the device's system title, ``transfer`` is method 2 (global_key_transfer) where there is one.
    """
    return Thing(
        class_id=64,
        obis=SECURITY_SETUP,
        attributes={
            2: fixed(axdr.enum(_AUTHENTICATED_AND_ENCRYPTED)),
            3: fixed(axdr.enum(0)),
            4: fixed(axdr.octets(b"")),
            5: fixed(axdr.octets(title)),
        },
        methods={} if transfer is None else {_KEY_TRANSFER: transfer},
        readers=Right.EVERY_PARTY,
    )
