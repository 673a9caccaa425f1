"""What a person sees of a decoded telegram in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from meterway.mapping.telegram import Decoded, Refused

__all__ = ["show_telegram"]


def show_telegram(answer: Decoded) -> None:
    """Print a telegram as a table, or why it was refused."""
    console = Console()
    if isinstance(answer, Refused):
        console.print(f"[red]refused[/red] {answer.kind}: {answer.message} (offset {answer.offset})")
        return
    device = ", ".join(f"{name} {value}" for name, value in answer.device.items() if value)
    layers = " / ".join(dict.fromkeys(str(layer["layer"]) for layer in answer.layers))
    console.print(f"[bold]{answer.protocol}[/bold] {layers}" + (f" [dim]{device}[/dim]" if device else ""))
    if answer.readings:
        table = Table("code", "name", "value", "unit", "time", box=None, header_style="dim")
        table.columns[2].justify = "right"
        for reading in answer.readings:
            row = reading.as_json()
            value = reading.quality if row["value"] is None else row["value"]
            code = row.get("obis") or row.get("vif") or ""
            table.add_row(str(code), reading.name, str(value), reading.unit, str(row["time"] or ""))
        console.print(table)
    for quirk in answer.quirks:
        console.print(f"[yellow]quirk[/yellow] {quirk}")
