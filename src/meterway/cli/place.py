"""Which head end a command means: the settings file named, or the one in use.

A head end that runs writes beside its store how it is reached (``<store>.running``, for its owner only), and a demo
that stays up does the same in the user's state folder; commands on devices then go through that head end, so that
invocation counters are kept in one place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError
from meterway.headend.config import HeadEndConfig, load_config

__all__ = ["DEMO_CONFIG", "demo_folder", "find_config"]

_VARIABLE: Final = "METERWAY_CONFIG"
_HERE: Final = Path("headend.toml")


def demo_folder() -> Path:
    """Where a demo that stays up keeps its store."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "meterway" / "demo"


DEMO_CONFIG: Final = "headend.toml"


def find_config(named: Path | None) -> HeadEndConfig:
    """The settings named, else of $METERWAY_CONFIG, of ./headend.toml, of the demo that is up.

    ConfigError if there is none.
    """
    if named is not None:
        return load_config(named)
    variable = os.environ.get(_VARIABLE)
    if variable:
        return load_config(Path(variable))
    for path in (_HERE, demo_folder() / DEMO_CONFIG):
        if path.is_file():
            return load_config(path)
    raise ConfigError(
        "no head end is known: name its settings with --config, or start one (meterway demo, meterway headend)"
    )
