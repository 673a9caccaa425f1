"""What was overheard."""

from meterway.headend.overheard import Frame, Overheard


def frame(number: int) -> Frame:
    return Frame(
        time_s=float(number), interface="M", station="meter", mode="T1", octets=bytes((number % 256,)), heard=1
    )


def test_the_last_frames_are_kept_the_newest_first_and_all_are_counted() -> None:
    overheard = Overheard()
    assert overheard.latest(5) == []
    for number in range(1000):
        overheard.tell(frame(number))
    assert overheard.total == 1000
    assert [one.time_s for one in overheard.latest(3)] == [999.0, 998.0, 997.0]
    assert len(overheard.latest(1000)) == 200
