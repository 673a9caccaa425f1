import subprocess
import sys

import pytest

from meterway.base.errors import ConfigError
from meterway.town.plan import TownPlan


def test_a_plan_is_read_without_what_meters_need():
    code = "import sys, meterway.town.plan, meterway.cli.demo; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("meters", [0, 100_000])
def test_a_town_that_does_not_fit_is_refused(meters):
    with pytest.raises(ConfigError, match=str(meters)):
        TownPlan(meters=meters)
