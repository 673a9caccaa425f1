"""Settings of what a concentrator hears by itself: receivers, battery meters, how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from meterway.interfaces.mbus.settings import HearingConfig, MeterConfig, Seconds

__all__ = ["CollectorConfig", "check_meters"]


class CollectorConfig(HearingConfig, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """How battery meters are kept: in a file of their own, beside the one of the neighbourhood."""

    ident: Annotated[str, msgspec.Meta(pattern="^([0-9]{8})?$")] = ""
    """The eight digits of its own address on the air; empty: from its serial."""
    store: str = "nnap-heard.sqlite"
    limit_mib: int = 256
    keep_days: int = 40
    silent_after_s: Seconds = 172_800.0
    """A battery meter that speaks once a day is silent when it has missed two."""
    order_valid_s: Seconds = 604_800.0
    most_m3_per_hour: float = 1000.0

    def __post_init__(self) -> None:
        self.check_period()


def check_meters(meters: Sequence[MeterConfig]) -> None:
    """ValueError for a meter or channel that stands twice, or a wired one: a concentrator has no two-wire bus."""
    for what, values in (
        ("an address", [one.address for one in meters]),
        ("a channel", [one.channel for one in meters]),
    ):
        if len(set(values)) < len(values):
            raise ValueError(f"battery_meters: {what} belongs to one only")
    if any(one.link != "radio" for one in meters):
        raise ValueError("battery_meters: a concentrator hears meters by radio only")
