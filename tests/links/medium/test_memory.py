import pytest

from meterway.base.errors import LinkError
from meterway.links.medium.air import Aired, AirSettings, Station
from meterway.links.medium.memory import SimulatedRadio
from meterway.links.medium.path import Surroundings
from meterway.links.radio import RadioPort, Reception
from meterway.stacks.mbus.wireless.modes import MODES

CALM = AirSettings(surroundings=Surroundings(shadow_db=0.0), fading_db=0.0)
FRAME = bytes([30]) + bytes(30)
BOTH = frozenset(("T1", "T2 down"))


def test_a_frame_is_heard_with_mode_strength_and_time() -> None:
    radio = SimulatedRadio(MODES, CALM, start=1000.0)
    meter: RadioPort = radio.join(Station(name="meter"))
    gateway = radio.join(Station(name="gateway", place=(10.0, 0.0, 0.0), hears=BOTH))
    heard: list[Reception] = []
    gateway.listen(heard.append)
    meter.send(FRAME, mode="T1")
    radio.run(1001.0)
    (reception,) = heard
    assert reception.octets == FRAME
    assert (reception.mode, reception.simulated) == ("T1", True)
    assert 1000.0 < reception.time_s < 1000.01
    assert reception.rssi_dbm is not None
    assert -80 < reception.rssi_dbm < -40
    assert radio.now == 1001.0


@pytest.mark.covers("IF-M")
def test_an_answer_falls_into_the_window_of_a_bidirectional_meter_to_the_microsecond() -> None:
    radio = SimulatedRadio(MODES, CALM)
    meter = radio.join(Station(name="meter", hears=frozenset(("T2 down",))))
    gateway = radio.join(Station(name="gateway", place=(5.0, 0.0, 0.0), hears=frozenset(("T1",))))
    aired: list[Aired] = []
    radio._on_aired = aired.append
    answers: list[Reception] = []
    meter.listen(answers.append)
    gateway.listen(lambda reception: gateway.send(FRAME, mode="T2 down", delay_s=0.0025))
    meter.send(FRAME, mode="T1", delay_s=3.0)
    radio.run(10.0)
    up, down = (each.transmission for each in aired)
    assert up.start_s == 3.0
    assert down.start_s - up.end_s == pytest.approx(0.0025, abs=1e-9)
    assert answers[0].time_s == down.end_s


def test_calls_and_frames_come_in_order_of_time() -> None:
    radio = SimulatedRadio(MODES, CALM)
    order: list[tuple[str, float]] = []
    meter = radio.join(Station(name="meter"))
    radio.join(Station(name="gateway", hears=BOTH)).listen(lambda reception: order.append(("heard", radio.now)))
    radio.call_at(2.0, lambda: meter.send(FRAME, mode="T1"))
    radio.call_at(2.5, lambda: order.append(("called", radio.now)))
    radio.call_at(1.0, lambda: order.append(("called", radio.now)))
    radio.run(3.0)
    assert [name for name, _ in order] == ["called", "heard", "called"]
    assert [round(when, 1) for _, when in order] == [1.0, 2.0, 2.5]


def test_a_refused_frame_is_counted_at_its_port() -> None:
    radio = SimulatedRadio(MODES, CALM)
    meter = radio.join(Station(name="meter"))
    for _ in range(1000):
        meter.send(FRAME, mode="T1")
    assert meter.refused == radio.statistics.refused > 0


def test_a_closed_port_is_silent_and_deaf() -> None:
    radio = SimulatedRadio(MODES, CALM)
    meter = radio.join(Station(name="meter"))
    gateway = radio.join(Station(name="gateway", hears=BOTH))
    heard: list[Reception] = []
    gateway.listen(heard.append)
    meter.send(FRAME, mode="T1")
    gateway.close()
    gateway.close()
    radio.run(1.0)
    assert heard == []
    with pytest.raises(LinkError, match="gateway"):
        gateway.send(FRAME, mode="T1")
    radio.join(Station(name="gateway", hears=BOTH))


def test_who_does_not_listen_misses_it() -> None:
    radio = SimulatedRadio(MODES, CALM)
    radio.join(Station(name="gateway", hears=BOTH))
    radio.join(Station(name="meter")).send(FRAME, mode="T1")
    radio.run(1.0)
    assert radio.statistics.received == 1
