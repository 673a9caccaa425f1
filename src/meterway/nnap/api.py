"""What upper floors may ask of a concentrator: run it, see its nodes and balances, hand over."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.settings import MeterConfig, RadioConfig
from meterway.links.node import NodeClock, NodePort
from meterway.mapping.transformer import DayBalance
from meterway.nnap.balance import BalanceRules
from meterway.nnap.balancing import LOAD
from meterway.nnap.collector_config import CollectorConfig
from meterway.nnap.config import (
    SAMPLE,
    AlarmConfig,
    BalanceConfig,
    BroadcastConfig,
    ChildConfig,
    NetworkConfig,
    NnapConfig,
    NodeConfig,
    PartyConfig,
    PlanConfig,
    ReportConfig,
    SideConfig,
    UplinkConfig,
    WakeConfig,
    load_config,
    sample,
)
from meterway.nnap.events import Code, Event
from meterway.nnap.image import Firmware, Progress
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node
from meterway.nnap.serve import Nnap
from meterway.nnap.site import Party
from meterway.nnap.store import Store
from meterway.nnap.wake import wake_datagram
from meterway.store.vault import Vault

__all__ = [
    "SAMPLE",
    "AlarmConfig",
    "BalanceConfig",
    "BalanceRules",
    "BroadcastConfig",
    "ChildConfig",
    "CollectorConfig",
    "DayBalance",
    "Event",
    "Firmware",
    "MeterConfig",
    "NetworkConfig",
    "Nnap",
    "NnapConfig",
    "NodeConfig",
    "NodeView",
    "PartyConfig",
    "PlanConfig",
    "Progress",
    "RadioConfig",
    "ReportConfig",
    "SideConfig",
    "UplinkConfig",
    "WakeConfig",
    "balances",
    "copy_state",
    "load_config",
    "nodes",
    "registry_rows_of",
    "sample",
    "serve_nnap",
    "take_over",
    "wake_datagram",
]

_REGISTRY: Final = (
    "serial", "system_title", "profile", "transport", "host", "port", "sap", "client", "guek", "gak", "gbek", "gbak",
    "secret", "party",
)  # fmt: skip
"""Columns of the head end's registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One node of the white list as it stands; times are Unix seconds."""

    eui: bytes
    serial: str
    role: str
    is_member: bool
    silent: bool
    hops: int
    quality: float
    heard_s: float
    read_s: float
    failures: int
    rows: int
    """Rows of the load profile that are here."""


@asynccontextmanager
async def serve_nnap(
    config: NnapConfig,
    *,
    unix: Callable[[], float] = time.time,
    port: NodePort | None = None,
    clock: NodeClock | None = None,
) -> AsyncIterator[Nnap]:
    """Run a concentrator while the block lasts; ``nnap.port`` says where the head end is served."""
    nnap = Nnap(config, unix=unix, port=port, clock=clock)
    await nnap.start()
    try:
        yield nnap
    finally:
        await nnap.stop()


def nodes(nnap: Nnap) -> list[NodeView]:
    """The white list as it stands."""
    return [_view(nnap, node) for _, node in sorted(nnap.ledger.roll.channels.items())]


def _view(nnap: Nnap, node: Node) -> NodeView:
    return NodeView(
        eui=node.eui,
        serial=node.serial,
        role=node.role,
        is_member=node.member is not None,
        silent=node.silent,
        hops=node.hops,
        quality=node.shown_quality,
        heard_s=node.heard_s,
        read_s=node.turn.read_s,
        failures=node.turn.failures,
        rows=nnap.store.count_rows(nnap.ledger.number(node), LOAD),
    )


# -- transformer ------------------------------------------------------------------------------------------


def balances(nnap: Nnap) -> list[DayBalance]:
    """The balance of the transformer by day, as far as it was judged, the oldest first."""
    return nnap.store.balances()


# -- standby, registry --------------------------------------------------------------------------------------


def copy_state(config: NnapConfig, path: Path) -> None:
    """Copy the state of a concentrator, which may be running, for a standby; the master key is copied apart."""
    if not Path(config.store).exists():
        raise ConfigError(f"{config.store}: there is no state yet")
    if path.exists():
        raise ConfigError(f"{path} is already there; it is left as it is")
    store = Store(config.store)
    try:
        store.copy_to(path)
    finally:
        store.close()


def take_over(config: NnapConfig) -> None:
    """The state of the settings is a copy of a concentrator that is gone: go on from it, once for each copy."""
    store = Store(config.store)
    try:
        ledger = Ledger(store, Vault.from_file(Path(config.master_key)))
        ledger.restore()
        ledger.take_over()
        with store.transaction():
            store.add_events([Event(time.time(), Code.TAKEN_OVER, "", f"{len(ledger.roll.nodes)} nodes")])
    finally:
        store.close()


def registry_rows_of(config: NnapConfig, party: str) -> list[dict[str, str]]:
    """The rows of a head end's registry for a concentrator as a party reaches it, and for the meters it reads.

    The first is its own, with what the party's keys there derive from and the broadcast keys. Those of its meters have
    their own keys, for end to end, and the concentrator's address until the head end finds them behind it. ConfigError
    if it is no party.
    """
    found = next((one.party() for one in config.parties if one.name == party), None)
    if found is None:
        raise ConfigError(f"{party} is no party")
    return [_own_row(config, found), *(_node_row(config, one) for one in config.nodes if one.guek)]


def _own_row(config: NnapConfig, party: Party) -> dict[str, str]:
    shared = config.broadcast.keys if config.broadcast is not None else None
    return {
        **_place(config, config.serial, config.title.hex(), "nnap"),
        "client": str(party.client),
        "secret": f"0x{party.secret.hex()}",
        "party": party.name,
        "gbek": shared.encryption.hex() if shared else "",
        "gbak": shared.authentication.hex() if shared else "",
    }


def _node_row(config: NnapConfig, node: NodeConfig) -> dict[str, str]:
    keys = node.node(1).keys
    return {
        **_place(config, node.serial, node.title or "", node.profile),
        "guek": keys.encryption.hex() if keys else "",
        "gak": keys.authentication.hex() if keys else "",
    }


def _place(config: NnapConfig, serial: str, title: str, profile: str) -> dict[str, str]:
    return {
        **dict.fromkeys(_REGISTRY, ""),
        "serial": serial,
        "system_title": title,
        "profile": profile,
        "transport": "tcp",
        "host": config.wan.host,
        "port": str(config.wan.port),
        "sap": "1",
    }
