"""What every test shares: the ``needs`` mark, the paths of programs, and the closing list of what was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import programs

REQUIRE_ALL = os.environ.get("METERWAY_REQUIRE_ALL", "") not in ("", "0")

# The machine may be busy: a slow example is no failure. CI draws the same examples each time.
settings.register_profile("meterway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("meterway"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "meterway")


def _missing(item: pytest.Item) -> list[str]:
    wanted = [str(name) for mark in item.iter_markers("needs") for name in mark.args]
    unknown = [name for name in wanted if name not in programs.PACKAGES]
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: tests/programs.py does not know {', '.join(unknown)}")
    return [name for name in wanted if programs.find(name) is None]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out whose programs are absent, or fail it where everything is required."""
    missing = _missing(item)
    if not missing:
        return
    item.user_properties.extend(("left_out", name) for name in missing)
    packages = ", ".join(programs.PACKAGES[name][1] for name in missing)
    reason = f"needs {', '.join(missing)} (Debian: {packages})"
    if REQUIRE_ALL:
        pytest.fail(f"{reason}, and METERWAY_REQUIRE_ALL is set", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def program() -> Callable[[str], Path]:
    """Path of a program named by the test's ``needs`` mark."""

    def path(name: str) -> Path:
        found = programs.find(name)
        assert found is not None, f"mark the test with @pytest.mark.needs({name!r})"
        return found

    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, why, and how to get it. Under xdist this runs once, in the controller."""
    skipped = terminalreporter.stats.get("skipped", [])
    lacking = Counter(name for report in skipped for key, name in report.user_properties if key == "left_out")
    others = Counter(_reason(report) for report in skipped if not report.user_properties)
    if not lacking and not others:
        return
    terminalreporter.section("left out")
    for name, count in sorted(lacking.items()):
        package = programs.PACKAGES[name][1]
        terminalreporter.write_line(f"{_tests(count)} {name} (Debian: apt-get install {package})")
    for reason, count in sorted(others.items()):
        terminalreporter.write_line(f"{count} left out: {reason}")


def _tests(count: int) -> str:
    return f"{count} test needs" if count == 1 else f"{count} tests need"


def _reason(report: pytest.TestReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
