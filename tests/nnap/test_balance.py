"""The balance of the transformer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.mapping.transformer import Lack, Verdict
from meterway.nnap.balance import BalanceRules, DaySums, beyond_run

pytestmark = pytest.mark.covers("E-NNAP", "F2a")
HOUR = 3600
RULES = BalanceRules(least_wh=0)


def registers(steps, start=1000, exported=None):
    """The registers of a meter whose hours bring ``steps`` Wh, and ``exported`` Wh the other way."""
    total, back, found = start, 50, {}
    for place in range(len(steps) + 1):
        found[HOUR * place] = (total, back)
        if place < len(steps):
            total += steps[place]
            back += 0 if exported is None else exported[place]
    return found


def day(top, *meters, **changes):
    sums = DaySums(0, HOUR)
    sums.add("TOP", top, is_supervision=True)
    for number, one in enumerate(meters, 1):
        sums.add(f"M{number}", one, **changes)
    return sums


@given(st.lists(st.lists(st.integers(0, 5000), min_size=24, max_size=24), min_size=1, max_size=5), st.integers(0, 300))
def test_what_no_meter_accounts_for_is_lost(meters, loss):
    total = [sum(column) + loss for column in zip(*meters, strict=True)]
    sums = day(registers(total), *map(registers, meters))
    assert [one.lost for one in sums.intervals()] == [loss] * 24
    found = sums.judged(RULES, now=90000)
    assert (found.lost, found.complete, found.intervals, found.missing) == (24 * loss, 24, 24, ())


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=24, max_size=24), st.integers(0, 50))
def test_what_is_fed_in_is_given_to_the_network_and_what_flows_back_is_taken(hours, loss):
    taken, fed = [one for one, _ in hours], [two for _, two in hours]
    through = [one - two + loss for one, two in hours]
    top = registers([max(one, 0) for one in through], exported=[max(-one, 0) for one in through])
    found = day(top, registers(taken), registers([0] * 24, exported=fed)).judged(RULES, now=0)
    assert found.lost == 24 * loss
    assert found.given >= sum(fed)
    assert found.share is None or 0 <= found.share <= 1


def test_an_interval_that_anybody_lacks_is_not_judged_and_named():
    gap = registers([10] * 24)
    del gap[5 * HOUR]
    fell = registers([10] * 23 + [-5])
    found = day(registers([30] * 24), gap, fell).judged(RULES, now=0)
    assert (found.complete, found.given, found.taken) == (21, 21 * 30, 21 * 20)
    assert found.missing == (Lack("M1", 2), Lack("M2", 1))
    nobody = day(registers([30] * 24), {}).judged(RULES, now=0)
    assert (nobody.complete, nobody.verdict, nobody.given) == (0, Verdict.OPEN, 0)


def test_of_one_that_was_listed_later_or_is_gone_only_what_is_there_counts():
    half = {at: value for at, value in registers([10] * 24).items() if at >= 12 * HOUR}
    assert day(registers([10] * 24), half, from_s=12 * HOUR).judged(RULES, now=0).complete == 24
    assert day(registers([10] * 24), half, is_gone=True).judged(RULES, now=0).complete == 24
    assert day(registers([10] * 24), half).judged(RULES, now=0).complete == 12


@pytest.mark.parametrize(
    ("lost", "verdict"), [(0, 1), (60, 1), (61, 2), (-20, 1), (-21, 2), (500, 2)], ids=lambda value: str(value)
)
def test_the_band_has_two_ends(lost, verdict):
    found = day(registers([1000] * 24), registers([1000 - lost] * 24)).judged(RULES, now=0)
    assert found.verdict == verdict
    assert (found.low, found.high) == (-20, 60)


def test_a_little_energy_and_a_day_that_is_not_whole_enough_are_no_verdict_of_theft():
    assert day(registers([10] * 24), registers([5] * 24)).judged(BalanceRules(), now=0).verdict is Verdict.WITHIN
    gap = {at: value for at, value in registers([500] * 24).items() if at < 12 * HOUR}
    assert day(registers([1000] * 24), gap).judged(RULES, now=0).verdict is Verdict.OPEN
    assert day(registers([0] * 24), registers([0] * 24)).judged(RULES, now=0).verdict is Verdict.WITHIN


def test_most_that_lack_are_named_first_and_not_more_than_fit():
    many = [registers([1] * (24 - number % 7)) for number in range(50)]
    found = day(registers([100] * 24), *many).judged(RULES, now=0)
    assert found.lacking == sum(1 for number in range(50) if number % 7)
    assert len(found.missing) == 32
    assert [one.intervals for one in found.missing] == sorted((one.intervals for one in found.missing), reverse=True)


def test_a_run_goes_over_days_nobody_can_judge_and_ends_with_one_within():
    def judged(number, verdict):
        found = day(registers([1000] * 24), registers([1000] * 24)).judged(RULES, now=0)
        return type(found)(**{**{name: getattr(found, name) for name in found.__slots__},
                              "day": number * 86400, "verdict": verdict})  # fmt: skip

    verdicts = [Verdict.BEYOND, Verdict.WITHIN, Verdict.BEYOND, Verdict.OPEN, Verdict.BEYOND, Verdict.OPEN]
    days = [judged(number, verdict) for number, verdict in enumerate(verdicts)]
    assert [one.day // 86400 for one in beyond_run(reversed(days))] == [2, 4]
    assert beyond_run(days[:2]) == []
