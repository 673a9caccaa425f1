"""How long a station may be on the air: the share of an hour that each band allows (ERC/REC 70-03, annexes 1 and 2)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

__all__ = ["BANDS", "Band", "DutyCycle"]

_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A band and the share of any hour that one transmitter may use it."""

    low_hz: int
    high_hz: int
    share: float


BANDS: Final = (
    Band(low_hz=169_400_000, high_hz=169_475_000, share=0.1),
    Band(low_hz=433_050_000, high_hz=434_790_000, share=0.1),
    Band(low_hz=868_000_000, high_hz=868_600_000, share=0.01),
    Band(low_hz=868_700_000, high_hz=869_200_000, share=0.001),
    Band(low_hz=869_400_000, high_hz=869_650_000, share=0.1),
)


class DutyCycle:
    """The account of one station: what it sent within the last hour, band by band."""

    __slots__ = ("_bands", "_sent", "_sums")

    def __init__(self, bands: tuple[Band, ...] = BANDS) -> None:
        self._bands = bands
        self._sent: dict[int, deque[tuple[float, float]]] = {}
        self._sums: dict[int, float] = {}

    def spend(self, frequency_hz: int, airtime_s: float, now: float) -> bool:
        """Book a transmission; False, and nothing is booked, if the band's share of the last hour is used up.

        A frequency that lies in no band is not limited.
        """
        number = self._band(frequency_hz)
        if number is None:
            return True
        used = self._used(number, now)
        if used + airtime_s > self._bands[number].share * _HOUR_S:
            return False
        self._sent[number].append((now, airtime_s))
        self._sums[number] = used + airtime_s
        return True

    def used_s(self, frequency_hz: int, now: float) -> float:
        """Seconds on the air in this band within the last hour."""
        number = self._band(frequency_hz)
        return 0.0 if number is None else self._used(number, now)

    def _band(self, frequency_hz: int) -> int | None:
        for number, band in enumerate(self._bands):
            if band.low_hz <= frequency_hz <= band.high_hz:
                return number
        return None

    def _used(self, number: int, now: float) -> float:
        sent = self._sent.setdefault(number, deque())
        total = self._sums.get(number, 0.0)
        while sent and sent[0][0] <= now - _HOUR_S:
            total -= sent.popleft()[1]
        self._sums[number] = total = total if sent else 0.0
        return total
