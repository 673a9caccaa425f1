"""What a person sees of a device's answer."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from meterway.model.telegram import Json

__all__ = ["show_answer"]

_MOST_ROWS = 400
_PIPE_WIDTH = 200


def show_answer(answer: dict[str, Json]) -> None:
    """Print the value, the table of a profile, or why there is none."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    error, refusal = answer.get("error"), answer.get("refusal")
    if isinstance(error, dict):
        console.print(f"[red]failed[/red] {error['message']}")
    elif refusal:
        console.print(f"[red]refused[/red] by the device: {refusal}")
    elif isinstance(answer.get("objects"), list):
        _objects(console, answer["objects"])
    else:
        _read(console, answer)


def _read(console: Console, answer: dict[str, Json]) -> None:
    value = answer.get("value")
    if isinstance(value, dict) and "columns" in value:
        _profile(console, value)
    else:
        _value(console, answer)


def _value(console: Console, answer: dict[str, Json]) -> None:
    value = answer.get("value")
    if value is None:
        console.print(
            f"{answer.get('obis', '')} [dim]{answer.get('name', '')} {answer.get('attribute', '')}[/dim]  done"
        )
        return
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    name = f"[dim]{answer.get('name', '')} {answer.get('attribute', '')}[/dim]"
    console.print(f"{answer.get('obis', '')} {name}  [bold]{text}[/bold] {answer.get('unit') or ''}")


def _objects(console: Console, rows: Json) -> None:
    table = Table("class", "version", "code", box=None, header_style="dim")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            table.add_row(str(row["class"]), str(row["version"]), str(row["obis"]))
    console.print(table)


def _profile(console: Console, value: Json) -> None:
    if not isinstance(value, dict) or not isinstance(value["columns"], list) or not isinstance(value["rows"], list):
        return
    table = Table(box=None, header_style="dim")
    for column in value["columns"]:
        if isinstance(column, dict):
            code = str(column["obis"]).removesuffix("*255")
            table.add_column(f"{code}\n{column['unit'] or column['name']}", justify="right", no_wrap=True)
    for row in value["rows"][:_MOST_ROWS]:
        table.add_row(*[str(cell) for cell in row] if isinstance(row, list) else [str(row)])
    console.print(table)
    left = len(value["rows"]) - _MOST_ROWS
    console.print(f"[dim]{len(value['rows'])} rows" + (f", {left} more with --json" if left > 0 else "") + "[/dim]")
