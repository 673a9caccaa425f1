from meterway.stacks.neighbourhood import mesh
from meterway.stacks.neighbourhood.wpan import Settings
from stacks.neighbourhood.wpan.test_coordinator import network
from stacks.neighbourhood.wpan_net import EUI


def test_frames_are_as_long_as_they_may_be():
    net = network(mesh)
    net.send(1, EUI, bytes(1224))
    assert max(len(frame.octets) for _, frame in net.frames) in range(mesh.FRAME - 8, mesh.FRAME + 1)


def test_settings_have_defaults():
    assert mesh.coordinator(EUI, lambda eui: None).eui == EUI
    assert mesh.node(EUI, Settings(), bytes(16)).eui == EUI
