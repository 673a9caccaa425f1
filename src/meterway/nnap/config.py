"""The concentrator's settings, typed, from a TOML file; a secret may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.base.settings import Secretive, key_octets, read_settings
from meterway.interfaces.mbus.settings import MeterConfig, RadioConfig
from meterway.links.limits import Addresses
from meterway.nnap.balance import BalanceRules
from meterway.nnap.collector_config import CollectorConfig, check_meters
from meterway.nnap.device import Mode, Rules
from meterway.nnap.image import CampaignRules
from meterway.nnap.node import CLIENT, Node, Role
from meterway.nnap.plan import PlanRules, Window
from meterway.nnap.reading import ReadRules
from meterway.nnap.sample import SAMPLE
from meterway.nnap.site import Party, title_of
from meterway.nnap.watch import WatchRules
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.neighbourhood.profiles import PROFILES

__all__ = [
    "SAMPLE",
    "AlarmConfig",
    "BalanceConfig",
    "BroadcastConfig",
    "ChildConfig",
    "NetworkConfig",
    "NnapConfig",
    "NodeConfig",
    "PartyConfig",
    "PlanConfig",
    "ReportConfig",
    "UplinkConfig",
    "WakeConfig",
    "load_config",
    "sample",
]

_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=31_536_000)]
_Hex8 = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")]
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


class SideConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The port for the head end (DLMS, wrapper on TCP). Beyond this machine, say in ``allow`` who the head end is."""

    host: str = "127.0.0.1"
    port: _Port = 4059
    allow: tuple[str, ...] = ()
    """Addresses or networks that alone may connect. Without any, everybody may, but APDUs for nodes are carried only
    for this machine and on a line with an association of a party."""
    lines: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    lines_of_one: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 48
    """The most from one address: a head end has 32 associations open at a time, and lines that it has just left."""
    idle_s: _Seconds = 300.0
    """A line that brings nothing for so long is cut; one that the concentrator opened is not."""

    def __post_init__(self) -> None:
        try:
            Addresses(self.allow)
        except ConfigError as error:
            raise ValueError(f"wan: allow: {error}") from None


class PartyConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Somebody northbound who may ask; what is not given is denied."""

    name: str
    client: Annotated[int, msgspec.Meta(ge=1, le=127)]
    secret: str
    """At least 16 octets as hex, or ``env:NAME``; the party's keys for each logical device derive from it."""
    rights: tuple[Literal["read", "command", "configure"], ...] = ("read",)

    def party(self) -> Party:
        """The party as the site knows it; ConfigError for a wrong or short secret."""
        rights = Right(0)
        for word in self.rights:
            rights |= Right[word.upper()]
        secret = key_octets(self.secret, field=f"parties, {self.name}, secret", most=64)
        return Party(name=self.name, client=self.client, secret=secret, rights=rights)


class NetworkConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The neighbourhood: the simulated medium of a hub, and the profile that is spoken on it."""

    profile: str = "prime"
    host: str = "127.0.0.1"
    port: _Port
    node: Annotated[int, msgspec.Meta(ge=0, le=65534)] = 0
    time_factor: Annotated[float, msgspec.Meta(ge=0.01, le=1000)] = 1.0
    """How many times less the station waits: that of the hub, where frames are as much faster."""
    retry_s: _Seconds = 5.0
    """How long after the hub has gone it is looked for again, each time."""
    routes_s: _Seconds = 60.0
    """How often the medium is asked for its routes, which stand for what the MAC of a modem would tell."""

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"{self.profile!r} is no profile: {', '.join(PROFILES)}")


class UplinkConfig(NetworkConfig, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The network of a concentrator above, on which this one is a node."""

    key: str = ""


class NodeConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A node of the white list. Without ``guek`` and ``gak`` it is reached end to end only."""

    eui: _Hex8
    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    title: _Hex8 | None = None
    key: str = ""
    """For joining the network, where the profile has one."""
    guek: str = ""
    gak: str = ""
    client: Annotated[int, msgspec.Meta(ge=1, le=127)] = CLIENT
    """As which client of the meter the concentrator reads: not the head end's, whose counters it would use up."""
    role: Role = "meter"
    profile: str = "idis"
    """The companion profile, which says what is collected."""

    def node(self, channel: int) -> Node:
        """The node as it is listed; ConfigError for wrong keys."""
        given = {
            name: key_octets(value, field=f"nodes, {self.serial}, {name}")
            for name, value in (("key", self.key), ("guek", self.guek), ("gak", self.gak))
            if value
        }
        if ("guek" in given) != ("gak" in given):
            raise ConfigError(f"nodes, {self.serial}: guek and gak come together")
        return Node(
            eui=bytes.fromhex(self.eui),
            serial=self.serial,
            channel=channel,
            title=bytes.fromhex(self.title or ""),
            key=given.get("key", b""),
            keys=Keys(given["guek"], given["gak"]) if "guek" in given else None,
            client=self.client,
            role=self.role,
            profile=self.profile,
            configured=True,
        )


class ChildConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A concentrator below that is reached over TCP; its EUI is the address in the prefix."""

    eui: _Hex8
    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    title: _Hex8 | None = None
    host: str
    port: _Port


class PlanConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How the medium is used; see ``plan`` and ``reading``. ``windows`` are like ``"22:00-06:00"`` (UTC)."""

    parallel: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    every_s: _Seconds = 21600.0
    rows: Annotated[int, msgspec.Meta(ge=1, le=3000)] = 96
    first_days: Annotated[float, msgspec.Meta(ge=0, le=365)] = 1.0
    answer_s: _Seconds = 60.0
    max_pdu: Annotated[int, msgspec.Meta(ge=128, le=65535)] = 1024
    clock_limit_s: _Seconds = 10.0
    sets_clocks: bool = True
    silent_after_s: _Seconds = 86400.0
    windows: tuple[Annotated[str, msgspec.Meta(pattern="^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$")], ...] = ()
    profiles: tuple[str, ...] | None = None
    """OBIS codes; without it all that the companion profile collects."""
    logs: tuple[str, ...] | None = None
    registers: bool = True


class BroadcastConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The keys that the meters share for broadcasts, and how firmware goes out."""

    encryption: str
    authentication: str
    client: Annotated[int, msgspec.Meta(ge=1, le=127)] = 102
    block_s: _Seconds = 1.5
    many: Annotated[int, msgspec.Meta(ge=1)] = 4
    clock_every_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Set all clocks so often; 0: each alone when it is read."""

    @property
    def keys(self) -> Keys:
        """The keys; ConfigError if they are not of 16 octets."""
        pairs = (("encryption", self.encryption), ("authentication", self.authentication))
        return Keys(*(key_octets(value, field=f"broadcast, {name}") for name, value in pairs))

    def rules(self) -> CampaignRules:
        """How a campaign uses the medium."""
        return CampaignRules(pace_s=self.block_s, many=self.many)


class BalanceConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The balance of the transformer, where the list has a supervision meter; shares are of what went in."""

    low: Annotated[float, msgspec.Meta(ge=-1, le=1)] = -0.02
    high: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.06
    least_wh: Annotated[int, msgspec.Meta(ge=0)] = 500
    complete: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.75
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 3
    every_s: _Seconds = 900.0
    """How often it is looked whether days are over, or rows have come late."""
    leave_out: tuple[str, ...] = ()
    """Serials of nodes that take nothing from this transformer."""

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("balance: low is below high")

    def rules(self) -> BalanceRules:
        """The rules of the balance."""
        return BalanceRules(
            low=self.low, high=self.high, least_wh=self.least_wh, complete=self.complete, days=self.days
        )


class AlarmConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """When something in the network is an alarm (see ``watch``), and where alarms are pushed."""

    lost_s: _Seconds = 900.0
    back_s: _Seconds = 300.0
    branch: Annotated[int, msgspec.Meta(ge=1)] = 3
    flaps: Annotated[int, msgspec.Meta(ge=2)] = 6
    noisy: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    late: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    hold_s: _Seconds = 600.0
    start_s: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    look_s: _Seconds = 30.0
    push_host: str = "127.0.0.1"
    push_port: _Port = 0
    """The head end's port for pushes (TCP); 0: alarms are reported and shown only."""
    party: str = ""
    """Under whose keys alarms are pushed."""

    def __post_init__(self) -> None:
        if self.push_port and not self.party:
            raise ValueError("alarms: party is wanted with push_port")

    def rules(self) -> WatchRules:
        """The rules of the watch."""
        return WatchRules(
            lost_s=self.lost_s,
            back_s=self.back_s,
            branch=self.branch,
            flaps=self.flaps,
            noisy=self.noisy,
            quiet=min(1.0, self.noisy + 0.2),
            late=self.late,
            hold_s=self.hold_s,
            start_s=self.start_s,
        )


class ReportConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Bulk reports: by HTTPS to the head end, or to a message broker. Plain HTTP and MQTT on this machine only."""

    url: str = ""
    """``https://headend.example/g2/reports``; or empty where ``broker`` is given."""
    token: str = ""
    """The bearer token, or ``env:NAME``."""
    broker: str = ""
    broker_port: _Port = 8883
    prefix: str = "meterway"
    """Reports go to ``<prefix>/<serial>/reports``, receipts come on ``<prefix>/<serial>/receipts``."""
    username: str = ""
    password: str = ""
    authority: str = ""
    certificate: str = ""
    key: str = ""
    form: Literal["json", "xml"] = "json"
    compression: Literal["gzip", "zstd", "none"] = "gzip"
    every_s: _Seconds = 900.0
    retry_s: _Seconds = 60.0
    rows: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 20_000
    """The most rows of one report."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.broker):
            raise ValueError("report: one of url and broker is wanted")
        host = self.url.partition("://")[2].partition("/")[0].rsplit(":", 1)[0].strip("[]")
        if self.url and not self.url.startswith("https://") and not (
            self.url.startswith("http://") and host in _LOCAL
        ):  # fmt: skip
            raise ValueError("report: url: HTTPS is wanted; plain HTTP only to this machine")

    @property
    def tls(self) -> bool:
        """Whether the broker is spoken to with TLS: always, but for one on this machine without an authority."""
        return self.broker not in _LOCAL or bool(self.authority)

    def secret(self, name: Literal["token", "password"]) -> str:
        """The token or the password."""
        value: str = getattr(self, name)
        return os.environ.get(value[4:], "") if value.startswith("env:") else value


class WakeConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Calls from the field side: a line that the concentrator opens to the head end, on a schedule or when woken."""

    host: str = "127.0.0.1"
    port: _Port
    party: str
    every_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """0: only when woken, or when a node has said something and no line is open."""
    retry_s: _Seconds = 30.0
    """How often it calls while something of that kind waits."""
    listen_host: str = "127.0.0.1"
    listen_port: _Port = 0
    """UDP port for wake-up datagrams; 0: none is taken."""
    valid_s: _Seconds = 300.0
    """How old a wake-up may be."""


class NnapConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """All of it."""

    serial: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    flag: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "MWY"
    eui: _Hex8 | None = None
    """Its own EUI on the network; without one its system title."""
    firmware: str = "MWY-NNAP-1"
    mode: Mode = "hybrid"
    store: str = "nnap.sqlite"
    master_key: str = "nnap.key"
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 40
    wan: SideConfig = SideConfig()
    network: NetworkConfig | None = None
    uplink: UplinkConfig | None = None
    plan: PlanConfig = PlanConfig()
    broadcast: BroadcastConfig | None = None
    balance: BalanceConfig = BalanceConfig()
    alarms: AlarmConfig = AlarmConfig()
    report: ReportConfig | None = None
    wake: WakeConfig | None = None
    parties: tuple[PartyConfig, ...] = ()
    nodes: tuple[NodeConfig, ...] = ()
    children: tuple[ChildConfig, ...] = ()
    collector: CollectorConfig | None = None
    """How battery meters are heard; needed only where something of it is not as usual."""
    radios: tuple[RadioConfig, ...] = ()
    battery_meters: tuple[MeterConfig, ...] = ()

    def __post_init__(self) -> None:
        check_meters(self.battery_meters)
        for what, values in (
            ("parties: a name", [party.name for party in self.parties]),
            ("parties: a client", [party.client for party in self.parties]),
            ("an EUI", [one.eui.lower() for one in self.nodes] + [one.eui.lower() for one in self.children]),
            ("a serial", [one.serial for one in self.nodes] + [one.serial for one in self.children]),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what} belongs to one only")
        if self.wake is not None and self.wake.party not in [party.name for party in self.parties]:
            raise ValueError(f"wake: {self.wake.party} is no party")
        if self.alarms.push_port and self.alarms.party not in [party.name for party in self.parties]:
            raise ValueError(f"alarms: {self.alarms.party} is no party")

    @property
    def title(self) -> bytes:
        """The system title of the concentrator itself."""
        return title_of(self.flag, self.serial)

    @property
    def hearing(self) -> CollectorConfig | None:
        """How battery meters are heard; None if none are."""
        return self.collector or (CollectorConfig() if self.radios or self.battery_meters else None)

    @property
    def own_eui(self) -> bytes:
        """Its EUI on the network."""
        return bytes.fromhex(self.eui) if self.eui else self.title

    def rules(self) -> Rules:
        """The rules of the device; ConfigError for an OBIS code that is none."""
        plan = self.plan
        return Rules(
            mode=self.mode,
            plan=PlanRules(
                parallel=plan.parallel,
                every_s=plan.every_s,
                rows=plan.rows,
                first_days=plan.first_days,
                windows=tuple(_window(text) for text in plan.windows),
            ),
            read=ReadRules(
                clock_limit_s=plan.clock_limit_s,
                sets_clock=plan.sets_clocks,
                profiles=None if plan.profiles is None else tuple(map(Obis.parse, plan.profiles)),
                logs=None if plan.logs is None else tuple(map(Obis.parse, plan.logs)),
                registers=plan.registers,
            ),
            answer_s=plan.answer_s,
            relay_s=plan.answer_s,
            silent_after_s=plan.silent_after_s,
            max_pdu=plan.max_pdu,
        )


def _window(text: str) -> Window:
    start, end = ((int(part[:2]) * 60 + int(part[3:])) * 60 for part in text.split("-"))
    return Window(from_s=start, to_s=end)


def sample() -> str:
    """A commented settings file with a serial and a secret of its own."""
    serial = f"NNAP{secrets.randbelow(10**8):08d}"
    return SAMPLE.replace("NNAP00000001", serial).replace("env:NNAP_OPERATOR", secrets.token_hex(16))


def _check(config: NnapConfig) -> None:
    """ConfigError for a key, a code or a rule that is none, while it is known which file has it."""
    config.rules()
    for party in config.parties:
        party.party()
    for number, node in enumerate(config.nodes, 1):
        node.node(number)
    if config.broadcast is not None:
        config.broadcast.keys  # noqa: B018  raises if there are none


def load_config(path: Path) -> NnapConfig:
    """Read a settings file; ConfigError names file and field. Names of files in it count from its folder."""
    config = read_settings(path, NnapConfig)
    try:
        _check(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    hearing = config.hearing
    if hearing is not None:
        near = {name: str(path.parent / value) for name in ("store", "drivers") if (value := getattr(hearing, name))}
        hearing = msgspec.structs.replace(hearing, **near)
    return msgspec.structs.replace(
        config,
        store=str(path.parent / config.store),
        master_key=str(path.parent / config.master_key),
        collector=hearing,
    )
