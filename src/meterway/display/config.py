"""Settings of a display, typed, from TOML; the key may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError
from meterway.stacks.p1.encrypted import PUBLIC_AUTH_KEY

__all__ = ["DisplayConfig", "load_config", "write_config"]

_SAMPLE: Final = """\
# A simple external consumer display. Start it with: meterway display --config FILE

[meter]
host = "127.0.0.1"   # where the meter's consumer port (H1) listens
port = 2001
# key = "env:H1_KEY" # 32 hexadecimal digits, or the environment variable that holds them: for encrypted telegrams
# auth_key = "00112233445566778899AABBCCDDEEFF" # the public one of Luxembourg unless your meter has its own
utc_offset_h = 1     # the country's standard time east of UTC: 1 Central Europe, 2 Finland, 0 Portugal
retry_min_s = 1      # after a lost line: wait this long, then twice as long each time, up to retry_max_s
retry_max_s = 60

[page]
enabled = true
host = "127.0.0.1"   # only this machine sees the page; name another address to show it to your network
port = 8081          # 0 takes any free port
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayConfig:
    """Where the meter's port is, how to read it and where the page is; ``page_port`` None means no page."""

    host: str = "127.0.0.1"
    port: int = 2001
    key: bytes = b""
    auth_key: bytes = PUBLIC_AUTH_KEY
    utc_offset_h: int = 1
    retry_min_s: float = 1.0
    retry_max_s: float = 60.0
    page_host: str = "127.0.0.1"
    page_port: int | None = 8081

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"meter.port {self.port} is not 1 to 65535")
        if self.page_port is not None and not 0 <= self.page_port <= 65535:
            raise ConfigError(f"page.port {self.page_port} is not 0 to 65535")
        if len(self.key) not in (0, 16) or len(self.auth_key) != 16:
            raise ConfigError("meter.key and meter.auth_key have 32 hexadecimal digits each")
        if not -12 <= self.utc_offset_h <= 14:
            raise ConfigError(f"meter.utc_offset_h {self.utc_offset_h} is not -12 to 14")
        if not 0 < self.retry_min_s <= self.retry_max_s:
            raise ConfigError("meter.retry_min_s must be above 0 and not above meter.retry_max_s")


def write_config() -> str:
    """A commented file with every setting at its default."""
    return _SAMPLE


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> DisplayConfig:
    """Read a file; ConfigError names the file and what is wrong in it."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        return _config(tables, environ)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _config(tables: dict[str, object], environ: Mapping[str, str]) -> DisplayConfig:
    meter, page = _table(tables, "meter"), _table(tables, "page")
    default = DisplayConfig()
    config = DisplayConfig(
        host=_text(meter, "meter.host", default.host),
        port=_whole(meter, "meter.port", default.port),
        key=_key(meter, "meter.key", b"", environ),
        auth_key=_key(meter, "meter.auth_key", PUBLIC_AUTH_KEY, environ),
        utc_offset_h=_whole(meter, "meter.utc_offset_h", default.utc_offset_h),
        retry_min_s=_number(meter, "meter.retry_min_s", default.retry_min_s),
        retry_max_s=_number(meter, "meter.retry_max_s", default.retry_max_s),
        page_host=_text(page, "page.host", default.page_host),
        page_port=_whole(page, "page.port", 8081) if _flag(page, "page.enabled") else None,
    )
    page.pop("port", None)
    for place, table in (("meter", meter), ("page", page), ("file", tables)):
        if table:
            raise ConfigError(f"{place}: unknown field {', '.join(sorted(table))}")
    return config


def _table(tables: dict[str, object], name: str) -> dict[str, object]:
    table = tables.pop(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{name} must be a table")
    return table


def _take(table: dict[str, object], place: str) -> object:
    return table.pop(place.split(".")[1], None)


def _text(table: dict[str, object], place: str, default: str) -> str:
    value = _take(table, place)
    if value is None:
        return default
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{place} must be text, not {value!r}")
    return value


def _number(table: dict[str, object], place: str, default: float) -> float:
    value = _take(table, place)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{place} must be a number, not {value!r}")
    return value


def _whole(table: dict[str, object], place: str, default: int) -> int:
    value = _number(table, place, default)
    if not isinstance(value, int):
        raise ConfigError(f"{place} must be a whole number, not {value!r}")
    return value


def _flag(table: dict[str, object], place: str) -> bool:
    value = _take(table, place)
    if value is not None and not isinstance(value, bool):
        raise ConfigError(f"{place} must be true or false, not {value!r}")
    return value is not False


def _key(table: dict[str, object], place: str, default: bytes, environ: Mapping[str, str]) -> bytes:
    value = _text(table, place, "")
    if not value:
        return default
    if value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in environ:
            raise ConfigError(f"{place}: the environment variable {name} is not set")
        value = environ[name]
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise ConfigError(f"{place} must be hexadecimal digits") from None
