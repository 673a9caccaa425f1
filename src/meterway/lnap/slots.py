"""Which firmware a gateway runs: the present one and the one before, on trial until it has proved that it runs.

A folder with an image a file and ``slots.json``, which is replaced as a whole: after a power cut it is the old or the
new. The process that starts gateways (``meterway lnap``) and the gateway itself both go by it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.errors import StoreError
from meterway.interfaces.mbus.firmware import is_older

__all__ = ["Slot", "Slots", "State"]

_STARTS: Final = 2
_FILE: Final = "slots.json"
_KEPT: Final = (".img", ".zip")


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One firmware: its identification, and the file of its content (empty: what is installed)."""

    identification: str
    file: str = ""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What runs. ``trial`` until it was confirmed; ``starts`` of it; ``failed`` what was rolled back, and why."""

    present: Slot | None = None
    before: Slot | None = None
    trial: bool = False
    starts: int = 0
    failed: str = ""
    why: str = ""
    proven: str = ""
    """The highest that was ever confirmed: a copy of an older one is no way back."""


class Slots:
    """The folder. StoreError where it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def state(self) -> State:
        """What runs, as the folder has it now."""
        try:
            return msgspec.json.decode((self._folder / _FILE).read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(f"{self._folder / _FILE}: {error}") from error

    @property
    def on_trial(self) -> bool:
        """Whether what runs has yet to prove itself."""
        return self.state.trial

    def content(self) -> Path | None:
        """The file of the present firmware if Python can run it: an archive with the package in it."""
        present = self.state.present
        return self._folder / present.file if present is not None and present.file.endswith(".zip") else None

    def stage(self, identification: str, content: bytes) -> None:
        """Make this the present firmware, on trial; durable when it returns.

        What it gives way to is the last that proved itself: neither one that is on trial still, nor itself once more.
        """
        state = self.state
        ending = ".zip" if content.startswith(b"PK\x03\x04") else ".img"
        slot = Slot(identification=identification, file=hashlib.sha256(content).hexdigest()[:24] + ending)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._folder / slot.file, content)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror or error}") from error
        before = state.before if state.trial or state.present == slot else state.present
        self._keep(State(present=slot, before=before, trial=True, proven=state.proven))

    def starting(self) -> State:
        """A process is about to be started: one that came up too often without proving itself is rolled back."""
        state = self.state
        if not state.trial:
            return state
        if state.starts >= _STARTS:
            return self.roll_back("it did not prove itself")
        return self._keep(msgspec.structs.replace(state, starts=state.starts + 1))

    def confirm(self) -> None:
        """The present firmware runs."""
        state = self.state
        name = state.present.identification if state.present is not None else ""
        proven = name if is_older(state.proven, name) else state.proven
        self._keep(msgspec.structs.replace(state, trial=False, starts=0, proven=proven))
        self._tidy()

    def roll_back(self, why: str) -> State:
        """The firmware before is the present one again."""
        state = self.state
        failed = state.present.identification if state.present is not None else ""
        return self._keep(State(present=state.before, failed=failed, why=why, proven=state.proven))

    def told(self) -> None:
        """That it was rolled back has been logged."""
        self._keep(msgspec.structs.replace(self.state, failed="", why=""))

    def _keep(self, state: State) -> State:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._folder / _FILE, msgspec.json.encode(state))
            place = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(place)
            finally:
                os.close(place)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror or error}") from error
        return state

    def _tidy(self) -> None:
        """Images that neither slot has are no longer wanted."""
        state = self.state
        wanted = {slot.file for slot in (state.present, state.before) if slot is not None}
        for path in self._folder.iterdir():
            if path.suffix in _KEPT and path.name not in wanted:
                path.unlink(missing_ok=True)


def _write(path: Path, octets: bytes) -> None:
    """As a whole: a file of that name may be what runs right now."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
