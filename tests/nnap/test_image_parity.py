"""How much parity goes out: by how many blocks meters lack, never by which."""

import pytest

from meterway.nnap.image_parity import ParityPlan, Symbol

pytestmark = pytest.mark.covers("E-NNAP-6")


def test_after_the_sample_the_worst_decides_and_what_is_lost_of_parity_is_added():
    plan = ParityPlan(256, 4)
    symbols = plan.after_sample([bytes((10, 0)), bytes((32, 32)), bytes((0, 40))])
    assert plan.loss == pytest.approx(64 / 256)
    assert [sum(symbol.group == group for symbol in symbols) for group in (0, 1)] == [43, 54]
    assert len(set(symbols)) == len(symbols)


def test_where_nobody_wants_anything_nothing_goes_out():
    plan = ParityPlan(200, 4)
    assert plan.after_sample([bytes(2)] * 12) == []
    assert plan.after_sample([]) == []
    assert plan.after_asking([bytes(2)] * 12) == {}


def test_after_asking_all_but_the_worst_few_are_healed_and_groups_of_few_left_alone():
    plan = ParityPlan(256, 3)
    wants = [bytes((9, 0)), bytes((7, 2)), bytes((4, 2)), bytes((1, 0))]
    due = plan.after_asking(wants)
    assert list(due) == [0]
    assert due[0] == [Symbol(0, number) for number in range(5)], "four, and a part as large as the loss (9 of 256) more"
    assert plan.after_asking([bytes((2, 0))] * 3)[0] == [Symbol(0, 5), Symbol(0, 6), Symbol(0, 7)], "never the same"


def test_symbols_go_round_when_there_are_no_more():
    plan = ParityPlan(128, 1)
    first = plan.after_sample([bytes((128,))])
    assert len(first) == 128, "at a loss of a half and more no more than there are"
    assert plan.loss == 0.5
    assert plan.after_asking([b"\x02"])[0][0] == Symbol(0, 0)


def test_a_meter_with_nothing_wants_all():
    assert ParityPlan(300, 4).whole == bytes((128, 128, 44))
