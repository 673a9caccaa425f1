"""Readings at a tariff use case's own period: feed-in (TAF 9), grid state (TAF 10), high frequency (TAF 14). Pure.

They are taken as telegrams come, beside the hourly ones, and of the registers the case is about only: of an electricity
meter the feed-in, what the grid is like now, or energies and power; of any other meter its main registers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.interfaces.mbus.tariff import FAST_CASES, TariffCase

__all__ = ["Sampler", "registers_for"]

_ELECTRICITY, _ENERGY, _NOW = 1, 8, 7
_IMPORT, _EXPORT = 1, 2
_POWER_AND_ENERGY: Final = (_ENERGY, _NOW)


def registers_for(case: str, heard: Iterable[Obis], main: Sequence[Obis]) -> tuple[Obis, ...]:
    """The registers that a use case is about, of those a meter was heard to have."""
    return tuple(obis for obis in heard if _is_for(case, obis, main))


def _is_for(case: str, obis: Obis, main: Sequence[Obis]) -> bool:
    if obis.a != _ELECTRICITY:
        return obis in main
    if case == "TAF9":
        return obis.c == _EXPORT and obis.d in _POWER_AND_ENERGY
    if case == "TAF10":
        return obis.d == _NOW
    if case == "TAF14":
        return obis.c in (_IMPORT, _EXPORT) and obis.d in _POWER_AND_ENERGY
    return obis in main or (obis.c == _EXPORT and obis.d == _ENERGY)


class _Taken(NamedTuple):
    """What a case took last of a meter: when, and the numbers by register."""

    time_s: int
    raw: dict[Obis, int]


class Sampler:
    """Says of each telegram which of its values are to be kept for which case's sake."""

    def __init__(self, cases: Iterable[TariffCase]) -> None:
        self.cases = tuple(case for case in cases if case.case in FAST_CASES)
        self._last: dict[TariffCase, _Taken] = {}

    def take(self, channel: int, values: Sequence[Mirrored], main: Sequence[Obis], now: float) -> set[Obis]:
        """The registers of a telegram's values that are kept: the first of each period, or what moved (TAF 10)."""
        kept: set[Obis] = set()
        for case in self.cases:
            if case.channel != channel:
                continue
            wanted = registers_for(case.case, (one.obis for one in values), main)
            raw = {one.obis: one.raw for one in values if one.obis in wanted}
            if raw and self._is_due(case, raw, now):
                self._last[case] = _Taken(int(now), raw)
                kept |= raw.keys()
        return kept

    def _is_due(self, case: TariffCase, raw: dict[Obis, int], now: float) -> bool:
        last = self._last.get(case)
        if last is None or int(now) // case.step_s != last.time_s // case.step_s:
            return True
        moved = (abs(value - last.raw.get(obis, value)) for obis, value in raw.items())
        return bool(case.deadband) and case.case == "TAF10" and any(step >= case.deadband for step in moved)
