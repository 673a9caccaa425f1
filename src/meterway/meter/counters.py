"""What outlives the process: invocation counters, transferred keys, settings; a file that grows until opened anew.

One JSON object a line; the last one of a meter counts. Counters belong to one encryption key, named by a
fingerprint; transferred keys are kept wrapped under the master key of the settings.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from meterway.base.errors import ConfigError, SecurityError
from meterway.meter.device import Meter
from meterway.meter.keys import Keys
from meterway.meter.memory import recall, remembered
from meterway.stacks.dlms.security.counter import counter_at
from meterway.stacks.dlms.security.keys import unwrap_key, wrap_key
from meterway.store.private_file import private_opener

__all__ = ["ClockCounters", "FileCounters"]

_KEY_NAMES: Final = ("guek", "gak", "kek", "gbek", "gbak")


class ClockCounters:
    """Without a file: counters start at the seconds since 2020, so that a restart never goes back."""

    def __init__(self, unix: Callable[[], float]) -> None:
        self._unix = unix

    def first(self, meter: Meter) -> int:
        """The time, as long as less than one message a second is sent on average."""
        return counter_at(self._unix())

    def reserve(self, meter: Meter, limit: int) -> None:
        """Nothing to keep."""

    def last_received(self, meter: Meter, client: int) -> int:
        """Any counter is new."""
        return -1

    def ordered(self, meter: Meter) -> None:
        """Nothing to keep."""


@dataclass(slots=True)
class _Entry:
    key: str = ""
    send: int = 0
    received: dict[int, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"counter file" + key).hexdigest()[:16]


class FileCounters:
    """Counters in a file; ConfigError if it cannot be read or written, or holds what no meter wrote."""

    def __init__(self, path: Path, unix: Callable[[], float] = time.time) -> None:
        self._path = path
        self._unix = unix
        self._entries = self._load()
        try:
            self._rewrite()
            self._file = open(path, "a", encoding="utf-8", opener=private_opener)  # noqa: SIM115  kept open
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error

    def _load(self) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        if not self._path.exists():
            return entries
        lines = self._path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                received = {int(client): int(last) for client, last in row["received"].items()}
                entries[row["meter"]] = _Entry(
                    row["key"], int(row["send"]), received, dict(row["keys"]), dict(row.get("state", {}))
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                if number != len(lines):  # the last line may have been cut by a crash
                    raise ConfigError(f"{self._path}, line {number}: not a line of a counter file") from None
        return entries

    def _line(self, serial: str) -> str:
        entry = self._entries[serial]
        row = {
            "meter": serial,
            "key": entry.key,
            "send": entry.send,
            "received": {str(client): last for client, last in entry.received.items()},
            "keys": entry.keys,
            "state": entry.state,
        }
        return json.dumps(row) + "\n"

    def _rewrite(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        with open(fresh, "w", encoding="utf-8", opener=private_opener) as file:
            file.writelines(self._line(serial) for serial in self._entries)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _append(self, serial: str, *, durable: bool) -> None:
        self._file.write(self._line(serial))
        self._file.flush()
        if durable:
            os.fsync(self._file.fileno())

    def _entry(self, meter: Meter) -> _Entry:
        """The meter's entry under its key of now; a new key starts afresh."""
        key = _fingerprint(meter.keys.guek)
        entry = self._entries.get(meter.serial)
        if entry is None or entry.key != key:
            kept = entry or _Entry()
            entry = self._entries[meter.serial] = _Entry(key, keys=kept.keys, state=kept.state)
        return entry

    def restore(self, meter: Meter) -> None:
        """Give a meter what it remembers and the keys that were transferred to it before the restart."""
        entry = self._entries.get(meter.serial)
        if entry is not None and entry.state:
            recall(meter, entry.state)
        if entry is None or not entry.keys:
            return
        try:
            known = {name: unwrap_key(meter.config.keys.kek, bytes.fromhex(text)) for name, text in entry.keys.items()}
        except (SecurityError, ValueError):
            raise ConfigError(
                f"{self._path}: the keys kept for {meter.serial} do not open under the master key of its settings"
            ) from None
        meter.keys = replace(meter.keys, **known)

    def keys_changed(self, meter: Meter) -> None:
        """Keep transferred keys."""
        given: Keys = meter.config.keys
        names = [entry.name for entry in fields(given) if entry.name in _KEY_NAMES]
        changed = {
            name: getattr(meter.keys, name) for name in names if getattr(meter.keys, name) != getattr(given, name)
        }
        entry = self._entry(meter)
        entry.keys = {name: wrap_key(given.kek, key).hex() for name, key in changed.items() if key}
        self._append(meter.serial, durable=True)

    def first(self, meter: Meter) -> int:
        """The end of the last reservation, or one a second since 2020 if the file is an old backup."""
        return max(self._entry(meter).send, counter_at(self._unix()))

    def reserve(self, meter: Meter, limit: int) -> None:
        """On disk before any counter of the reservation is used."""
        self._entry(meter).send = limit
        self._append(meter.serial, durable=True)

    def last_received(self, meter: Meter, client: int) -> int:
        """The highest counter that was saved."""
        return self._entry(meter).received.get(client, -1)

    def save_received(self, meter: Meter) -> None:
        """Keep what clients have used, if it rose since the last time."""
        heard = {client: counter.last for client, counter in (meter.received or {}).items() if counter.last >= 0}
        entry = self._entry(meter)
        if heard and heard != entry.received:
            entry.received = {**entry.received, **heard}
            self._append(meter.serial, durable=False)

    def save_state(self, meter: Meter) -> None:
        """Keep what was changed, if anything was since the last time."""
        if meter.touched:
            meter.touched = False
            self._entry(meter).state = msgspec.to_builtins(remembered(meter))
            self._append(meter.serial, durable=False)

    def ordered(self, meter: Meter) -> None:
        """Both, before the client is told: a switch that was opened stays open if the supply goes right after."""
        self.save_received(meter)
        self.save_state(meter)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
