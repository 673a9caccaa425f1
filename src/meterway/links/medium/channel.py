"""What the air needs to know of a radio mode and of a frame: which channel, how long, who can make it out."""

from __future__ import annotations

import math
from typing import Final, Protocol

from meterway.base.crc import en13757

__all__ = ["AirMode", "Signature", "airtime_s", "octets_on_air", "overlap", "sensitivity_dbm", "signature"]

_HEAD: Final = 10
_BLOCK: Final = 16
_B_FIRST: Final = 128
_TAIL_CHIPS: Final = 8
_NARROW_BELOW_HZ: Final = 200_000_000
_NARROW_HZ: Final = 12_500
_WIDE_HZ: Final = 50_000
_RECEIVER_DB: Final = 22.0
"""Noise figure and the signal above noise that a receiver wants, together: a model, not a limit of the norm."""

Signature = tuple[int, int, int]
"""Frequency, chip rate and chips for an octet: who listens for one can make out every mode that has the same."""


class AirMode(Protocol):
    """A radio mode as the table of the norm gives it (``stacks.mbus.wireless.modes`` fits)."""

    @property
    def frequency_hz(self) -> int:
        """The middle of the channel."""

    @property
    def chip_rate(self) -> int:
        """Chips a second."""

    @property
    def header_chips(self) -> int:
        """Preamble and synchronisation word."""

    @property
    def chips_per_octet(self) -> int:
        """What the coding makes of an octet."""


def signature(mode: AirMode) -> Signature:
    """What a receiver is tuned to."""
    return mode.frequency_hz, mode.chip_rate, mode.chips_per_octet


def octets_on_air(octets: bytes) -> int:
    """The octets that are sent for a frame; one without check sums is sent in format A."""
    size = len(octets)
    if size < _HEAD + 1 or size != octets[0] + 1:
        return size
    end = min(size, _B_FIRST)
    if en13757(octets[: end - 2]) == int.from_bytes(octets[end - 2 : end], "big"):
        return size  # format B: its length octet counts the check sums
    return size + 2 + 2 * -(-(size - _HEAD) // _BLOCK)


def airtime_s(mode: AirMode, octets: bytes) -> float:
    """Seconds a frame is on the air, with its header, its check sums and the trailer."""
    chips = mode.header_chips + octets_on_air(octets) * mode.chips_per_octet + _TAIL_CHIPS
    return chips / mode.chip_rate


def overlap(left: int, right: int) -> bool:
    """Whether two frequencies disturb each other: half a wide channel at 868 MHz, less than a channel at 169 MHz."""
    return abs(left - right) < (_NARROW_HZ if left < _NARROW_BELOW_HZ else _WIDE_HZ)


def sensitivity_dbm(mode: AirMode) -> float:
    """The weakest signal a usual receiver makes out: thermal noise in the bandwidth of the chips, and 22 dB."""
    return -174.0 + 10.0 * math.log10(mode.chip_rate) + _RECEIVER_DB
