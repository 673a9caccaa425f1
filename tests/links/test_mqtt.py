"""The MQTT library is there, or it is said which setting wants it and how to get it."""

from __future__ import annotations

import sys

import pytest

from meterway.base.errors import ConfigError
from meterway.links.mqtt import library


def test_what_is_used_of_the_library_is_in_it() -> None:
    pytest.importorskip("aiomqtt")
    found = library("mqtt")
    assert issubclass(found.MqttError, Exception)
    assert {"publish", "subscribe", "messages"} <= set(dir(found.Client))
    will = found.Will("a/status", "offline", qos=1, retain=True)
    assert will is not None


def test_without_the_library_the_setting_that_wants_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    with pytest.raises(ConfigError, match=r"^report: the package aiomqtt is not installed .*extra 'mqtt'"):
        library("report")
