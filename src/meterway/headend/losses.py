"""The losses of a transformer as a drawing: a bar a day, the band behind them. Pure.

Two drawings of the same days, for wide and for narrow screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

__all__ = ["Bar", "Loss", "LossChart", "loss_charts"]

_HEIGHT: Final = 180
_LEFT, _TOP, _BOTTOM = 46, 10, 24
_LEAST: Final = 0.02
_LAYOUTS: Final = (("wide", 1100, 31), ("narrow", 360, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A day of a transformer: its date, what was lost of what was given (kWh), and how much of the day was known.

    ``share`` is the loss as a share of what was given, None where nothing was; ``low`` and ``high`` are its band.
    ``complete`` is the share of intervals known of everybody; ``verdict`` is open, within or beyond.
    """

    date: str
    given: float
    lost: float
    share: float | None
    low: float
    high: float
    complete: float
    verdict: str
    revision: int
    judged: str
    lacking: int
    missing: list[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day as it is drawn; ``label`` stands below some of them."""

    loss: Loss
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChart:
    """One drawing: its bars, the band of the last day (y, height), and lines with what they stand for."""

    name: str
    width: int
    height: int
    left: int
    zero: float
    bars: list[Bar]
    band: tuple[float, float]
    lines: list[tuple[float, str]]


def loss_charts(days: Sequence[Loss]) -> list[LossChart]:
    """Both drawings of days, the oldest first; none without any. The narrow one has the last days only."""
    return [_chart(name, width, days[-most:]) for name, width, most in _LAYOUTS] if days else []


def _chart(name: str, width: int, days: Sequence[Loss]) -> LossChart:
    shares = [day.share for day in days if day.share is not None and day.verdict != "open"]
    last = days[-1]
    top = max(*shares, last.high, _LEAST) if shares else max(last.high, _LEAST)
    low = min(*shares, last.low, 0.0) if shares else min(last.low, 0.0)
    step = _step(top - low)
    low, top = floor(low / step) * step, ceil(top / step) * step
    scale = (_HEIGHT - _TOP - _BOTTOM) / (top - low)

    def y(share: float) -> float:
        return round(_TOP + (top - min(max(share, low), top)) * scale, 1)

    room = (width - _LEFT - 4) / len(days)
    every = max(1, ceil(len(days) * 52 / (width - _LEFT)))
    bars = []
    for place, day in enumerate(days):
        # a day that nobody can judge is a stub: what is known of it is not its loss
        value = day.share if day.share is not None and day.verdict != "open" else 0.0
        up, down = y(max(value, 0.0)), y(min(value, 0.0))
        bars.append(
            Bar(
                loss=day,
                x=round(_LEFT + place * room + room * 0.12, 1),
                y=up if value else y(0.0) - 2,
                width=round(min(room * 0.76, 40), 1),
                height=round(max(down - up, 2.0), 1),
                label=day.date[5:] if (len(days) - 1 - place) % every == 0 else "",
            )
        )
    count = round((top - low) / step)
    lines = [(y(low + at * step), f"{(low + at * step) * 100:.0f} %") for at in range(count + 1)]
    band = (y(last.high), round(y(last.low) - y(last.high), 1))
    return LossChart(name=name, width=width, height=_HEIGHT, left=_LEFT, zero=y(0.0), bars=bars, band=band, lines=lines)


def _step(span: float) -> float:
    """How far apart the lines are: about four of them."""
    return next((one for one in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if span / one <= 5), 1.0)
