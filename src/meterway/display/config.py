"""Settings of a display, typed, from TOML; the key may come from the environment (``"env:NAME"``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive, read_settings, secret_octets
from meterway.stacks.p1.encrypted import PUBLIC_AUTH_KEY

__all__ = ["DisplayConfig", "load_config", "write_config"]

_SAMPLE: Final = """\
# A simple external consumer display. Start it with: meterway display FILE

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
    key: bytes = field(default=b"", repr=False)
    auth_key: bytes = field(default=PUBLIC_AUTH_KEY, repr=False)
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


class _Meter(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The [meter] table."""

    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: int = 2001
    key: str = ""
    auth_key: str = ""
    utc_offset_h: int = 1
    retry_min_s: float = 1.0
    retry_max_s: float = 60.0


class _Page(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The [page] table."""

    enabled: bool = True
    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: int = 8081


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The whole file."""

    meter: _Meter = _Meter()
    page: _Page = _Page()


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> DisplayConfig:
    """Read a file; ConfigError names the file and the field."""
    file = read_settings(path, _File)
    meter, page = file.meter, file.page
    try:
        return DisplayConfig(
            host=meter.host,
            port=meter.port,
            key=secret_octets(meter.key, field="meter.key", environ=environ),
            auth_key=secret_octets(meter.auth_key, field="meter.auth_key", environ=environ) or PUBLIC_AUTH_KEY,
            utc_offset_h=meter.utc_offset_h,
            retry_min_s=meter.retry_min_s,
            retry_max_s=meter.retry_max_s,
            page_host=page.host,
            page_port=page.port if page.enabled else None,
        )
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
