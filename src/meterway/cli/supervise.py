"""A gateway that can change its firmware: started anew into the fresh one, or into the one before if that fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

__all__ = ["RESTART", "SUPERVISED", "supervise"]

RESTART: Final = 75
"""The exit status by which a gateway says that firmware waits for it to be started anew."""
SUPERVISED: Final = "METERWAY_SUPERVISED"
"""Set in the environment of a process that somebody starts anew when it asks for that."""
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Slots(Protocol):
    """What is asked of the place firmware is kept in."""

    def starting(self) -> object:
        """A process is about to be started."""

    def content(self) -> Path | None:
        """What is to come first on the path of Python."""

    def roll_back(self, why: str) -> object:
        """The process did not come up."""

    @property
    def on_trial(self) -> bool:
        """Whether what runs has yet to prove itself."""


def supervise(arguments: Sequence[str], slots: _Slots) -> int:
    """Run ``meterway`` with these arguments until it ends for good; its exit status.

    A signal to end is passed on, and is the end. On trial, a process that ends by itself takes its firmware with it.
    """
    told: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _: FrameType | None) -> None:
        told.append(number)
        if child is not None:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _ENDINGS}
    try:
        while True:
            slots.starting()
            command = [sys.executable, "-m", "meterway", *arguments]
            child = subprocess.Popen(command, env=_environment(slots.content(), os.environ))  # noqa: S603  our own
            if told:  # before there was anybody to pass it on to
                child.send_signal(told[-1])
            status = child.wait()
            if told:
                return status if status >= 0 else 128 - status
            if status == RESTART:
                continue
            if not slots.on_trial:
                return status if status >= 0 else 128 - status
            slots.roll_back(f"the process ended with status {status}")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment(content: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    path = environ.get("PYTHONPATH", "")
    paths = [str(content.absolute())] if content is not None else []
    return {**environ, SUPERVISED: "1", "PYTHONPATH": os.pathsep.join([*paths, *([path] if path else [])])}
