"""The balance of the transformer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.nnap.balance import BalanceRules, balance, findings

pytestmark = pytest.mark.covers("E-NNAP")


def registers(steps, start=1000, exported=0):
    total, found = start, {}
    for place in range(len(steps) + 1):
        found[900 * place] = (total, exported * place)
        total += steps[place] if place < len(steps) else 0
    return found


@given(st.lists(st.lists(st.integers(0, 5000), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(0, 300))
def test_what_no_meter_accounts_for_is_lost(meters, loss):
    total = [sum(column) + loss for column in zip(*meters, strict=True)]
    found = balance([registers(total)], [registers(one) for one in meters], 900, 0, 3600)
    assert [one.lost for one in found] == [loss] * 4
    assert [one.missing for one in found] == [0] * 4


def test_what_is_fed_in_counts_against_what_is_taken():
    found = balance([registers([100])], [registers([300]), registers([0], exported=200)], 900, 0, 900)
    assert found[0] == (0, 100, 100, 0)


def test_a_meter_that_lacks_an_interval_is_counted_and_one_whose_register_fell_too():
    gap = registers([10, 10])
    del gap[900]
    found = balance([registers([30, 30])], [gap, registers([10, -5])], 900, 0, 1800)
    assert [(one.metered, one.missing) for one in found] == [(10, 1), (0, 2)]
    assert balance([], [gap], 900, 0, 1800) == []
    assert balance([gap], [], 900, 0, 1800) == []


def intervals(loss, count, before=0.03):
    supply = [10_000] * 2 * count
    taken = [round(10_000 * (1 - before))] * count + [round(10_000 * (1 - loss))] * count
    return balance([registers(supply)], [registers(taken)], 900, 0, 2 * count * 900)


def test_a_loss_that_is_new_is_suspicious_and_a_usual_one_is_not():
    rules = BalanceRules(intervals=20)
    calm, theft = findings(intervals(0.035, 20), rules), findings(intervals(0.12, 20), rules)
    assert not calm.suspicious
    assert calm.usual == pytest.approx(0.03)
    assert theft.suspicious
    assert theft.share == pytest.approx(0.12)
    assert theft.lost == pytest.approx(24_000)
    assert findings(intervals(0.12, 20)[:10], rules) is None
