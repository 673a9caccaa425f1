"""A meter on the air: its times, its telegrams in every profile, its windows, and what it answers in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mbus_bench import sealed_order
from meterway.links.radio import Reception
from meterway.meter.firmware import signed_image
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, MbusMeter
from meterway.meter.mbus.radio import Outgoing, RadioMeter, interval_s
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Valve
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import Switch, change_key, switch
from meterway.stacks.mbus.image import CI_REQUEST, ImageSender
from meterway.stacks.mbus.telegram import Telegram, decode
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import RadioFrame, decode_radio, encode_radio
from meterway.stacks.mbus.wireless.modes import DOWNLINK, MODES, RESPONSES, duration_s

NOW = 1_795_446_000.0
KEY = bytes(range(16))
GATEWAY = Address(manufacturer=0x36F9, ident="99999999", version=1, device_type=0x31)


class Home:
    """A meter and a gateway's hand in one room: what the gateway sends is heard at once."""

    def __init__(self, **more: Any) -> None:
        settings = {"ident": "30000003", "utility": Utility.GAS, "key": KEY.hex(), "valve": True} | more
        if settings["utility"] is not Utility.GAS:
            settings["valve"] = False
        self.meter = MbusMeter(MeterConfig(**settings))
        self.radio = RadioMeter(self.meter, NOW)
        self.mode = self.meter.config.radio
        self.ends_s = 0.0

    def speak(self) -> bytes:
        """Let the meter send its next telegram."""
        moment = self.radio.next_s
        (sent,) = self.radio.due(moment)
        self.ends_s = moment + duration_s(MODES[sent.mode], sent.octets)
        return sent.octets

    def answer(self, frame: bytes, *, after_s: float | None = None) -> tuple[Outgoing, ...]:
        """Send a frame that begins so long after the meter's own ended (the middle of its window)."""
        window = RESPONSES[self.mode[0]]
        begins_s = self.ends_s + ((window.opens_s + window.closes_s) / 2 if after_s is None else after_s)
        mode = DOWNLINK.get(self.mode[0], self.mode)
        ends_s = begins_s + duration_s(MODES[mode], frame)
        heard = self.radio.hear(Reception(octets=frame, mode=mode, time_s=ends_s))
        for one in heard:
            self.ends_s = ends_s + one.delay_s + duration_s(MODES[one.mode], one.octets)
        return heard

    def open(self, octets: bytes) -> Telegram:
        return decode(octets, keys=[self.meter.key])

    def order(
        self, payload: bytes, *, counter: int = 1, key: bytes = KEY, control: int = 0x53, ci: int = 0x5B
    ) -> bytes:
        message = sealed_order(self.meter, payload, counter=counter, key=key, ci=ci)
        return encode_radio(control, GATEWAY, message, "A")

    def request(self, control: int, access: int = 77) -> bytes:
        tpl = Tpl(ci=0x80, header="long", address=self.meter.address, access=access)
        return encode_radio(control, GATEWAY, tpl.encode(), "A")


@pytest.mark.covers("IF-M")
def test_intervals_spread_evenly_around_the_nominal_time() -> None:
    steps = [interval_s(900, access) for access in range(256)]
    assert sum(steps) / 256 == pytest.approx(900, rel=1e-3)
    assert min(steps) == interval_s(900, 128) == 900 * (1 - 64 / 2048)
    assert max(steps) == interval_s(900, 0) == 900 * (1 + 64 / 2048)


@pytest.mark.covers("IF-M", "E-MED")
def test_telegrams_come_at_the_announced_times_and_their_numbers_rise() -> None:
    home = Home()
    moments, accesses = [], []
    for _ in range(300):
        moments.append(home.radio.next_s)
        accesses.append(home.open(home.speak()).access)
    assert accesses == [number & 0xFF for number in range(1, 301)]
    for place in range(299):
        step = interval_s(900, accesses[place] or 0)
        assert moments[place + 1] - moments[place] == pytest.approx(step)
    assert home.radio.due(moments[-1]) == ()


@pytest.mark.covers("IF-M", "F1a", "SEC-04")
@pytest.mark.parametrize("utility", list(Utility))
@pytest.mark.parametrize("security", [0, 5, 7, 10])
@pytest.mark.parametrize(("radio", "frame_format"), [("T1", "A"), ("C1", "B"), ("S1", "A"), ("N1a", "B")])
@pytest.mark.parametrize("long_header", [False, True])
def test_every_telegram_is_opened_and_tells_the_register(
    utility: Utility, security: int, radio: str, frame_format: str, long_header: bool
) -> None:
    home = Home(
        utility=utility, security=security, radio=radio, frame_format=frame_format, long_header=long_header, months=15
    )
    for _ in range(4):
        moment = home.radio.next_s
        octets = home.speak()
        telegram = home.open(octets)
        assert telegram.device == home.meter.address
        assert telegram.protection.mode == security
        assert decode_radio(octets).coding == frame_format
        assert isinstance(telegram.frame, RadioFrame)
        assert telegram.frame.name == "SND-NR"
        register = home.meter.at(moment)[0]
        shown = {Utility.GAS: register / 1000, Utility.WATER: register / 1000, Utility.HEAT_COST: register // 1000}
        shown[Utility.ELECTRICITY] = register
        assert telegram.records[0].value == shown.get(utility, register // 1000 * 1000)
    assert telegram.profile_values


VECTORS = Path(__file__).parents[2] / "vectors" / "mbus" / "telegrams.jsonl"


@pytest.mark.covers("IF-M", "SEC-04")
@pytest.mark.parametrize("security", [7, 10])
def test_profiles_b_and_d_are_laid_out_like_telegrams_of_real_meters(security: int) -> None:
    lines = [json.loads(line) for line in VECTORS.read_text().splitlines()]
    (model,) = [line for line in lines if f"mode {security}" in line["name"]]
    theirs = decode(bytes.fromhex(model["hex"]), keys=[bytes.fromhex(model["key"])])
    home = Home(security=security, bidirectional=False)
    ours = home.open(home.speak())

    def layout(telegram: Telegram) -> tuple[object, ...]:
        ell, afl, tpl = telegram.ell, telegram.afl, telegram.tpl
        assert ell is not None
        assert tpl is not None
        fields = (afl.message_control, afl.mac_length, afl.encode()[:4]) if afl is not None else None
        return ell.ci, ell.control, fields, tpl.ci, tpl.header, tpl.mode, tpl.extension, tpl.access == ell.access

    assert layout(ours) == layout(theirs)
    assert {"FD17", "6D"} <= {record.head.vif for record in ours.records}


@pytest.mark.covers("IF-M")
def test_frames_announce_whether_the_meter_listens() -> None:
    for security in (0, 5, 7, 10):
        for bidirectional in (False, True):
            telegram = (home := Home(security=security, bidirectional=bidirectional)).open(home.speak())
            layer = telegram.ell if telegram.ell is not None else telegram.tpl
            assert layer is not None
            assert (telegram.ell is None) == (security in (0, 5))
            assert layer.bidirectional == layer.accessible == bidirectional


@pytest.mark.covers("F4a", "IF-M", "UC-BI-05")
@pytest.mark.parametrize("security", [0, 5, 7, 10])
@pytest.mark.parametrize("radio", ["T1", "C1", "S2", "N2g"])
def test_an_order_in_the_window_is_obeyed_and_acknowledged(security: int, radio: str) -> None:
    home = Home(security=security, radio=radio)
    home.speak()
    (answer,) = home.answer(home.order(switch(Switch.OPEN).encode(), counter=5))
    assert home.meter.valve is Valve.CLOSED
    telegram = home.open(answer.octets)
    assert isinstance(telegram.frame, RadioFrame)
    assert (telegram.frame.name, telegram.access) == ("ACK", 5)
    assert answer.delay_s == RESPONSES[radio[0]].opens_s
    (data,) = home.answer(home.request(0x5B), after_s=0.5)
    telegram = home.open(data.octets)
    assert (telegram.access, telegram.protection.mode) == (77, security)
    (state,) = [record.value for record in telegram.records if record.head.vif == "FD1A"]
    assert state == 0


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("after_s", [-1.0, 0.06, 5.0])
def test_an_order_outside_the_window_is_not_heard(after_s: float) -> None:
    home = Home()
    home.speak()
    assert home.answer(home.order(switch(Switch.OPEN).encode()), after_s=after_s) == ()
    assert home.meter.valve is Valve.OPEN


def test_grace_stretches_the_window_for_what_sockets_add() -> None:
    home = Home()
    home.radio.grace_s = 1.0
    home.speak()
    assert home.answer(home.order(switch(Switch.OPEN).encode()), after_s=0.9)


def test_a_one_way_meter_hears_nothing() -> None:
    home = Home(bidirectional=False)
    home.speak()
    assert home.answer(home.request(0x5B)) == ()
    assert home.meter.used_mas > 0


@pytest.mark.covers("SEC-05")
def test_a_repeated_order_gets_the_same_answer_and_is_done_once() -> None:
    home = Home()
    home.speak()
    frame = home.order(switch(Switch.OPEN).encode())
    (first,) = home.answer(frame)
    home.meter.valve = Valve.READY
    assert home.answer(frame, after_s=0.1) == (first,)
    assert home.meter.valve is Valve.READY
    home.answer(home.request(0x40), after_s=0.1)
    home.speak()
    assert home.answer(frame) == ()


def test_the_same_question_in_a_later_window_gets_a_new_answer() -> None:
    home = Home()
    home.speak()
    (first,) = home.answer(home.request(0x5B))
    home.speak()
    (then,) = home.answer(home.request(0x5B))
    assert home.open(then.octets).records[0].value != home.open(first.octets).records[0].value


@pytest.mark.covers("SEC-03", "SEC-04")
def test_an_order_under_a_wrong_key_is_not_answered() -> None:
    home = Home()
    home.speak()
    assert home.answer(home.order(switch(Switch.OPEN).encode(), key=bytes(16))) == ()
    assert home.meter.valve is Valve.OPEN


@pytest.mark.covers("SEC-07")
def test_a_changed_key_protects_the_next_telegram() -> None:
    home, new = Home(), bytes(range(16, 32))
    home.speak()
    assert home.answer(home.order(change_key(new, KEY).encode()))
    assert home.meter.key == new
    assert decode(home.speak(), keys=[new]).protection.state == "verified"


def test_a_refused_order_is_told_at_the_next_request() -> None:
    home = Home(utility=Utility.WATER)
    home.speak()
    assert home.answer(home.order(switch(Switch.OPEN).encode()))
    (told,) = home.answer(home.request(0x5B), after_s=0.1)
    assert home.open(told.octets).kind == "application error"
    (at_once,) = home.answer(home.order(switch(Switch.OPEN).encode(), counter=2, control=0x43), after_s=0.1)
    assert home.open(at_once.octets).kind == "application error"


@pytest.mark.covers("F2a", "IF-M")
def test_a_new_alarm_makes_the_meter_demand_to_be_asked() -> None:
    home = Home()
    home.speak()
    home.meter.raise_alarm(Alarm.TAMPER)
    (demand,) = home.radio.due(NOW)
    frame = decode_radio(demand.octets)
    assert frame.name == "ACC-DMD"
    home.ends_s = NOW + duration_s(MODES["T1"], demand.octets)
    (told,) = home.answer(home.request(0x5A))
    assert home.open(told.octets).kind == "alarm"
    assert home.radio.due(NOW) == ()
    home.meter.reset_alarms()
    (nothing,) = home.answer(home.request(0x5A, access=78), after_s=0.1)
    assert decode_radio(nothing.octets).name == "ACK"


@pytest.mark.covers("IF-M", "UC-IN-02")
def test_installation_asks_six_times_or_until_it_is_confirmed() -> None:
    home = Home()
    home.radio.install(NOW)
    names = [decode_radio(home.speak()).name for _ in range(7)]
    assert names == ["SND-IR"] * 6 + ["SND-NR"]
    home.radio.install(NOW + 1e6)
    home.speak()
    assert home.answer(home.request(0x06)) == ()
    assert decode_radio(home.speak()).name == "SND-NR"


class Campaign:
    """A gateway's hand that transfers an image, one frame and its answer at a time."""

    def __init__(self, home: Home, sender: ImageSender) -> None:
        self.home, self.sender, self.counter, self.blocks = home, sender, 0, 0

    def session(self, *, pause_s: float = 0.15) -> None:
        """What fits into one listening of the meter: SND-UD2 where an answer is wanted, SND-UD for a block."""
        self.home.speak()
        self.sender.open()
        after_s = None
        while (request := self.sender.next_request()) is not None:
            self.counter += 1
            control = 0x43 if request.answered else 0x53
            frame = self.home.order(request.payload, counter=self.counter, control=control, ci=CI_REQUEST)
            heard = self.home.answer(frame, after_s=after_s)
            after_s = pause_s
            if not heard:
                self.sender.lost()
            elif request.answered:
                self.sender.received(self.home.open(heard[0].octets).payload)
            else:
                self.blocks += 1
                self.sender.acknowledged()


@pytest.mark.covers("F2b", "IF-M")
@pytest.mark.parametrize(("radio", "security"), [("T1", 7), ("C1", 10), ("S2", 5), ("N1a", 7)])
def test_firmware_comes_over_the_air_in_as_many_sessions_as_the_battery_wants(radio: str, security: int) -> None:
    home = Home(radio=radio, security=security, long_header=radio == "C1")
    campaign = Campaign(home, ImageSender(signed_image(bytes(150 * 100)), b"GAS-3.0", block_size=100))
    seen, before = [], home.meter.used_mas
    while campaign.sender.result is None and len(seen) < 9:
        campaign.session()
        seen.append(campaign.blocks)
    assert seen == [64, 128, 151]
    assert campaign.sender.result.done
    assert home.meter.firmware == b"GAS-3.0"
    assert home.meter.used_mas > before


@pytest.mark.covers("F2b")
def test_a_meter_that_sleeps_again_takes_no_block_until_its_next_telegram() -> None:
    home = Home()
    campaign = Campaign(home, ImageSender(signed_image(bytes(1000)), b"GAS-3.0"))
    campaign.session(pause_s=11.0)
    assert (campaign.counter, campaign.sender.result) == (4, None)
    assert home.meter.image is not None
    campaign.session()
    assert campaign.sender.result is not None
    assert campaign.sender.result.done


@pytest.mark.covers("F2a")
def test_every_frame_costs_charge_and_long_ones_more() -> None:
    slow, fast = Home(radio="N1c"), Home(radio="C1")
    slow.speak()
    fast.speak()
    assert slow.meter.used_mas > 5 * fast.meter.used_mas > 0


@pytest.mark.covers("SEC-11")
@settings(max_examples=150)
@given(st.binary(max_size=80), st.sampled_from([0x40, 0x43, 0x53, 0x5A, 0x5B, 0x06, 0x00]))
def test_noise_in_the_window_moves_nothing(body: bytes, control: int) -> None:
    home = Home()
    home.speak()
    home.answer(encode_radio(control, GATEWAY, body, "A"))
    assert (home.meter.valve, home.meter.key, home.meter.received) == (Valve.OPEN, KEY, -1)
