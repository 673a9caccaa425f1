"""What a configuration's first collection came to: the demo's summary, and what went over each interface."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.headend.traffic import InterfaceTraffic
from meterway.town.summary import Figures

__all__ = ["ConfigurationSummary", "merged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationSummary(Figures):
    """As the demo's, for one configuration.

    ``completeness`` is the share of the history's load profile values that are in the store, 0 to 1; None where no
    meter has a history yet.
    """

    configuration: str
    title: str
    completeness: float | None

    def rows(self) -> list[tuple[str, str]]:
        """Name and text of each figure, for a table."""
        complete = "no history yet" if self.completeness is None else f"{self.completeness:.2%}"
        interfaces = [
            (f"interface {row.label}", f"{row.between}: {row.entities} entities, {row.sessions:,} sessions or frames,"
             f" {row.octets:,} octets")
            for row in self.interfaces
        ]  # fmt: skip
        return [
            ("configuration", f"{self.configuration}: {self.title}"),
            ("meters", f"{self.meters:,}"),
            ("read", f"{self.read:,}"),
            ("values", f"{self.values:,}"),
            ("events", f"{self.events:,}"),
            ("completeness", complete),
            ("seconds", f"{self.seconds:.2f}"),
            ("p50 per device", f"{self.p50_ms:.1f} ms"),
            ("p95 per device", f"{self.p95_ms:.1f} ms"),
            ("displays", f"{self.displays} ({self.telegrams:,} telegrams)"),
            *interfaces,
            ("failures", self.failed),
        ]


def merged(rows: list[InterfaceTraffic]) -> tuple[InterfaceTraffic, ...]:
    """One row for each interface that carried anything, in the order they first came."""
    found: dict[str, InterfaceTraffic] = {}
    for row in rows:
        if not row.octets:
            continue
        known = found.get(row.label)
        if known is None:
            found[row.label] = row
            continue
        found[row.label] = InterfaceTraffic(
            label=row.label,
            between=known.between,
            entities=max(known.entities, row.entities),
            sessions=known.sessions + row.sessions,
            octets=known.octets + row.octets,
        )
    return tuple(found.values())
