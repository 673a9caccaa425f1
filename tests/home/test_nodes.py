"""Load controllers behind a concentrator's station: real PRIME octets over the simulated medium, on a virtual clock."""

from collections import Counter

import pytest

from home_loads import EVENING, GBAK, GBEK, HEAT_PUMP, HEATER, home_config, order
from meter.test_nodes import Concentrator
from meterway.base.errors import ConfigError
from meterway.home.api import HomeNodes, relays
from meterway.home.events import Code
from meterway.home.rules import Cause
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.mapping.home import LOAD_ORDER, RELAY_ALL
from meterway.nnap.broadcast import Broadcaster
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import ActionDone, Associated, GetDone, SetDone
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.neighbourhood.profiles import PROFILES

SWITCH = AttributeDescriptor(70, RELAY_ALL, 2)
JOIN_S = 1800.0


def scene(count=1, *, loss=0.02, hops=2, **changes):
    """Devices that have joined a concentrator's network."""
    network = SimulatedNeighbourhood(preset("prime", loss=loss, hops=hops, seed=5), start=EVENING)
    profile = PROFILES["prime"]
    nodes = HomeNodes(network, lambda eui: profile.node(eui, bytes(16)))
    for number in range(1, count + 1):
        nodes.add(home_config(f"H{number:04d}", seed=number, **changes))
        nodes.place(f"H{number:04d}", lambda number=number: network.join(number))
    station = profile.coordinator(b"CONCENTR", lambda eui: bytes(16))
    concentrator = Concentrator(network, network.join(0), station=station)
    network.run(network.now() + JOIN_S)
    assert all(node.is_member for node in nodes.nodes.values())
    return network, nodes, concentrator


def broadcaster():
    return Broadcaster(title=b"HEADEND1", keys=Keys(GBEK, GBAK), counter=SendCounter(100))


def shout(concentrator, apdu, times=3):
    station, network = concentrator.station, concentrator.clock
    for _ in range(times):
        station.send_apdu(None, apdu, client=102, server=1, now=network.now(), urgent=True)
        concentrator.stationed.flush()
        network.run(network.now() + 20)


@pytest.mark.covers("IF-H3", "F5b", "F5c", "UC-DR-02")
def test_a_command_with_a_duration_is_confirmed_and_ends():
    network, nodes, concentrator = scene(relays=(HEAT_PUMP,))
    device = nodes.devices["H0001"]
    client = concentrator.open(device)
    network.run(network.now() + 60)
    assert isinstance(concentrator.events[0], Associated)
    wanted = axdr.encode(order(4, duration_s=3 * 3600).encode())
    client.set(((AttributeDescriptor(1, LOAD_ORDER, 2), None),), (wanted,), now=network.now())
    concentrator.stationed.flush()
    network.run(network.now() + 60)
    assert concentrator.of(SetDone)
    concentrator.get(client, SWITCH)
    network.run(network.now() + 60)
    assert concentrator.of(GetDone)[-1].result == b"\x03\x00"
    before = device.energy_wh(0)
    network.run(network.now() + 2 * 3600)
    assert device.energy_wh(0) == before
    network.run(network.now() + 3 * 3600)
    assert device.closed == [True] and device.energy_wh(0) > before


@pytest.mark.covers("F5f", "UC-DR-02")
def test_a_broadcast_reaches_twenty_devices_that_switch_at_random_times():
    network, nodes, concentrator = scene(20, relays=(HEATER,))
    sent = network.now()
    data = axdr.encode(order(11, duration_s=3600, offset_s=600, expires=int(sent) + 300).encode())
    shout(concentrator, broadcaster().set(AttributeDescriptor(1, LOAD_ORDER, 2), data))
    network.run(network.now() + 660)
    assert nodes.counts["broadcasts"] == 20  # each took it once, however often it was heard
    moments = [
        next(event.time_s for event in device.events if event.code is Code.SWITCHED_OFF)
        for device in nodes.devices.values()
    ]
    assert all(sent <= moment <= sent + 660 for moment in moments)
    together = Counter(int(moment) for moment in moments).most_common(1)[0][1]
    assert together <= 3  # of 600 seconds: three at once is what chance gives now and then, four hardly ever
    assert max(moments) - min(moments) > 300
    client = concentrator.open(nodes.devices["H0007"])
    network.run(network.now() + 60)
    concentrator.get(client, SWITCH)
    network.run(network.now() + 60)
    assert concentrator.of(GetDone)[-1].result == b"\x03\x00"
    network.run(sent + 600 + 3600 + 700)
    assert all(device.closed == [True] for device in nodes.devices.values())


@pytest.mark.covers("F5e", "UC-DR-05")
def test_an_emergency_by_broadcast_cuts_those_that_take_part_in_nothing_too():
    network, nodes, concentrator = scene(5, consent=False, programme="")
    cast = broadcaster()
    target = AttributeDescriptor(1, LOAD_ORDER, 2)
    shout(concentrator, cast.set(target, axdr.encode(order(1, duration_s=3600).encode())))
    assert all(device.closed == [True, True] for device in nodes.devices.values())
    shout(concentrator, cast.set(target, axdr.encode(order(2, duration_s=3600, emergency=True).encode())))
    for device in nodes.devices.values():
        assert [one.cause for one in relays(device, network.now())] == ["emergency", "emergency"]


def test_a_broadcast_under_another_key_does_nothing_and_is_noticed():
    _, nodes, concentrator = scene(1)
    wrong = Broadcaster(title=b"HEADEND1", keys=Keys(bytes(16), GBAK), counter=SendCounter(100))
    shout(concentrator, wrong.act(MethodDescriptor(70, RELAY_ALL, 1), b"\x0f\x00"), times=1)
    device = nodes.devices["H0001"]
    assert device.causes == [Cause.NOTHING] * 2
    assert Code.ACCESS_FAILED in [event.code for event in device.events]
    assert nodes.counts["broadcasts not done"] == 1


def test_a_bare_disconnect_by_broadcast_waits_and_ends_by_itself():
    network, nodes, concentrator = scene(3, offset_s=100, hold_s=900)
    shout(concentrator, broadcaster().act(MethodDescriptor(70, RELAY_ALL, 1), b"\x0f\x00"))
    network.run(network.now() + 100)
    assert all(device.closed == [False, False] for device in nodes.devices.values())
    network.run(network.now() + 1000)
    assert all(device.closed == [True, True] for device in nodes.devices.values())


def test_a_device_that_leaves_goes_on_as_ordered_and_comes_back():
    network, nodes, concentrator = scene(1)
    nodes.devices["H0001"].order(order(duration_s=600), network.now())
    nodes.plan(nodes.devices["H0001"])
    nodes.nodes["H0001"].leave()
    assert nodes.nodes["H0001"].station is None
    network.run(network.now() + 601)
    assert nodes.devices["H0001"].closed == [True, True]
    nodes.nodes["H0001"].enter_after(5)
    network.run(network.now() + JOIN_S)
    assert nodes.nodes["H0001"].is_member
    nodes.close()
    assert not concentrator.of(ActionDone)


def test_a_serial_comes_once():
    nodes = HomeNodes(SimulatedNeighbourhood(preset("prime"), start=EVENING), lambda eui: None)
    nodes.add(home_config())
    with pytest.raises(ConfigError, match="already"):
        nodes.add(home_config())
