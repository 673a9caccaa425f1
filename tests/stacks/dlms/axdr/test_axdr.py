"""The package: what it offers, and what it does not load before it is needed."""

import subprocess
import sys

import pytest

from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-I")


def test_every_name_offered_is_there() -> None:
    assert all(hasattr(axdr, name) for name in axdr.__all__)
    with pytest.raises(AttributeError):
        axdr.no_such_name  # noqa: B018


def test_plain_values_are_read_without_numpy() -> None:
    read = "from meterway.stacks.dlms import axdr; axdr.to_native(bytes([0x11, 5]))"
    program = f"import sys; {read}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
