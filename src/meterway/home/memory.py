"""What outlives the process of load controllers: counters, consent, programme, orders, energy, transferred keys.

One JSON file, written anew and put in place at once. Transferred keys are wrapped under the master key of the settings,
and forgotten when the settings have other keys.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.errors import ConfigError, SecurityError
from meterway.home.device import LoadController
from meterway.home.rules import Hold, Relay
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter, counter_at
from meterway.stacks.dlms.security.keys import unwrap_key, wrap_key
from meterway.store.private_file import private_opener

__all__ = ["HomeMemory"]

_STEP: Final = 1000
_TRANSFERRED: Final = ("guek", "gak", "gbek", "gbak")


class _Kept(msgspec.Struct, kw_only=True):
    settings: str
    """Fingerprint of the keys of the settings."""
    send: dict[int, int] = {}
    received: dict[int, int] = {}
    keys: dict[str, str] = {}
    programme: str = ""
    consent: bool = False
    clock_offset_s: float = 0.0
    energy_ws: list[float] = []
    relays: list[tuple[tuple[Hold, ...], Hold | None, tuple[Hold, ...]]] = []
    overrides: list[float] = []


class HomeMemory:
    """Keeps the counters of devices and, with a file, all that is to outlive the process.

    Counters never start below the seconds since 2020, so that even without the file a restart does not go back, as long
    as less than one message a second is sent on average. ConfigError for a file
    that cannot be read or written.
    """

    def __init__(self, unix: Callable[[], float], path: Path | None = None) -> None:
        self._unix = unix
        self._path = path
        self._kept: dict[str, _Kept] = {}
        self._devices: dict[str, LoadController] = {}
        self._send: dict[tuple[str, int], SendCounter] = {}
        self._received: dict[tuple[str, int], ReceivedCounter] = {}
        if path is not None and path.exists():
            try:
                self._kept = msgspec.json.decode(path.read_bytes(), type=dict[str, _Kept])
            except (OSError, msgspec.DecodeError) as error:
                raise ConfigError(f"{path}: {error}") from None

    def add(self, device: LoadController) -> None:
        """Give a device back what it was, and keep what it becomes."""
        serial = device.config.serial
        self._devices[serial] = device
        kept = self._kept.get(serial)
        if kept is not None and kept.settings == _fingerprint(device):
            _restore(device, kept)
        else:
            self._kept[serial] = _Kept(settings=_fingerprint(device))
        device.on_change = self.save
        self.save()

    def sending(self, device: LoadController, client: int) -> SendCounter:
        """The one counter of all that a device protects under the key of a client."""
        place = device.config.serial, client
        if place not in self._send:
            kept = self._kept.setdefault(place[0], _Kept(settings=_fingerprint(device)))
            first = max(kept.send.get(client, 0), counter_at(self._unix()))

            def reserve(limit: int) -> None:
                kept.send[client] = limit
                self.save()

            self._send[place] = SendCounter(first, reserve=reserve, step=_STEP)
        return self._send[place]

    def receiving(self, device: LoadController, client: int) -> ReceivedCounter:
        """The highest counter a client was seen to use with a device."""
        place = device.config.serial, client
        if place not in self._received:
            kept = self._kept.get(place[0])
            self._received[place] = ReceivedCounter(-1 if kept is None else kept.received.get(client, -1))
        return self._received[place]

    def save(self) -> None:
        """Write the file, if there is one; ConfigError if that fails."""
        if self._path is None:
            return
        for serial, device in self._devices.items():
            kept = self._kept[serial]
            kept.received |= {client: one.last for (of, client), one in self._received.items() if of == serial}
            _keep(device, kept)
        fresh = self._path.with_suffix(".new")
        try:
            with open(fresh, "wb", opener=private_opener) as file:
                file.write(msgspec.json.encode(self._kept))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise ConfigError(f"{self._path}: {error.strerror or error}") from None


def _fingerprint(device: LoadController) -> str:
    keys = device.config.keys
    return hashlib.sha256(b"home memory" + keys.guek + keys.kek).hexdigest()[:16]


def _keep(device: LoadController, kept: _Kept) -> None:
    first, kek = device.config.keys, device.config.keys.kek
    kept.keys = {
        name: wrap_key(kek, getattr(device.keys, name)).hex()
        for name in _TRANSFERRED
        if getattr(device.keys, name) != getattr(first, name)
    }
    kept.programme, kept.consent, kept.clock_offset_s = device.programme, device.consent, device.clock_offset_s
    kept.energy_ws = list(device.energy_ws)
    kept.relays = [(one.orders, one.override, one.emergencies) for one in device.relays]
    kept.overrides = list(device.overrides)


def _restore(device: LoadController, kept: _Kept) -> None:
    try:
        fresh = {name: unwrap_key(device.config.keys.kek, bytes.fromhex(text)) for name, text in kept.keys.items()}
    except (SecurityError, ValueError):
        raise ConfigError(f"{device.config.serial}: the keys in its memory are not those it was given") from None
    for name, key in fresh.items():
        setattr(device.keys, name, key)
    device.programme, device.consent = kept.programme, kept.consent
    device.overrides = list(kept.overrides)
    if len(kept.relays) == len(device.relays):
        device.energy_ws = list(kept.energy_ws)
        device.relays = [
            Relay(orders=orders, override=override, emergencies=emergencies)
            for orders, override, emergencies in kept.relays
        ]
