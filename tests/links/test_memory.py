from collections import deque

import pytest

from meterway.links.memory import MemoryLine, SimulatedFaults


class Counter:
    """An engine that answers n with n - 1 until it reaches zero, and wakes once if told to."""

    def __init__(self, due: float | None = None) -> None:
        self.events: deque[bytes] = deque()
        self.out = b""
        self.due = due
        self.times: list[float] = []

    def receive_data(self, data: bytes, now: float) -> None:
        self.times.append(now)
        self.events.append(data)
        if data and data[-1]:
            self.out += bytes((data[-1] - 1,))

    def next_event(self) -> bytes | None:
        return self.events.popleft() if self.events else None

    def data_to_send(self) -> bytes:
        octets, self.out = self.out, b""
        return octets

    def next_timeout(self) -> float | None:
        return self.due

    def handle_timeout(self, now: float) -> None:
        self.due = None
        self.out += b"\x02"


def test_octets_go_to_and_fro_until_both_are_quiet() -> None:
    left, right = Counter(), Counter()
    left.out = b"\x03"
    line = MemoryLine(left, right)
    line.settle()
    assert line.right_events == [b"\x03", b"\x01"]
    assert line.left_events == [b"\x02", b"\x00"]
    assert (line.octets_carried, line.now) == (4, 0.0)


def test_time_passes_only_while_the_line_runs() -> None:
    left, right = Counter(due=5.0), Counter()
    line = MemoryLine(left, right, faults=SimulatedFaults(seed=0, delay_s=0.25))
    line.run(4)
    assert (line.now, line.right_events) == (4, [])
    line.run(6)
    assert right.times == [5.25, 5.75]
    assert left.times == [5.5]
    assert line.now == 6


def test_settle_has_an_end() -> None:
    left, right = Counter(), Counter()
    left.out = b"\xff"
    line = MemoryLine(left, right)
    line.settle(limit=10)
    assert len(line.left_events) + len(line.right_events) == 10


def test_closing_reaches_both_ends() -> None:
    line = MemoryLine(Counter(), Counter())
    line.close()
    assert line.left_events == line.right_events == [b""]


def carried(**chances: float) -> list[bytes]:
    left, right = Counter(), Counter()
    line = MemoryLine(left, right, faults=SimulatedFaults(seed=7, **chances))  # type: ignore[arg-type]
    for _ in range(40):
        left.out = bytes(range(50)) + b"\x00"
        line.settle()
    return line.right_events


@pytest.mark.parametrize("chance", ["lost", "repeated", "octet_lost", "octet_repeated", "octet_damaged"])
def test_a_simulated_fault_shows_and_the_same_seed_does_the_same(chance: str) -> None:
    faulty = carried(**{chance: 0.2})
    assert faulty != carried()
    assert faulty == carried(**{chance: 0.2})


def test_without_chances_nothing_is_changed() -> None:
    assert carried() == [bytes(range(50)) + b"\x00"] * 40
