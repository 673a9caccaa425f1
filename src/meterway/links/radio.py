"""What a radio is to whoever sits on it: frames with their mode, strength and time, in and out.

A real receiver's stream, the simulated medium over a socket and the simulated medium in memory all have this shape.
Octets are a link-layer frame from its length field on, as ``meterway.stacks.mbus.wireless`` codes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["OnReception", "RadioPort", "Reception"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """One frame that was heard. ``mode`` is S, T, C, N or R with its direction digit (``T1``); ``time_s`` is Unix time.

    ``rssi_dbm`` is None where the receiver does not tell it. A simulated medium says so in ``simulated``.
    """

    octets: bytes
    mode: str
    time_s: float
    rssi_dbm: float | None = None
    simulated: bool = False


OnReception = Callable[[Reception], None]


class RadioPort(Protocol):
    """A place on the air. A receiver without a transmitter refuses ``send`` with LinkError."""

    def listen(self, on_reception: OnReception) -> None:
        """Hand every frame heard from now on to ``on_reception``."""

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        """Send one frame after ``delay_s`` (the response windows of bidirectional modes are counted in ms)."""

    def close(self) -> None:
        """Hear and send no more."""
