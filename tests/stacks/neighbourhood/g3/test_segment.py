import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import xmodem
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.g3.segment import SegmentControl, SegmentFraming
from meterway.stacks.neighbourhood.ieee802154 import with_fcs
from stacks.neighbourhood.ieee802154.test_frame import frames

FLAG = st.booleans()
CONTROLS = st.builds(
    SegmentControl,
    length=st.integers(0, 1023),
    count=st.integers(0, 63),
    is_last=FLAG,
    is_priority=FLAG,
    contention=FLAG,
    tone_map_request=FLAG,
)


@given(CONTROLS)
def test_every_field_comes_back(control):
    assert SegmentControl.decode(Reader(control.encode())) == control


def test_the_field_by_hand():
    assert SegmentControl(length=300, is_priority=True).encode().hex() == "03012c"
    with pytest.raises(LocalProtocolError):
        SegmentControl(length=1024).encode()


@given(frames(), st.booleans())
def test_every_frame_comes_back(frame, urgent):
    framing = SegmentFraming()
    octets = framing.wrap(frame, urgent=urgent)
    assert framing.unwrap(octets) == frame
    assert octets[2] == len(frame.payload)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [(b"\x01\x00", "truncated"), (b"\x00\x00\x00", "segment"), (b"\x01\x00\x02\x01\x00\x05x", "length")],
)
def test_what_cannot_be_read_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        SegmentFraming().unwrap(with_fcs(octets, xmodem))
    assert caught.value.kind == kind
