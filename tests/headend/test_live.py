"""Happenings."""

from meterway.headend.live import Happening, Live


def happening(text: str) -> Happening:
    return Happening("collected", "M1", text, 1.0, {})


def told(*texts: str) -> Live:
    live = Live()
    for text in texts:
        live.tell(happening(text))
    return live


def test_who_asks_gets_what_came_after_the_last_he_knows() -> None:
    live = told("a", "b", "c")
    assert live.counts["collected"] == live.total == 3
    assert [each.text for each in live.since(1)] == ["b", "c"]
    assert live.since(3) == []


def test_who_asks_late_has_lost_the_oldest() -> None:
    live = told(*(str(number) for number in range(1000)))
    kept = live.since(2)
    assert kept[-1].text == "999"
    assert int(kept[0].text) > 700


def test_who_knows_more_than_there_was_is_of_another_run_and_gets_all() -> None:
    assert [each.text for each in told("a", "b").since(70)] == ["a", "b"]
