import pytest

from meterway.cli.screen import DemoScreen
from meterway.town.summary import Summary


def summary(**changes):
    figures = {"meters": 2, "read": 2, "values": 20, "completeness": 1.0, "seconds": 0.5, "values_per_s": 40.0}
    more = {"p50_ms": 1.0, "p95_ms": 2.0, "failures": {}, "octets": 99, "events": 1, "displays": 1, "telegrams": 3}
    return Summary(**{**figures, **more, **changes})


def test_without_a_terminal_the_summary_is_plain_text(capsys):
    screen = DemoScreen(is_quiet=False)
    with screen.working("Building the town"):
        pass
    with screen.collecting(2) as advance:
        advance(1, 2, 10)
    screen.summary(summary(read=1, failures={"timeout": 1}))
    told = capsys.readouterr().out
    assert told.startswith("Building the town\n")
    assert "timeout 1" in told
    assert "\x1b" not in told


def test_quiet_is_quiet(capsys):
    screen = DemoScreen(is_quiet=True)
    with screen.working("x"):
        screen.summary(summary())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("changes", "red"), [({}, False), ({"read": 1}, True), ({"failures": {"key": 1}}, True)])
def test_what_is_bad_is_red_on_a_terminal(capsys, monkeypatch, changes, red):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    DemoScreen(is_quiet=False).summary(summary(**changes))
    assert ("\x1b[31m" in capsys.readouterr().out) is red
