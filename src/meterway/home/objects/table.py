"""The tables of a load controller's objects, and the parties that may ask for them."""

from __future__ import annotations

from typing import Final, NamedTuple

from meterway.home.device import LoadController
from meterway.stacks.dlms import tabled
from meterway.stacks.dlms.tabled import Right

__all__ = ["BROADCAST", "CONSUMER", "OPERATOR", "PARTIES", "PUBLIC", "Ask", "Attr", "Method", "Party", "Thing"]

PUBLIC: Final = 16
OPERATOR: Final = 1
CONSUMER: Final = 2
"""Only on the local port."""
BROADCAST: Final = 102
"""The pre-established association of broadcasts, as the companion profiles have it (as far as known)."""


class Party(NamedTuple):
    """Who asks: a client and what it may do."""

    client: int
    rights: Right


PARTIES: Final = {
    party.client: party
    for party in (
        Party(PUBLIC, Right.EVERY_PARTY),
        Party(OPERATOR, Right.READ | Right.COMMAND | Right.CONFIGURE),
        Party(CONSUMER, Right.READ | Right.CONSENT),
        Party(BROADCAST, Right.COMMAND),
    )
}
"""By client. What wants ``COMMAND`` may also come by broadcast."""

Ask = tabled.Ask[LoadController, Party]
Attr = tabled.Attr[Ask]
Method = tabled.Method[Ask]
Thing = tabled.Thing[Ask]
