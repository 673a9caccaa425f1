"""What a first collection came to: one object for machines, one table for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from meterway.headend.traffic import InterfaceTraffic
from meterway.model.telegram import Json

__all__ = ["Figures", "Summary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What every first collection came to, whatever it was made of."""

    meters: int
    read: int
    values: int
    seconds: float
    values_per_s: float
    p50_ms: float
    p95_ms: float
    failures: dict[str, int]
    octets: int
    events: int
    displays: int
    telegrams: int
    interfaces: tuple[InterfaceTraffic, ...] = ()
    """What went over each interface of the reference figure."""

    @property
    def failed(self) -> str:
        """How many devices failed by which cause, as a text."""
        return ", ".join(f"{cause} {count}" for cause, count in sorted(self.failures.items())) or "none"

    def as_json(self) -> dict[str, Json]:
        """As plain JSON."""
        return {**asdict(self), "interfaces": [asdict(row) for row in self.interfaces]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Figures):
    """``completeness`` is the share of the history's load profile values that are in the store, 0 to 1."""

    completeness: float
    homes: int = 0
    home_devices: int = 0
    """Gateways and the meters behind them."""
    home_devices_read: int = 0
    neighbours: int = 0
    """Devices on the neighbourhood network and behind it: meters, gateways, concentrators."""
    neighbours_read: int = 0
    left_out: tuple[str, ...] = ()
    """What this town goes without, and what the machine lacks for it."""

    @property
    def is_whole(self) -> bool:
        """Whether every device was read."""
        return (
            self.read == self.meters
            and self.home_devices_read == self.home_devices
            and self.neighbours_read == self.neighbours
        )

    def rows(self) -> list[tuple[str, str]]:
        """Name and text of each figure, for a table."""
        return [
            ("meters", f"{self.meters:,}"),
            ("read", f"{self.read:,}"),
            ("values", f"{self.values:,}"),
            ("events", f"{self.events:,}"),
            ("octets on interface I", f"{self.octets:,}"),
            ("completeness", f"{self.completeness:.2%}"),
            ("seconds", f"{self.seconds:.2f}"),
            ("values per second", f"{self.values_per_s:,.0f}"),
            ("p50 per meter", f"{self.p50_ms:.1f} ms"),
            ("p95 per meter", f"{self.p95_ms:.1f} ms"),
            ("displays fed over H1", f"{self.displays} ({self.telegrams:,} telegrams)"),
            *([("read in homes", f"{self.home_devices_read} of {self.home_devices}")] if self.homes else []),
            *([("read among neighbours", f"{self.neighbours_read} of {self.neighbours}")] if self.neighbours else []),
            *((f"interface {row.label}", f"{row.octets:,} octets, {row.between}") for row in self.interfaces),
            ("failures", self.failed),
            *(("left out", text) for text in self.left_out),
        ]
