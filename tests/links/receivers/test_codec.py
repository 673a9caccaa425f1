import pytest

from meterway.base.errors import LinkError
from meterway.links.receivers.amber import AmberCodec
from meterway.links.receivers.codec import ReceiverCodec, bare_body
from meterway.links.receivers.imst import ImstCodec
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.radiocrafts import RadiocraftsCodec

FRAME = bytes.fromhex("0F442D2C785634120107780C1300000000")[:16]


def test_a_frame_without_checks_loses_its_length_octet() -> None:
    assert bare_body(FRAME) == FRAME[1:]


@pytest.mark.parametrize("octets", [b"", FRAME[:10], FRAME + b"\x12\x34", b"\x0e" + FRAME[1:]])
def test_a_frame_with_checks_or_of_another_length_is_refused(octets: bytes) -> None:
    with pytest.raises(LinkError, match="check sums"):
        bare_body(octets)


def test_every_receiver_has_the_one_shape() -> None:
    codecs: list[ReceiverCodec] = [AmberCodec(), ImstCodec(), LineCodec(), RadiocraftsCodec()]
    for codec in codecs:
        assert codec.rejected == 0
        assert codec.receive(b"", 0.0) == []
        assert isinstance(codec.setup(), bytes)
