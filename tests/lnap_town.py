"""A small street for tests of the gateway: radio meters that speak when told to, and a place on the air they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meterway.interfaces.mbus.device import Gateway
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound, Profile
from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.settings import MeterConfig
from meterway.interfaces.mbus.site import Site
from meterway.interfaces.mbus.store import Spool
from meterway.interfaces.mbus.tariff import TariffCase
from meterway.links.radio import OnReception, Reception
from meterway.lnap.config import LnapConfig, PartyConfig
from meterway.lnap.links_config import SideConfig
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.mbus.address import Address, manufacturer_code
from meterway.stacks.mbus.build import Wrapping, radio_telegrams
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.records.record import Record, make_record
from meterway.store.vault import Vault

NOON = 1_750_000_000 // 3600 * 3600.0
GAS, HEAT, WATER, HCA, ELECTRICITY = 0x03, 0x04, 0x07, 0x08, 0x02
_MAIN = {ELECTRICITY: b"\x03", GAS: b"\x13", WATER: b"\x13", HEAT: b"\x06", HCA: b"\x6e"}


@dataclass(slots=True, kw_only=True)
class RadioMeter:
    """A meter of one volume or energy; every telegram has the next message counter."""

    kind: int = GAS
    ident: str = "10000001"
    key: bytes = bytes(range(16))
    mode: int = 7
    counter: int = 0
    control: int = 0x44
    status: int = 0
    bidirectional: bool = True

    @property
    def address(self) -> Address:
        return Address(manufacturer=manufacturer_code("MWY"), ident=self.ident, version=1, device_type=self.kind)

    def telegram(self, value: float, *more: Record, control: int | None = None) -> bytes:
        self.counter += 1
        cc = 0x84 if self.bidirectional else 0
        wrapping = Wrapping(
            sender=self.address,
            mode=self.mode,
            key=self.key,
            counter=self.counter,
            status=self.status,
            ell=Ell(ci=0x8C, control=cc, access=self.counter & 0xFF),
        )
        records: Sequence[Record] = [make_record(_MAIN[self.kind], value, 4), *more]
        (frame,) = radio_telegrams(
            wrapping, records, access=self.counter, control=self.control if control is None else control, coding="A"
        )
        return frame

    def bound(self, channel: int = 1, **more: object) -> Bound:
        keys = (self.key,) if self.mode else ()
        profile = {0: Profile.PLAIN, 5: Profile.A}.get(self.mode, Profile.B)
        return Bound(**{"address": self.address, "channel": channel, "keys": keys, "security": profile, **more})  # type: ignore[arg-type]


@dataclass(slots=True)
class Air:
    """A radio port: what is said goes to who listens, what is sent is kept."""

    listener: OnReception | None = None
    sent: list[tuple[bytes, str, float]] = field(default_factory=list)

    def listen(self, on_reception: OnReception) -> None:
        self.listener = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        self.sent.append((octets, mode, delay_s))

    def close(self) -> None:
        self.listener = None

    def say(self, octets: bytes, time_s: float, mode: str = "T1") -> None:
        assert self.listener is not None
        self.listener(Reception(octets=octets, mode=mode, time_s=time_s, rssi_dbm=-60.0, simulated=True))


def ledger(tmp_path: Path, *meters: Bound, period_s: int = 3600, limit: int = 64 << 20, now: float = NOON) -> Ledger:
    """A gateway with its file and the meters bound."""
    spool = Spool(tmp_path / "spool.sqlite", limit_octets=limit)
    found = Ledger(Gateway(), spool, Vault(bytes(32)), period_s=period_s)
    found.restore(now)
    found.bind_all(meters, now)
    return found


SECRET = "00112233445566778899aabbccddeeff"


def settings(tmp_path: Path, **more: Any) -> LnapConfig:
    """A gateway with an operator who may do everything, on free ports."""
    operator = PartyConfig(
        name="operator",
        client=1,
        secret=SECRET,
        channels="all",
        rights=("read", "command", "configure"),
        sees_gateway=True,
    )
    parties = (operator, *more.pop("parties", ()))
    given: dict[str, Any] = {
        "serial": "LNAP0001",
        "store": str(tmp_path / "lnap.sqlite"),
        "master_key": str(tmp_path / "lnap.key"),
        "wan": SideConfig(port=0),
        "parties": parties,
    }
    return LnapConfig(**{**given, **more})


def listed(meter: RadioMeter, channel: int = 1, **more: Any) -> MeterConfig:
    """The meter as the settings list it."""
    return MeterConfig(address=str(meter.address), channel=channel, key=meter.key.hex(), **more)


def site(book: Ledger, *parties: Party, tariffs: tuple[TariffCase, ...] = ()) -> Site:
    """A site around a ledger; the first party may do everything unless others are given."""
    operator = Party(
        name="operator",
        client=1,
        channels=None,
        rights=Right.READ | Right.COMMAND | Right.CONFIGURE,
        sees_gateway=True,
    )
    known = parties or (operator,)
    return Site(
        serial="LNAP0001",
        flag="MWY",
        ledger=book,
        firmware="MWY-LNAP-1",
        secrets={party.name: bytes(16) for party in known},
        parties=known,
        tariffs=tariffs,
    )


def hear(book: Ledger, octets: bytes, now: float) -> None:
    """A telegram that comes by radio."""
    book.heard(book.gateway.receive(octets, link="radio", now=now, mode="T1"))
