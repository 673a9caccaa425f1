"""What must outlive a restart does; a damaged file is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, Condition, MbusMeter
from meterway.meter.mbus.radio import RadioMeter
from meterway.meter.mbus.state import FileState
from meterway.meter.mbus.usage import DAY_S, Utility
from meterway.meter.mbus.valve import Input, Valve
from meterway.stacks.mbus.telegram import decode

NOW = 1_795_446_000.0


Open = Callable[[Path], FileState]


@pytest.fixture
def opened() -> Iterator[Open]:
    """A state file as a process opens it; what is not closed at the end is let go of as in a crash."""
    states: list[FileState] = []

    def open_it(path: Path) -> FileState:
        states.append(FileState(path))
        return states[-1]

    yield open_it
    for state in states:
        state._file.close()


def gas(key: str = "22" * 16) -> MbusMeter:
    return MbusMeter(MeterConfig(ident="40000004", utility=Utility.GAS, key=key, valve=True))


def spoken(meter: MbusMeter, state: FileState, times: int) -> list[int]:
    radio = RadioMeter(meter, NOW)
    counters = []
    for _ in range(times):
        (sent,) = radio.due(radio.next_s)
        state.keep(meter)
        afl = decode(sent.octets, keys=[meter.key]).afl
        assert afl is not None
        counters.append(afl.counter or 0)
    return counters


@pytest.mark.covers("SEC-05", "E-MED")
@pytest.mark.parametrize("crash", [False, True])
def test_no_message_counter_comes_twice_over_restarts(opened: Open, tmp_path: Path, crash: bool) -> None:
    path, seen = tmp_path / "state", []
    for _ in range(4):
        state, meter = opened(path), gas()
        state.restore(meter)
        seen += spoken(meter, state, 300)
        if not crash:
            state.close((meter,))
    assert seen == sorted(set(seen))
    if not crash:
        assert seen == list(range(1, 1201))


@pytest.mark.covers("SEC-07", "F4b")
def test_key_valve_alarms_and_litres_are_what_they_were(opened: Open, tmp_path: Path) -> None:
    state, meter = opened(tmp_path / "state"), gas()
    meter.move_valve(Input.CLOSE, NOW)
    meter.begin(Condition.LEAK, NOW)
    meter.end(Condition.LEAK, NOW + 60)
    meter.raise_alarm(Alarm.MAGNET)
    meter.key, meter.received, meter.primary, meter.changed = bytes(range(16)), 12, 7, True
    meter.firmware = b"GAS-2.0"
    state.keep(meter)
    again = gas()
    opened(tmp_path / "state").restore(again)
    for name in ("key", "received", "primary", "valve", "alarms", "error_flags", "firmware", "episodes", "folded"):
        assert getattr(again, name) == getattr(meter, name)
    assert again.at(NOW + DAY_S) == meter.at(NOW + DAY_S)
    assert bytes(range(16)).hex() not in (tmp_path / "state").read_text()


@pytest.mark.covers("F4b")
def test_a_leak_test_that_a_restart_broke_off_must_be_asked_for_again(opened: Open, tmp_path: Path) -> None:
    state, meter = opened(tmp_path / "state"), gas()
    for happening in (Input.CLOSE, Input.RELEASE, Input.BUTTON):
        meter.move_valve(happening, NOW)
    state.keep(meter)
    again = gas()
    opened(tmp_path / "state").restore(again)
    assert again.valve is Valve.READY


def test_a_line_cut_by_a_crash_is_passed_over_and_any_other_damage_is_named(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "state"
    state, meter = opened(path), gas()
    meter.changed = True
    state.keep(meter)
    whole = path.read_text()
    path.write_text(whole + '{"meter": "MWY-4')
    opened(path)
    path.write_text("nonsense\n" + whole)
    with pytest.raises(ConfigError, match="line 1"):
        opened(path)
    path.write_text(whole.replace('"received": -1', '"received": "x"'))
    with pytest.raises(ConfigError, match="damaged"):
        opened(path).restore(gas())
    with pytest.raises(ConfigError):
        opened(tmp_path)


@pytest.mark.covers("SEC-07")
def test_a_changed_key_does_not_open_under_another_factory_key(opened: Open, tmp_path: Path) -> None:
    state, meter = opened(tmp_path / "state"), gas()
    meter.key, meter.changed = bytes(16), True
    state.keep(meter)
    with pytest.raises(ConfigError, match="another key"):
        opened(tmp_path / "state").restore(gas("33" * 16))
