"""A small street on the simulated PRIME-like medium, by the benchmark's own code: values, questions, firmware."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.covers("E-NNAP", "IF-C", "UC-BI-01")

_FOLDER = Path(__file__).parents[2] / "benchmarks"


def _program(name):
    spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look for it, and so does another program
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def night():
    return _program("nnap_night")


@pytest.fixture(scope="module")
def distribution(night):
    return _program("nnap_firmware")


@pytest.mark.parametrize("seed", [1, 2])
def test_all_values_of_the_day_are_in_and_questions_are_answered_meanwhile(night, seed):
    found = night.night(30, seed)
    assert found["values"] >= 0.995
    assert found["after_s"] < 6 * 3600
    assert found["on_demand"] > 3
    assert found["on_demand_p95_s"] <= 30


@pytest.mark.covers("UC-IN-05", "E-NNAP-6")
@pytest.mark.parametrize(("profile", "times"), [("idis", 1.5), ("idis-parity", 2.2)])
def test_firmware_by_broadcast_costs_a_fraction_of_unicast(distribution, profile, times):
    """With 30 meters the gain is small; the aim of 20 is for 300, which the benchmark shows."""
    image = distribution.firmware(20_000)
    sent = distribution.by_broadcast(30, 1, image, profile)
    assert sent["active"] == 30
    assert (sent["symbols"] > 0) == (profile == "idis-parity")
    alone = distribution.by_unicast(30, 1, image, sample=4, blocks=20)
    assert alone > times * sent["airtime_s"]
