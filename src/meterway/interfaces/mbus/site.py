"""What a gateway is besides its meters: name, parties, tariffs, clock, firmware, alarms. What its objects show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.firmware import MakerKey
from meterway.interfaces.mbus.keys import FIELDS, PartyKeys, derive, fingerprint, title_of
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.rules import Party, Side
from meterway.interfaces.mbus.tariff import TariffCase
from meterway.mapping.party_keys import device_name
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.classes.key_transfer import unwrapped_keys
from meterway.stacks.dlms.classes.security_setup import KeyTransfer

__all__ = ["ALARM_BITS", "Site", "Waiting"]

ALARM_BITS: Final[dict[Code, int]] = {
    Code.COMMUNICATION_ERROR: 0,
    Code.REPLACE_BATTERY: 1,
    Code.NOT_AUTHENTIC: 2,
    Code.NOT_PROTECTED: 2,
    Code.REPLAY: 3,
    Code.REGISTER_FELL: 4,
    Code.REGISTER_JUMPED: 5,
    Code.METER_ALARM: 6,
    Code.VALVE_ALARM: 7,
    Code.TIME_BACKWARDS: 8,
    Code.READINGS_DROPPED: 9,
    Code.ACCESS_DENIED: 10,
    Code.ORDER_REFUSED: 11,
    Code.ORDER_EXPIRED: 11,
}
"""The bits of the alarm register; an event that has one is pushed."""


_ALARMS: Final = "alarms"
_LOST: Final = "pushes-lost"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A push that waits for the line: of which channel and device, its alarms as they were, when (Unix seconds)."""

    channel: int
    name: str
    alarms: int
    time_s: float


def _nothing(_: int) -> bool:
    return False


def _unwanted(identification: str, _: bytes) -> None:
    raise ConfigError(f"firmware {identification} has no place here")


@dataclass(slots=True, kw_only=True)
class Site:
    """One gateway. ``poll`` asks a wired meter now; False if there is no bus to ask on."""

    serial: str
    flag: str
    ledger: Ledger
    firmware: str
    secrets: dict[str, bytes] = field(repr=False)
    parties: tuple[Party, ...] = ()
    tariffs: tuple[TariffCase, ...] = ()
    zone: tzinfo = UTC
    first_sap: int = 1
    """The logical device address of the gateway itself; those of its channels follow."""
    order_valid_s: float = 86400.0
    clock_offset_s: float = 0.0
    alarms: dict[int, int] = field(default_factory=dict)
    wanted: dict[int, dict[str, int]] = field(default_factory=dict)
    """By free channel, the identity that is to be bound to it."""
    image: ImageTransfer = field(default_factory=lambda: ImageTransfer(enabled=True, block_size=512))
    maker: MakerKey | None = None
    """Whose signature firmware must have; without one none is taken."""
    proven: str = ""
    """The highest firmware that ever proved itself; what is older is taken with a permit alone."""
    permitted: bytes = b""
    """The older firmware that a permit is there for."""
    stage: Callable[[str, bytes], None] = _unwanted
    """Puts firmware into the place of the present one and asks for a restart."""
    poll: Callable[[int], bool] = _nothing
    transferred: dict[str, PartyKeys] = field(default_factory=dict)
    """Keys that took the place of those that derive, by the fingerprint of the latter."""
    keep_pushes: int = 0
    """How many pushes wait at most for the line; 0 if nobody is pushed to."""

    def name(self, channel: int) -> str:
        """The serial number of the gateway (channel 0), or of a meter: its address."""
        return self.serial if channel == 0 else self.meter(channel).name

    def title(self, channel: int) -> bytes:
        """The system title of a logical device: each has its own."""
        return title_of(self.flag, self.serial if channel == 0 else device_name(self.serial, self.name(channel)))

    def keys(self, party: Party, channel: int) -> PartyKeys:
        """The keys of a party for a logical device."""
        derived = self._derived(party, channel)
        return self.transferred.get(fingerprint(derived), derived)

    def encryption_key(self, party: Party, channel: int) -> bytes:
        """The key that a party and a logical device encrypt under."""
        return self.keys(party, channel).guek

    def _derived(self, party: Party, channel: int) -> PartyKeys:
        return derive(self.secrets[party.name], party.name, device_name(self.serial, self.name(channel)))

    def transfer_keys(self, party: Party, channel: int, wanted: Sequence[KeyTransfer]) -> bool:
        """Put keys that a party wrapped under its key-encrypting key into force from the next association on.

        False, and nothing is changed, if one of them does not unwrap. They are on the disk when it returns.
        """
        present, name = self.keys(party, channel), fingerprint(self._derived(party, channel))
        fresh = unwrapped_keys(present.kek, wanted, FIELDS)
        if fresh is None:
            return False
        keys = present._replace(**fresh)
        self.ledger.keep_party_keys(name, keys)
        self.transferred[name] = keys
        return True

    def forget_keys(self, channel: int) -> None:
        """A meter leaves: who binds it again begins with the keys that derive."""
        for party in self.parties:
            name = fingerprint(self._derived(party, channel))
            if self.transferred.pop(name, None) is not None:
                self.ledger.keep_party_keys(name, None)

    def meter(self, channel: int) -> Bound:
        """The meter on a channel; ConfigError if it is free."""
        return self.ledger.gateway.channel(channel)

    def party(self, side: Side, client: int) -> Party | None:
        """Who a client is on a side; None if nobody."""
        return next((one for one in self.parties if one.side == side and one.client == client), None)

    def case(self, party: Party, channel: int, *names: str) -> TariffCase | None:
        """A party's tariff use case of one of these names on a channel."""
        return next(
            (one for one in self.tariffs if (one.party, one.channel) == (party.name, channel) and one.case in names),
            None,
        )

    def cases(self, party: Party, channel: int) -> tuple[TariffCase, ...]:
        """All tariff use cases of a party on a channel."""
        return tuple(one for one in self.tariffs if (one.party, one.channel) == (party.name, channel))

    def restore(self) -> None:
        """Take alarms and transferred keys from the file; SecurityError(key) if they are sealed under another key."""
        self.transferred.update(self.ledger.party_keys())
        self.ledger.images.restore(0, self.image)
        kept = self.ledger.spool.state(_ALARMS)
        if kept:
            self.alarms.update(msgspec.msgpack.decode(kept, type=dict[int, int]))

    def keep_alarms(self) -> None:
        """Write the alarms; a transaction that is open has them too."""
        with self.ledger.spool.transaction():
            self.ledger.spool.keep_state(_ALARMS, msgspec.msgpack.encode(self.alarms))

    def note(self, events: list[Event]) -> None:
        """Raise the alarm bits of events, and put what is to be pushed into the outbox, in the open transaction."""
        raised: dict[int, float] = {}
        for event in events:
            bit = ALARM_BITS.get(event.code)
            if bit is not None:
                self.alarms[event.channel] = self.alarms.get(event.channel, 0) | 1 << bit
                raised[event.channel] = event.time_s
        if raised:
            self.keep_alarms()
        for channel, time_s in raised.items():
            self.put_out(channel, time_s)

    def put_out(self, channel: int, time_s: float) -> None:
        """Have the alarms of a channel pushed as they are now; beyond the limit the oldest push is given up."""
        if not self.keep_pushes:
            return
        spool = self.ledger.spool
        with spool.transaction():
            waiting = Waiting(
                channel=channel, name=self.name(channel), alarms=self.alarms.get(channel, 0), time_s=time_s
            )
            spool.put_out(msgspec.msgpack.encode(waiting))
            lost = spool.trim_outbox(self.keep_pushes)
            if lost:
                spool.keep_counter(_LOST, spool.counter(_LOST) + lost)

    @property
    def lost_pushes(self) -> int:
        """How many pushes were ever given up for want of room."""
        return self.ledger.spool.counter(_LOST)
