"""``meterway bench``: the benchmarks of a source checkout, each beside its peers in the same run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from meterway.base.errors import ConfigError

__all__ = ["bench"]


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Per benchmark our figure, each peer's, the ratio.")
def bench(names: tuple[str, ...], as_json: bool) -> None:
    """Run the benchmarks (all, or those NAMED) of the checkout this program was installed from.

    Peers that are not installed are left out; install them with: make bench
    """
    runner = _checkout() / "benchmarks" / "run.py"
    arguments = [sys.executable, str(runner), *(["--json"] if as_json else []), *names]
    sys.exit(subprocess.run(arguments, check=False).returncode)  # noqa: S603  our own program, no shell


def _checkout() -> Path:
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (folder / "benchmarks" / "run.py").is_file():
            return folder
    raise ConfigError("the benchmarks are in the source checkout, and none was found here")
