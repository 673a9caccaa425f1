"""Device keys at rest: sealed with AES-256-GCM under a master key that lives outside the database.

What is sealed for one device and one key name opens for no other. There is no default master key: it comes from a
file that is made, readable by its owner only, the first time it is needed.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meterway.base.errors import ConfigError, SecurityError

__all__ = ["Vault"]

_VERSION: Final = b"\x01"
_SIZE: Final = 32
_NONCE: Final = 12


class Vault:
    """Seals and opens keys; neither it nor its errors ever show one."""

    __slots__ = ("_cipher",)

    def __init__(self, master: bytes) -> None:
        if len(master) != _SIZE:
            raise ConfigError(f"a master key has {_SIZE} octets, not {len(master)}")
        self._cipher = AESGCM(master)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Under the master key of a file (hex), made with mode 0600 if there is none.

        ConfigError if others may read the file or it holds no key.
        """
        try:
            _create(path)
            mode = stat.S_IMODE(path.stat().st_mode)
            if os.name == "posix" and mode & 0o077:
                raise ConfigError(f"{path} holds the master key and is open to others (mode {mode:04o}); chmod 600 it")
            return cls(_from_hex(path.read_text("ascii"), str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: the master key cannot be read or made ({error})") from None

    def __repr__(self) -> str:
        return "Vault(...)"

    def seal(self, serial: str, name: str, key: bytes) -> bytes:
        """``key`` so that only ``open`` of the same serial and name gives it back."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, key, _bound(serial, name))

    def open(self, serial: str, name: str, sealed: bytes) -> bytes:
        """What was sealed; SecurityError(key) if it was sealed for another device, name or master key, or altered."""
        if sealed[:1] != _VERSION:
            raise SecurityError(f"the key {name!r} of {serial!r} is sealed in an unknown form", "key")
        try:
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _bound(serial, name))
        except (InvalidTag, ValueError):
            raise SecurityError(
                f"the key {name!r} of {serial!r} does not open: another master key, or altered octets", "key"
            ) from None

    def seal_all(self, serial: str, keys: Mapping[str, bytes]) -> bytes:
        """The keys of a device by name, each sealed, as one value for its row."""
        return msgspec.msgpack.encode({name: self.seal(serial, name, key) for name, key in keys.items()})

    def open_all(self, serial: str, sealed: bytes | None) -> dict[str, bytes]:
        """What ``seal_all`` sealed (nothing for None); SecurityError(key) if any of it does not open."""
        if sealed is None:
            return {}
        try:
            named = msgspec.msgpack.decode(sealed, type=dict[str, bytes])
        except msgspec.MsgspecError:
            raise SecurityError(f"the keys of {serial!r} are damaged", "key") from None
        return {name: self.open(serial, name, each) for name, each in named.items()}


def _bound(serial: str, name: str) -> bytes:
    """What a sealed key is bound to; the length keeps ``ab``+``c`` apart from ``a``+``bc``."""
    device = serial.encode()
    return len(device).to_bytes(4, "big") + device + name.encode()


def _from_hex(text: str, source: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _SIZE:
        raise ConfigError(f"{source} does not hold a master key of {_SIZE} octets in hex")
    return key


def _create(path: Path) -> None:
    """A new random key under ``path``, unless there is one; whoever reads the file finds all of it or none."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(_SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
    finally:
        fresh.unlink()
