"""Settings: TOML text to typed structs, with complaints that name the file and the field; secrets by ``env:NAME``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from meterway.base.errors import ConfigError

__all__ = ["Secretive", "key_octets", "parse_settings", "read_settings", "secret_octets", "secret_text"]

T = TypeVar("T")

_PLACE: Final = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<field>.*)`)?", re.DOTALL)
_ENV: Final = "env:"


class Secretive(msgspec.Struct, frozen=True):
    """Settings with a secret among them: shown, in an error or a log, by their name alone."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def read_settings(path: Path, kind: type[T]) -> T:
    """A settings file as ``kind``; ConfigError names the file, and the field or the line."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    return parse_settings(octets, kind, file=str(path))


def parse_settings(octets: bytes, kind: type[T], *, file: str) -> T:
    """The content of a TOML file as ``kind``; ConfigError says ``file: field: what is wrong`` (or the line)."""
    try:
        return msgspec.convert(tomllib.loads(octets.decode("utf-8")), kind)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at octet {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {_told(str(error))}") from None


def _told(message: str) -> str:
    """``Expected `int` - at `$.page.port``` as ``page.port: Expected `int```."""
    match = _PLACE.fullmatch(message)
    if match is None or not match["field"]:
        return message
    return f"{match['field']}: {match['what']}"


def secret_text(given: str, *, field: str, environ: Mapping[str, str]) -> str:
    """A secret as it is given, or what the environment has under NAME for ``env:NAME``; ConfigError if it has none."""
    if not given.startswith(_ENV):
        return given
    name = given.removeprefix(_ENV)
    if name not in environ:
        raise ConfigError(f"{field}: the environment has no {name}")
    return environ[name]


def secret_octets(given: str, *, field: str, environ: Mapping[str, str]) -> bytes:
    """A secret of hex digits, given or from the environment; empty stays empty. ConfigError for anything else."""
    try:
        return bytes.fromhex(secret_text(given, field=field, environ=environ))
    except ValueError:
        raise ConfigError(f"{field}: hex digits or env:NAME are wanted") from None


def key_octets(given: str, *, field: str, least: int = 16, most: int = 16) -> bytes:
    """A key as hex digits, or ``env:NAME`` for what the environment has; ConfigError unless its size is right."""
    text = secret_text(given, field=field, environ=os.environ)
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if not least <= len(octets) <= most:
        size = f"{least}" if least == most else f"{least} to {most}"
        raise ConfigError(f"{field}: {size} octets as hex (or env:NAME that holds them) are wanted")
    return octets
