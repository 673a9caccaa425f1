"""A stream of octets is cut into frames wherever its pieces are torn, and noise does not hide frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.link.deframer import Deframer, Noise
from meterway.stacks.mbus.link.frames import Ack, Frame, LongFrame, ShortFrame

FRAMES = st.lists(
    st.just(Ack())
    | st.builds(ShortFrame, control=st.integers(0, 255), address=st.integers(0, 255))
    | st.builds(
        LongFrame, control=st.just(8), address=st.integers(0, 255), ci=st.just(0x72), data=st.binary(max_size=60)
    ),
    max_size=6,
)


@given(FRAMES, st.data())
def test_frames_come_out_however_the_stream_is_torn(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(frame.encode() for frame in frames)
    deframer = Deframer()
    out: list[Frame | Noise] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        out += deframer.receive(stream[:size])
        stream = stream[size:]
    assert out == frames
    assert not deframer.pending


def test_a_frame_behind_noise_and_a_false_beginning_comes_out() -> None:
    deframer = Deframer()
    frame = ShortFrame(control=0x40, address=5)
    assert deframer.receive(b"\x55\x68\x09\x09\x68\x01" + frame.encode()) == []
    assert deframer.pending
    assert deframer.flush() == [Noise(octets=b"\x55\x68\x09\x09\x68\x01"), frame]


@given(st.binary(max_size=200))
def test_no_octet_is_lost(octets: bytes) -> None:
    deframer = Deframer()
    out = [*deframer.receive(octets), *deframer.flush()]
    assert b"".join(part.octets if isinstance(part, Noise) else part.encode() for part in out) == octets
