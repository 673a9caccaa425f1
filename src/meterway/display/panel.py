"""The live panel in a terminal: power now, the curve of the day, registers, phases, other meters, peaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from meterway.display.device import CurvePoint, View

__all__ = ["bar", "render", "show", "sparkline"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_STALE_S: Final = 30


def sparkline(points: Sequence[CurvePoint], width: int) -> str:
    """The curve in ``width`` characters at most; each is the mean of its share of the points."""
    if not points or width < 1:
        return ""
    count = min(width, len(points))
    edges = [index * len(points) // count for index in range(count + 1)]
    means = [sum(point.power_w for point in points[low:high]) / (high - low) for low, high in pairwise(edges)]
    low, high = min(0.0, *means), max(means)
    span = (high - low) or 1.0
    return "".join(_BLOCKS[min(7, int((mean - low) / span * 8))] for mean in means)


def bar(power_w: int, scale_w: int, width: int) -> Text:
    """A bar of power; green and leftwards in meaning when feeding in."""
    filled = min(width, round(abs(power_w) / max(scale_w, 1) * width))
    colour = "green" if power_w < 0 else "yellow" if power_w < scale_w * 0.7 else "red"
    return Text("█" * filled, style=colour) + Text("░" * (width - filled), style="dim")


def render(view: View, width: int = 80, *, address: str = "") -> RenderableType:
    """The whole panel for one view."""
    inner = max(20, width - 4)
    rows: list[RenderableType] = [_headline(view, inner)]
    if view.curve:
        rows += [Text(sparkline(view.curve, inner), style="cyan"), Text("last 24 h", style="dim")]
    rows += [table for table in (_registers(view), _phases(view), _channels(view), _peaks(view)) if table is not None]
    if view.message:
        rows.append(Text(f"Message: {view.message}", style="bold magenta"))
    rows.append(_foot(view, address))
    title = Text(view.meter or view.identification or "no meter yet")
    return Panel(Group(*rows), title=title, subtitle=_line(view), border_style=_colour(view))


def _headline(view: View, width: int) -> RenderableType:
    if view.power_w is None:
        return Text("waiting for the first telegram", style="dim")
    scale = max(3000, *(abs(point.power_w) for point in view.curve), abs(view.power_w))
    word = "feeding in" if view.power_w < 0 else "using"
    tariff = f"   tariff {view.tariff}" if view.tariff else ""
    return Group(Text(f"{word} {abs(view.power_w):,} W{tariff}", style="bold"), bar(view.power_w, scale, width))


def _grid(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for index, title in enumerate(titles):
        table.add_column(title, justify="right" if index else "left")
    return table


def _registers(view: View) -> Table | None:
    if not view.registers:
        return None
    table = _grid("Register", "Tariff", "Value")
    for row in view.registers:
        table.add_row(row.label, str(row.tariff) if row.tariff else "total", f"{row.value:,} {row.unit}")
    return table


def _phases(view: View) -> Table | None:
    if not view.phases:
        return None
    table = _grid("Phase", "Power", "Voltage", "Current")
    for row in view.phases:
        table.add_row(f"L{row.number}", _of(row.power_w, "W"), _of(row.voltage_v, "V"), _of(row.current_a, "A"))
    return table


def _channels(view: View) -> Table | None:
    rows = [row for row in view.channels if row.value is not None]
    if not rows:
        return None
    table = _grid("Other meters", "Reading", "Taken (UTC)")
    for row in rows:
        table.add_row(row.kind, _of(row.value, row.unit), f"{row.time:%Y-%m-%d %H:%M}" if row.time else "")
    return table


def _peaks(view: View) -> Table | None:
    if view.peak is None and not view.peaks:
        return None
    table = _grid("Quarter-hour peak", "Power", "When (UTC)")
    for label, peak in (("this month", view.peak), *(("earlier", peak) for peak in view.peaks[-3:])):
        if peak is not None:
            table.add_row(label, _of(peak.power_w, "W"), f"{peak.time:%Y-%m-%d %H:%M}" if peak.time else "")
    return table


def _of(value: object, unit: str) -> str:
    return "" if value is None else f"{value:,} {unit}" if isinstance(value, int) else f"{value} {unit}"


def _foot(view: View, address: str) -> Text:
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(view.faults.items()))
    parts = [f"{view.telegrams:,} telegrams", faults and f"faults: {faults}", ", ".join(view.quirks), address]
    return Text("   ".join(part for part in parts if part), style="dim")


def _line(view: View) -> Text:
    age = "" if view.age_s is None else f", last telegram {view.age_s:.0f} s ago"
    return Text(f"{view.line.state} {view.line.message}{age}")


def _colour(view: View) -> str:
    if view.line.state == "lost":
        return "red"
    return "green" if view.age_s is not None and view.age_s < _STALE_S else "yellow"


async def show(
    changes: Callable[[], AsyncIterator[View]], console: Console, *, address: Callable[[], str] = str
) -> None:
    """Keep the panel on the terminal until cancelled."""
    with Live(console=console, screen=False, auto_refresh=False) as live:
        async for view in changes():
            live.update(render(view, console.width, address=address()), refresh=True)
