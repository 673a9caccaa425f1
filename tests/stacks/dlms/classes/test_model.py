"""Attributes and methods are found by number and by name."""

from __future__ import annotations

import pytest

from meterway.base.errors import ConfigError
from meterway.stacks.dlms.classes import interface_class


def test_attributes_and_methods_are_found_by_number_and_by_name():
    clock = interface_class(8)
    assert clock.attribute("time-zone") is clock.attribute(3)
    assert clock.method("shift_time").index == 6


def test_an_unknown_attribute_or_method_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no attribute 'scaler'; it has 1 logical_name, 2 value, 3 scaler_unit"):
        interface_class(3).attribute("scaler")
    with pytest.raises(ConfigError, match="no method 2; it has 1 reset"):
        interface_class(3).method(2)
    with pytest.raises(ConfigError, match="no method 1; it has none"):
        interface_class(1).method(1)
