"""What a sample says of a whole: how many to read back, and how sure that makes. Pure."""

from __future__ import annotations

from math import ceil, comb, log

__all__ = ["sample_size", "upper_bound"]


def sample_size(whole: int, *, confidence: float, tolerated: float) -> int:
    """How many of ``whole`` to read back, so that if all have done it, at most the tolerated share has not.

    ``confidence`` and ``tolerated`` are shares of 1. The binomial law is used: for a small whole it asks for more than
    is needed, never for less.
    """
    if whole <= 0:
        return 0
    if not 0 < confidence < 1 or not 0 < tolerated < 1:
        return whole
    return min(whole, ceil(log(1 - confidence) / log(1 - tolerated)))


def upper_bound(sampled: int, failed: int, *, confidence: float) -> float:
    """The largest share of the whole that may have failed, with that confidence (Clopper and Pearson, one side).

    1 if nothing was sampled or all of it failed.
    """
    if sampled <= 0 or failed >= sampled:
        return 1.0
    low, high = failed / sampled, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(failed, sampled, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(failed: int, sampled: int, share: float) -> float:
    return float(sum(comb(sampled, k) * share**k * (1 - share) ** (sampled - k) for k in range(failed + 1)))
