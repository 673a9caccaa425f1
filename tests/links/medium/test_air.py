import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.medium.air import Air, AirSettings, Station
from meterway.links.medium.path import Surroundings
from meterway.stacks.mbus.wireless.modes import MODES

CLEAR = Surroundings(shadow_db=0.0)
CALM = AirSettings(surroundings=CLEAR, fading_db=0.0)
FRAME = bytes([40]) + bytes(40)


def air(settings: AirSettings = CALM, **places: float) -> Air:
    """Stations on a line, by metres east; each hears C1, T1 and S."""
    out = Air(MODES, settings)
    for name, east in places.items():
        out.join(Station(name=name, place=(east, 0.0, 1.0), hears=frozenset(("C1", "T1", "S2"))))
    return out


def test_a_frame_arrives_when_it_has_ended_and_not_before() -> None:
    medium = air(meter=0.0, gateway=20.0)
    sent = medium.transmit("meter", "T1", FRAME, start_s=100.0)
    assert sent is not None
    assert medium.next_due() == sent.end_s == pytest.approx(100.0 + (48 + 47 * 12 + 8) / 100_000, abs=1e-9)
    assert medium.settle(100.005) == []
    (aired,) = medium.settle(sent.end_s)
    assert [name for name, _ in aired.heard] == ["gateway"]
    assert aired.octets == FRAME
    assert medium.next_due() is None


def test_range_is_limited_and_longer_for_slower_modes() -> None:
    reached = {}
    for mode in ("T1", "S2"):
        medium = Air(MODES, CALM)
        medium.join(Station(name="meter"))
        for metres in range(10, 1000, 10):
            medium.join(Station(name=str(metres), place=(metres, 0.0, 0.0), hears=frozenset((mode,))))
        medium.transmit("meter", mode, FRAME, start_s=0.0)
        reached[mode] = max(int(name) for name, _ in medium.settle(1.0)[0].heard)
    assert 50 < reached["T1"] < reached["S2"] < 900


def test_walls_of_the_own_place_shorten_the_range() -> None:
    medium = air(gateway=200.0)
    medium.join(Station(name="open"))
    medium.join(Station(name="pit", place=(0.0, 0.0, 1.0), loss_db=25.0))
    medium.transmit("open", "T1", FRAME, start_s=0.0)
    medium.transmit("pit", "T1", FRAME, start_s=1.0)
    first, second = medium.settle(2.0)
    assert [name for name, _ in first.heard] == ["gateway"]
    assert second.heard == ()
    assert medium.statistics.unheard == 1


def test_equal_signals_at_the_same_time_destroy_each_other() -> None:
    medium = air(left=-20.0, gateway=0.0, right=20.0)
    medium.transmit("left", "T1", FRAME, start_s=0.0)
    medium.transmit("right", "T1", FRAME, start_s=0.004)
    outcome = medium.settle(1.0)
    assert all("gateway" not in dict(aired.heard) for aired in outcome)
    assert [aired.lost["collision"] for aired in outcome] == [1, 1]


def test_a_much_stronger_signal_is_captured() -> None:
    medium = air(near=-5.0, gateway=0.0, far=40.0)
    medium.transmit("far", "T1", FRAME, start_s=0.0)
    medium.transmit("near", "T1", FRAME, start_s=0.001)
    far, near = medium.settle(1.0)
    assert "gateway" not in dict(far.heard)
    assert "gateway" in dict(near.heard)


def test_other_channels_do_not_disturb_but_other_codings_on_the_same_do() -> None:
    for mode, collides in (("S2", False), ("C1", True)):
        medium = air(left=-20.0, gateway=0.0, right=20.0)
        medium.transmit("left", "T1", FRAME, start_s=0.0)
        medium.transmit("right", mode, FRAME, start_s=0.0)
        lost = sum(aired.lost.get("collision", 0) for aired in medium.settle(1.0))
        assert bool(lost) == collides


def test_one_after_the_other_both_arrive() -> None:
    medium = air(left=-20.0, gateway=0.0, right=20.0)
    first = medium.transmit("left", "T1", FRAME, start_s=0.0)
    assert first is not None
    medium.transmit("right", "T1", FRAME, start_s=first.end_s)
    assert all("gateway" in dict(aired.heard) for aired in medium.settle(1.0))


def test_a_frame_told_late_still_meets_what_was_on_the_air() -> None:
    medium = air(left=-20.0, gateway=0.0, right=20.0)
    medium.transmit("left", "T1", FRAME, start_s=0.0)
    medium.settle(0.1)
    medium.transmit("right", "T1", FRAME, start_s=0.002)
    (late,) = medium.settle(0.1)
    assert late.lost == {"collision": 1, "busy": 1}


def test_who_sends_does_not_hear() -> None:
    medium = air(one=0.0, two=10.0)
    medium.transmit("one", "T1", FRAME, start_s=0.0)
    medium.transmit("two", "S2", FRAME, start_s=0.001)
    assert [dict(aired.lost) for aired in medium.settle(1.0)] == [{"busy": 1}, {"busy": 1}]


def test_a_station_sends_one_frame_after_the_other() -> None:
    medium = air(one=0.0, two=10.0)
    first = medium.transmit("one", "T1", FRAME, start_s=0.0)
    second = medium.transmit("one", "T1", FRAME, start_s=0.001)
    assert first is not None
    assert second is not None
    assert second.start_s == first.end_s


def test_a_mode_is_only_heard_by_a_receiver_of_its_kind() -> None:
    medium = Air(MODES, CALM)
    medium.join(Station(name="meter"))
    medium.join(Station(name="only C", hears=frozenset(("C1",))))
    medium.join(Station(name="only S", hears=frozenset(("S1",))))
    medium.transmit("meter", "T1", FRAME, start_s=0.0)
    medium.transmit("meter", "T2 down", FRAME, start_s=1.0)
    assert [[name for name, _ in aired.heard] for aired in medium.settle(2.0)] == [[], ["only S"]]


@pytest.mark.covers("IF-M")
def test_a_station_that_exceeds_its_duty_cycle_is_refused_and_counted() -> None:
    medium = air(meter=0.0, gateway=10.0)
    sent = sum(medium.transmit("meter", "T1", FRAME, start_s=float(second)) is not None for second in range(3000))
    assert medium.statistics.refused == 3000 - sent > 0
    assert medium.used_s("meter", "T1", 3000.0) <= 3.6
    assert medium.used_s("meter", "T1", 3000.0) > 3.59
    assert medium.used_s("gateway", "T1", 3000.0) == 0.0


def test_without_bands_nobody_is_refused() -> None:
    medium = air(AirSettings(surroundings=CLEAR, bands=()), meter=0.0)
    assert all(medium.transmit("meter", "T1", FRAME, start_s=float(second)) for second in range(1000))


def outcomes(seed: int) -> list[tuple[float, tuple[tuple[str, float], ...], str]]:
    settings = AirSettings(seed=seed, surroundings=Surroundings(seed=seed), lost=0.1, late=0.1, repeated=0.1)
    medium = air(settings, a=0.0, b=60.0, c=150.0, d=240.0)
    for number in range(300):
        medium.transmit("abcd"[number % 4], "T1", FRAME, start_s=number * 0.02 + number % 3 * 0.017)
    return [(aired.transmission.start_s, aired.heard, aired.repeat) for aired in medium.settle(100.0)]


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    assert outcomes(1) == outcomes(1)
    assert outcomes(1) != outcomes(2)


def test_late_and_repeated_frames_are_marked_and_loss_is_by_chance() -> None:
    settings = AirSettings(surroundings=CLEAR, lost=0.2, late=0.3, late_s=2.0, repeated=0.3, bands=())
    medium = air(settings, meter=0.0, gateway=10.0)
    for number in range(500):
        medium.transmit("meter", "T1", FRAME, start_s=number * 0.1)
    outcome = medium.settle(1000.0)
    counts = medium.statistics
    assert 60 < counts.lost["chance"] < 140
    assert counts.late == sum(aired.repeat == "late" for aired in outcome) > 80
    assert counts.repeated == sum(aired.repeat == "repeated" for aired in outcome) > 80
    assert counts.received == 500 - counts.lost["chance"]
    assert counts.sent == 500


def test_receivers_may_drop_what_they_do_not_pass_on() -> None:
    medium = air(AirSettings(surroundings=CLEAR, as_received=lambda octets: octets[:5]), meter=0.0, gateway=1.0)
    medium.transmit("meter", "T1", FRAME, start_s=0.0)
    assert medium.settle(1.0)[0].octets == FRAME[:5]


def test_fading_makes_the_edge_of_range_soft() -> None:
    medium = air(AirSettings(surroundings=CLEAR, bands=()), meter=0.0)
    edge = next(metres for metres in range(100, 900, 5) if _mean(metres) < -103)
    medium.join(Station(name="gateway", place=(float(edge), 0.0, 1.0), hears=frozenset(("T1",))))
    for number in range(400):
        medium.transmit("meter", "T1", FRAME, start_s=number * 0.1)
    medium.settle(100.0)
    assert 20 < medium.statistics.received < 380
    assert medium.statistics.lost["weak"] == 400 - medium.statistics.received


def _mean(metres: float) -> float:
    return air(meter=0.0, gateway=metres).signal_dbm("meter", "gateway", "T1")


def test_a_station_that_left_neither_sends_nor_hears() -> None:
    medium = air(meter=0.0, gateway=10.0)
    medium.transmit("meter", "T1", FRAME, start_s=0.0)
    medium.leave("gateway")
    medium.leave("nobody")
    assert medium.settle(1.0)[0].heard == ()
    with pytest.raises(LinkError, match="gateway"):
        medium.transmit("gateway", "T1", FRAME, start_s=2.0)
    with pytest.raises(LinkError, match="gateway"):
        medium.signal_dbm("meter", "gateway", "T1")


def test_what_cannot_be_is_refused_in_words() -> None:
    medium = air(meter=0.0)
    with pytest.raises(ConfigError, match="already"):
        medium.join(Station(name="meter"))
    with pytest.raises(ConfigError, match="Z9"):
        medium.join(Station(name="other", hears=frozenset(("Z9",))))
    with pytest.raises(ConfigError, match="Z9"):
        medium.transmit("meter", "Z9", FRAME, start_s=0.0)
    with pytest.raises(ConfigError, match="within"):
        medium.join(Station(name="far", place=(float("nan"), 0.0, 0.0)))
    with pytest.raises(ConfigError, match="dB"):
        medium.join(Station(name="loud", power_dbm=1000.0))
    for octets in (b"", bytes(400)):
        with pytest.raises(LinkError, match="octets"):
            medium.transmit("meter", "T1", octets, start_s=0.0)


def test_the_past_is_forgotten() -> None:
    medium = air(AirSettings(surroundings=CLEAR, bands=()), meter=0.0, gateway=10.0)
    for number in range(2000):
        medium.transmit("meter", "T1", FRAME, start_s=number * 1.0)
        medium.settle(number * 1.0)
    assert sum(len(band.frames) for band in medium._bands.values()) < 20
    assert len(medium._own["meter"]) < 20
