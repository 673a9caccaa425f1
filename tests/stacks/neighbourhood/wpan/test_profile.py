import pytest

from meterway.base.errors import ConfigError, DecodeError
from meterway.stacks.neighbourhood.g3 import PROFILE as G3
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame
from meterway.stacks.neighbourhood.mesh import PROFILE as MESH
from meterway.stacks.neighbourhood.wpan import PlainFraming, Settings
from stacks.neighbourhood.wpan_net import rng


def test_the_plain_framing_is_the_fcs():
    framing = PlainFraming()
    frame = MacFrame(kind=FrameKind.ACK, sequence=7)
    assert framing.wrap(frame, urgent=True).hex() == framing.wrap(frame, urgent=False).hex()
    assert framing.unwrap(framing.wrap(frame, urgent=True)) == frame
    with pytest.raises(DecodeError):
        framing.unwrap(b"abc")


@pytest.mark.parametrize("pan", [-1, 0xFFFF, 0x10000, 0x0200])
def test_a_pan_id_that_cannot_be_is_refused(pan):
    with pytest.raises(ConfigError):
        Settings(pan=pan)


def test_chance_is_between_zero_and_one():
    settings = Settings(random=rng(1))
    drawn = [settings.chance() for _ in range(100)]
    assert 0 <= min(drawn) < 0.2 < 0.8 < max(drawn) < 1


def test_nonce_and_key_index_of_the_profiles():
    assert MESH.nonce_source(0x781D, 5, b"METER001") == b"METER001"
    assert G3.nonce_source(0x781D, 5, b"METER001").hex() == "781d0005781d0005"
    assert (MESH.security(9, 0).key_index, G3.security(9, 0).key_index) == (1, 0)
