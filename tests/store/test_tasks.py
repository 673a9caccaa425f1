"""Due work."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store, open_store
from meterway.store.tasks import NewTask, Priority, backoff_ms


def task(device: int, due_ms: int = 0, priority: Priority = Priority.NORMAL, name: str | None = None) -> NewTask:
    return NewTask(device=device, kind="profile", due_ms=due_ms, priority=priority, payload=b"{}", name=name)


def test_what_is_due_is_claimed_by_priority_and_then_by_time(store: Store, devices: list[int]) -> None:
    device = devices[0]
    store.tasks.add_many(
        [
            task(device, 30),
            task(device, 10),
            task(device, 20, Priority.LOW),
            task(device, 40, Priority.URGENT),
            task(device, 51, Priority.URGENT),
        ],
        now_ms=0,
    )
    first = store.tasks.claim("w", many=2, lease_ms=100, now_ms=50)
    assert [each.due_ms for each in first] == [40, 10]
    assert (first[0].kind, first[0].payload, first[0].owner, first[0].attempts) == ("profile", b"{}", "w", 1)
    assert [each.due_ms for each in store.tasks.claim("w", many=9, lease_ms=100, now_ms=50)] == [30, 20]
    assert store.tasks.claim("w", many=9, lease_ms=100, now_ms=50) == []
    assert store.tasks.counts() == {"due": 1, "leased": 4}


def test_a_named_task_is_added_once_even_after_it_was_done(store: Store, devices: list[int]) -> None:
    named = task(devices[0], name="M0001 day 20000")
    assert store.tasks.add_many([named, named, task(devices[0]), task(devices[0])], now_ms=0) == 3
    assert store.tasks.complete(store.tasks.claim("w", many=9, lease_ms=1, now_ms=0), now_ms=1) != set()
    assert store.tasks.add_many([named], now_ms=2) == 0
    assert store.tasks.prune(before_ms=2) == 3
    assert store.tasks.add_many([named], now_ms=3) == 1
    assert store.tasks.add_many([], now_ms=3) == 0


def test_what_is_given_back_is_due_again_as_before(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0], 5), task(devices[1], 6)], now_ms=0)
    claimed = store.tasks.claim("w", many=2, lease_ms=100, now_ms=10)
    assert store.tasks.release(claimed[:1], now_ms=11) == {claimed[0].id}
    assert store.tasks.release(claimed[:1], now_ms=12) == set()
    (again,) = store.tasks.claim("x", many=9, lease_ms=100, now_ms=13)
    assert (again.id, again.due_ms, again.attempts) == (claimed[0].id, 5, 1)


def test_a_lease_that_ran_out_is_due_again_and_its_old_holder_is_refused(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0])], now_ms=0)
    (slow,) = store.tasks.claim("slow", many=1, lease_ms=100, now_ms=0)
    assert store.tasks.claim("other", many=1, lease_ms=100, now_ms=100) == []
    (taken,) = store.tasks.claim("other", many=1, lease_ms=100, now_ms=101)
    assert (taken.id, taken.owner, taken.attempts) == (slow.id, "other", 2)
    assert taken.token > slow.token
    assert store.tasks.complete([slow], now_ms=102) == set()
    assert store.tasks.extend([slow], until_ms=999) == set()
    assert not store.tasks.fail(slow, "late", now_ms=102, retry_ms=None)
    assert store.tasks.complete([taken], now_ms=103) == {taken.id}
    assert store.tasks.get(taken.id).state == "done"


def test_a_lease_can_be_lengthened(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0])], now_ms=0)
    (held,) = store.tasks.claim("w", many=1, lease_ms=100, now_ms=0)
    assert store.tasks.extend([held], until_ms=500) == {held.id}
    assert store.tasks.claim("other", many=1, lease_ms=100, now_ms=400) == []


def test_a_failed_task_comes_back_when_told_or_not_at_all(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0])], now_ms=0)
    (first,) = store.tasks.claim("w", many=1, lease_ms=100, now_ms=0)
    assert store.tasks.fail(first, "timeout", now_ms=5, retry_ms=60)
    assert store.tasks.claim("w", many=1, lease_ms=100, now_ms=59) == []
    (second,) = store.tasks.claim("w", many=1, lease_ms=100, now_ms=60)
    assert (second.id, second.attempts, second.error) == (first.id, 2, "timeout")
    assert store.tasks.fail(second, "wrong key", now_ms=61, retry_ms=None)
    given_up = store.tasks.get(first.id)
    assert (given_up.state, given_up.error) == ("failed", "wrong key")


def test_due_tasks_are_cancelled_and_claimed_ones_are_not(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0])], now_ms=0)
    (only,) = store.tasks.of_device(devices[0])
    assert store.tasks.cancel(only.id, now_ms=1)
    assert not store.tasks.cancel(only.id, now_ms=1)
    assert store.tasks.claim("w", many=1, lease_ms=50, now_ms=300) == []
    with pytest.raises(StoreError, match="no task 999"):
        store.tasks.get(999)


def test_completing_is_undone_with_the_transaction_it_is_part_of(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0])], now_ms=0)
    claimed = store.tasks.claim("w", many=1, lease_ms=50, now_ms=0)
    with pytest.raises(KeyError), store.transaction():
        store.tasks.complete(claimed, now_ms=1)
        raise KeyError
    assert store.tasks.get(claimed[0].id).state == "leased"


def test_thousands_are_completed_in_one_go(store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[0]) for _ in range(1201)], now_ms=0)
    claimed = store.tasks.claim("w", many=1201, lease_ms=50, now_ms=0)
    assert store.tasks.complete(claimed, now_ms=1) == {each.id for each in claimed}
    assert store.tasks.counts() == {"done": 1201}


@pytest.mark.covers("UC-BI-01")
def test_concurrent_claimants_never_get_the_same_task(url: str, store: Store, devices: list[int]) -> None:
    store.tasks.add_many([task(devices[number % 3], number) for number in range(300)], now_ms=0)
    start = Barrier(4)

    def work(number: int) -> list[int]:
        mine: list[int] = []
        with open_store(url) as own:
            start.wait()
            while claimed := own.tasks.claim(f"w{number}", many=7, lease_ms=10**6, now_ms=1000):
                mine += own.tasks.complete(claimed, now_ms=1000)
        return mine

    with ThreadPoolExecutor(4) as pool:
        done = [each for mine in pool.map(work, range(4)) for each in mine]
    # A claimant that only met locked rows stops early; what it left is still due.
    rest = store.tasks.claim("last", many=300, lease_ms=1, now_ms=1000)
    done += [each.id for each in rest]
    assert len(done) == len(set(done)) == 300
    assert {each.attempts for each in (store.tasks.get(number) for number in done)} == {1}


def test_the_wait_doubles_up_to_its_limit() -> None:
    waits = [backoff_ms(attempts, first_ms=100, longest_ms=1000, jitter=0) for attempts in range(1, 7)]
    assert waits == [100, 200, 400, 800, 1000, 1000]
    assert backoff_ms(2, first_ms=100, longest_ms=1000, jitter=1) == 100
    assert backoff_ms(10**6, first_ms=100, longest_ms=1000, jitter=0) == 1000
