"""API tokens: handed out once, kept as SHA-256 only, one ``name hash`` a line."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError

__all__ = ["Tokens", "new_token"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def new_token(path: Path, name: str) -> str:
    """Make a token for ``name``, add its hash to the file (made with mode 0600), return it: it is shown only now.

    ConfigError if the name is not one, is there already, or the file cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"a token's name has 1 to 64 letters, digits, '.', '_' or '-', not {name!r}")
    if name in _read(path):
        raise ConfigError(f"{path} has a token named {name} already; take its line out first")
    token = "mw_" + secrets.token_urlsafe(32)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{name} {sha256(token.encode()).hexdigest()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    return token


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the tokens cannot be read ({error})") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) != 2 or not _NAME.fullmatch(parts[0]) or not _HASH.fullmatch(parts[1]):
            raise ConfigError(f"{path} line {number}: a name and the SHA-256 of a token in hex are wanted")
        found[parts[0]] = parts[1]
    return found


class Tokens:
    """The tokens of a file, read again when it changes. Without a path there are none.

    ConfigError if the file is wrong when it is first read; a file that becomes wrong later holds no token.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._hashes: dict[str, str] = _read(path) if path is not None else {}
        self._seen = self._stamp()

    def __bool__(self) -> bool:
        self._refresh()
        return bool(self._hashes)

    def name_of(self, token: str) -> str | None:
        """Whose token it is, or None."""
        self._refresh()
        digest = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        for name, known in self._hashes.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = self._path.stat() if self._path is not None else None
        except OSError:
            stat = None
        return (stat.st_mtime_ns, stat.st_size) if stat is not None else (0, 0)

    def _refresh(self) -> None:
        stamp = self._stamp()
        if self._path is None or stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._hashes = _read(self._path)
        except ConfigError:
            self._hashes = {}
