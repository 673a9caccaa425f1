"""The balance of a transformer: what its supervision meter says against the sum of its meters, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meterway.headend.curve import Curve, CurveChannel

__all__ = ["balance_of"]

_IMPORT, _EXPORT, _UNIT = "1-0:1.8.0", "1-0:2.8.0", "Wh"
_NAMES: Final = (("supplied", "Supplied energy"), ("metered", "Metered energy"), ("unaccounted", "Unaccounted energy"))


def balance_of(supervision: Curve, meters: Sequence[Curve]) -> Curve:
    """Supplied, metered and the difference, net of what flows back; None where any meter's interval is not known.

    Curves on another grid than that of the supervision meter count as not known.
    """
    supplied = _net(supervision)
    grid = (supervision.times_s, supervision.period_s)
    nets = [_net(each) if (each.times_s, each.period_s) == grid else None for each in meters]
    metered = [_sum([None if net is None else net[index] for net in nets]) for index in range(len(supplied))]
    lost = [None if a is None or b is None else round(a - b, 9) for a, b in zip(supplied, metered, strict=True)]
    return Curve(
        times_s=supervision.times_s,
        period_s=supervision.period_s,
        channels=[
            CurveChannel(obis="", name=name, title=title, unit=_UNIT, is_cumulative=True, values=values)
            for (name, title), values in zip(_NAMES, (supplied, metered, lost), strict=True)
        ],
    )


def _net(curve: Curve) -> list[float | None]:
    """Import less export of each interval; a meter without an export register exports nothing."""
    by_code = {channel.obis: channel.values for channel in curve.channels}
    taken = by_code.get(_IMPORT, [None] * len(curve.times_s))
    given = by_code.get(_EXPORT, [0.0] * len(curve.times_s))
    return [None if a is None or b is None else a - b for a, b in zip(taken, given, strict=True)]


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 9) if known and len(known) == len(values) else None
