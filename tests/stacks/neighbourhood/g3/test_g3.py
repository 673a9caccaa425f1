from meterway.stacks.neighbourhood import g3
from meterway.stacks.neighbourhood.wpan import Settings
from stacks.neighbourhood.wpan.test_coordinator import network
from stacks.neighbourhood.wpan_net import EUI


def test_frames_are_as_long_as_they_may_be():
    net = network(g3)
    net.send(1, EUI, bytes(1224))
    assert max(len(frame.octets) for _, frame in net.frames) in range(g3.FRAME - 8, g3.FRAME + 1)


def test_what_is_urgent_asks_for_priority():
    net = network(g3)
    net.send(1, EUI, b"alarm", urgent=True)
    _, frame = net.frames[-1]
    assert frame.octets[0] == 0x03
    mac = g3.PROFILE.framing.unwrap(frame.octets)
    assert (mac.security.level, mac.security.key_index) == (5, 0)


def test_settings_have_defaults():
    assert g3.coordinator(EUI, lambda eui: None).eui == EUI
    assert g3.node(EUI, Settings(), bytes(16)).eui == EUI
