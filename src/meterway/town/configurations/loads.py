"""The load controllers of a configuration: nodes of a neighbourhood network, in the homes behind a concentrator."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import ConfigError
from meterway.home.api import HomeConfig, HomeKeys, HomeNodes, LoadKind, RelayConfig, relays
from meterway.meter.api import Keys
from meterway.nnap.api import NodeConfig
from meterway.town.configurations.cells import Cell
from meterway.town.configurations.messages import Way
from meterway.town.configurations.plan import Placed, broadcast_keys, secret_of

__all__ = ["LIVED_S", "happen_to_load", "listed_load", "load_config", "load_way"]

LIVED_S: Final = 86400.0
"""For how long a controller has been in its home when the configuration starts: so it has a day to tell of."""
_PROGRAMME: Final = "ripple control"
_KEY: Final = 16


def load_config(secret: bytes, load: Placed, concentrator: str) -> HomeConfig:
    """A water heater and a heat pump, registered in a programme that the consumer agreed to."""
    keys = Keys.derive(secret, load.serial)
    own = [secret_of(secret, f"consumer {name}", load.serial)[:_KEY] for name in ("guek", "gak")]
    gbek, gbak = broadcast_keys(secret, concentrator)
    return HomeConfig(
        serial=load.serial,
        keys=HomeKeys(
            guek=keys.guek, gak=keys.gak, kek=keys.kek, consumer_guek=own[0], consumer_gak=own[1], gbek=gbek, gbak=gbak
        ),
        relays=(RelayConfig(rated_w=2000), RelayConfig(kind=LoadKind.HEAT_PUMP, rated_w=3000)),
        seed=load.premises,
        programme=_PROGRAMME,
        consent=True,
        offset_s=2,
    )


def listed_load(cell: Cell, load: HomeConfig) -> NodeConfig:
    """A controller in its concentrator's white list, which does not say what it is: that it tells by its own name."""
    title = load.title.hex()
    return NodeConfig(eui=title, serial=load.serial, title=title, key=cell.key(load.title).hex())


def load_way(load: HomeConfig, head_end: str, part: str, port: int) -> Way:
    """How a head end reaches it; what it is, it finds out."""
    return Way(
        head_end=head_end,
        part=part,
        serial=load.serial,
        system_title=load.title.hex(),
        utility="electricity",
        profile="",
        port=port,
        waits=True,
    )


def happen_to_load(homes: HomeNodes, serial: str, what: str, value: float) -> dict[str, float]:
    """Let it happen (``override`` presses the button of relay 1: on or off); how the controller is then."""
    device, now = homes.devices[serial], homes.clock.now()
    match what:
        case "look":
            device.advance(now)
        case "clock":
            device.set_clock(device.clock(now) + value, now)
        case "override":
            device.override(0, on=bool(value), now=now)
        case _:
            raise ConfigError(f"{what!r} does not happen to a load controller")
    homes.plan(device)
    shown = relays(device, now)
    return {
        "energy": float(sum(one.energy_wh for one in shown)),
        "connected": float(shown[0].on),
        "overridden": float(shown[0].cause == "override"),
        "clock_error_s": device.clock_offset_s,
    }
