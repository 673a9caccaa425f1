"""The gateway's settings, typed, from a TOML file; a secret may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive, key_octets, read_settings
from meterway.interfaces.mbus.firmware import MakerKey, maker_key
from meterway.interfaces.mbus.keys import title_of
from meterway.interfaces.mbus.rules import Party
from meterway.interfaces.mbus.settings import Channel, HearingConfig, MeterConfig, RadioConfig, Seconds, own_address
from meterway.interfaces.mbus.tariff import Stage, TariffCase
from meterway.lnap.links_config import BusConfig, MqttConfig, PushConfig, SideConfig, UplinkConfig
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.mbus.address import Address

__all__ = ["FirmwareConfig", "LnapConfig", "PartyConfig", "TariffConfig", "load_config"]

_PLACES: Final = ("store", "master_key", "drivers")


class PartyConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Somebody who may ask; what is not given is denied."""

    name: str
    client: Annotated[int, msgspec.Meta(ge=1, le=127)]
    secret: str
    """At least 16 octets as hex, or ``env:NAME``; the party's keys for each logical device derive from it."""
    side: Literal["wan", "home", "local"] = "wan"
    channels: tuple[Channel, ...] | Literal["all"] = ()
    rights: tuple[Literal["read", "command", "configure"], ...] = ("read",)
    sees_gateway: bool = False

    def party(self, cases: tuple[str, ...]) -> Party:
        """The party as the rules know it."""
        rights = Right(0)
        for word in self.rights:
            rights |= Right[word.upper()]
        channels = None if self.channels == "all" else frozenset(int(number) for number in self.channels)
        return Party(
            name=self.name, client=self.client, side=self.side, channels=channels, rights=rights, cases=cases,
            sees_gateway=self.sees_gateway,
        )  # fmt: skip

    @property
    def octets(self) -> bytes:
        """The secret; ConfigError if there is none or it is short."""
        return key_octets(self.secret, field=f"parties, {self.name}, secret", most=64)


class StageConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A tariff stage: in force from one local time of day to another."""

    number: Annotated[int, msgspec.Meta(ge=1, le=63)]
    begin: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    end: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-4]):[0-5][0-9]$")] = "24:00"
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)

    def stage(self) -> Stage:
        """The stage as the rules know it."""
        return Stage(
            number=self.number, from_min=_minute(self.begin), to_min=_minute(self.end), weekdays=self.weekdays
        )  # fmt: skip


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


class TariffConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A tariff use case of one party on one channel."""

    case: Literal["TAF1", "TAF2", "TAF6", "TAF7", "TAF9", "TAF10", "TAF14"]
    party: str
    channel: Channel
    period_s: Annotated[int, msgspec.Meta(ge=1, le=86400)] = 3600
    deadband: Annotated[int, msgspec.Meta(ge=0)] = 0
    stages: tuple[StageConfig, ...] = ()

    def tariff(self) -> TariffCase:
        """The case as the rules know it; ConfigError if it lacks something."""
        return TariffCase(
            case=self.case, party=self.party, channel=self.channel, period_s=self.period_s, deadband=self.deadband,
            stages=tuple(stage.stage() for stage in self.stages),
        )  # fmt: skip


class FirmwareConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Whose firmware the gateway takes, and where it keeps it."""

    maker: str
    """The maker's public key: a PEM file, elliptic curve P-256."""
    folder: str = "firmware"
    trial_s: Seconds = 60.0
    """How long new firmware must run until it is kept; if it ends before, the one before it runs again."""

    def key(self) -> MakerKey:
        """The maker's key; ConfigError if the file holds none."""
        try:
            pem = Path(self.maker).read_bytes()
        except OSError as error:
            raise ConfigError(f"firmware.maker: {self.maker}: {error.strerror or error}") from None
        return maker_key(pem, field=f"firmware.maker: {self.maker}")


class LnapConfig(HearingConfig, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """All of it."""

    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    flag: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "MWY"
    firmware: str = "MWY-LNAP-1"
    first_sap: Annotated[int, msgspec.Meta(ge=1, le=8192)] = 1
    """The logical device of the gateway itself; those of its channels follow. Not 1 where it lives in a meter."""
    store: str = "lnap.sqlite"
    master_key: str = "lnap.key"
    wan: SideConfig | None = SideConfig()
    home: SideConfig | None = None
    local: SideConfig | None = None
    uplink: UplinkConfig | None = None
    """Where the gateway stands behind a concentrator; parties of the WAN side are served there too."""
    parties: tuple[PartyConfig, ...] = ()
    meters: tuple[MeterConfig, ...] = ()
    tariffs: tuple[TariffConfig, ...] = ()
    radios: tuple[RadioConfig, ...] = ()
    buses: tuple[BusConfig, ...] = ()
    update: FirmwareConfig | None = None
    push: PushConfig | None = None
    mqtt: MqttConfig | None = None

    def __post_init__(self) -> None:
        names = [party.name for party in self.parties]
        places = [(party.side, party.client) for party in self.parties]
        if len(set(names)) < len(names) or len(set(places)) < len(places):
            raise ValueError("parties: a name, and a client on one side, belong to one party only")
        unknown = {tariff.party for tariff in self.tariffs} - set(names)
        if self.push is not None:
            unknown |= {self.push.party} - set(names)
            if self.push.over == "uplink" and self.uplink is None:
                raise ValueError("push: over an uplink there is not")
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is no party")
        self.check_period()
        uneven = [tariff for tariff in self.tariffs if tariff.case == "TAF7" and tariff.period_s % self.period_s]
        if uneven:
            raise ValueError(f"tariffs: the period of TAF7 is a multiple of period_s ({self.period_s})")

    @property
    def title(self) -> bytes:
        """The system title of the gateway itself."""
        return title_of(self.flag, self.serial)

    @property
    def address(self) -> Address:
        """Its own address on the air: a communication controller."""
        return own_address(self.flag, self.ident)

    def cases_of(self, party: str) -> tuple[str, ...]:
        """The tariff use cases a party has, on any channel."""
        return tuple(dict.fromkeys(tariff.case for tariff in self.tariffs if tariff.party == party))


def load_config(path: Path) -> LnapConfig:
    """Read a settings file; ConfigError names file and field. Names of files in it count from its folder."""
    config = read_settings(path, LnapConfig)
    places = {name: str(path.parent / getattr(config, name)) for name in _PLACES if getattr(config, name)}
    if config.update is not None:
        near = {name: str(path.parent / getattr(config.update, name)) for name in ("maker", "folder")}
        places["update"] = msgspec.structs.replace(config.update, **near)  # type: ignore[assignment]
    return msgspec.structs.replace(config, **places)
