"""What upper floors may ask of a display."""

from __future__ import annotations

from meterway.display.config import DisplayConfig, load_config, write_config
from meterway.display.device import View
from meterway.display.serve import Display, run

__all__ = ["Display", "DisplayConfig", "View", "load_config", "run", "write_config"]
