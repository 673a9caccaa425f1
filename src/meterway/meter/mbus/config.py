"""Settings of virtual M-Bus meters, typed, from TOML; a key may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from meterway.base.settings import Secretive, key_octets, read_settings
from meterway.meter.config import seed_of
from meterway.meter.mbus.usage import Utility
from meterway.stacks.mbus.address import Address, manufacturer_code

__all__ = ["DEVICE_TYPE_OF", "AirConfig", "DlmsKeys", "HostConfig", "MeterConfig", "load_config", "sample"]

DEVICE_TYPE_OF: Final[dict[Utility, int]] = {
    Utility.GAS: 0x03,
    Utility.WATER: 0x07,
    Utility.HEAT: 0x04,
    Utility.COOLING: 0x0A,
    Utility.HEAT_COOLING: 0x0D,
    Utility.HEAT_COST: 0x08,
    Utility.ELECTRICITY: 0x02,
}
"""The device type a meter announces unless told otherwise."""

RadioMode = Literal["S1", "S2", "T1", "C1", "N1a", "N1b", "N1c", "N1d", "N1e", "N1f", "N2g"]

_NOMINAL_S: Final = {"S": 1800.0, "T": 900.0, "C": 900.0, "N": 3600.0}


class DlmsKeys(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The keys of the DLMS side, each as 32 hex digits or ``env:NAME``."""

    encryption: str
    authentication: str

    @property
    def secrets(self) -> tuple[bytes, bytes]:
        """Both; ConfigError if one is none."""
        return key_octets(self.encryption, field="dlms.encryption"), key_octets(
            self.authentication, field="dlms.authentication"
        )


class MeterConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One meter: who it is, what it measures, how it speaks."""

    ident: Annotated[str, msgspec.Meta(pattern="^[0-9]{8}$")]
    """The eight digits printed on it."""
    utility: Utility
    manufacturer: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "MWY"
    version: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    device_type: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    key: str = ""
    """32 hex digits, or ``env:NAME``; wanted by every security mode but 0."""
    security: Literal[0, 5, 7, 10] = 7
    """0 plain; 5 profile A; 7 profile B; 10 profile D."""
    seed: int | None = None
    firmware: Annotated[str, msgspec.Meta(pattern="^[!-~]{1,32}$")] = "1.0"
    """The firmware it left the factory with; an image that is activated brings another."""
    utc_offset_min: Annotated[int, msgspec.Meta(ge=-720, le=840)] = 0
    """The clock shows this standard time the whole year."""
    clock_offset_s: float = 0.0
    due_month: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1
    """The value at the start of this month is kept as the due-date value."""
    months: Annotated[int, msgspec.Meta(ge=0, le=15)] = 12
    """How many monthly values a telegram holds."""
    valve: bool = False
    battery_years: Annotated[float, msgspec.Meta(gt=0, le=30)] = 12.0
    battery_fitted: date = date(2026, 1, 1)
    radio: RadioMode = "T1"
    frame_format: Literal["A", "B"] = "A"
    bidirectional: bool = True
    long_header: bool = False
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=604_800)] | None = None
    """Nominal time between telegrams; None takes that of the radio mode."""
    primary: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    """The primary address on a wired bus; 0 is that of a meter nobody has given one."""

    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Where it is on a simulated air, metres."""
    reads: str = ""
    """A module on a meter of old: ``HOST:PORT`` of that meter's optical port; its registers are what it reads there."""
    reads_every_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 900.0
    speaks_dlms: bool = False
    """Whether it answers DLMS on its wired bus, beside M-Bus."""
    dlms: DlmsKeys | None = None
    """Keys of the management client; without them only who the meter is can be asked in DLMS."""

    def __post_init__(self) -> None:
        if self.valve and self.utility is not Utility.GAS:
            raise ValueError("a valve with safe re-opening belongs to a gas meter")
        if self.reads and self.utility is not Utility.ELECTRICITY:
            raise ValueError("a module reads electricity meters at their optical ports")
        if self.frame_format == "B" and self.radio[0] not in "CN":
            raise ValueError(f"radio mode {self.radio} knows frame format A only")

    @property
    def address(self) -> Address:
        """Who the meter is on M-Bus."""
        kind = DEVICE_TYPE_OF[self.utility] if self.device_type is None else self.device_type
        code = manufacturer_code(self.manufacturer)
        return Address(manufacturer=code, ident=self.ident, version=self.version, device_type=kind)

    @property
    def secret(self) -> bytes:
        """The key it left the factory with, 16 octets; zeros without security; ConfigError if there is none."""
        if not self.key and not self.security:
            return bytes(16)
        return key_octets(self.key, field=f"meter {self.ident}: key")

    @property
    def usage_seed(self) -> int:
        """What its consumption is drawn from."""
        return seed_of(f"{self.manufacturer}{self.ident}") if self.seed is None else self.seed

    @property
    def two_way(self) -> bool:
        """Whether it can be answered; mode S1 is one-way by its nature."""
        return self.bidirectional and self.radio != "S1"

    @property
    def nominal_s(self) -> float:
        """Nominal time between its radio telegrams."""
        return _NOMINAL_S[self.radio[0]] if self.interval_s is None else self.interval_s


class AirConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where the simulated air is (``meterway radio``)."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class HostConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A process full of meters that share a place on the air, a two-wire bus, or both."""

    meters: tuple[MeterConfig, ...]
    state: str = ""
    """File in which counters, keys and valves outlive the process; empty: they do not."""
    air: AirConfig | None = None
    """The air its meters speak on; None: they are on no air."""
    bus_host: str = "127.0.0.1"
    bus_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    """Where a master reaches the simulated two-wire bus by TCP (0 takes a free port); None: there is no bus."""
    window_grace_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.5
    """How much later than its mode allows a meter still hears an answer: what sockets and processes add."""

    def __post_init__(self) -> None:
        names = [str(meter.address) for meter in self.meters]
        twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
        if twice:
            raise ValueError(f"meters: {', '.join(sorted(twice))} is there twice")


_SAMPLE: Final = """\
# Virtual {utility} meters on M-Bus. Every line that is commented out shows its default or an example.

# File that keeps counters, keys and valves over a restart; left out, they are forgotten.
state = "{ident}.state"

# On two wires: a simulated bus that real masters reach by TCP. Left out, there is none.
# bus_host = "127.0.0.1"
# bus_port = 10001

# On the air: the simulated radio that "meterway radio" runs. Without this table they are on no air.
[air]
# host = "127.0.0.1"
port = {port}

[[meters]]
ident = "{ident}"                  # the eight digits printed on it
utility = "{utility}"              # {utilities}
key = "{key}"  # drawn at random; "env:NAME" takes it from the environment
{valve}
# manufacturer = "MWY"
# security = 7                     # 0 plain, 5 profile A, 7 profile B, 10 profile D
# radio = "T1"                     # S1 S2 T1 C1 N1a..N1f N2g
# place = [0.0, 0.0, 0.0]          # metres, on the simulated air
# bidirectional = true
# interval_s = 900.0               # time between telegrams
# primary = 0                      # its address on the bus
# firmware = "1.0"                 # what an image transfer replaces
"""
_AIR_PORT: Final = 10100


def sample(utility: Utility = Utility.GAS, ident: str = "10000001") -> str:
    """A commented settings file with a key of its own."""
    return _SAMPLE.format(
        utility=utility.value,
        ident=ident,
        port=_AIR_PORT,
        key=secrets.token_hex(16),
        valve="valve = true" if utility is Utility.GAS else "# valve = false                  # gas meters only",
        utilities=", ".join(one.value for one in Utility),
    )


def load_config(path: Path) -> HostConfig:
    """Read a settings file; ConfigError names file and field. The file of ``state`` counts from its folder."""
    config = read_settings(path, HostConfig)
    state = str(path.parent / config.state) if config.state else ""
    return msgspec.structs.replace(config, state=state)
