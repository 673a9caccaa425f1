"""The security setup of the meter: policy, and keys that are transferred."""

from __future__ import annotations

from typing import Final

from meterway.meter.device import Meter
from meterway.meter.objects.table import (
    Behaviour,
    Live,
    done_or_not,
)
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes.key_transfer import key_transfers, unwrapped_keys
from meterway.stacks.dlms.classes.security_setup import KeyId
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["SECURITY_SETUP"]


_KEY_FIELDS: Final[dict[int, str]] = {
    KeyId.GLOBAL_UNICAST_ENCRYPTION: "guek",
    KeyId.GLOBAL_BROADCAST_ENCRYPTION: "gbek",
    KeyId.AUTHENTICATION: "gak",
    KeyId.MASTER: "kek",
}


def _transfer_keys(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """All keys or none; associations that are open go on with the old ones.

    A new encryption key starts its invocation counters afresh; without one, they go on.
    """
    wanted = key_transfers(parameter)
    if wanted is None:
        return ActionResult.TYPE_UNMATCHED
    fresh = unwrapped_keys(meter.keys.kek, wanted, _KEY_FIELDS)
    if fresh is None:
        return ActionResult.OTHER_REASON
    meter.change_keys(fresh, now)
    return ActionResult.SUCCESS


def _stronger(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """The policy is the strongest there is already; activating that again is no change."""
    return done_or_not(parameter.tag == Tag.ENUM and parameter.value == 3)


SECURITY_SETUP: Final = Behaviour(
    live={5: Live(lambda ask: b"\x09\x08" + ask.meter.title)},
    methods={1: _stronger, 2: _transfer_keys},
    factory={2: axdr.enum(3), 3: axdr.enum(0), 4: axdr.octets(b"")},
)
