"""What ``meterway demo`` shows in the terminal: progress, the summary, what goes on afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from meterway.town.summary import Summary
    from meterway.town.town import Town

__all__ = ["DemoScreen"]

_REFRESH_S = 1.0
_TICKER_LINES = 8


class DemoScreen:
    """Writes to the terminal, or plain text where there is none; nothing if ``is_quiet``."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._console = Console(quiet=is_quiet, highlight=False)

    @contextlib.contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something is going on."""
        if self._console.is_terminal:
            with self._console.status(what):
                yield
        else:
            self._console.print(what)
            yield

    @contextlib.contextmanager
    def collecting(self, meters: int) -> Iterator[Callable[[int, int, int], None]]:
        """A bar that fills with the meters that were called."""
        if not self._console.is_terminal:
            yield lambda done, total, values: None
            return
        columns = (
            SpinnerColumn(),
            TextColumn("collecting"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("meters  {task.fields[values]:,} values"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, expand=True) as progress:
            task = progress.add_task("collecting", total=meters, values=0)

            def advance(done: int, total: int, values: int) -> None:
                progress.update(task, completed=done, total=total, values=values)

            yield advance

    def summary(self, summary: Summary) -> None:
        """The table of the first collection."""
        table = Table(title="First collection", show_header=False, title_justify="left")
        table.add_column(style="dim")
        table.add_column(justify="right")
        for name, text in summary.rows():
            is_bad = (name == "failures" and text != "none") or (name.startswith("read") and not summary.is_whole)
            table.add_row(name, f"[red]{text}[/red]" if is_bad else text)
        self._console.print(table)

    async def stay(self, town: Town, command: str) -> None:
        """Say where the pages are and what to try, and show what happens, until the user ends it."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ended.set)
        console = self._console
        console.print(f"\nPages: [bold cyan]{town.page_address}[/bold cyan]   (Ctrl-C ends the town)")
        console.print(f"Collection goes on. In another terminal: [bold]{command}[/bold]\n")
        with Live(console=console, refresh_per_second=2, transient=True) as live:
            while not ended.is_set():
                live.update(_ticker(town))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_REFRESH_S):
                        await ended.wait()
        console.print("The town closes.")


def _ticker(town: Town) -> Table:
    progress = town.head_end.collector.progress
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "[dim]contacts[/dim]", f"{progress.contacts:,}", "[dim]values[/dim]", f"{progress.values:,}",
        "[dim]failures[/dim]", f"{progress.contacts - progress.causes['ok']:,}",
    )  # fmt: skip
    for happening in list(town.head_end.live.recent)[-_TICKER_LINES:]:
        colour = "red" if "fail" in happening.kind or "refused" in happening.kind else "green"
        at = datetime.fromtimestamp(happening.time_s).astimezone().strftime("%H:%M:%S")
        table.add_row(f"[dim]{at}[/dim]", happening.serial, f"[{colour}]{happening.kind}[/{colour}]", happening.text)
    return table
